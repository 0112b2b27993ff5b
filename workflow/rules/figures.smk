# What is shown. One job draws all figures; every number in them stands in a table or NetCDF file first.


rule figures:
    input:
        **figure_inputs(config),
    output:
        **figure_outputs(config),
    log:
        "<logs>/figures.log",
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=6000,
        runtime=30,
    params:
        code=code("figures", f"dere.exchange.{exchanges.DEFAULT}"),
        config=config["figures"],
        backbone=config["backbones"][0],
        methods=targets.shown(config),
        backbones=targets.backbone_labels(config),
    script:
        "../scripts/figures.py"


rule resolved_config:
    output:
        text="<results>/config.yaml",
        page=report(
            "<results>/config.html",
            caption="../report/configuration.rst",
            category="Configuration",
            labels={"figure": "all settings"},
        ),
    log:
        "<logs>/resolved_config.log",
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        code=code("resolved_config"),
        config=config,
        leaves=described(config, composed(), default_of(config)),
    script:
        "../scripts/resolved_config.py"


rule citations:
    input:
        provenance=rules.harmonise.output.provenance,
    output:
        citations=report(
            "<results>/tables/citations.csv",
            caption="../report/citations.rst",
            category="Sources",
            labels={"figure": "what to cite"},
        ),
    log:
        "<logs>/citations.log",
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        code=code("citations"),
    script:
        "../scripts/citations.py"


rule changes:
    input:
        **changed_files(config),
    output:
        table=report(
            "<results>/tables/changes.csv",
            caption="../report/changes.rst",
            category="Sources",
            labels={"figure": "what was dropped, filled or replaced"},
        ),
        page="<results>/changes.html",
    log:
        "<logs>/changes.log",
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        code=code("changes"),
        exchanges=config["exchanges"],
    script:
        "../scripts/changes.py"
