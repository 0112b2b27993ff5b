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
        odd_months="<results>/tables/odd_months.csv",
        known_sites="<results>/models/known_sites.nc",
    log:
        "<logs>/harmonise.log",
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        **made_by("harmonise", *exchange_modules(exchanges.DEFAULT)),
        config={
            "harmonise": parameters.of_harmonise(config),
            "splits": config["splits"],
            "simulation": source_leaves.harmonised_simulation(config),
            "built_in": targets.built_in(config),
        },
    script:
        "../scripts/harmonise.py"


# A further exchange has towers and splits of its own: the same places, clusters and folds, other labels.
for exchange in targets.further(config):

    rule:
        name:
            f"harmonise_{exchange}"
        input:
            **read_for_states(exchange),
            towers=rules.harmonise.output.towers,
            splits=rules.harmonise.output.splits,
            interim="<interim>/towers.nc",
        output:
            **made_states(exchange),
            towers=in_run(exchange, "data/towers.nc"),
            splits=in_run(exchange, "data/splits.csv"),
            splits_origin=in_run(exchange, "data/splits.json"),
            counts=in_run(exchange, "data/counts.csv"),
        log:
            in_run(exchange, "logs/harmonise.log"),
        conda:
            "../../envs/data.yaml"
        threads: 1
        resources:
            mem_mb=4000,
            runtime=30,
        params:
            **made_by("harmonise_exchange", *exchange_modules(exchange), of=exchange),
            config=parameters.of_further_exchange(config),
            exchange=exchange,
        script:
            "../scripts/harmonise_exchange.py"


for exchange in config["exchanges"]:

    rule:
        name:
            f"statistics{targets.suffix(exchange)}"
        input:
            **simulation_of_exchange(exchange),
            drivers=rules.harmonise.output.drivers,
            towers=in_run(exchange, "data/towers.nc"),
            splits=in_run(exchange, "data/splits.csv"),
        output:
            statistics=in_run(exchange, f"data/statistics/fold{{fold}}.nc"),
        log:
            in_run(exchange, f"logs/statistics/fold{{fold}}.log"),
        conda:
            "../../envs/data.yaml"
        threads: 1
        resources:
            mem_mb=4000,
            runtime=15,
        params:
            **made_by("statistics", *exchange_modules(exchange), of=exchange),
            config={
                key: config["harmonise"][key]
                for key in ("satellites", "channels", "minimum_training_quality")
            },
            exchange=exchange,
        script:
            "../scripts/statistics.py"
