# What DERE is compared with, and the predictions of all methods at the sites that no stage has seen.


rule train_baseline:
    input:
        towers=rules.harmonise.output.towers,
        splits=rules.harmonise.output.splits,
        statistics=rules.statistics.output.statistics,
    output:
        model="<models>/baseline/model.safetensors",
        manifest="<models>/baseline/manifest.json",
        history="<models>/baseline/history.csv",
    log:
        "<logs>/train_baseline/{backbone}/fold{fold}/seed{seed}.log",
    benchmark:
        "<benchmarks>/train_baseline/{backbone}/fold{fold}/seed{seed}.tsv"
    conda:
        "../../envs/train.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=6000,
        runtime=240,
    params:
        code=network_code("train_baseline"),
        config=stage_parameters("baseline", TOWERS_KEYS),
    script:
        "../scripts/train_baseline.py"


rule train_kgml_simulation:
    input:
        drivers=rules.harmonise.output.drivers,
        simulation=rules.harmonise.output.simulation,
        cover=rules.harmonise.output.cover,
        splits=rules.harmonise.output.splits,
        statistics=rules.statistics.output.statistics,
    output:
        model="<models>/kgml_simulation/model.safetensors",
        manifest="<models>/kgml_simulation/manifest.json",
        history="<models>/kgml_simulation/history.csv",
    log:
        "<logs>/train_kgml_simulation/{backbone}/fold{fold}/seed{seed}.log",
    benchmark:
        "<benchmarks>/train_kgml_simulation/{backbone}/fold{fold}/seed{seed}.tsv"
    conda:
        "../../envs/train.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=whole_in_memory(6000),
        runtime=240,
    params:
        code=network_code("train_kgml_simulation"),
        config=stage_parameters("kgml_simulation", CELLS_KEYS),
    script:
        "../scripts/train_kgml_simulation.py"


rule train_kgml_towers:
    input:
        towers=rules.harmonise.output.towers,
        splits=rules.harmonise.output.splits,
        statistics=rules.statistics.output.statistics,
        parent_kgml_simulation=checkpoint_of(rules.train_kgml_simulation),
    output:
        model="<models>/kgml_towers/model.safetensors",
        manifest="<models>/kgml_towers/manifest.json",
        history="<models>/kgml_towers/history.csv",
    log:
        "<logs>/train_kgml_towers/{backbone}/fold{fold}/seed{seed}.log",
    benchmark:
        "<benchmarks>/train_kgml_towers/{backbone}/fold{fold}/seed{seed}.tsv"
    conda:
        "../../envs/train.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=6000,
        runtime=240,
    params:
        code=network_code("train_kgml_towers"),
        config=stage_parameters("kgml_towers", TOWERS_KEYS),
    script:
        "../scripts/train_kgml_towers.py"


rule predict_climatology:
    input:
        towers=rules.harmonise.output.towers,
        splits=rules.harmonise.output.splits,
    output:
        prediction="<results>/predictions/climatology/none/fold{fold}/seed{seed}.nc",
    log:
        "<logs>/predict_climatology/fold{fold}/seed{seed}.log",
    benchmark:
        "<benchmarks>/predict_climatology/none/fold{fold}/seed{seed}.tsv"
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=15,
    params:
        code=code("predict_climatology"),
        minimum_quality=config["harmonise"]["minimum_training_quality"],
    script:
        "../scripts/predict_climatology.py"


rule predict_simulation:
    input:
        towers=rules.harmonise.output.towers,
        splits=rules.harmonise.output.splits,
    output:
        prediction="<results>/predictions/simulation/none/fold{fold}/seed{seed}.nc",
    log:
        "<logs>/predict_simulation/fold{fold}/seed{seed}.log",
    benchmark:
        "<benchmarks>/predict_simulation/none/fold{fold}/seed{seed}.tsv"
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=15,
    params:
        code=code("predict_simulation"),
    script:
        "../scripts/predict_simulation.py"


rule predict_gbm:
    input:
        towers=rules.harmonise.output.towers,
        splits=rules.harmonise.output.splits,
    output:
        prediction="<results>/predictions/gbm/none/fold{fold}/seed{seed}.nc",
        settings="<results>/predictions/gbm/none/fold{fold}/seed{seed}_settings.csv",
    log:
        "<logs>/predict_gbm/fold{fold}/seed{seed}.log",
    benchmark:
        "<benchmarks>/predict_gbm/none/fold{fold}/seed{seed}.tsv"
    conda:
        "../../envs/data.yaml"
    threads: config["trees"]["threads"]
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        code=code("predict_gbm"),
        config=without(config["trees"], "threads"),
        minimum_quality=config["harmonise"]["minimum_training_quality"],
    script:
        "../scripts/predict_gbm.py"


rule predict_gbm_sim:
    input:
        towers=rules.harmonise.output.towers,
        splits=rules.harmonise.output.splits,
    output:
        prediction="<results>/predictions/gbm_sim/none/fold{fold}/seed{seed}.nc",
        settings="<results>/predictions/gbm_sim/none/fold{fold}/seed{seed}_settings.csv",
    log:
        "<logs>/predict_gbm_sim/fold{fold}/seed{seed}.log",
    benchmark:
        "<benchmarks>/predict_gbm_sim/none/fold{fold}/seed{seed}.tsv"
    conda:
        "../../envs/data.yaml"
    threads: config["trees"]["threads"]
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        code=code("predict_gbm_sim"),
        config=without(config["trees"], "threads"),
        minimum_quality=config["harmonise"]["minimum_training_quality"],
    script:
        "../scripts/predict_gbm_sim.py"


rule predict_network:
    input:
        unpack(networks_of_method),
        towers=rules.harmonise.output.towers,
        splits=rules.harmonise.output.splits,
        statistics=rules.statistics.output.statistics,
    output:
        prediction="<results>/predictions/{method}/{backbone}/fold{fold}/seed{seed}.nc",
    log:
        "<logs>/predict_network/{method}/{backbone}/fold{fold}/seed{seed}.log",
    benchmark:
        "<benchmarks>/predict_network/{method}/{backbone}/fold{fold}/seed{seed}.tsv"
    wildcard_constraints:
        method=NETWORK_METHODS,
    conda:
        "../../envs/train.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=6000,
        runtime=60,
    params:
        code=network_code("predict_network"),
        config=lambda wildcards: network_parameters(wildcards, TOWERS_KEYS),
    script:
        "../scripts/predict_network.py"
