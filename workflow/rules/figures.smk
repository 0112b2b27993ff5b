# What is shown. One job draws all figures; every number in them stands in a table or NetCDF file first.

from dere.workflow.report_text import escape_reports

escape_reports()


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
        **made_by("figures", f"dere.exchange.{exchanges.DEFAULT}"),
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
        **made_by("resolved_config"),
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
        **made_by("citations"),
    script:
        "../scripts/citations.py"


# What was dropped, filled or replaced, of each exchange.
for exchange in config["exchanges"]:

    rule:
        name:
            f"changes{targets.suffix(exchange)}"
        input:
            **changed_files(config, exchange),
        output:
            table=report(
                in_run(exchange, "tables/changes.csv"),
                caption="../report/changes.rst",
                category="Sources",
                labels={
                    "figure": f"dropped, filled or replaced{targets.title(exchange)}"
                },
            ),
            page=in_run(exchange, "changes.html"),
        log:
            in_run(exchange, "logs/changes.log"),
        conda:
            "../../envs/data.yaml"
        threads: 1
        resources:
            mem_mb=1000,
            runtime=5,
        params:
            **made_by("changes", of=exchange),
            exchange=exchange,
        script:
            "../scripts/changes.py"


# The first page of a run, of each exchange, which the report takes in; and its explorer.
for exchange in config["exchanges"]:

    rule:
        name:
            f"opening{targets.suffix(exchange)}"
        input:
            **opening_tables(exchange),
            **with_sums("products", in_run(exchange, "products")),
            citations=rules.citations.output.citations,
        output:
            page=in_run(exchange, "index.html"),
            part=in_run(exchange, "opening.html"),
        log:
            in_run(exchange, "logs/opening.log"),
        conda:
            "../../envs/figures.yaml"
        threads: 1
        resources:
            mem_mb=2000,
            runtime=10,
        params:
            **made_by("opening", f"dere.exchange.{exchange}", of=exchange),
            facts=opening_plan.facts(config, exchange),
            links=opening_plan.links(config, figure_files(config), exchange),
            others=opening_plan.others(config, exchange),
        script:
            "../scripts/opening.py"

    rule:
        name:
            f"explorer{targets.suffix(exchange)}"
        input:
            **explorer_files(config, exchange),
        output:
            page=in_run(exchange, "explorer/index.html"),
        log:
            in_run(exchange, "logs/explorer.log"),
        conda:
            "../../envs/figures.yaml"
        threads: 1
        resources:
            mem_mb=3000,
            runtime=15,
        params:
            **made_by("explorer", f"dere.exchange.{exchange}", of=exchange),
            facts=opening_plan.facts(config, exchange),
            back="../index.html",
        script:
            "../scripts/explorer.py"
