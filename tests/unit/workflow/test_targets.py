"""Which members a run has."""

from dataclasses import replace

from dere.exchange import get
from dere.methods import stages_of
from dere.run_config.root import normalise
from dere.workflow import targets
from joined import joined_methods as methods

DEFAULT = normalise({})


def test_every_method_has_predictions_for_each_fold_and_seed():
    config = normalise({"methods": ["gbm", "dere"], "folds": [0, 3], "seeds": [1]})
    assert targets.predictions(config) == [
        "gbm/none/fold0/seed1",
        "gbm/none/fold3/seed1",
        "dere/lags/fold0/seed1",
        "dere/lags/fold3/seed1",
    ]


def test_only_the_stages_of_the_methods_are_trained():
    config = normalise({"methods": ["baseline", "gbm"]})
    assert [stage.name for stage in targets.stages(config)] == ["baseline", "gbm"]
    assert [stage.name for stage in targets.networks(config)] == ["baseline"]
    rules = ("train_baseline/lags", "train_gbm/none", "predict_baseline/lags", "predict_gbm/none")
    expected = [f"{rule}/fold0/seed0" for rule in (*rules, "map_baseline/lags")]
    assert targets.benchmarks(config) == expected


def test_stages_of_the_default_run_are_named_once():
    stages = targets.stages(DEFAULT)
    names = [stage.name for stage in stages]
    assert len(names) == len(set(names)) and set(names) == {s.name for s in stages_of(methods())}
    assert ["defaults", *(s.name for s in stages if s.section and s.path[0] == "stages")] == list(DEFAULT["stages"])
    for stage in stages:
        assert all(names.index(parent) < names.index(stage.name) for parent in stage.parents), stage.name


def test_maps_need_cells_and_are_of_the_method_that_is_given_away():
    assert targets.has_map(DEFAULT) and targets.product_member(DEFAULT) == "dere/lags"
    assert not targets.has_map(DEFAULT, "ch4") and not targets.mapped_methods(DEFAULT, "ch4"), "no map of wetlands"
    assert [method.name for method in targets.mapped_methods(DEFAULT)] == ["dere"]
    trees = normalise({"products": {"method": "gbm"}})
    assert targets.has_map(trees) and targets.product_member(trees) == "gbm/none"
    builtin = normalise({"sources": {"simulation": {"provider": "builtin"}}})
    assert not targets.has_map(builtin) and not targets.mapped_methods(builtin)


def test_what_is_given_away_names_its_own_references():
    paper = "https://doi.org/10.1145/3770855.3818927"
    for method in methods():
        found = targets.product_settings(normalise({"products": {"method": method}}))
        ours = "dere" in (method[:4], *methods()[method].parts)
        assert found["method"] == method and (paper in found["references"]) == ours
    ours = normalise({"products": {"method": "gbm", "references": "our paper"}})
    assert targets.product_settings(ours)["references"] == "our paper"


def test_truth_exists_only_for_towers_of_the_world():
    assert targets.has_truth(DEFAULT)
    assert not targets.has_truth(normalise({"sources": {"towers": {"paths": ["x"]}}}))
    assert not targets.has_truth(normalise({"sources": {"towers": {"provider": "bundled"}}}))


def test_everything_that_trains_a_method_is_named_once_for_each_backbone():
    config = normalise({"backbones": ["informer", "timexer"], "methods": ["gbm", "kgml", "dere"], "seeds": [0, 1]})
    jobs = targets.training_jobs(config)
    assert list(jobs) == ["gbm/none", "kgml/informer", "kgml/timexer", "dere/informer", "dere/timexer"]
    assert jobs["gbm/none"] == {"jobs": ["train_gbm/none"], "networks": []}
    assert targets.training_jobs(normalise({"methods": ["simulation"]})) == {
        "simulation/none": {"jobs": ["predict_simulation/none"], "networks": []}
    }
    assert jobs["kgml/timexer"]["jobs"] == ["train_kgml_simulation/timexer", "train_kgml_towers/timexer"]
    assert jobs["dere/timexer"]["jobs"][-2:] == ["train_imputation", "impute_labels"]
    assert jobs["dere/timexer"]["networks"] == ["pure", "uncertain"]
    measured = set(targets.benchmarks(config))
    for parts in jobs.values():
        assert {f"{job}/fold0/seed{seed}" for job in parts["jobs"] for seed in (0, 1)} <= measured


def test_a_method_over_methods_runs_where_its_parts_do_and_costs_what_they_cost():
    own = {"backbones": ["informer", "timexer"], "methods": ["gbm", "gp", "kgml", "dere_towers", "blend"]}
    config = normalise(own | {"blend": {"methods": ["gbm", "kgml", "dere_towers"]}})
    assert targets.members(config)[-2:] == ["blend/informer", "blend/timexer"]
    (blend,) = targets.combining(config)
    assert targets.parts_of(blend, "timexer") == {"gbm": "none", "kgml": "timexer", "dere_towers": "timexer"}
    found = targets.training_jobs(config)
    assert found["blend/timexer"]["jobs"] == [
        job for part in ("gbm/none", "kgml/timexer", "dere_towers/timexer") for job in found[part]["jobs"]
    ]
    assert found["blend/timexer"]["networks"] == ["kgml_towers", "pure", "towers"]
    assert targets.product_member(config) == "dere_towers/informer"
    trees = normalise({"methods": ["gbm", "gp", "blend"], "blend": {"methods": ["gbm", "gp"]}})
    assert targets.members(trees)[-1] == "blend/none" and targets.product_member(trees) == "gp/none"
    both = normalise(own | {"blend": {"methods": ["kgml", "dere_towers"]}, "products": {"method": "blend"}})
    assert [method.name for method in targets.mapped_methods(both)] == ["kgml", "dere_towers", "blend"]
    jobs = {f"map_{name}/informer/fold0/seed0" for name in ("kgml", "dere_towers", "blend")}
    assert {job for job in targets.benchmarks(both) if job.startswith("map_")} == jobs


def test_backbones_are_compared_where_there_are_several_and_a_network():
    assert not targets.compares_backbones(DEFAULT)
    assert targets.compares_backbones(normalise({"backbones": ["informer", "timexer"]}))
    assert not targets.compares_backbones(normalise({"backbones": ["informer", "timexer"], "methods": ["gbm"]}))


def test_how_a_method_shows_is_what_it_declares():
    found = targets.shown(normalise({"methods": ["gbm", "dere"], "figures": {"compared": ["simulation"]}}))
    assert list(found) == ["simulation", "gbm", "dere"]
    for name, look in found.items():
        method = methods()[name]
        assert (look["label"], look["colour"], look["rank"]) == (method.label, method.colour, method.rank)
        assert look["network"] == method.per_backbone
    assert targets.references(DEFAULT) == {m.name: m.per_backbone for m in reversed(methods().values()) if m.reference}
    assert targets.backbone_labels(normalise({"backbones": ["fedformer"]})) == {"fedformer": "FEDformer"}


def test_neighbours_are_tabled_of_the_methods_that_name_them():
    config = normalise({"methods": ["raci", "kgml", "gbm"], "seeds": [0, 1]})
    assert targets.with_neighbours(config) == ["raci/lags/fold0/seed0", "raci/lags/fold0/seed1"]
    assert targets.with_neighbours(DEFAULT) == []


def test_a_further_exchange_has_the_methods_that_serve_it_in_a_folder_of_its_own(monkeypatch):
    monkeypatch.setattr(targets, "get", lambda name: replace(get("co2"), name=name))
    config = DEFAULT | {"exchanges": ["co2", "other"], "seeds": [0, 1]}
    served = [name for name, method in methods().items() if not method.exchanges]
    assert served and len(served) < len(methods())
    assert [method.name for method in targets.methods_of(config, "other")] == served
    assert targets.further(config) == ["other"]
    assert [(targets.prefix(name), targets.suffix(name)) for name in config["exchanges"]] == [
        ("", ""),
        ("other/", "_other"),
    ]
    last = max(served, key=lambda name: methods()[name].rank)
    # what is given away of CO2 does not serve the other
    assert targets.product_method(config, "other").name == last == targets.product_settings(config, "other")["method"]
    made = targets.of_all_exchanges(config, targets.stages)
    assert [stage.name for exchange, stage in made if exchange == "other"] == [s.name for s in stages_of(served)]
    jobs = targets.benchmarks(config, "other")
    assert not [job for job in jobs if job.startswith(targets.IMPUTATION_JOBS)]
    assert set(targets.references(config, "other")) == {name for name in served if methods()[name].reference}
