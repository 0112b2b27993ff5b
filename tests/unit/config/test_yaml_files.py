"""Configuration files: a key stands once, sizes and aliases are bounded, only regular files are opened."""

import json
import os
import time
from pathlib import Path

import pytest

from dere.run_config.yaml_files import LARGEST, NODES, check_file, read_yaml
from dere.workflow.configuration import configuration

ROOT = Path(__file__).parents[3]


def file_of(folder, text):
    file = folder / "mine.yaml"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("text", "key", "lines"),
    [
        # snakemake/snakemake#2323, vanheeringen-lab/seq2science#605: the first of two blocks was lost
        ("run: a\nstages:\n  pure: {epochs: 2}\nseeds: [0]\nstages:\n  towers: {epochs: 3}\n", "stages", (2, 5)),
        ("stages:\n  pure:\n    epochs: 2\n    batch: 1\n    epochs: 3\n", "stages.pure.epochs", (3, 5)),
        ("stages: {pure: {epochs: 2, epochs: 2}}\n", "stages.pure.epochs", (1, 1)),
        ("run: a\n'run': b\n", "run", (1, 2)),
        ("list:\n- a: 1\n- a: 1\n  b: 2\n  b: 3\n", "list.b", (4, 5)),
        ("one: &one {a: 1}\ntwo:\n  <<: *one\n  <<: *one\n", "two.<<", (3, 4)),
        ("name: &name run\n*name : a\nrun: b\n", "run", (2, 3)),
        ('{"run": "a",\n "seeds": [0],\n "run": "b"}', "run", (1, 3)),
    ],
)
def test_a_key_that_stands_twice_is_refused_with_both_lines(tmp_path, text, key, lines):
    file = file_of(tmp_path, text)
    expected = f"{file}: the key {key} stands in line {lines[0]} and again in line {lines[1]}, "
    for read in (read_yaml, lambda path: configuration([path])):
        with pytest.raises(ValueError) as error:
            read(file)
        assert str(error.value).startswith(expected)


def test_json_that_yaml_does_not_read_is_checked_too(tmp_path):
    """YAML knows no two escapes that are one character."""
    assert json.loads(check_file(file_of(tmp_path, r'{"a": {"x": "\ud83c\udf32"}, "b": {"x": 1}}')))
    with pytest.raises(ValueError, match="the key x stands twice in one section"):
        check_file(file_of(tmp_path, r'{"a": {"x": "\ud83c\udf32", "y": 2, "x": 3}}'))


def test_anchors_aliases_and_merged_sections_stay_legal(tmp_path):
    text = "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: *a\nd: [*a, *a]\n"
    assert read_yaml(file_of(tmp_path, text)) == {
        **{"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}, "c": {"x": 1, "y": 2}},
        "d": [{"x": 1, "y": 2}, {"x": 1, "y": 2}],
    }
    assert read_yaml(file_of(tmp_path, "# nothing\n")) == {}
    check_file(file_of(tmp_path, "a: b\n? [b]\n: &document b\n? [c]\n: *document\n"))


@pytest.mark.parametrize(
    "path", [ROOT / "config.yaml", *sorted((ROOT / "config").glob("*.yaml"))], ids=lambda p: p.name
)
def test_our_own_files_pass(path):
    assert read_yaml(path)


def laughs(levels, wide, join):
    """Aliases of aliases: ``wide`` to the power of ``levels`` values."""
    lines = [f"a0: &a0 {join(['x'] * wide)}"]
    return "\n".join([*lines, *(f"a{i}: &a{i} {join([f'*a{i - 1}'] * wide)}" for i in range(1, levels))]) + "\n"


@pytest.mark.parametrize(
    "text",
    [
        laughs(12, 10, lambda names: f"[{', '.join(names)}]"),
        laughs(12, 10, lambda names: "{" + ", ".join(f"k{i}: {name}" for i, name in enumerate(names)) + "}"),
        "a0: &a0 {x: 1}\n" + "".join(f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}, *a{i - 1}]}}\n" for i in range(1, 40)),
    ],
    ids=["lists", "sections", "merged"],
)
def test_aliases_that_multiply_are_refused_at_once(tmp_path, text):
    start = time.process_time()
    with pytest.raises(ValueError, match=f"more than {NODES} keys and values"):
        configuration([file_of(tmp_path, text)])
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[" * 100_000, "nested more than 50 levels deep"),
        ("a: " + '{"a":' * 60 + "1" + "}" * 60, "nested more than 50 levels deep"),
        ("run: &a [*a]\n", r"alias \(\*name\) of itself"),
        ("x" * (LARGEST + 1), f"has {LARGEST + 1} bytes, but at most {LARGEST} are read"),
        ("run: 2020-13-45\n", "cannot be read as YAML"),
        ("seeds: [" + "9" * 5000 + "]\n", "cannot be read as YAML"),
        ("a: *b\n", "cannot be read as YAML"),
        ("a: 1\n--- \na: 1\n", "cannot be read as YAML"),
        ("? [a, b]\n: 1\n", "cannot be read as YAML"),
    ],
)
def test_what_no_configuration_is_ends_in_a_sentence(tmp_path, text, sentence):
    with pytest.raises(ValueError, match=sentence) as error:
        read_yaml(file_of(tmp_path, text))
    assert "\n" not in str(error.value)


def test_a_pipe_and_an_endless_device_are_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "zero.yaml").symlink_to("/dev/zero")
    for name, kind in (("pipe", "a named pipe"), ("zero", "a device")):
        with pytest.raises(ValueError, match=f"{name}.yaml is {kind}, but a file is expected"):
            read_yaml(tmp_path / f"{name}.yaml")
