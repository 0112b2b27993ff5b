"""Which members a run has."""

from dere.run_config.root import Config, normalise
from dere.workflow import targets

DEFAULT = Config().model_dump(mode="json")


def test_every_method_has_predictions_for_each_fold_and_seed():
    config = normalise({"methods": ["gbm", "dere"], "folds": [0, 3], "seeds": [1]})
    assert targets.predictions(config) == [
        "gbm/none/fold0/seed1",
        "gbm/none/fold3/seed1",
        "dere/transformer/fold0/seed1",
        "dere/transformer/fold3/seed1",
    ]


def test_only_the_stages_of_the_methods_are_trained():
    config = normalise({"methods": ["baseline", "gbm"], "products": {"method": "gbm"}, "figures": {"method": "gbm"}})
    assert targets.stages(config) == ["baseline"]
    jobs = targets.benchmarks(config)
    assert not [job for job in jobs if "imputation" in job or "pure" in job or "cells" in job]
    assert "predict_gbm/none/fold0/seed0" in jobs and "predict_network/baseline/transformer/fold0/seed0" in jobs


def test_stages_of_the_default_run_are_named_once():
    stages = targets.stages(DEFAULT)
    assert len(stages) == len(set(stages)) == 10
    assert {"defaults", *stages} == set(DEFAULT["stages"])
    assert stages.index("pure") < stages.index("towers") < stages.index("uncertain")


def test_maps_need_cells_and_a_network():
    assert targets.has_map(DEFAULT)
    assert not targets.has_map(normalise({"products": {"method": "gbm"}, "figures": {"method": "gbm"}}))
    assert not targets.has_map(normalise({"sources": {"simulation": {"provider": "builtin"}}}))


def test_truth_exists_only_for_towers_of_the_world():
    assert targets.has_truth(DEFAULT)
    assert not targets.has_truth(normalise({"sources": {"towers": {"paths": ["x"]}}}))


def test_everything_that_trains_a_method_is_named_once_for_each_backbone():
    config = normalise({"backbones": ["informer", "timexer"], "methods": ["gbm", "kgml", "dere"], "seeds": [0, 1]})
    jobs = targets.training_jobs(config)
    assert list(jobs) == ["gbm/none", "kgml/informer", "kgml/timexer", "dere/informer", "dere/timexer"]
    assert jobs["gbm/none"] == {"jobs": ["predict_gbm/none"], "networks": []}
    assert jobs["kgml/timexer"]["jobs"] == ["train_kgml_simulation/timexer", "train_kgml_towers/timexer"]
    assert jobs["dere/timexer"]["jobs"][-2:] == ["train_imputation", "impute_labels"]
    assert jobs["dere/timexer"]["networks"] == ["pure", "uncertain"]
    measured = set(targets.benchmarks(config))
    for parts in jobs.values():
        assert {f"{job}/fold0/seed{seed}" for job in parts["jobs"] for seed in (0, 1)} <= measured


def test_backbones_are_compared_where_there_are_several_and_a_network():
    assert not targets.compares_backbones(DEFAULT)
    assert targets.compares_backbones(normalise({"backbones": ["informer", "timexer"]}))
    trees = {
        "backbones": ["informer", "timexer"],
        "methods": ["gbm"],
        "products": {"method": "gbm"},
        "figures": {"method": "gbm"},
    }
    assert not targets.compares_backbones(normalise(trees))
