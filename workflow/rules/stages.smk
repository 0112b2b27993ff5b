# What methods are fitted by: one definition, one named rule per stage (train_pure, train_gbm ...; of a further exchange
# train_baseline_<exchange>). Each starts from the checkpoints of its parents; none reads a tower of the test fold. Those
# with a priority are the longest chain of a run.

for exchange, stage in targets.of_all_exchanges(config, targets.stages):

    rule:
        name:
            f"train_{stage.name}{targets.suffix(exchange)}"
        input:
            unpack(inputs_of_stage(exchange, stage)),
        output:
            **checkpoint_of_stage(exchange, stage),
            measured=in_run(exchange, f"benchmarks/train_{stage.name}/{PLACE}.csv"),
        log:
            in_run(exchange, f"logs/train_{stage.name}/{PLACE}.log"),
        wildcard_constraints:
            backbone=backbones_in_path(stage),
        priority: stage.priority
        conda:
            f"../../envs/{stage.env}.yaml"
        threads: parameters.threads_of(config, stage)
        resources:
            gpu=stage.gpu,
            mem_mb=memory_of_stage(stage),
            runtime=stage.runtime,
        params:
            **made_by_stage(exchange, stage),
            config=parameters_of_stage(stage),
            name=stage.name,
            room=room_of_stage(stage),
            plugins=plugins_of(room_of_stage(stage)),
            exchange=exchange,
        script:
            "../scripts/train.py"
