"""The shorter text of trees predicts the same."""

import lightgbm as lgb
import numpy as np

from dere.methods.shortened_trees import shortened
from dere.methods.trees.fitting import text_of

RNG = np.random.default_rng(0)


def test_shorter_trees_predict_the_same_but_for_rounding():
    features = RNG.normal(size=(600, 5)).astype(np.float32)
    features[RNG.random(features.shape) < 0.1] = np.nan
    target = np.sin(np.nan_to_num(features[:, 0])) + np.nan_to_num(features[:, 1]) ** 2
    booster = lgb.train(
        {"verbosity": -1, "num_threads": 1, "seed": 0}, lgb.Dataset(features, target), num_boost_round=40
    )
    text = text_of(booster)
    arrays = {"trees.gpp": np.frombuffer(text.encode(), np.uint8), "variance.gpp": np.asarray(2.0)}
    short = shortened(arrays)
    assert short["variance.gpp"] is arrays["variance.gpp"] and short["trees.gpp"].size < 0.5 * arrays["trees.gpp"].size
    other = lgb.Booster(model_str=short["trees.gpp"].tobytes().decode())
    assert other.num_trees() == booster.num_trees() == 40
    own, theirs = booster.predict(features), other.predict(features)
    np.testing.assert_allclose(theirs, own, atol=1e-5)
    assert own.std() > 0.5


def test_trees_without_a_split_are_shortened_too():
    few = RNG.normal(size=(20, 3))
    booster = lgb.train({"verbosity": -1, "num_threads": 1}, lgb.Dataset(few, few[:, 0]), num_boost_round=3)
    arrays = {"trees.gpp": np.frombuffer(text_of(booster).encode(), np.uint8)}
    other = lgb.Booster(model_str=shortened(arrays)["trees.gpp"].tobytes().decode())
    np.testing.assert_allclose(other.predict(few), np.full(20, few[:, 0].mean()), atol=1e-5)
