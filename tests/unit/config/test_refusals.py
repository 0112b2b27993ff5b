"""Every refused value is one sentence with key, value, expectation and remedy, in the words of a configuration file."""

import math
import re
from pathlib import Path

import pytest
import yaml

from dere.run_config.root import normalise

ROOT = Path(__file__).parents[3]
SAYS = "correct it (dere config explain "


def said(text):
    with pytest.raises(ValueError) as error:
        normalise(yaml.safe_load(text))
    return str(error.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("run: 2024", "run: 2024 is refused; YAML reads it as a number, but text is expected; put what you wrote in "),
        ("run: 007", "run: 7 is refused; YAML reads it as a number"),
        ("run: 1.e+5", "run: 100000.0 is refused; YAML reads it as a number"),
        ("run: 2024-01-01", "run: datetime.date(2024, 1, 1) is refused; YAML reads it as a date, but text is expected"),
        ("run: no", "run: False is refused; YAML reads it as true or false, but text is expected"),
        ("run: off", "run: False is refused; YAML reads it as true or false, but text is expected"),
        ("run: null", "run: None is refused; YAML reads it as null, but text is expected"),
        ("run:", "run: None is refused; YAML reads it as null, but text is expected"),
        ("run: [a]", "run: ['a'] is refused; one text is expected, not a list; write run: text"),
        ("run: a b", "run: 'a b' is refused; text of the form "),
        ("methods: gbm", "methods: 'gbm' is refused; a list is expected; write methods: [gbm]"),
        ("methods: gbm, dere", "methods: 'gbm, dere' is refused; a list is expected; write methods: [gbm, dere]"),
        ("seeds: 0", "seeds: 0 is refused; a list is expected; write seeds: [0]"),
        ("folds: {a: 1}", "folds: {'a': 1} is refused; a list is expected; write folds: [first, second]"),
        ("seeds: [yes]", "seeds: [True] is refused; a number is expected, but YAML reads yes, no, on and off as true"),
        ("seeds: [-1]", f"seeds.0: -1 is refused; input should be greater than or equal to 0; {SAYS}seeds says"),
        ("seeds: [99999999999]", "seeds: [99999999999] is refused; a number below 2147483648 is expected"),
        (
            "sources: {towers: {paths: /data}}",
            "sources.towers.paths: '/data' is refused; a list is expected; write sources.towers.paths: [/data]",
        ),
        ("sources: {towers: {paths: [2024]}}", "sources.towers.paths.0: 2024 is refused; YAML reads it as a number, "),
        ("stages: {pure: {epochs: on}}", "stages.pure.epochs: True is refused; a number is expected, but YAML reads "),
        ("stages: {pure: {epochs: 2.5}}", "stages.pure.epochs: 2.5 is refused; a whole number is expected; "),
        ("stages: {pure: 3}", "stages.pure: 3 is refused; a section with epochs, steps_per_epoch, "),
        ("stages:", "stages: None is refused; a section with defaults, "),
        (
            "splits: {cell_rule: block}",
            "splits.cell_rule: 'block' is refused; 'blocks' or 'published_every_fourth' is ",
        ),
        (
            "sources: {cover: {tower_window_km: far}}",
            "sources.cover.tower_window_km: 'far' is refused; a number is expected or '3x3' is expected; ",
        ),
        ("world: {nature_distance: .nan}", "world.nature_distance: nan is refused; input should be a finite number; "),
        (
            "sources: {simulation: {netcdf: {above_ground: {BL: 2}}}}",
            "sources.simulation.netcdf.above_ground.BL: 2 is ",
        ),
    ],
)
def test_a_refused_value_says_what_to_write(text, sentence):
    found = said(text)
    assert found.startswith(sentence) and "\n" not in found


@pytest.mark.parametrize("value", ["copy {site}", "a}b", "{"])
@pytest.mark.parametrize(
    ("key", "listed"),
    [
        ("sources.towers.paths", True),
        ("sources.simulation.path", False),
        ("sources.simulation.coordinates", False),
        ("sources.cover.path", False),
        ("sources.cover.age.path", False),
        ("downloads.folder", False),
    ],
)
def test_a_brace_in_a_path_is_refused_with_its_key(key, listed, value):
    """snakemake/snakemake#85 and #2981: a brace in a folder ended in an error about wildcards."""
    tree = [f"/data/{value}"] if listed else f"/data/{value}"
    for part in reversed(key.split(".")):
        tree = {part: tree}
    with pytest.raises(ValueError) as error:
        normalise(tree)
    found = str(error.value)
    assert found.startswith(f"{key}: /data/{value} holds a brace") and "rename it, or give a link" in found


def keys_of(tree, above=()):
    for name, value in tree.items():
        yield (*above, name)
        if isinstance(value, dict):
            yield from keys_of(value, (*above, name))


@pytest.mark.parametrize("value", [7, 2.5, "zzz", ["zzz"], [None], {"zzz": 1}, None, math.nan, -(10**30), True])
def test_no_key_of_the_defaults_has_a_refusal_of_another_form(value):
    """No class of ours, no tuple, no dictionary: words of a configuration file, on one line with the key."""
    complete = yaml.safe_load((ROOT / "config.yaml").read_text())
    refused = 0
    for path in keys_of(complete):
        tree = value
        for part in reversed(path):
            tree = {part: tree}
        try:
            normalise(tree)
        except ValueError as error:
            refused += 1
            for line in str(error).splitlines():
                # what a change of one key makes of another is a rule of its own
                assert re.match(r"[a-zA-Z0-9_.]+: |[a-zA-Z0-9_.]+ is not a known configuration key; ", line)
                assert not re.search(
                    r"tuple|dictionary|instance of|[Ii]nput should be a valid|constrained-|literal\[", line
                )
    assert refused > 20
