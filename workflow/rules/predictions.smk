# Predictions of all methods at every site, with what each is worth (role): one definition, one named rule per method
# (predict_gbm, predict_dere ...; of a further exchange predict_gbm_<exchange>).

for exchange, method in targets.of_all_exchanges(config, targets.predicting):

    rule:
        name:
            f"predict_{method.name}{targets.suffix(exchange)}"
        input:
            unpack(checkpoints_of_method(exchange, method)),
            towers=in_run(exchange, "data/towers.nc"),
            splits=in_run(exchange, "data/splits.csv"),
        output:
            prediction=predictions_of(exchange, method),
            measured=in_run(exchange, f"benchmarks/predict_{method.name}/{PLACE}.csv"),
        log:
            in_run(exchange, f"logs/predict_{method.name}/{PLACE}.log"),
        wildcard_constraints:
            backbone=backbones_in_path(method),
        conda:
            f"../../envs/{method.env}.yaml"
        threads: 1
        resources:
            gpu=int(method.per_backbone),
            mem_mb=method.memory,
            runtime=60,
        params:
            **made_by_method("predict", exchange, method),
            config=parameters_of_method(SITES_KEYS),
            name=method.name,
            room=room_of_method(method),
            plugins=plugins_of(room_of_method(method)),
            exchange=exchange,
        script:
            "../scripts/predict.py"


# The maps of the methods that are given away: map_dere ... Those of a method over methods follow from its parts' below.
for exchange, method in targets.of_all_exchanges(config, targets.mapped_methods):
    if method.parts:
        continue

    rule:
        name:
            f"map_{method.name}{targets.suffix(exchange)}"
        input:
            unpack(checkpoints_of_method(exchange, method)),
            drivers=rules.harmonise.output.drivers,
            simulation=canonical_file(exchange, "simulation"),
            cover=rules.harmonise.output.cover,
            splits=in_run(exchange, "data/splits.csv"),
            sites=predictions_of(exchange, method),
        output:
            cells=predictions_of(exchange, method, cells=True),
            measured=in_run(exchange, f"benchmarks/map_{method.name}/{PLACE}.csv"),
        log:
            in_run(exchange, f"logs/map_{method.name}/{PLACE}.log"),
        wildcard_constraints:
            backbone=backbones_in_path(method),
        conda:
            f"../../envs/{method.env}.yaml"
        threads: 1
        resources:
            gpu=int(method.per_backbone),
            mem_mb=max(4000, method.memory),
            runtime=120,
        params:
            **made_by_method("predict_cells", exchange, method),
            config=parameters_of_method(CELLS_KEYS),
            name=method.name,
            room=room_of_method(method),
            plugins=plugins_of(room_of_method(method)),
            exchange=exchange,
        script:
            "../scripts/predict_cells.py"


# Methods over methods: they read the predictions of their parts (predict_blend ...), and the maps of these (map_blend).
for exchange, method in targets.of_all_exchanges(config, targets.combining):

    rule:
        name:
            f"predict_{method.name}{targets.suffix(exchange)}"
        input:
            unpack(predictions_of_parts(exchange, method)),
            towers=in_run(exchange, "data/towers.nc"),
            splits=in_run(exchange, "data/splits.csv"),
        output:
            prediction=predictions_of(exchange, method),
            measured=in_run(exchange, f"benchmarks/predict_{method.name}/{PLACE}.csv"),
        log:
            in_run(exchange, f"logs/predict_{method.name}/{PLACE}.log"),
        wildcard_constraints:
            backbone=backbones_in_path(method),
        conda:
            f"../../envs/{method.env}.yaml"
        threads: 1
        resources:
            mem_mb=method.memory,
            runtime=15,
        params:
            **made_by_combination("combine", exchange, method),
            config=parameters_of_combination(method),
            name=method.name,
            room=room_of_method(method),
            plugins=plugins.used(config["plugins"], [room_of_method(method)]),
            exchange=exchange,
        script:
            "../scripts/combine.py"


for exchange, method in targets.of_all_exchanges(config, targets.mapped_methods):
    if not method.parts:
        continue

    rule:
        name:
            f"map_{method.name}{targets.suffix(exchange)}"
        input:
            unpack(predictions_of_parts(exchange, method, cells=True)),
            splits=in_run(exchange, "data/splits.csv"),
            sites=predictions_of(exchange, method),
        output:
            cells=predictions_of(exchange, method, cells=True),
            measured=in_run(exchange, f"benchmarks/map_{method.name}/{PLACE}.csv"),
        log:
            in_run(exchange, f"logs/map_{method.name}/{PLACE}.log"),
        wildcard_constraints:
            backbone=backbones_in_path(method),
        conda:
            f"../../envs/{method.env}.yaml"
        threads: 1
        resources:
            mem_mb=method.memory,
            runtime=30,
        params:
            **made_by_combination("combine_cells", exchange, method),
            config=parameters_of_combination(method),
            name=method.name,
            room=room_of_method(method),
            plugins=plugins.used(config["plugins"], [room_of_method(method)]),
            exchange=exchange,
        script:
            "../scripts/combine_cells.py"
