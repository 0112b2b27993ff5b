"""The configuration page of the report."""

from html.parser import HTMLParser

from dere.config.base import Section
from dere.config.figures import FiguresConfig
from dere.figures.config_page import config_page, write_config_page
from dere.run_config.describe import described


class Run(Section):
    name: str = "demo"
    """Name <of> the run."""
    figures: FiguresConfig = FiguresConfig()


class Cells(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.changed: list[str] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
            self._changed = ("class", "changed") in attrs
        self._inside = tag == "td"

    def handle_data(self, data):
        if self._inside:
            self.rows[-1].append(data)
            if self._changed and len(self.rows[-1]) == 1:
                self.changed.append(data)

    def handle_endtag(self, tag):
        self._inside = False


def test_every_leaf_stands_with_value_and_meaning_and_changes_are_marked():
    config = Run(figures=FiguresConfig(dpi=99)).model_dump(mode="json")
    page = config_page(config, described(config, Run))
    cells = Cells(page)
    rows = {row[0]: row[1:] for row in cells.rows if row}
    assert rows["figures.dpi"][0] == "99" and rows["name"] == ['"demo"', "Name <of> the run."]
    assert set(rows) == {"name", *(f"figures.{key}" for key in FiguresConfig.model_fields)}
    assert all(len(row) == 2 for row in rows.values())  # every leaf is explained
    assert cells.changed == ["figures.dpi"]


def test_the_page_is_self_contained(tmp_path):
    path = write_config_page({"a": {"b": "<x>"}}, tmp_path / "config.html")
    text = path.read_text()
    assert "http" not in text and "src=" not in text and "&lt;x&gt;" in text
