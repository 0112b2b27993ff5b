"""The whole configuration: unknown keys, normalisation, environment variables, sync with config.yaml."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from dere.backbones import names
from dere.methods import methods
from dere.run_config.render import main, render
from dere.run_config.root import Config, normalise
from dere.run_config.run import CHANGED_FIRST
from joined import joined_stages

ROOT = Path(__file__).parents[3]
REAL_TOWERS = {
    "world": None,
    "sources": {
        "simulation": {"provider": "builtin"},
        "cover": {"provider": "igbp"},
        "towers": {"provider": "bundled"},
    },
}
SEES_LIGHT = {"provider": "builtin", "leaf_area": "satellite"}


@pytest.mark.parametrize(
    ("tree", "sentence"),
    [
        ({"world": {"yeers": 3}}, "world.yeers is not a known configuration key; did you mean years?"),
        ({"wurld": {}}, "wurld is not a known configuration key; did you mean world?"),
        (
            {"stages": {"pure": {"zzz": 1}}},
            "stages.pure.zzz is not a known configuration key; known keys there are epochs",
        ),
        (
            {"stages": {"pure": {"epochs": 0}}},
            "stages.pure.epochs: 0 is refused; input should be greater than or equal",
        ),
        ({"trees": {"settings": "many"}}, "trees.settings: 'many' is refused"),
        ({"folds": [5]}, "folds: 5 is not a fold; splits.folds is 5, so choose from 0 to 4"),
        (
            {"all_towers": True, "splits": {"training_towers": 20}},
            "all_towers: it is true, but splits.training_towers: 20 keeps towers from every model",
        ),
        ({"all_towers": True, "splits": {"protocol": "warm"}}, "all_towers: it is true, but splits.protocol: warm"),
        (
            {"splits": {"protocol": "class", "left_out": ["EBF", "XYZ"]}},
            "splits.left_out: XYZ is no class; choose from ENF, DNF, EBF, ",
        ),
        (
            {"splits": {"protocol": "climate", "left_out": ["EBF"]}},
            "splits.left_out: EBF is no climate; choose from tropical, arid, ",
        ),
        (
            {"splits": {"training_towers": 49}},
            "splits.training_towers: it is 49, but the built-in world has 60 towers, of which a fold learns from 48 at",
        ),
        (
            {**REAL_TOWERS, "splits": {"training_towers": 133}},
            "splits.training_towers: it is 133, but the package has 166 towers, of which a fold learns from 132 at",
        ),
        ({"seeds": [1, 1]}, "seeds: [1, 1] holds a value twice"),
        (
            {"sources": {"simulation": SEES_LIGHT}, "harmonise": {"satellites": False}},
            "sources.simulation.leaf_area: it is satellite, but harmonise.satellites is false, so that the run has no",
        ),
        (
            {"sources": {"simulation": SEES_LIGHT, "towers": {"use_satellites": False}}},
            "sources.simulation.leaf_area: it is satellite, but sources.towers.use_satellites is false, so that",
        ),
        ({"backbones": ["gru"]}, "backbones: gru is not a known backbone; choose from lags"),
        ({"methods": ["gbn"]}, "methods: gbn is no method; choose from climatology, "),
        ({"exchanges": ["co3"]}, "exchanges: co3 is no exchange; choose from "),
        (
            {"methods": ["gbm"], "products": {"method": "dere"}},
            "products.method: dere is not among the run's methods (gbm); add it to methods, ",
        ),
        (
            {"methods": ["gbm"], "figures": {"method": "dere"}},
            "figures.method: dere is not among the run's methods (gbm); add it to methods, ",
        ),
        ({"figures": {"method": "der"}}, "figures.method: der is not among the run's methods (climatology, "),
        ({"figures": {"reference": "gmb"}}, "figures.reference: gmb is no method; choose from climatology, "),
        ({"figures": {"compared": ["gbm", "gbn"]}}, "figures.compared: gbn is no method; choose from climatology, "),
        ({"figures": {"formats": []}}, "figures.formats: [] is refused; a list of at least 1 item is expected"),
        ({1: "x"}, "1: the key 1 is read as a number, but keys are text; correct it, or put it in quotes"),
        (
            {"sources": {"simulation": {"netcdf": {"plant_types": {False: "NL"}}}}},
            "sources.simulation.netcdf.plant_types.False: the key False is read as true or false",
        ),
        ({"stages": {"pure": {None: 1}}}, "stages.pure.None: the key None is read as null"),
        ({"splits": {"cluster_km": float("inf")}}, "splits.cluster_km: inf is refused; input should be a finite"),
        ({"world": {"nature_distance": ".nan"}}, "world.nature_distance: '.nan' is refused"),
        ({"evaluation": {"cold_temperature": float("nan")}}, "evaluation.cold_temperature: nan is refused"),
        (
            {"backbones": ["transformer"], "networks": {"transformer": {"width": 10}}},
            "networks.transformer.width: it is 10, which networks.transformer.heads = 4 does not divide",
        ),
        ({"imputation": {"heads": 5}}, "imputation.channels: it is 32, which imputation.heads = 5 does not divide"),
        (
            {"harmonise": {"window": 132}},
            "harmonise.window: it is 132 months, but the built-in world has 120 (world.years: 10)",
        ),
        (
            {"harmonise": {"window": 132}, "sources": {"simulation": {"provider": "builtin"}}},
            "sources.simulation.member_months: it is 120, but harmonise.window is 132",
        ),
        (
            {"harmonise": {"channels": "none"}},
            "stages.towers.head: it is both, which needs the knowledge channels, but harmonise.channels is none; set",
        ),
        (
            {"stages": {"uncertain": {"head": "stands"}}},
            "stages.uncertain.head: it is stands, but this stage continues stages.towers, where head is both; give",
        ),
        ({"world": None}, "sources.towers.paths: it is empty although world is null"),
    ],
    ids=lambda value: str(value)[:30] if isinstance(value, dict) else "",
)
def test_a_wrong_configuration_is_refused_in_a_sentence(tree, sentence):
    with pytest.raises(ValueError) as error:
        normalise(tree)
    assert str(error.value).startswith(sentence)
    assert "\n" not in str(error.value)


def test_as_many_towers_as_there_may_be_are_not_refused():
    """Nor a number that only files of the user's own can tell."""
    normalise({"splits": {"training_towers": 48, "protocol": "class", "left_out": ["DNF", "savanna"]}})
    normalise(REAL_TOWERS | {"splits": {"training_towers": 132}})
    normalise({"sources": {"towers": {"paths": ["own"]}}, "splits": {"training_towers": 49}})


def test_what_a_run_does_not_use_is_not_refused():
    """Heads of another backbone, of SimpleTM as published, and a window longer than a simulation nobody learns from."""
    normalise({"networks": {"informer": {"width": 10}}})
    normalise({"backbones": ["simpletm"], "networks": {"simpletm": {"heads": 7, "layout": "published"}}})
    normalise({"methods": ["gbm"], "harmonise": {"window": 132}, "imputation": {"heads": 5}})


def test_every_problem_has_its_own_line():
    with pytest.raises(ValueError) as error:
        normalise({"aaa": 1, "bbb": 2})
    assert [line.split()[0] for line in str(error.value).splitlines()] == ["aaa", "bbb"]


def test_equal_settings_give_equal_trees_however_they_are_written():
    plain = {"stages": {"pure": {"learning_rate": 0.1, "batch": 5}}, "seeds": [0, 1]}
    other = {"seeds": (0, 1), "stages": {"pure": {"batch": 5.0, "learning_rate": "1e-1"}}}
    assert repr(normalise(plain)) == repr(normalise(other))


def test_normalising_twice_changes_nothing():
    once = normalise({})
    assert repr(normalise(once)) == repr(once)


def test_values_are_plain():
    def check(value):
        if isinstance(value, dict):
            return all(isinstance(key, str) and check(part) for key, part in value.items())
        if isinstance(value, list):
            return all(map(check, value))
        return value is None or type(value) in (str, int, float, bool)

    assert check(normalise({}))


def test_environment_variables_are_expanded():
    tree = {"sources": {"towers": {"paths": ["${HERE}/a", "b"]}}}
    assert normalise(tree, {"HERE": "/data"})["sources"]["towers"]["paths"] == ["/data/a", "b"]
    with pytest.raises(ValueError, match=r"sources.towers.paths: it needs the environment variable HERE, which is not"):
        normalise(tree, {})


def test_config_yaml_is_in_sync_with_the_models(tmp_path):
    assert main(ROOT / "config.yaml", check=True) == 0, "config.yaml differs from the models; run make config"
    stale = tmp_path / "config.yaml"
    stale.write_text(render().replace("epochs: 12", "epochs: 13"))
    assert main(stale, check=True) == 1
    main(stale)
    assert stale.read_text() == render() and main(stale, check=True) == 0
    schema = tmp_path / "config" / "schema.json"
    assert schema.read_text() == (ROOT / "config" / "schema.json").read_text()
    schema.write_text(schema.read_text().replace("transformer", "transfarmer"))
    assert main(stale, check=True) == 1


def test_config_yaml_holds_every_leaf_with_its_default():
    complete, made = Config().model_dump(mode="json"), normalise({})
    assert set(yaml.safe_load(render())) == set(complete) and normalise(yaml.safe_load(render())) == made
    complete["networks"] = {"lags": complete["networks"]["lags"]}
    used = {stage.name for stage in joined_stages().values()}
    complete["stages"] = {name: own for name, own in complete["stages"].items() if name in {"defaults", *used}}
    choices = {"products": ["method"], "figures": ["method", "reference", "compared"]}
    for section, names_of_choices in choices.items():
        for name in names_of_choices:
            assert complete[section][name] is None and made[section][name]
            complete[section][name] = made[section][name]
    assert made == complete


def test_open_choices_are_made_by_the_run_s_methods():
    known = methods()
    for chosen in (list(known), ["gbm", "climatology"], ["gbm_sim", "gbm", "baseline"]):
        made = normalise({"methods": chosen})
        last = max((name for name in chosen if not known[name].parts), key=lambda name: known[name].rank)
        assert made["products"]["method"] == made["figures"]["method"] == last
        simplest_first = sorted(chosen, key=lambda name: known[name].rank)
        references = [name for name in simplest_first if known[name].reference]
        assert made["figures"]["reference"] == (references or simplest_first)[0]
        assert made["figures"]["compared"] == [name for name, method in known.items() if method.compared]
    given = {"method": "gbm", "reference": "climatology", "compared": []}
    made = normalise({"figures": given, "products": {"method": "gbm"}})
    assert made["figures"] == made["figures"] | given and made["products"]["method"] == "gbm"


def test_config_yaml_says_nothing_twice():
    """Below a stage stands what differs from the defaults, and no backbone that the run lacks."""
    tree = yaml.safe_load(render())
    defaults = tree["stages"].pop("defaults")
    assert not [
        (s, k) for s, own in tree["stages"].items() for k, v in own.items() if k in defaults and defaults[k] == v
    ]
    assert set(tree["stages"]) | {"defaults"} == set(normalise({})["stages"])
    assert list(tree["networks"]) == tree["backbones"] == ["lags"]


def test_eleven_keys_come_first():
    lines = render().splitlines()
    first, rest = (number for number, line in enumerate(lines) if line.startswith("# ----"))
    keys = [line.partition(":")[0] for line in lines[first:rest] if line[:1].isalpha()]
    assert tuple(keys) == CHANGED_FIRST and len(keys) == 11
    assert "eleven keys" in lines[first] and "rest" in lines[rest]


def test_what_overlays_and_the_readme_change_is_among_the_eleven():
    """Every key that more than half of the overlays change, and those of the README's eleven lines."""
    overlays = [yaml.safe_load(path.read_text()) for path in (ROOT / "config").glob("*.yaml")]
    counts = {key: sum(key in overlay for overlay in overlays) for key in Config.model_fields}
    assert {key for key, count in counts.items() if count > len(overlays) / 2} <= set(CHANGED_FIRST)
    readme = (ROOT / "README.md").read_text().partition("## The configuration in eleven lines")[2]
    assert set(yaml.safe_load(readme.split("```")[1].removeprefix("yaml"))) == set(CHANGED_FIRST)


def test_every_leaf_of_config_yaml_has_a_comment_above():
    """Or, below stages, above the same leaf of a stage before it."""
    lines = render().splitlines()
    stages = range(lines.index("stages:"), lines.index("products:"))
    pairs = [(n, before, line) for n, (before, line) in enumerate(pairwise(lines)) if ":" in line and "#" not in line]
    explained = {line.partition(":")[0].strip() for n, before, line in pairs if n in stages and "#" in before}
    bare = [(n, line.partition(":")[0]) for n, before, line in pairs if "#" not in before]
    assert not [name for n, name in bare if n not in stages or name.strip() not in explained]
    assert all(name.startswith("    ") for _, name in bare)


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda path: path.stem)
def test_overlays_are_valid(path):
    def merged(below, above):
        both = dict(below)
        for key, value in above.items():
            both[key] = merged(both.get(key) or {}, value) if isinstance(value, dict) else value
        return both

    tree = merged(Config().model_dump(mode="json"), yaml.safe_load(path.read_text()))
    complete = normalise(tree, {"DERE_REALDATA": "/real", "DERE_PAPERDATA": "/paper"})
    assert complete["run"] == path.stem
    assert complete["world"] is None or path.stem in (
        "tiny",
        "comparison",
        "comparison_published",
        "published",
        "towers_assignments",
        "real-towers",
        "peers",
        "peers_towers",
    )


@pytest.mark.parametrize("name", ["tiny", "comparison", "comparison_published"])
def test_comparisons_run_every_backbone(name):
    """All, or the six of the published comparison, which has neither lags nor a recurrent network."""
    of_papers = [backbone for backbone in names() if backbone not in ("lags", "lstm")]
    expected = names() if name == "tiny" else of_papers
    assert yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text())["backbones"] == expected


@pytest.mark.parametrize(
    ("tree", "sentence"),
    [
        (
            {"exchanges": ["co2", "water"], "methods": ["simulation", "dere"]},
            "exchanges: no method of the run predicts water (simulation, dere); add one that does, for example cli",
        ),
        ({"exchanges": ["water"], "methods": ["gbm"]}, "exchanges: co2 is missing from water; add it, its towers and "),
    ],
)
def test_a_further_exchange_needs_a_method_that_serves_it_and_co2_beside_it(monkeypatch, tree, sentence):
    monkeypatch.setattr("dere.exchange.names", lambda: ["co2", "water"])
    normalise({"exchanges": ["co2", "water"], "methods": ["simulation", "gbm"]})
    with pytest.raises(ValueError, match=re.escape(sentence)):
        normalise(tree)
