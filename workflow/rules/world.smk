# The built-in world: a small planet that writes raw files in the real formats.

RAW = ("simulation", "cover", "towers", "virtual_towers", "truth")


rule build_world:
    output:
        simulation=directory("<results>/raw/simulation"),
        cover=directory("<results>/raw/cover"),
        towers=directory("<results>/raw/towers"),
        virtual_towers=directory("<results>/raw/virtual_towers"),
        truth=directory("<results>/raw/truth"),
        sums=[f"<results>/raw/{name}.sums" for name in RAW],
    log:
        "<logs>/build_world.log",
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=15,
    params:
        **made_by("build_world"),
        config=config["world"],
    script:
        "../scripts/build_world.py"
