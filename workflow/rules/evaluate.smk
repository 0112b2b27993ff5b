# Every method is judged on the same rows, each exchange by itself (evaluate, of a further one evaluate_<exchange>); a
# prediction file with missing rows is refused.

for exchange in config["exchanges"]:

    rule:
        name:
            f"ensemble{targets.suffix(exchange)}"
        input:
            predictions=files_of_exchange(exchange, targets.predictions),
        output:
            files_of_exchange(exchange, targets.ensembles),
        log:
            in_run(exchange, "logs/ensemble.log"),
        conda:
            "../../envs/data.yaml"
        threads: 1
        resources:
            mem_mb=4000,
            runtime=15,
        params:
            **made_by("ensemble", of=exchange),
        script:
            "../scripts/ensemble.py"

    rule:
        name:
            f"evaluate{targets.suffix(exchange)}"
        input:
            **evaluated_files(config, exchange),
            predictions=files_of_exchange(exchange, targets.predictions),
            ensembles=files_of_exchange(exchange, targets.ensembles),
            towers=in_run(exchange, "data/towers.nc"),
            splits=in_run(exchange, "data/splits.csv"),
            drivers=rules.harmonise.output.drivers,
        output:
            **{name: in_run(exchange, f"tables/{name}.csv") for name in targets.TABLES},
            skill=report(
                in_run(exchange, "tables/skill.csv"),
                caption="../report/skill_table.rst",
                category="Skill",
                labels={"figure": f"table of scores{targets.title(exchange)}"},
            ),
        log:
            in_run(exchange, "logs/evaluate.log"),
        conda:
            "../../envs/data.yaml"
        threads: 1
        resources:
            mem_mb=6000,
            runtime=60,
        params:
            **made_by("evaluate", *exchange_modules(exchange), of=exchange),
            config=config["evaluation"],
            product=targets.product_member(config, exchange),
            ranks=targets.ranks(config, exchange),
            fold=config["folds"][0],
            exchange=exchange,
        script:
            "../scripts/evaluate.py"

    if targets.with_neighbours(config, exchange):

        rule:
            name:
                f"neighbours{targets.suffix(exchange)}"
            input:
                predictions=files_of_exchange(exchange, targets.with_neighbours),
            output:
                neighbours=in_run(exchange, "tables/neighbours.csv"),
            log:
                in_run(exchange, "logs/neighbours.log"),
            conda:
                "../../envs/data.yaml"
            threads: 1
            resources:
                mem_mb=2000,
                runtime=10,
            params:
                **made_by("neighbours", of=exchange),
            script:
                "../scripts/neighbours.py"

    rule:
        name:
            f"cost{targets.suffix(exchange)}"
        input:
            jobs=costs_of_exchange(config, exchange),
        output:
            cost=in_run(exchange, "tables/cost.csv"),
        log:
            in_run(exchange, "logs/cost.log"),
        conda:
            "../../envs/data.yaml"
        threads: 1
        resources:
            mem_mb=1000,
            runtime=5,
        params:
            **made_by("cost", of=exchange),
        script:
            "../scripts/cost.py"

    rule:
        name:
            f"comparison{targets.suffix(exchange)}"
        input:
            **{
                name: in_run(exchange, f"tables/{name}.csv")
                for name in ("skill", "paired", "cost")
            },
            manifests=training_manifests(config, exchange),
        output:
            transfers=in_run(exchange, "tables/transfers.csv"),
            comparison=report(
                in_run(exchange, "tables/comparison.csv"),
                caption="../report/comparison_table.rst",
                category="Skill",
                labels={
                    "figure": f"all methods on all backbones{targets.title(exchange)}"
                },
            ),
        log:
            in_run(exchange, "logs/comparison.log"),
        conda:
            "../../envs/data.yaml"
        threads: 1
        resources:
            mem_mb=1000,
            runtime=5,
        params:
            **made_by("comparison", *exchange_modules(exchange), of=exchange),
            members=targets.training_jobs(config, exchange),
            references=targets.references(config, exchange),
            exchange=exchange,
        script:
            "../scripts/comparison.py"
