# The canonical set: one grid, one time axis, one unit per quantity, one split for everybody.


rule harmonise:
    input:
        **interim_files(config),
    output:
        **truth_file(config),
        drivers="<data>/drivers.nc",
        simulation="<data>/simulation.nc",
        cover="<data>/cover.nc",
        towers="<data>/towers.nc",
        splits="<data>/splits.csv",
        splits_origin="<data>/splits.json",
        counts="<data>/counts.csv",
        provenance="<results>/tables/provenance.csv",
    log:
        "<logs>/harmonise.log",
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=code("harmonise"),
        config={
            "harmonise": config["harmonise"],
            "splits": config["splits"],
            "simulation": source_leaves.harmonised_simulation(config),
            "built_in": targets.built_in(config),
        },
    script:
        "../scripts/harmonise.py"


rule statistics:
    input:
        drivers=rules.harmonise.output.drivers,
        simulation=rules.harmonise.output.simulation,
        towers=rules.harmonise.output.towers,
        splits=rules.harmonise.output.splits,
    output:
        statistics="<data>/statistics/fold{fold}.nc",
    log:
        "<logs>/statistics/fold{fold}.log",
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=15,
    params:
        code=code("statistics"),
        config={
            key: config["harmonise"][key]
            for key in ("satellites", "minimum_training_quality")
        },
    script:
        "../scripts/statistics.py"
