"""Which members a run has."""

from dere.config.root import Config, normalise
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
    config = normalise({"methods": ["baseline", "gbm"], "products": {"method": "gbm"}})
    assert targets.stages(config) == ["baseline"]
    jobs = targets.benchmarks(config)
    assert not [job for job in jobs if "imputation" in job or "pure" in job or "cells" in job]
    assert "predict_gbm/none/fold0/seed0" in jobs and "predict_network/baseline/transformer/fold0/seed0" in jobs


def test_stages_of_the_default_run_are_named_once():
    stages = targets.stages(DEFAULT)
    assert len(stages) == len(set(stages)) == 10
    assert set(stages) == set(DEFAULT["stages"])
    assert stages.index("pure") < stages.index("towers") < stages.index("uncertain")


def test_maps_need_cells_and_a_network():
    assert targets.has_map(DEFAULT)
    assert not targets.has_map(normalise({"products": {"method": "gbm"}}))
    assert not targets.has_map(normalise({"sources": {"simulation": {"provider": "builtin"}}}))


def test_truth_exists_only_for_towers_of_the_world():
    assert targets.has_truth(DEFAULT)
    assert not targets.has_truth(normalise({"sources": {"towers": {"paths": ["x"]}}}))
