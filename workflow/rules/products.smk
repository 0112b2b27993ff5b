# What is given away: CF maps on the run's grid, and the towers' predictions as one table; and which site has which role.

for exchange in config["exchanges"]:

    rule:
        name:
            f"products{targets.suffix(exchange)}"
        input:
            **product_files(config, exchange),
            towers=in_run(exchange, "data/towers.nc"),
            splits=in_run(exchange, "data/splits.csv"),
            cover=rules.harmonise.output.cover,
            drivers=rules.harmonise.output.drivers,
            provenance=rules.harmonise.output.provenance,
        output:
            products=directory(in_run(exchange, "products")),
            sums=in_run(exchange, "products.sums"),
            sites=report(
                in_run(exchange, "tables/sites.csv"),
                caption="../report/sites_table.rst",
                category="Data",
                labels={"figure": f"all sites{targets.title(exchange)}"},
            ),
        log:
            in_run(exchange, "logs/products.log"),
        conda:
            "../../envs/data.yaml"
        threads: 1
        resources:
            mem_mb=6000,
            runtime=60,
        params:
            **made_by("products", *exchange_modules(exchange), of=exchange),
            config=targets.product_settings(config, exchange),
            folds=config["folds"],
            exchange=exchange,
        script:
            "../scripts/products.py"
