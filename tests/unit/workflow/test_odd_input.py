"""Input that nobody writes on purpose ends in one sentence: names, encodings, empty JSON, seeds, brackets."""

import json

import pytest

from dere.api.place import seed_of
from dere.config.base import LARGEST
from dere.ingest.simulation.carbonglobe import _read_meta
from dere.io import read_json
from dere.run_config.root import normalise
from dere.run_config.yaml_files import read_yaml
from dere.workflow.configuration import configuration
from dere.workflow.cover_files import map_degrees

LONG = "ä" * 150


@pytest.mark.parametrize("seed", [-1, LARGEST, 2**70, 1.5, "1", True])
def test_a_seed_that_no_library_takes_is_refused(seed):
    with pytest.raises(ValueError, match=r"is no seed; give a whole number from 0 to|is no whole number"):
        seed_of(seed)
    with pytest.raises(ValueError, match=r"seeds.*is refused"):
        normalise({"seeds": [str(seed) + "x" if isinstance(seed, str) else seed]})


def test_the_largest_seed_is_one():
    assert seed_of(LARGEST - 1) == normalise({"seeds": [LARGEST - 1]})["seeds"][0]


@pytest.mark.parametrize("leaf", ["towers.paths", "simulation.path", "cover.path", "cover.age.path"])
def test_a_name_that_no_file_system_holds_is_refused(leaf):
    tree = [f"data/{LONG}/x"] if leaf.endswith("paths") else f"data/{LONG}/x"
    for key in reversed(leaf.split(".")):
        tree = {key: tree}
    with pytest.raises(ValueError, match=rf"sources\.{leaf}: ä+\.\.\. is a name of 300 bytes, .* at most 255"):
        normalise({"sources": tree})
    assert normalise({"downloads": {"folder": "/".join(["a" * 255] * 3)}})


def test_a_name_of_the_products_fits_into_their_files():
    with pytest.raises(ValueError, match=r"products\.name.*at most 100 characters"):
        normalise({"products": {"name": "a" * 101}})


@pytest.mark.parametrize("text", ["null", "3", '"a"', "[]", "true"])
def test_json_that_is_no_object_is_a_sentence(tmp_path, text):
    path = tmp_path / "meta.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"meta\.json holds .*, but keys and values in \{\} are expected"):
        read_json(path)
    with pytest.raises(ValueError, match="it needs start_year, grid_degrees and ages"):
        _read_meta(path)
    with pytest.raises(ValueError, match="gives no grid_degrees"):
        map_degrees(normalise({"sources": {"simulation": {"path": str(tmp_path)}}}))


def test_json_with_a_mark_of_its_encoding_is_read(tmp_path):
    path = tmp_path / "meta.json"
    path.write_text(json.dumps({"grid_degrees": 3.0, "name": "Hyytiälä"}, ensure_ascii=False), encoding="utf-8-sig")
    assert read_json(path) == {"grid_degrees": 3.0, "name": "Hyytiälä"}
    path.write_text(json.dumps({"name": "Hyytiälä"}, ensure_ascii=False), encoding="latin-1")
    with pytest.raises(ValueError, match=r"meta\.json is no JSON"):
        read_json(path)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-32", "utf-16-le", "utf-8-sig"])
@pytest.mark.parametrize("text", ["products: {title: 'Flüsse'}\n", '{"products": {"title": "Flüsse"}}'])
def test_a_configuration_is_read_or_its_encoding_is_named(tmp_path, encoding, text):
    path = tmp_path / "mine.yaml"
    path.write_bytes(text.encode(encoding))
    if encoding == "utf-8-sig":
        assert read_yaml(path) == {"products": {"title": "Flüsse"}}
        assert configuration([path])["products"]["title"] == "Flüsse"
        return
    with pytest.raises(
        ValueError, match=r"mine\.yaml cannot be read as YAML \(byte \d+ is 0x.., .*again in the encoding UTF-8"
    ):
        configuration([path])


@pytest.mark.parametrize("levels", [60, 100_000])
def test_brackets_without_end_are_a_sentence(tmp_path, levels):
    path = tmp_path / "mine.yaml"
    path.write_text("run: " + "[" * levels + "]" * levels)
    with pytest.raises(ValueError, match="nested more than 50 levels deep"):
        configuration([path])
    with pytest.raises(ValueError, match=r"run: .* is refused"):
        configuration([], ["run=" + "[" * 400 + "]" * 400])


def test_a_section_that_holds_itself_is_a_sentence(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("sources: &a\n  towers: *a\n")
    with pytest.raises(
        ValueError, match=r"mine\.yaml: in line 2 the configuration holds an alias \(\*name\) of itself"
    ):
        configuration([path])
