"""Readers of the configuration, and damage to YAML."""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from fuzz_changes import Change, Damage, damage, pick
from fuzz_readers import Reader, Target

from dere.api.configuration import read_configuration
from dere.run_config.root import normalise
from dere.workflow.configuration import configuration

Tree = dict[str, Any]
SECTIONS = ("splits", "harmonise", "evaluation", "figures", "world", "products", "seeds", "backbones", "methods")


@functools.cache
def sound_tree() -> Tree:
    """A configuration that states many leaves, none as it is by default where another value is sure to fit."""
    whole = normalise({"run": "fuzzed", "methods": ["climatology", "gbm"], "seeds": [3, 4], "splits": {"folds": 4}})
    return {"run": "fuzzed", **{name: whole[name] for name in SECTIONS if name in whole}}


def leaves(tree: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Leaves of a tree with their paths; lists are leaves."""
    if isinstance(tree, Mapping) and tree:
        for key, part in tree.items():
            yield from leaves(part, (*path, str(key)))
    else:
        yield path, tree


def with_leaf(tree: Tree, path: tuple[str, ...], value: Any) -> Tree:
    """The tree with another value at a path."""
    made = copy.deepcopy(tree)
    place = made
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return made


def dumped(tree: Tree, **options: Any) -> bytes:
    return yaml.safe_dump(tree, sort_keys=False, allow_unicode=True, **options).encode()


@damage("harmless", 2)
def keys_in_another_order(tree: Tree, rng: np.random.Generator, about: object) -> Change:
    return Change(dumped({key: tree[key] for key in rng.permutation(list(tree)).tolist()}))


@damage("harmless")
def written_in_another_style(tree: Tree, rng: np.random.Generator, about: object) -> Change:
    style = pick(rng, ({"default_flow_style": True}, {"default_style": '"'}, {"indent": 6}, {"explicit_start": True}))
    return Change(dumped(tree, **{"width": 1000, **({} if "default_style" in style else style)}))


@damage("harmless")
def comments_between(tree: Tree, rng: np.random.Generator, about: object) -> Change:
    lines = dumped(tree).decode().splitlines()
    return Change(
        "\n".join(f"{line}  # seen" if line.endswith(":") else line for line in ["# mine", *lines]).encode() + b"\n"
    )


@damage("hostile", 3)
def key_twice(tree: Tree, rng: np.random.Generator, about: object) -> Change:
    """At the top, or in a section."""
    lines = dumped(tree).decode().splitlines()
    single = [
        n
        for n, line in enumerate(lines)
        if ":" in line and not line.rstrip().endswith(":") and not line.lstrip().startswith("-")
    ]
    at = int(pick(rng, single))
    key = lines[at].split(":")[0].strip()
    value = lines[at].split(":", 1)[1].strip()
    other = f"{float(value) * 2:g}" if value.replace(".", "").isdigit() else value
    place = at + 1 if rng.random() < 0.5 else at
    lines.insert(place, lines[at].split(":")[0] + f": {other}")
    return Change("\n".join(lines).encode() + b"\n", None, (key,), excused=False)


@damage("hostile", 4)
def leaf_of_another_kind(tree: Tree, rng: np.random.Generator, about: object) -> Change:
    """Text, a list, a section, a truth, a date or no number where a number is needed, and so on."""
    path, value = pick(rng, list(leaves(tree)))
    kinds: list[Any] = [{"a": 1}, [[1]], {"x": {"y": 2}}, ["a", {"b": 1}]]
    if isinstance(value, bool):
        kinds += ["maybe", 7, [True]]
    elif isinstance(value, (int, float)):
        kinds += [
            "many",
            True,
            [value],
            float("nan"),
            float("inf"),
            -1e300,
            "1,5",
            pd.Timestamp(2001, 1, 1).date(),
            10**40,
        ]
    elif isinstance(value, str):
        kinds += [12.5, True, [value], pd.Timestamp(2001, 1, 1).date()]
    elif isinstance(value, list):
        kinds += [7.25, True, "no such thing, nor this", {"0": 1}]
    return Change(dumped(with_leaf(tree, path, pick(rng, kinds))), None, (path[-1],))


@damage("hostile")
def unknown_key(tree: Tree, rng: np.random.Generator, about: object) -> Change:
    path, value = pick(rng, [leaf for leaf in leaves(tree) if len(leaf[0]) > 1])
    key = str(pick(rng, (path[-1] + "s", path[-1][1:], path[-1].upper(), "", " ", "ünbekannt", "a.b")))
    return Change(dumped(with_leaf(tree, (*path[:-1], key), value)), None, (path[-1], key))


@damage("hostile")
def key_that_is_no_text(tree: Tree, rng: np.random.Generator, about: object) -> Change:
    made = copy.deepcopy(tree)
    place = pick(rng, [made, made["splits"], made["world"]])
    place[pick(rng, (1, 2.5, True, None, pd.Timestamp(2001, 1, 1).date()))] = 3
    return Change(dumped(made), None, ("key", "1", "2.5", "True", "None", "2001"))


@damage("hostile", 2)
def odd_name_of_the_run(tree: Tree, rng: np.random.Generator, about: object) -> Change:
    odd = (
        "2001",
        "2001-01-01",
        "1e3",
        "{fold}",
        "a/b",
        "../up",
        "",
        "~",
        "no",
        "0x1F",
        "a b",
        ".",
        "[x]",
        "1_000",
        "x" * 400,
    )
    text = str(pick(rng, odd))
    content = dumped({key: value for key, value in tree.items() if key != "run"})
    return Change(f"run: {text}\n".encode() + content, None, ("run",), lacks=text in ("", "~"))


@damage("hostile", 3)
def yaml_that_is_none_or_too_much(tree: Tree, rng: np.random.Generator, about: object) -> Change:
    """Broken syntax, tags of Python, aliases of itself, aliases that multiply, depth without end."""
    whole = dumped(tree).decode()
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 12))
    odd = (
        whole + "splits: [1, 2\n", whole.replace("  ", "\t", 3), whole + "zz: !!python/object/apply:os.getcwd []\n",
        whole + "zz: &a [*a]\n", "l0: &l0 [x, x, x, x, x, x, x, x, x]\n" + levels + whole,
        whole + "zz: " + "[" * 3000 + "]" * 3000 + "\n",
        whole + "---\nrun: other\n", "- " + whole.replace("\n", "\n  ").rstrip() + "\n", "just text\n",
        whole + "zz: *nowhere\n",
        whole + "zz: " + "9" * 200_000 + "\n", whole + "a: 1: 2\n", whole + "\x07: 1\n", whole + "zz: !!binary 'x'\n",
        whole + "zz: !!timestamp 'x'\n", whole + "zz: 2001-99-99\n", whole + "zz: 0b2\n", whole + "? [a, b]\n: 1\n",
    )  # fmt: skip
    return Change(pick(rng, odd).encode(), None, ("YAML", "key"))


YAML = tuple(found for found in globals().values() if isinstance(found, Damage))
FILE = "mine.yaml"


def flat(complete: Mapping[str, Any]) -> dict[str, str]:
    """Every leaf as text."""
    return {".".join(path): repr(value) for path, value in leaves(complete)}


def write_run(folder: Path, seed: int) -> None:
    """The same configuration as that of a finished run."""
    (folder / "config.yaml").write_bytes(dumped(sound_tree()))


@functools.cache
def readers() -> tuple[Reader, ...]:
    """Every reader of a configuration."""
    without = ("cut", "half a file", "of another kind", "zeros inside", "bits turned in the header")
    names = ("run", "YAML", *SECTIONS)
    return (
        Reader(
            "configuration",
            lambda folder, seed: (folder / FILE).write_bytes(dumped(sound_tree())),
            lambda folder: flat(configuration([folder / FILE])),
            (Target(FILE, "yaml", None, without=(*without, "gone")),),
            names,
        ),
        Reader(
            "configuration_of_a_run",
            write_run,
            lambda folder: flat(read_configuration(folder)),
            (Target("config.yaml", "yaml", None, without=without),),
            names,
        ),
    )
