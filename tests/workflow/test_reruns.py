"""The promise: a change reruns exactly what depends on it, and nothing else ever reruns."""

import os
import re
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

from dere.backbones import names
from dere.methods import rooms
from dere.run_config.root import normalise
from edits import edited, statement
from joined import joined_stages as stages

ROOT = Path(__file__).parents[2]
STAGES = {name: stage for name, stage in stages().items() if stage.section and stage.path == ("stages", name)}
TREES = {f"train_{name}" for name, stage in stages().items() if stage.path == ("trees",)}


def first(chosen):
    """Return the trainings of ``chosen`` stages that follow no other of them: the rest reruns with those."""
    found = set(chosen)

    def follows(name):
        return any(parent in found or follows(parent) for parent in stages()[name].parents)

    return {f"train_{name}" for name in found if not follows(name)}


FIRST_TRAININGS = first(name for name, stage in stages().items() if stage.per_backbone)


def tiny_run(**changes):
    """Return the complete configuration of the tiny run with some sections changed."""
    raw = {}
    for file in ("config.yaml", "config/tiny.yaml"):
        update_config(raw, yaml.safe_load((ROOT / file).read_text()))
    update_config(raw, changes)
    return normalise(raw)


def of_default(leaf, value):
    """Return a default of the stages and where its change begins: at stages without a value of their own."""
    before, after = tiny_run()["stages"], tiny_run(stages={"defaults": {leaf: value}})["stages"]
    return value, first(name for name in STAGES if before[name] != after[name])


def of_room(room):
    """Return the trainings with which an edit of a room's declaration begins."""
    return first(name for name, owner in rooms()[1].items() if owner == f"dere.methods.{room}")


# Leaves and other values, and the rules where the change begins; what follows them reruns with them. All other leaves:
# tests/unit/workflow/test_every_leaf.py.
TABLE = {
    "world.seed": (5, {"build_world"}),
    "sources.simulation.annual_targets": ("states_only", {"ingest_simulation"}),
    # What only another provider or format reads.
    "sources.simulation.perturbations": (2, set()),
    "sources.simulation.satellites": ("site", set()),
    "sources.simulation.row_order": ("north", set()),
    "sources.simulation.netcdf.minimum_fraction": (0.02, set()),
    "sources.cover.tower_window_km": (2.0, set()),
    "sources.cover.include_crops": (False, {"ingest_cover"}),
    "sources.towers.use_satellites": (False, {"ingest_towers"}),
    "harmonise.maximum_driver_gap": (0.2, {"harmonise"}),
    "harmonise.window_stride": (6, {"harmonise"}),
    "harmonise.minimum_training_quality": (0.6, {"harmonise"}),
    "harmonise.window": (36, {"harmonise"}),
    "splits.seed": (3, {"harmonise"}),
    **{f"networks.{name}.width": (12, FIRST_TRAININGS) for name in names()[:2]},
    **{f"stages.{stage}.learning_rate": (0.007, {f"train_{stage}"}) for stage in ("pure", "age", "towers")},
    # A default counts where a stage has no value of its own; what follows such a stage reruns with it.
    **{
        f"stages.defaults.{leaf}": of_default(leaf, value)
        for leaf, value in (("gradient_clip", 0.5), ("weight_decay", 0.003), ("epochs", 3))
    },
    "imputation.channels": (12, {"train_imputation"}),
    "imputation.samples": (7, {"impute_labels"}),
    "imputation.scored_samples": (5, {"score_imputation"}),
    "imputation.training.epochs": (2, {"train_imputation"}),
    "trees.settings": (3, TREES),
    "trees.threads": (2, set()),
    "evaluation.bootstrap": (60, {"evaluate"}),
    "products.title": ("Another title", {"products"}),
    "figures.dpi": (70, {"figures"}),
    "downloads.folder": ("elsewhere", set()),
    "allow_invented": (True, set()),
    "rerun_on_versions": ("any", set()),
}


@contextmanager
def overlay(tiny, changes):
    """Write an overlay that changes leaves and give its name."""
    tree = {}
    for leaf, value in changes.items():
        *sections, last = leaf.split(".")
        section = tree
        for key in sections:
            section = section.setdefault(key, {})
        section[last] = value
    path = tiny.folder / "change.yaml"
    path.write_text(yaml.safe_dump(tree))
    yield path.name
    path.unlink()


def test_the_beginnings_that_follow_from_declarations_are_no_empty_claims():
    assert {"train_pure", "train_baseline", "train_kgml_simulation"} <= FIRST_TRAININGS
    assert TABLE["stages.defaults.gradient_clip"][1] == FIRST_TRAININGS
    assert TABLE["stages.defaults.weight_decay"][1] == FIRST_TRAININGS - {"train_baseline"}
    assert TABLE["stages.defaults.epochs"][1] == set() and len(TREES) == 2


def test_a_second_run_does_nothing(tiny):
    assert tiny.pending() == {}


def together():
    """Return leaves that a dry run changes: those that begin nothing, those that begin with harmonise, others alone."""
    shared = [[leaf for leaf in TABLE if TABLE[leaf][1] == begun] for begun in (set(), {"harmonise"})]
    alone = set(TABLE).difference(*shared)
    return [*shared, *([leaf] for leaf in TABLE if leaf in alone)]


@pytest.mark.parametrize("changed", together(), ids=lambda group: group[0])
def test_changed_leaves_rerun_exactly_their_rules(tiny, changed):
    with overlay(tiny, {leaf: TABLE[leaf][0] for leaf in changed}) as name:
        jobs = tiny.invalidated(name, backbones=True)
    assert {rule for rule, _ in jobs} - {"resolved_config"} == TABLE[changed[0]][1]
    if changed[0].startswith("networks."):
        assert {backbone for _, backbone in jobs} - {""} == {changed[0].split(".")[1]}


def test_the_same_configuration_written_otherwise_reruns_nothing(tiny):
    text = yaml.safe_load((tiny.folder / "config" / "tiny.yaml").read_text())
    other = {key: text[key] for key in reversed(text)}
    other["stages"]["pure"]["epochs"] = 1.0
    other["evaluation"]["bootstrap"] = "50"
    path = tiny.folder / "other.yaml"
    path.write_text(yaml.safe_dump(other, sort_keys=False))
    assert tiny.pending(path.name) == {}
    path.unlink()


def test_threads_and_resources_are_free(tiny):
    assert tiny.pending("--set-threads", "train_pure=2", "--set-resources", "train_pure:mem_mb=9000") == {}


def test_a_touch_of_everything_reruns_nothing(tiny):
    now = time.time()
    for part in ("src", "workflow", "config", "envs", "Snakefile", "config.yaml"):
        path = tiny.folder / part
        for file in path.rglob("*") if path.is_dir() else [path]:
            os.utime(file, (now, now))
    assert tiny.pending() == {}


@pytest.mark.parametrize(
    ("file", "users"),
    [
        ("src/dere/workflow/cost.py", {"cost"}),
        ("src/dere/evaluation/cost.py", {"cost", "evaluate"}),
        ("src/dere/workflow/comparison.py", {"comparison"}),
        ("src/dere/world/climate.py", {"build_world"}),
        ("src/dere/ingest/cover/esacci.py", {"ingest_cover"}),
        ("src/dere/ingest/tower/fluxnet/family.py", {"ingest_towers"}),
        ("src/dere/methods/climatology/cycles.py", {"train_climatology"}),
        ("src/dere/methods/simulation/raw.py", {"predict_simulation"}),
        ("src/dere/methods/trees/search.py", TREES),
        ("src/dere/methods/trees/predicting.py", {"predict_gbm", "predict_gbm_sim"}),
        ("src/dere/methods/gp/likelihood.py", {"train_gp"}),
        ("src/dere/methods/gp/predicting.py", {"predict_gp"}),
        ("src/dere/methods/blend/mean.py", {"predict_blend"}),
        ("src/dere/methods/kgml/network.py", {"train_kgml_simulation"}),
        ("src/dere/methods/single_stages.py", {"train_baseline", "train_kgml_simulation"}),
        ("src/dere/methods/dere/pure.py", {"train_pure"}),
        ("src/dere/methods/dere/competition.py", {"train_mixture"}),
        ("src/dere/methods/dere/predict.py", {"predict_dere", "predict_dere_towers"}),
        *((f"src/dere/methods/{room}/__init__.py", of_room(room)) for room in ("climatology", "trees", "kgml", "dere")),
        ("src/dere/imputation/labels.py", {"impute_labels"}),
        ("src/dere/imputation/sampling.py", {"train_imputation"}),
        ("src/dere/imputation/hidden.py", {"score_imputation"}),
        ("src/dere/imputation/scores.py", {"score_imputation"}),
        ("src/dere/products/filled_towers.py", {"fill_towers"}),
        ("src/dere/products/dataset.py", {"products"}),
        ("src/dere/figures/maps.py", {"figures", "opening"}),
        ("src/dere/config/products.py", {"products"}),
        ("src/dere/run_config/describe.py", {"resolved_config"}),
        ("src/dere/run_config/root.py", set()),
        ("workflow/scripts/evaluate.py", {"evaluate"}),
        ("src/dere/workflow/citations.py", {"citations"}),
        ("src/dere/opening/page.py", {"opening"}),
        ("src/dere/explorer/maps.py", {"explorer"}),
        ("src/dere/workflow/summary.py", set()),
        ("workflow/report/citations.rst", set()),
        ("workflow/report/series.rst", set()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_edited_code_reruns_exactly_its_users(tiny, file, users):
    """The edit before is taken back by now: what it still reran would stand beside the users of this one."""
    with edited(tiny, {file: statement}):
        assert tiny.invalidated() == users


def test_edits_that_were_taken_back_rerun_nothing(tiny):
    with edited(tiny, {"src/dere/products/dataset.py": statement}):
        assert tiny.invalidated() == {"products"}
    assert tiny.pending() == {}


READ_BY_PEOPLE = {
    "comment": lambda text: text + "\n# edited\n",
    "docstring": lambda text: text.replace('"""', '"""Edited. ', 1),
    "docstring of a function": lambda text: re.sub(r'^( *def .*:\n +""")', r"\1Edited. ", text, count=1, flags=re.M),
    "layout": lambda text: re.sub(r"^( +)return (.*[^,(\[{])$", r"\n\1return (\n\1    \2\n\1)", text, flags=re.M),
    "annotation": lambda text: re.sub(r"^( *def \w+\(.*\)) -> .*:$", r"\1:", text, flags=re.M),
}
EVERYWHERE = (
    "src/dere/io.py",
    "src/dere/variables.py",
    "src/dere/training/loop.py",
    "src/dere/evaluation/metrics/pairs.py",
    "src/dere/methods/trees/search.py",
    "src/dere/methods/dere/competition.py",
    "src/dere/world/climate.py",
    "src/dere/backbones/variates.py",
)


@pytest.mark.parametrize("kind", READ_BY_PEOPLE)
def test_what_only_people_read_reruns_nothing(tiny, kind):
    edits = {file: READ_BY_PEOPLE[kind] for file in EVERYWHERE}
    if kind in ("comment", "docstring"):
        edits["workflow/scripts/evaluate.py"] = READ_BY_PEOPLE[kind]
    with edited(tiny, edits):
        assert tiny.pending() == {}


def test_a_changed_meaning_of_a_key_reruns_the_page_that_prints_it(tiny):
    with edited(tiny, {"src/dere/config/world.py": lambda text: text.replace('    """', '    """Edited: ')}):
        assert tiny.invalidated() == {"resolved_config"}


@pytest.mark.parametrize(
    ("section", "last", "users"),
    [
        ("config/world", "towers", {"build_world"}),
        ("config/towers", "maximum_compression", {"ingest_towers"}),
        ("config/cover", "area_weights", {"ingest_cover"}),
        ("config/splits", "seed", {"harmonise"}),
        ("config/imputation", "samples", {"train_imputation"}),
        ("config/evaluation", "bootstrap", {"evaluate"}),
        ("methods/trees/settings", "trees", TREES),
        ("config/products", "compression", {"products"}),
        ("config/figures", "dpi", {"figures"}),
    ],
)
def test_a_new_key_with_a_default_reruns_the_rules_of_its_section(tiny, section, last, users):
    """The new key stands before one that is there."""
    before = re.compile(rf"^    {last}: ", re.M)

    def with_key(text):
        return before.sub(f'    added_key: int = 3\n    """New."""\n    {last}: ', text)

    with edited(tiny, {f"src/dere/{section}.py": with_key}):
        assert tiny.invalidated() == {*users, "resolved_config"}


@pytest.mark.parametrize(
    ("name", "users"),
    [
        ("informer/network.py", ("informer",)),
        ("transformer/network.py", ("transformer",)),
        ("month_tokens.py", ("transformer", "informer")),
    ],
)
def test_edited_code_of_a_backbone_reruns_its_own_runs(tiny, name, users):
    """Transformer and Informer are built of the same layers; the labels are made for every backbone."""
    with edited(tiny, {f"src/dere/backbones/{name}": statement}):
        assert tiny.invalidated(backbones=True) == {(rule, user) for rule in FIRST_TRAININGS for user in users}


def test_another_backbone_less_leaves_the_others_alone(tiny):
    with overlay(tiny, {"backbones": names()[:-1]}) as name:
        assert not {rule for rule in tiny.pending(name) if rule.startswith(("train", "predict", "impute", "map"))}


METHOD = """
from dere.methods.base import Method

METHODS = (
    Method(name="nothing", label="nothing", colour="#123456", rank=5, predict="dere.methods.nothing:predict",
           per_backbone=False, env="data"),
)
"""
BACKBONE = """
from dere.backbones.declaration import BackboneRoom
from dere.config.network import MonthTokenConfig


class PlainConfig(MonthTokenConfig):
    \"\"\"Another.\"\"\"


BACKBONE = BackboneRoom(label="Plain", section=PlainConfig, network="dere.backbones.transformer.network:Transformer")
"""
METRIC = """
import numpy as np
from dere.evaluation.metrics.base import Metric

METRIC = Metric(
    name="worst", label="largest error", unit="flux", better="lower", reference="none", rank=45, bounds=(0.0, np.inf),
    function=lambda pairs: np.nanmax(abs(pairs.predicted - pairs.observed), axis=-1, initial=0.0),
)
"""


@contextmanager
def added(tiny, file, text):
    """Add a file of the package and take it away again."""
    path = tiny.folder / "src" / "dere" / file
    path.write_text(text)
    try:
        yield
    finally:
        path.unlink()


@pytest.mark.parametrize(
    ("file", "text", "planned", "users"),
    [
        # all methods are the default, which stands on the page of the configuration
        ("methods/nothing.py", METHOD, ("methods=[nothing]", "predict_nothing"), {"resolved_config", "all"}),
        ("backbones/plain.py", BACKBONE, ("backbones=[plain]", "backbone=plain"), set()),
    ],
)
def test_a_new_method_or_backbone_that_the_run_does_not_use_reruns_no_job_of_others(tiny, file, text, planned, users):
    with added(tiny, file, text):
        assert set(tiny.pending()) == users
        shown = tiny.snakemake("--dry-run", "--cores", "2", "--config", planned[0])
        assert shown.returncode == 0 and planned[1] in shown.stdout, "it can be chosen"
    assert tiny.pending() == {}


SOURCE = """
from dere.ingest.source import Product, Source, named

SOURCES = (
    Source(name="lakes", kind="tower", files="lake_*.csv", matches=named(r"lake_.*"), read="dere.ingest.lakes:read",
           products=(Product("lakes", "lakes", "none", "none", rank=5),), options=("use_satellites",)),
)
"""
OTHER_SOURCES = (
    "tower/abcflux/__init__.py", "tower/abcflux/table.py", "tower/carbonsense/site.py", "tower/fluxnet_zarr/store.py",
    "tower/shuttle_listing.py", "cover/forest_age.py", "cover/gfad_source.py", "simulation/process_model_netcdf.py",
    "arrays/dere_towers.py", "arrays/dere_source.py",
)  # fmt: skip
"""Data sets that the built-in world does not write."""


def test_a_new_or_edited_source_of_which_the_run_has_no_file_reruns_nothing(tiny):
    edits = {f"src/dere/ingest/{file}": statement for file in OTHER_SOURCES}
    with added(tiny, "ingest/tower/lakes.py", SOURCE), edited(tiny, edits):
        assert tiny.pending() == {}


def test_a_new_score_reruns_the_tables_of_scores_alone(tiny):
    with added(tiny, "evaluation/metrics/worst.py", METRIC):
        assert tiny.invalidated() == {"evaluate"}
        assert set(tiny.pending()) == {"evaluate", "comparison", "figures", "opening", "explorer", "all"}
    assert tiny.pending() == {}


def test_a_new_module_in_the_imports_reruns_its_users(tiny):
    fresh = tiny.folder / "src/dere/workflow/freshly_added.py"
    fresh.write_text('"""New."""\n')

    def importing(text):
        return text.replace("import pandas as pd", "import pandas as pd\n\nimport dere.workflow.freshly_added")

    with edited(tiny, {"src/dere/workflow/cost.py": importing}):
        assert tiny.invalidated() == {"cost"}
    fresh.unlink()
    assert tiny.pending() == {}


def test_a_second_seed_leaves_the_first_alone(tiny):
    with overlay(tiny, {"seeds": [0, 1]}) as name:
        shown = tiny.snakemake("--dry-run", "--cores", "2", name).stdout
    assert "seed=1" in shown and "seed=0" not in shown
