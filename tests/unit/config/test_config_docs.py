"""What the documents say about configuration is so."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_overlay_stands_in_the_table(path):
    text = (ROOT / "docs" / "configuration.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith(f"| `config/{path.name}` |")]
    assert len(rows) == 1 and f"`{path.stem}`:" in rows[0]


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "docs/configuration.md"])
def test_no_document_recommends_what_make_refuses(name):
    """A configuration file among ARGS is refused; CONFIG names it."""
    assert 'ARGS="--configfile' not in (ROOT / name).read_text()


def test_the_variables_of_make_are_named():
    text = (ROOT / "README.md").read_text()
    assert "make demo CONFIG=mine.yaml" in text and 'ARGS="-n"' in text


def test_lines_of_files_are_as_the_house_style_says():
    """300 lines or less; the exception is named."""
    long = {
        path.relative_to(ROOT).as_posix()
        for folder in ("src", "workflow", "benchmarks")
        for path in (ROOT / folder).rglob("*.py")
        if len(path.read_text().splitlines()) > 300
    }
    assert long <= {"src/dere/training/loop.py"}, f"longer than 300 lines: {sorted(long)}"
