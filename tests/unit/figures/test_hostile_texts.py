"""Names of sites and texts of the configuration are text in figures and pages, whatever they hold."""

import xml.etree.ElementTree as ElementTree

import pytest
from matplotlib.figure import Figure

from dere.figures import series
from dere.figures.config_page import config_page
from dere.figures.save import write_figure
from hostile import MARK, TEXTS, Page


@pytest.mark.parametrize("text", TEXTS)
def test_the_page_of_the_configuration_shows_it(text):
    meanings = {"title": {"meaning": text, "default": "another"}, text: {"meaning": text}}
    page = Page(config_page({"title": text, text: [text], "section": {text: {"key": text}}}, meanings, text))
    assert page.scripts == page.tags == [] and len(page.texts) >= 6
    assert any(text in shown for shown in page.texts), "it can be read"


@pytest.mark.parametrize("text", TEXTS)
def test_a_site_of_that_name_is_drawn_and_the_figure_holds_no_script(towers, predictions, labels, tmp_path, text):
    """Also where the name would be a formula to matplotlib, and a broken one."""

    def renamed(dataset):
        old = dataset["site"].values.astype(object)
        return dataset.assign_coords(site=[f"{text} {name}" for name in old])

    figure = Figure(layout="constrained")
    table = series.tabulate(renamed(towers), renamed(predictions["dere"]), renamed(labels), flux="nee", panels=2)
    series.draw(figure, table)
    (path,) = write_figure(figure, tmp_path, "series", ("svg",))
    tags = [element for element in ElementTree.parse(path).iter() if isinstance(element.tag, str)]
    assert not [element for element in tags if element.tag.rpartition("}")[2] in ("script", "img", "foreignObject")]
    assert not [name for element in tags for name in element.attrib if name.startswith("on")]
    assert MARK in table["site"].iloc[0]
