"""Every setting of the tiny run, changed together with those that the same rules read: these rules begin, and no other.

One by one: benchmarks/leaf_reruns.py. What Snakemake then runs: tests/workflow/test_reruns.py.
"""

from collections import defaultdict

import pytest

from dere.methods import stages
from dere.run_config.describe import leaves
from dere.run_config.root import normalise
from leaf_sweep import EXPECTED, MEMBERS, PATHS, begun, changes, expected, recorded, tiny
from other_values import changed

RAW = tiny()
ALONE = (
    "sources.simulation.provider",
    "sources.cover.provider",
    "sources.towers.provider",
    "harmonise.driver_set",
    "imputation.sampler",
)
"""Beside another provider, driver set or sampler other settings count."""
NO_OTHER = {
    "products.method",
    "sources.methane.provider",
    "splits.left_out",
    *(f"networks.{name}.mix" for name in ("transformer", "informer")),
    *(f"stages.{name}.{leaf}" for name in ("towers", "uncertain") for leaf in ("adapters", "head")),
    *(f"stages.{name}.candidates" for name in ("baseline", "kgml_towers", "towers", "uncertain")),
}
"""Settings of which another value is allowed beside other changes only, or where it lists more than a value."""


@pytest.fixture(scope="module")
def known():
    return dict(changes(RAW))


def packed(parts):
    """Yield configurations that hold all changes together, as few as are allowed."""
    tree, held = RAW, False
    for path, value in parts:
        wider = changed(tree, path, value)
        try:
            normalise(wider)
        except (ValueError, FileNotFoundError):
            yield tree
            wider = changed(RAW, path, value)
        tree, held = wider, True
    if held:
        yield tree


def test_settings_begin_with_their_rules_and_no_other(known):
    groups = defaultdict(list)
    for path, value in known.items():
        groups[frozenset(expected(RAW, path, value)), path if path in ALONE else ""].append((path, value))
    before = recorded(RAW)
    assert recorded(RAW) == before and len(groups) > 30
    for (rules, _), parts in groups.items():
        for tree in packed(parts):
            assert begun(before, recorded(tree)) == rules, [path for path, _ in parts]


def test_every_setting_is_changed_or_a_reason_is_known(known):
    there = {path for path, _ in leaves(normalise(RAW))}
    assert there - set(known) - {*MEMBERS, *PATHS} == NO_OTHER


def test_what_is_expected_names_settings_that_there_are():
    there = {path for path, _ in leaves(normalise(RAW))}
    for name in EXPECTED:
        assert any(f"{path}.".startswith(f"{name}.") for path in there) or name.split(".")[-1] in stages(), name
