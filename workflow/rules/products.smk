# What is given away: CF maps on the run's grid, and the towers' predictions as one table.


rule predict_cells:
    input:
        unpack(networks_of_method),
        drivers=rules.harmonise.output.drivers,
        simulation=rules.harmonise.output.simulation,
        cover=rules.harmonise.output.cover,
        splits=rules.harmonise.output.splits,
        statistics=rules.statistics.output.statistics,
        sites=rules.predict_network.output.prediction,
    output:
        cells="<results>/predictions/{method}/{backbone}/fold{fold}/seed{seed}_cells.nc",
    log:
        "<logs>/predict_cells/{method}/{backbone}/fold{fold}/seed{seed}.log",
    benchmark:
        "<benchmarks>/predict_cells/{method}/{backbone}/fold{fold}/seed{seed}.tsv"
    wildcard_constraints:
        method=NETWORK_METHODS,
    conda:
        "../../envs/train.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=whole_in_memory(8000),
        runtime=120,
    params:
        code=network_code("predict_cells"),
        config=lambda wildcards: network_parameters(wildcards, CELLS_KEYS),
    script:
        "../scripts/predict_cells.py"


rule products:
    input:
        **map_files(config),
        ensemble=f"<results>/predictions/{targets.product_member(config)}/ensemble.nc",
        towers=rules.harmonise.output.towers,
        cover=rules.harmonise.output.cover,
        drivers=rules.harmonise.output.drivers,
        provenance=rules.harmonise.output.provenance,
    output:
        products=directory("<results>/products"),
    log:
        "<logs>/products.log",
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=6000,
        runtime=60,
    params:
        code=code("products"),
        config=config["products"],
    script:
        "../scripts/products.py"
