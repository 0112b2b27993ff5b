"""The promise: a change reruns exactly what depends on it, and nothing else ever reruns."""

import os
import time
from contextlib import contextmanager

import pytest
import yaml

from dere.backbones import names
from dere.config.root import Config
from dere.config.stages import STAGES

TREES = {"predict_gbm", "predict_gbm_sim"}

FIRST_TRAININGS = {"train_pure", "train_plant_types_simulated", "train_baseline", "train_kgml_simulation"}

# A leaf of each sub-tree and another value, and the rules where the change begins; what follows them reruns with them.
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
    "sources.towers.use_satellites": (True, {"ingest_towers"}),
    "harmonise.maximum_driver_gap": (0.2, {"harmonise"}),
    "harmonise.window_stride": (6, {"harmonise"}),
    "harmonise.minimum_training_quality": (0.6, {"harmonise"}),
    "harmonise.window": (36, {"harmonise"}),
    "splits.seed": (3, {"harmonise"}),
    **{f"networks.{name}.width": (12, FIRST_TRAININGS) for name in names()},
    **{f"stages.{stage}.learning_rate": (0.007, {f"train_{stage}"}) for stage in STAGES},
    # A default counts where a stage has no value of its own; what follows such a stage reruns with it.
    "stages.defaults.gradient_clip": (0.5, FIRST_TRAININGS),
    "stages.defaults.weight_decay": (0.003, FIRST_TRAININGS - {"train_baseline"}),
    "stages.defaults.patience": (3, {"train_mixture", "train_plant_types_simulated"}),
    "stages.defaults.epochs": (3, set()),
    "imputation.channels": (12, {"train_imputation"}),
    "imputation.samples": (7, {"impute_labels"}),
    "imputation.training.epochs": (2, {"train_imputation"}),
    "trees.settings": (3, TREES),
    "trees.threads": (2, set()),
    "evaluation.bootstrap": (60, {"evaluate"}),
    "products.title": ("Another title", {"products"}),
    "figures.dpi": (70, {"figures"}),
    "downloads.folder": ("elsewhere", set()),
}
MEMBERS = {"run", "backbones", "methods", "folds", "seeds"}


def leaves(tree, path=""):
    """Return the dotted path of every leaf."""
    if not isinstance(tree, dict):
        return [path]
    return [leaf for key, value in tree.items() for leaf in leaves(value, f"{path}.{key}".lstrip("."))]


@contextmanager
def overlay(tiny, leaf, value):
    """Write an overlay that changes one leaf and give its name."""
    tree = value
    for key in reversed(leaf.split(".")):
        tree = {key: tree}
    path = tiny.folder / "change.yaml"
    path.write_text(yaml.safe_dump(tree))
    yield path.name
    path.unlink()


def test_the_table_covers_every_leaf():
    """Each leaf of the configuration lies in a sub-tree of which the table changes a leaf, or names members."""

    def tree_of(leaf):
        parts = leaf.split(".")
        return ".".join(parts[:2]) if parts[0] in ("sources", "stages", "networks") else parts[0]

    tested = {tree_of(leaf) for leaf in TABLE} | MEMBERS
    assert {tree_of(leaf) for leaf in leaves(Config().model_dump(mode="json"))} == tested


def test_a_second_run_does_nothing(tiny):
    assert tiny.pending() == {}


@pytest.mark.parametrize("leaf", TABLE)
def test_a_changed_leaf_reruns_exactly_its_rules(tiny, leaf):
    value, expected = TABLE[leaf]
    with overlay(tiny, leaf, value) as name:
        jobs = tiny.invalidated(name, backbones=True)
    assert {rule for rule, _ in jobs} - {"resolved_config"} == expected
    if leaf.startswith("networks."):
        assert {backbone for _, backbone in jobs} - {""} == {leaf.split(".")[1]}


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
        ("src/dere/evaluation/climatology.py", {"predict_climatology"}),
        ("src/dere/evaluation/tree_search.py", TREES),
        ("src/dere/training/pure.py", {"train_pure"}),
        ("src/dere/training/competition.py", {"train_mixture"}),
        ("src/dere/imputation/labels.py", {"train_imputation"}),
        ("src/dere/products/dataset.py", {"products"}),
        ("src/dere/figures/maps.py", {"figures"}),
        ("src/dere/config/outputs.py", {"products", "resolved_config"}),
        ("workflow/scripts/evaluate.py", {"evaluate"}),
        ("src/dere/workflow/citations.py", {"citations"}),
        ("src/dere/workflow/summary.py", set()),
        ("workflow/report/citations.rst", set()),
        ("workflow/report/series.rst", set()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_edited_code_reruns_exactly_its_users_and_reverting_reruns_nothing(tiny, file, users):
    path = tiny.folder / file
    content = path.read_text()
    path.write_text(content + "\n# edited\n")
    try:
        assert tiny.invalidated() == users
    finally:
        path.write_text(content)
    assert tiny.pending() == {}


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
    path = tiny.folder / "src" / "dere" / "backbones" / name
    content = path.read_text()
    path.write_text(content + "\n# edited\n")
    try:
        assert tiny.invalidated(backbones=True) == {(rule, user) for rule in FIRST_TRAININGS for user in users}
    finally:
        path.write_text(content)


def test_another_backbone_less_leaves_the_others_alone(tiny):
    with overlay(tiny, "backbones", names()[:-1]) as name:
        assert not {rule for rule in tiny.pending(name) if rule.startswith(("train", "predict", "impute"))}


def test_a_new_module_in_the_imports_reruns_its_users(tiny):
    path = tiny.folder / "src/dere/workflow/cost.py"
    fresh = path.with_name("freshly_added.py")
    content = path.read_text()
    fresh.write_text('"""New."""\n')
    path.write_text(content.replace("import pandas as pd", "import pandas as pd\n\nimport dere.workflow.freshly_added"))
    try:
        assert tiny.invalidated() == {"cost"}
    finally:
        path.write_text(content)
        fresh.unlink()


def test_a_second_seed_leaves_the_first_alone(tiny):
    with overlay(tiny, "seeds", [0, 1]) as name:
        shown = tiny.snakemake("--dry-run", "--cores", "2", name).stdout
    assert "seed=1" in shown and "seed=0" not in shown
