"""Captions of the report render without a warning, for a run with and one without the built-in world."""

from pathlib import Path

import jinja2
import pytest
from docutils.core import publish_parts

from dere.figures.catalogue import CATALOGUE
from dere.run_config.root import Config

FOLDER = Path(__file__).parents[3] / "workflow" / "report"
PATHS = sorted(FOLDER.glob("*.rst"))


def configuration(world: bool) -> dict:
    tree = Config().model_dump(mode="json")
    return tree if world else tree | {"world": None}


def test_every_figure_has_its_caption():
    names = {path.stem for path in PATHS}
    assert set(CATALOGUE) <= names and {"workflow", "configuration", "skill_table"} <= names


@pytest.mark.parametrize("world", [True, False], ids=["world", "towers"])
@pytest.mark.parametrize("path", PATHS, ids=[path.stem for path in PATHS])
def test_caption_renders(path, world, tmp_path, monkeypatch):
    class Snakemake:
        config = configuration(world)

    # the first page takes in how good the run is, and what it changed
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "results" / Snakemake.config["run"]
    folder.mkdir(parents=True)
    for name in ("opening", "changes"):
        (folder / f"{name}.html").write_text(f"<p>Taken in: {name}.</p>")

    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    text = environment.from_string(path.read_text()).render(snakemake=Snakemake)
    # Any message of docutils, even a small one, ends the test.
    html = publish_parts(text, writer="html", settings_overrides={"halt_level": 1, "report_level": 1})["html_body"]
    assert len(html) > 100 and "{" not in text


def test_the_first_page_names_what_is_invented_beside_what_is_real():
    class Snakemake:
        config = configuration(world=True)

    def page():
        return " ".join(jinja2.Template((FOLDER / "workflow.rst").read_text()).render(snakemake=Snakemake).split())

    assert "**invented world: simulation, plant-type maps, towers**" in page() and "real files" not in page()
    Snakemake.config["sources"]["towers"]["paths"] = ["mine"]
    assert "**invented world: simulation, plant-type maps**" in page()
    assert "**Beside them stand real files: towers.** Such a mixture (``allow_invented``)" in page()


@pytest.mark.parametrize("world", [True, False], ids=["world beside them", "no world"])
def test_captions_of_real_towers_do_not_speak_of_the_world(world):
    class Snakemake:
        config = configuration(world)

    Snakemake.config["sources"]["towers"]["paths"] = ["mine"]
    for name in ("product_maps", "world_map"):
        text = jinja2.Template((FOLDER / f"{name}.rst").read_text()).render(snakemake=Snakemake)
        assert "truth" not in text and "true" not in text
