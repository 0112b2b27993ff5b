# The stages of DERE. Each starts from the checkpoints named parent_*; none reads a tower of the test fold. Those with a
# priority are the longest chain of a run, so they start before others that could.


rule train_pure:
    input:
        drivers=rules.harmonise.output.drivers,
        simulation=rules.harmonise.output.simulation,
        cover=rules.harmonise.output.cover,
        splits=rules.harmonise.output.splits,
        statistics=rules.statistics.output.statistics,
    output:
        model="<models>/pure/model.safetensors",
        manifest="<models>/pure/manifest.json",
        history="<models>/pure/history.csv",
    log:
        "<logs>/train_pure/{backbone}/fold{fold}/seed{seed}.log",
    benchmark:
        "<benchmarks>/train_pure/{backbone}/fold{fold}/seed{seed}.tsv"
    priority: 10
    conda:
        "../../envs/train.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=whole_in_memory(6000),
        runtime=240,
    params:
        code=network_code("train_pure"),
        config=stage_parameters("pure", CELLS_KEYS),
    script:
        "../scripts/train_pure.py"


rule train_mixture:
    input:
        drivers=rules.harmonise.output.drivers,
        simulation=rules.harmonise.output.simulation,
        cover=rules.harmonise.output.cover,
        splits=rules.harmonise.output.splits,
        statistics=rules.statistics.output.statistics,
        parent_pure=checkpoint_of(rules.train_pure),
    output:
        model="<models>/mixture/model.safetensors",
        manifest="<models>/mixture/manifest.json",
        history="<models>/mixture/history.csv",
    log:
        "<logs>/train_mixture/{backbone}/fold{fold}/seed{seed}.log",
    benchmark:
        "<benchmarks>/train_mixture/{backbone}/fold{fold}/seed{seed}.tsv"
    priority: 10
    conda:
        "../../envs/train.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=whole_in_memory(6000),
        runtime=240,
    params:
        code=network_code("train_mixture"),
        config=stage_parameters("mixture", CELLS_KEYS),
    script:
        "../scripts/train_mixture.py"


rule train_age:
    input:
        drivers=rules.harmonise.output.drivers,
        simulation=rules.harmonise.output.simulation,
        cover=rules.harmonise.output.cover,
        splits=rules.harmonise.output.splits,
        statistics=rules.statistics.output.statistics,
        parent_pure=checkpoint_of(rules.train_pure),
        parent_mixture=checkpoint_of(rules.train_mixture),
    output:
        model="<models>/age/model.safetensors",
        manifest="<models>/age/manifest.json",
        history="<models>/age/history.csv",
    log:
        "<logs>/train_age/{backbone}/fold{fold}/seed{seed}.log",
    benchmark:
        "<benchmarks>/train_age/{backbone}/fold{fold}/seed{seed}.tsv"
    priority: 10
    conda:
        "../../envs/train.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=whole_in_memory(6000),
        runtime=240,
    params:
        code=network_code("train_age"),
        config=stage_parameters("age", CELLS_KEYS),
    script:
        "../scripts/train_age.py"


rule train_plant_types_simulated:
    input:
        drivers=rules.harmonise.output.drivers,
        simulation=rules.harmonise.output.simulation,
        cover=rules.harmonise.output.cover,
        splits=rules.harmonise.output.splits,
        statistics=rules.statistics.output.statistics,
    output:
        model="<models>/plant_types_simulated/model.safetensors",
        manifest="<models>/plant_types_simulated/manifest.json",
        history="<models>/plant_types_simulated/history.csv",
    log:
        "<logs>/train_plant_types_simulated/{backbone}/fold{fold}/seed{seed}.log",
    benchmark:
        "<benchmarks>/train_plant_types_simulated/{backbone}/fold{fold}/seed{seed}.tsv"
    conda:
        "../../envs/train.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=whole_in_memory(6000),
        runtime=240,
    params:
        code=network_code("train_plant_types_simulated"),
        config=stage_parameters("plant_types_simulated", CELLS_KEYS),
    script:
        "../scripts/train_plant_types_simulated.py"


rule train_plant_types_observed:
    input:
        drivers=rules.harmonise.output.drivers,
        simulation=rules.harmonise.output.simulation,
        cover=rules.harmonise.output.cover,
        splits=rules.harmonise.output.splits,
        statistics=rules.statistics.output.statistics,
        parent_plant_types_simulated=checkpoint_of(rules.train_plant_types_simulated),
    output:
        model="<models>/plant_types_observed/model.safetensors",
        manifest="<models>/plant_types_observed/manifest.json",
        history="<models>/plant_types_observed/history.csv",
    log:
        "<logs>/train_plant_types_observed/{backbone}/fold{fold}/seed{seed}.log",
    benchmark:
        "<benchmarks>/train_plant_types_observed/{backbone}/fold{fold}/seed{seed}.tsv"
    conda:
        "../../envs/train.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=whole_in_memory(6000),
        runtime=240,
    params:
        code=network_code("train_plant_types_observed"),
        config=stage_parameters("plant_types_observed", CELLS_KEYS),
    script:
        "../scripts/train_plant_types_observed.py"


rule train_towers:
    input:
        towers=rules.harmonise.output.towers,
        splits=rules.harmonise.output.splits,
        statistics=rules.statistics.output.statistics,
        parent_pure=checkpoint_of(rules.train_pure),
        parent_age=checkpoint_of(rules.train_age),
        parent_plant_types_observed=checkpoint_of(rules.train_plant_types_observed),
    output:
        model="<models>/towers/model.safetensors",
        manifest="<models>/towers/manifest.json",
        history="<models>/towers/history.csv",
    log:
        "<logs>/train_towers/{backbone}/fold{fold}/seed{seed}.log",
    benchmark:
        "<benchmarks>/train_towers/{backbone}/fold{fold}/seed{seed}.tsv"
    priority: 10
    conda:
        "../../envs/train.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=6000,
        runtime=240,
    params:
        code=network_code("train_towers"),
        config=stage_parameters("towers", TOWERS_KEYS),
    script:
        "../scripts/train_towers.py"


rule train_uncertain:
    input:
        towers=rules.harmonise.output.towers,
        splits=rules.harmonise.output.splits,
        statistics=rules.statistics.output.statistics,
        labels="<results>/labels/fold{fold}/seed{seed}/labels.nc",
        parent_pure=checkpoint_of(rules.train_pure),
        parent_towers=checkpoint_of(rules.train_towers),
    output:
        model="<models>/uncertain/model.safetensors",
        manifest="<models>/uncertain/manifest.json",
        history="<models>/uncertain/history.csv",
    log:
        "<logs>/train_uncertain/{backbone}/fold{fold}/seed{seed}.log",
    benchmark:
        "<benchmarks>/train_uncertain/{backbone}/fold{fold}/seed{seed}.tsv"
    conda:
        "../../envs/train.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=6000,
        runtime=240,
    params:
        code=network_code("train_uncertain"),
        config=stage_parameters("uncertain", TOWERS_KEYS),
    script:
        "../scripts/train_uncertain.py"
