import numpy as np
import pytest
import torch

from dere.exchange.co2 import EXCHANGE
from dere.imputation.bundle import from_manifest
from dere.imputation.fit import describe, train_imputation
from dere.imputation.labels import impute
from dere.imputation.series import series_of
from dere.training import checkpoint, weights
from dere.training.fitted import Fitted


def test_the_best_epoch_is_kept_and_the_history_tells_both_parts(trained):
    imputer, history = trained
    assert set(history["part"]) == {"point", "denoiser"}
    assert np.isfinite(history["validation_loss"]).all()
    assert not any(p.requires_grad for p in imputer.point.parameters())


def test_one_seed_gives_the_same_weights(trained, towers, splits, statistics, config):
    again, _ = train_imputation(towers, splits, statistics, 0, config, seed=3)
    for name, value in trained[0].state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
    other, _ = train_imputation(towers, splits, statistics, 0, config, seed=4)
    assert not torch.equal(other.denoiser.inlet.weight, again.denoiser.inlet.weight)


def test_test_towers_never_matter(trained, labels, towers, splits, statistics, config):
    altered = towers.copy(deep=True)
    test = splits["fold"].to_numpy() == 0
    altered["flux_value"][test] = 1e6
    altered["air_temperature"][test] = 1e6
    altered["static"][test] = 1e6
    again, _ = train_imputation(altered, splits, statistics, 0, config, seed=3)
    made = impute(again, altered, splits, 0, config, seed=3)
    assert made.identical(labels)
    assert not set(labels["site"].values) & set(splits.loc[test, "id"])


def test_validation_towers_choose_but_do_not_teach(trained, towers, splits, statistics, config):
    altered = towers.copy(deep=True)
    validation = splits["fold"].to_numpy() == 1
    altered["flux_value"][validation] = altered["flux_value"][validation] + 50.0
    again, _ = train_imputation(
        altered,
        splits,
        statistics,
        0,
        config.model_copy(update={"training": config.training.model_copy(update={"epochs": 1, "patience": 1})}),
        seed=3,
    )
    assert set(again.groups) == set(splits.loc[splits["fold"] > 1, "id"]) == set(trained[0].groups)
    assert float(again.point.mean.abs().max()) < 10


def test_written_and_read_imputers_agree(trained, labels, towers, splits, config, tmp_path):
    imputer, history = trained
    made = Fitted(weights.arrays_of(imputer.state_dict()), describe(imputer, {"fold": 0}), history)
    checkpoint.save(tmp_path / "m", made, EXCHANGE)
    found = checkpoint.read(tmp_path / "m", EXCHANGE, {"fold": 0})
    back = weights.load(from_manifest(found.facts), found)
    assert impute(back, towers, splits, 0, config, seed=3).identical(labels)
    with pytest.raises(ValueError, match="lacks 'channels'"):
        from_manifest({"config": {}})


def test_a_fold_without_usable_towers_is_one_sentence(towers, splits, statistics, config):
    empty = towers.copy(deep=True)
    empty["flux_value"][splits["fold"].to_numpy() == 1] = np.nan
    with pytest.raises(ValueError, match="no validation tower"):
        train_imputation(empty, splits, statistics, 0, config, seed=0)


def test_other_drivers_are_refused(trained, towers, splits, statistics, config):
    series = series_of(towers, splits, statistics, config)
    object.__setattr__(series, "channels", (*series.channels[:-1], "else"))
    with pytest.raises(ValueError, match="trained on drivers"):
        trained[0].predict_point(series)
