# What is given away: CF maps on the run's grid, and the towers' predictions as one table.

for exchange in config["exchanges"]:

    rule:
        name:
            f"products{targets.suffix(exchange)}"
        input:
            **product_files(config, exchange),
            towers=in_run(exchange, "data/towers.nc"),
            cover=rules.harmonise.output.cover,
            drivers=rules.harmonise.output.drivers,
            provenance=rules.harmonise.output.provenance,
        output:
            products=directory(in_run(exchange, "products")),
            sums=in_run(exchange, "products.sums"),
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
            exchange=exchange,
        script:
            "../scripts/products.py"
