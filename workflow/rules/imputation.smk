# Stage 5: probabilistic labels for months without a measurement. They depend on fold and seed, not on the backbone.


rule train_imputation:
    input:
        towers=rules.harmonise.output.towers,
        splits=rules.harmonise.output.splits,
        statistics="<data>/statistics/fold{fold}.nc",
    output:
        model="<results>/models/imputation/fold{fold}/seed{seed}/model.safetensors",
        manifest="<results>/models/imputation/fold{fold}/seed{seed}/manifest.json",
        history="<results>/models/imputation/fold{fold}/seed{seed}/history.csv",
        measured="<benchmarks>/train_imputation/fold{fold}/seed{seed}.csv",
    log:
        "<logs>/train_imputation/fold{fold}/seed{seed}.log",
    conda:
        "../../envs/train.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=6000,
        runtime=240,
    params:
        **made_by("train_imputation", f"dere.exchange.{exchanges.DEFAULT}"),
        # How many trajectories are drawn does not change the training.
        config=parameters.of_imputation(
            config, "samples", "scored_samples", "systematic"
        ),
    script:
        "../scripts/train_imputation.py"


rule impute_labels:
    input:
        towers=rules.harmonise.output.towers,
        splits=rules.harmonise.output.splits,
        parent_imputation=checkpoint_of(rules.train_imputation),
    output:
        labels="<results>/labels/fold{fold}/seed{seed}/labels.nc",
        measured="<benchmarks>/impute_labels/fold{fold}/seed{seed}.csv",
    log:
        "<logs>/impute_labels/fold{fold}/seed{seed}.log",
    conda:
        "../../envs/train.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=6000,
        runtime=120,
    params:
        **made_by("impute_labels", f"dere.exchange.{exchanges.DEFAULT}"),
        config=parameters.of_imputation(config, "scored_samples"),
    script:
        "../scripts/impute_labels.py"


# One job for all folds and seeds: starting one takes as long as scoring one.
rule score_imputation:
    input:
        **labels_and_truth(config),
        towers=rules.harmonise.output.towers,
        splits=rules.harmonise.output.splits,
        model=runs_of(config, rules.train_imputation.output.model),
        manifests=runs_of(config, rules.train_imputation.output.manifest),
    output:
        imputation=report(
            "<results>/tables/imputation.csv",
            caption="../report/imputation_table.rst",
            category="Uncertainty",
            labels={"figure": "table of imputed months"},
        ),
    log:
        "<logs>/score_imputation.log",
    conda:
        "../../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=6000,
        runtime=120,
    params:
        **made_by("score_imputation", f"dere.exchange.{exchanges.DEFAULT}"),
        config=parameters.of_imputation(config, "samples", "systematic"),
    script:
        "../scripts/score_imputation.py"


# A tower is filled by a fold that learned from it where the run has one: nothing is judged by these files.
rule fill_towers:
    input:
        towers=rules.harmonise.output.towers,
        splits=rules.harmonise.output.splits,
        labels=expand(
            rules.impute_labels.output.labels,
            fold=config["folds"],
            seed=config["seeds"][0],
        ),
        model=first_run_of(config, rules.train_imputation.output.model),
        manifest=first_run_of(config, rules.train_imputation.output.manifest),
    output:
        monthly="<results>/towers_filled/monthly.nc",
        annual="<results>/towers_filled/annual.nc",
        monthly_table="<results>/towers_filled/monthly.csv.gz",
        annual_table="<results>/towers_filled/annual.csv",
    log:
        "<logs>/fill_towers.log",
    conda:
        "../../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=6000,
        runtime=60,
    params:
        **made_by("fill_towers", f"dere.exchange.{exchanges.DEFAULT}"),
        config=parameters.of_imputation(config, "scored_samples"),
    script:
        "../scripts/fill_towers.py"
