# Every method is judged on the same rows; a prediction file with missing rows is refused.


rule ensemble:
    input:
        predictions=expand(
            "<results>/predictions/{member}.nc", member=targets.predictions(config)
        ),
    output:
        expand(
            "<results>/predictions/{member}/ensemble.nc",
            member=targets.members(config),
        ),
    log:
        "<logs>/ensemble.log",
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=15,
    params:
        code=code("ensemble"),
    script:
        "../scripts/ensemble.py"


rule evaluate:
    input:
        **evaluated_files(config),
        predictions=[*rules.ensemble.input.predictions, *rules.ensemble.output],
        towers=rules.harmonise.output.towers,
        splits=rules.harmonise.output.splits,
        drivers=rules.harmonise.output.drivers,
    output:
        skill=report(
            "<results>/tables/skill.csv",
            caption="../report/skill_table.rst",
            category="Skill",
            labels={"figure": "table of scores"},
        ),
        site_skill="<results>/tables/site_skill.csv",
        paired="<results>/tables/paired.csv",
        calibration="<results>/tables/calibration.csv",
        closure="<results>/tables/closure.csv",
        totals="<results>/tables/totals.csv",
        roles="<results>/tables/roles.csv",
    log:
        "<logs>/evaluate.log",
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=6000,
        runtime=60,
    params:
        code=code("evaluate"),
        config=config["evaluation"],
        product=targets.product_member(config),
        fold=config["folds"][0],
    script:
        "../scripts/evaluate.py"


rule cost:
    input:
        benchmarks=expand("<benchmarks>/{job}.tsv", job=targets.benchmarks(config)),
    output:
        cost="<results>/tables/cost.csv",
    log:
        "<logs>/cost.log",
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        code=code("cost"),
    script:
        "../scripts/cost.py"


rule comparison:
    input:
        skill=rules.evaluate.output.skill,
        paired=rules.evaluate.output.paired,
        cost=rules.cost.output.cost,
        manifests=prediction_manifests(config),
    output:
        comparison=report(
            "<results>/tables/comparison.csv",
            caption="../report/comparison_table.rst",
            category="Skill",
            labels={"figure": "all methods on all backbones"},
        ),
    log:
        "<logs>/comparison.log",
    conda:
        "../../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        code=code("comparison"),
        members=targets.training_jobs(config),
    script:
        "../scripts/comparison.py"
