"""Fitting and predicting without rules; that both give what the rules give is proven on a run of the pipeline."""

from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest

import dere
from dere.training.read_places import site_places


@pytest.fixture(scope="module")
def opened(invented):
    return dere.open_run(invented)


@pytest.fixture(scope="module")
def model(opened):
    return dere.fit("baseline", opened)


def test_a_method_is_fitted_with_the_settings_of_the_run_and_one_s_own(opened, model):
    assert "baseline/transformer, fold 0, seed 0: baseline" in repr(model)
    facts = model.stages["baseline"].facts
    assert facts["params"]["stage"]["epochs"] == 2 and facts["params"]["backbone"]["width"] == 16
    other = dere.fit("baseline", opened, backbone="timexer", seed=4, epochs=1, batch=2, members=1)
    assert (model.stages["baseline"].members, other.stages["baseline"].members) == (2, 1)
    facts = other.stages["baseline"].facts
    assert facts["params"]["stage"] | {"epochs": 1, "batch": 2, "steps_per_epoch": 3} == facts["params"]["stage"]
    assert (other.backbone, other.seed, facts["params"]["backbone_name"]) == ("timexer", 4, "timexer")


def test_stages_follow_each_other_and_are_kept_where_asked(opened, tmp_path):
    short = {"epochs": 1, "steps_per_epoch": 1, "batch": 2, "ages_per_step": 1}
    model = dere.fit("dere_towers", opened, folder=tmp_path, **short)
    assert set(model.stages) < {path.parent.name for path in tmp_path.glob("*/model.safetensors")}
    assert model.stages["towers"].facts["params"]["stage"]["epochs"] == 1
    assert dere.predict(model, opened, at="cells")["prediction"].sizes["cell"] == 12


def test_sites_are_predicted_with_a_spread_and_places_without(opened, model):
    predicted = dere.predict(model, opened)
    assert set(predicted["site"].values) == {f"XX-S0{number}" for number in range(10)}
    unseen = predicted["site"].values[predicted["role"].values != "seen_in_training"]
    assert set(unseen) == {"XX-S00", "XX-S03", "XX-S06", "XX-S09"}
    assert bool((predicted["std"] > 0).all()) and predicted.attrs["method"] == "baseline"
    places = site_places(
        opened.towers.load(), opened.splits, satellites=False, channels="none", exchange=opened.exchange
    )
    elsewhere = dere.predict(model, places.take(np.array([3, 1])))
    assert list(elsewhere["site"].values) == ["XX-S03", "XX-S01"] and "std" not in elsewhere
    np.testing.assert_array_equal(elsewhere["prediction"][0], predicted["prediction"].sel(site="XX-S03"))
    more = replace(places, driver_names=(*places.driver_names[:-1], "degree_days"))
    with pytest.raises(
        ValueError, match=r"they have 1 knowledge channels, but .* 0 \(harmonise\.channels: none\); make"
    ):
        dere.predict(model, more)
    simulation = dere.fit("simulation", opened)
    with pytest.raises(ValueError, match="they have no simulated series, which simulation reads; make them with reads"):
        dere.predict(simulation, places)


@pytest.mark.parametrize(
    ("method", "settings", "sentence"),
    [
        ("baseline", {"epoch": 3}, "epoch is not a setting of a stage of baseline; choose from .*epochs"),
        ("simulation", {"epochs": 3}, "epochs is not a setting of simulation, which has none; leave it out"),
        ("baseline", {"epochs": "many"}, r"stages\.baseline\.epochs: 'many' is refused"),
        ("nothing", {}, "nothing is no method that predicts co2"),
    ],
)
def test_a_wrong_setting_is_a_sentence(opened, method, settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        dere.fit(method, opened, **settings)


def test_a_model_of_another_split_does_not_predict(opened, model, canonical, tmp_path):
    from tiny_run import write_run

    folder = write_run(tmp_path, canonical)
    splits = folder / "data" / "splits.csv"
    splits.write_text(splits.read_text().replace("XX-S01,site,s1,1", "XX-S01,site,s1,0"))
    with pytest.raises(ValueError, match="was fitted with another split table"):
        dere.predict(model, dere.open_run(folder))
    with pytest.raises(ValueError, match="was predicted with another split table"):
        dere.evaluate(dere.predict(model, opened), dere.open_run(folder))


def test_a_process_with_more_threads_fits_what_a_job_does(opened):
    torch = import_module("torch")
    short = {"epochs": 1, "batch": 8}
    alone = dere.fit("baseline", opened, **short)
    torch.set_num_threads(2)
    try:
        among_others = dere.fit("baseline", opened, **short)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
    for name, values in alone.stages["baseline"].arrays.items():
        np.testing.assert_array_equal(values, among_others.stages["baseline"].arrays[name])
