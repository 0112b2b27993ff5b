"""Settings of stages: code, then defaults, then the stage's own, whatever file they stand in."""

from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

from dere.config.base import Section
from dere.config.training import TrainingConfig
from dere.config.world import WorldConfig
from dere.run_config.root import normalise
from dere.run_config.stages import COMMON, own_settings, stages_section
from joined import joined_stages as declared

ROOT = Path(__file__).parents[3]
ENVIRONMENT = {"DERE_REALDATA": "/real", "DERE_PAPERDATA": "/paper"}
STAGES = [name for name, stage in declared().items() if stage.section and stage.path == ("stages", name)]
"""Stages that have settings under ``stages``."""


def stages(*files):
    """Stages of config.yaml with files or trees over it, merged as Snakemake does."""
    raw = {}
    for file in ("config.yaml", *files):
        update_config(raw, yaml.safe_load((ROOT / file).read_text()) if isinstance(file, str) else file)
    return normalise(raw, ENVIRONMENT)["stages"]


SHIPPED = {
    "pure": (12, 25, 16, 2e-3, 1e-4, 6),
    "mixture": (8, 25, 16, 2e-3, 1e-4, 4),
    "age": (4, 20, 16, 1e-3, 1e-4, 4),
    "plant_types_simulated": (4, 20, 16, 2e-3, 1e-4, 4),
    "plant_types_observed": (6, 10, 16, 1e-3, 1e-4, 4),
    "towers": (10, 20, 8, 2e-3, 0.5, 4),
    "uncertain": (5, 20, 8, 1e-3, 0.5, 4),
    "baseline": (10, 20, 8, 2e-3, 0.5, 4),
    "kgml_simulation": (12, 25, 16, 2e-3, 1e-4, 6),
    "kgml_towers": (10, 20, 8, 2e-3, 0.5, 4),
}
LEAVES = ("epochs", "steps_per_epoch", "batch", "learning_rate", "weight_decay", "patience")


def of_leaves(found):
    return {name: tuple(stage[leaf] for leaf in LEAVES) for name, stage in found.items() if name != "defaults"}


def test_the_default_run_trains_as_it_always_did():
    found = stages()
    assert of_leaves(found) == SHIPPED
    assert {(s["gradient_clip"], s["average"], s["bf16"], s["compile"]) for s in found.values()} == {
        (1, 0, False, False)
    }
    assert found["towers"]["frozen"] == found["uncertain"]["frozen"] == ["plant_types"]
    pulls = {name: stage["pull"] for name, stage in found.items() if "pull" in stage}
    assert pulls == {"towers": 0, "uncertain": 0, "baseline": 0, "kgml_towers": 0}


def test_the_overlays_train_as_they_always_did():
    few = {name: (1, 2, 4, *rest) for name, (_, _, _, *rest) in SHIPPED.items()}
    tiny = stages("config/tiny.yaml")
    assert of_leaves(tiny) == few
    assert {stage["ages_per_step"] for stage in tiny.values() if "ages_per_step" in stage} == {2}
    towers = of_leaves(stages("config/towers.yaml"))
    assert {towers[name] for name in ("baseline", "kgml_towers", "towers")} == {(20, 20, 8, 4e-3, 0.5, 4)}
    assert towers["uncertain"] == (10, 20, 8, 1e-3, 0.5, 4) and towers["mixture"] == SHIPPED["mixture"]
    published = stages("config/comparison_published.yaml")
    assert {stage[:1] + stage[2:] for stage in of_leaves(published).values()} == {(100, 8, 1e-4, 0, 5)}
    assert {name for name, stage in published.items() if stage["gradient_clip"] == 1} == {"defaults", "pure"}


def test_a_default_reaches_every_stage_without_a_value_of_its_own():
    assert all(stage["bf16"] for stage in stages({"stages": {"defaults": {"bf16": True}}}).values())
    found = stages({"stages": {"defaults": {"bf16": True}, "age": {"bf16": False}}})
    assert {name for name, stage in found.items() if not stage["bf16"]} == {"age"}


@pytest.mark.parametrize("leaf", sorted(COMMON))
def test_a_changed_default_changes_exactly_the_stages_that_do_not_state_it(leaf):
    before = stages()
    other = not before["defaults"][leaf] if leaf in ("bf16", "compile") else before["defaults"][leaf] / 2 or 0.5
    other = int(other) if isinstance(before["defaults"][leaf], int) else other
    after = stages({"stages": {"defaults": {leaf: other}}})
    own = yaml.safe_load((ROOT / "config.yaml").read_text())["stages"]
    changed = {name for name in STAGES if after[name] != before[name]}
    assert changed == {name for name in STAGES if leaf not in own[name]}
    assert all(after[name] == before[name] | {leaf: other} for name in changed)


@pytest.mark.parametrize("turn", [1, -1], ids=["own first", "defaults first"])
def test_a_stage_beats_a_default_in_whatever_order_the_files_come(turn):
    own, default = {"stages": {"mixture": {"gradient_clip": 5}}}, {"stages": {"defaults": {"gradient_clip": 7}}}
    found = stages(*[own, default][::turn])
    assert found["mixture"]["gradient_clip"] == 5
    assert {found[name]["gradient_clip"] for name in found if name != "mixture"} == {7}


def test_shipped_differences_are_a_stage_s_own_with_and_without_config_yaml():
    tree = {"stages": {"defaults": {"epochs": 3, "patience": 2}, "pure": {"batch": 5}}}
    assert normalise(tree)["stages"] == stages(tree)
    assert stages(tree)["pure"] == stages()["pure"] | {"batch": 5}


def test_null_is_the_default_for_common_settings_and_a_value_for_others():
    tree = {"stages": {"defaults": {"epochs": 3}, "towers": {"epochs": None, "dropout": None}}}
    assert stages(tree)["towers"]["epochs"] == 3 and stages(tree)["towers"]["dropout"] is None
    with pytest.raises(ValueError, match=r"stages\.towers\.pull: None is refused"):
        stages({"stages": {"towers": {"pull": None}}})


def test_lists_replace_lists():
    candidates = [{"learning_rate": 1e-3, "pull": 0}]
    tree = {"stages": {"towers": {"candidates": candidates, "frozen": []}}}
    found = stages("config/towers.yaml", tree)["towers"]
    assert found["candidates"] == [{"learning_rate": 1e-3, "pull": 0, "dropout": None}] and found["frozen"] == []


@pytest.mark.parametrize(
    ("tree", "sentence"),
    [
        ({"defaults": {"epochs": 0}}, "stages.defaults.epochs: 0 is refused"),
        ({"defaults": {"pull": 0}}, "stages.defaults.pull is not a known configuration key"),
        ({"defaults": {"epoch": 1}}, "stages.defaults.epoch is not a known configuration key; did you mean epochs?"),
        ({"defaults": None}, "stages.defaults: None is refused"),
        ({"defaults": 5}, "stages.defaults: 5 is refused"),
        ({"age": None}, "stages.age: None is refused"),
        ({"agee": {}}, "stages.agee is not a known configuration key; did you mean age?"),
    ],
    ids=str,
)
def test_wrong_settings_are_refused_once(tree, sentence):
    with pytest.raises(ValueError) as error:
        normalise({"stages": tree})
    assert str(error.value).startswith(sentence) and "\n" not in str(error.value)


def test_only_stages_of_the_run_s_methods_are_kept_and_others_are_still_checked():
    chosen = {"methods": ["kgml", "gbm"]}
    assert list(normalise(chosen)["stages"]) == ["defaults", "kgml_simulation", "kgml_towers"]
    with pytest.raises(ValueError, match=r"stages\.pure\.epochs: 0 is refused"):
        normalise(chosen | {"stages": {"pure": {"epochs": 0}}})
    with pytest.raises(ValueError, match=r"networks\.informer\.widht is not .*; did you mean width\?"):
        normalise(chosen | {"networks": {"informer": {"widht": 8}}})
    kept = normalise(chosen | {"networks": {"informer": {"width": 8}}, "backbones": ["timexer"]})["networks"]
    assert list(kept) == ["timexer"]


def test_every_stage_with_settings_of_its_own_has_its_section():
    assert list(stages()) == ["defaults", *STAGES]
    whole = normalise({})
    for stage in declared().values():
        tree = whole
        for key in stage.path if stage.section else ():
            tree = tree[key]
        assert not stage.section or set(type(stage.section).model_fields) == set(tree)


class Rates(TrainingConfig):
    rate: float = 0.5
    """A leaf of this stage alone."""


def test_any_table_of_sections_becomes_stages():
    """One that trains by the common loop takes the defaults, another kind of section is as it is."""
    model = stages_section({"net": (Rates(epochs=2), "A network."), "world": (WorldConfig(years=4), "No training.")})
    found = model.model_validate({"defaults": {"epochs": 9, "batch": 3}, "world": {"seed": 1}})
    assert found.net == Rates(epochs=2, batch=3) and found.world == WorldConfig(years=4, seed=1)
    assert model.model_fields["net"].description == "A network."
    assert own_settings(Rates(epochs=2)) == {"epochs": 2, "rate": 0.5}
    assert issubclass(model, Section) and model() == model.model_validate({})


ALIKE = {name: {"adapters": False} for name in ("towers", "uncertain")}


@pytest.mark.parametrize("stage", ["towers", "uncertain"])
def test_a_training_in_which_nothing_learns_is_refused(stage):
    every = {"frozen": ["level", "competition", "plant_types"]}
    with pytest.raises(ValueError, match=rf"stages.{stage}: .*nothing is left to train; take a part from frozen"):
        normalise({"stages": {**ALIKE, stage: {**every, "adapters": False}}})
    assert normalise({"stages": {stage: every}})["stages"][stage]["adapters"]
    assert normalise({"stages": {**ALIKE, stage: {"frozen": every["frozen"][1:], "adapters": False}}})


def test_a_stage_that_continues_another_has_its_network():
    for leaf, value in (("adapters", False), ("head", "stands")):
        with pytest.raises(ValueError, match=rf"stages.uncertain.{leaf}: .* continues stages.towers, where {leaf} is"):
            normalise({"stages": {"towers": {leaf: value}}})
    assert normalise({"stages": {"towers": {"head": "stands"}}, "methods": ["dere_towers"]})


def test_physics_needs_the_knowledge_channels():
    tree = {"harmonise": {"channels": "none"}}
    with pytest.raises(ValueError, match=r"stages.towers.head: it is both, which needs the knowledge channels, but"):
        normalise(tree)
    assert normalise({**tree, "methods": ["baseline", "gbm"]})
    assert normalise({**tree, "stages": {name: {"head": "stands"} for name in ("towers", "uncertain")}})
