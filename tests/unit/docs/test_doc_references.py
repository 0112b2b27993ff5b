"""What code and documents refer to can be looked up: a page of docs and its heading or row, or a published paper."""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FOLDERS = ("src", "workflow", "benchmarks", "docs", "config", "profiles", "tests")
FILES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "Makefile", "Snakefile", "config.yaml", "pyproject.toml")
SUFFIXES = {".py", ".md", ".yaml", ".json", ".smk", ".rst", ".csv"}
PAGE = re.compile(r"(?<!tests/unit/)docs/((?:[\w-]+/)*[\w-]+\.\w+)(?:#([\w-]+))?")
LINK = re.compile(r"\]\((?!https?:)([\w./-]+)(?:#([\w-]+))?\)")
DECISION = re.compile(r"docs/decisions/(\d{4})|\bdecisions? (\d{4})")
# Notes that no reader has, and faults or sections that are numbered in them.
FORBIDDEN = re.compile(
    r"(dere-reference|methods-and-results|data-formats|(trust|skill)-experiments|knowledge-features|house-review|peers-\w+"
    r"|snakemake-and-style)"
    r"|\([a-z]+(-[a-z]+)+ \d+\.\d+\b"
    r"|\barchitecture(\.md)? \d|\b(defect|trap)s? #?\d|\bappendix [a-z]\b|\(sections? \d"
    r"|/work/",
    re.I,
)


@cache
def texts() -> dict[str, str]:
    """Every text file but this one, by path; lines and comment signs joined, so that no reference is cut."""
    paths = [ROOT / name for name in FILES]
    paths += [p for folder in FOLDERS for p in (ROOT / folder).rglob("*") if p.suffix in SUFFIXES]
    return {
        path.relative_to(ROOT).as_posix(): re.sub(r"\n *(# )?", " ", path.read_text())
        for path in paths
        if path != Path(__file__)
    }


def slug(title: str) -> str:
    """Anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w -]", "", title.strip().lower()).replace(" ", "-")


@cache
def anchors(page: Path) -> set[str]:
    """Headings of a page; of the deviations also the topics of the rows."""
    text = page.read_text()
    found = re.findall(r"^#+ (.*)$", text, re.M)
    if page.name == "deviations.md":
        found += re.findall(r"^\| ([^|]+?) \|", text, re.M)
    return {slug(title) for title in found}


def missing(page: Path, anchor: str) -> bool:
    return not page.exists() or (bool(anchor) and anchor not in anchors(page))


def test_every_page_referred_to_exists_with_its_anchor():
    found = [(name, *match.groups()) for name, text in texts().items() for match in PAGE.finditer(text)]
    assert len(found) > 80 and len({anchor for *_, anchor in found}) > 15
    assert not [(name, page, anchor) for name, page, anchor in found if missing(ROOT / "docs" / page, anchor)]


def test_every_link_of_a_document_leads_somewhere():
    links = [
        (name, *match.groups())
        for name, text in texts().items()
        for match in LINK.finditer(text)
        if name.endswith(".md")
    ]
    assert links
    assert not [link for link in links if missing((ROOT / link[0]).parent / link[1], link[2])]


def test_every_decision_referred_to_exists():
    numbers = {path.name[:4] for path in (ROOT / "docs/decisions").glob("*.md")}
    found = {(name, a or b) for name, text in texts().items() for a, b in DECISION.findall(text)}
    assert len(found) > 10
    assert not {(name, number) for name, number in found if number not in numbers}


def test_no_reference_to_what_a_reader_does_not_have():
    found = {(name, match[0]) for name, text in texts().items() for match in FORBIDDEN.finditer(text)}
    assert not found, f"cite a paper or a page of docs: {sorted(found)}"


@pytest.mark.parametrize(
    "text",
    [
        "(data-formats 2.1)",
        "dere-reference",
        "(architecture 3)",
        "(some-other-notes 7.4)",
        "(defect 32)",
        "(defects 32 and 33)",
        "trap 9",
        "Appendix B",
        "(section 2.0)",
    ],
)
def test_such_a_reference_would_be_seen(text):
    assert FORBIDDEN.search(text)


@pytest.mark.parametrize("text", ["(Vaswani and others 2017, section 3.5)", "arXiv 2406.04940", "(0.91)", "| defect |"])
def test_a_citation_is_none(text):
    assert not FORBIDDEN.search(text)


def test_anchors_are_those_of_github():
    assert slug("FEDformer's frequencies") == "fedformers-frequencies"
    assert slug("`paired.csv`") == "pairedcsv"
    assert missing(ROOT / "docs/deviations.md", "no-such-row") and not missing(ROOT / "docs/deviations.md", "closure")


def test_the_readme_is_short_and_its_one_table_too():
    """Numbers have a page of their own."""
    lines = (ROOT / "README.md").read_text().splitlines()
    rows = [n for n, line in enumerate(lines) if line.startswith("|")]
    assert len(lines) < 150
    assert 2 < len(rows) <= 10 and rows[-1] - rows[0] == len(rows) - 1
    top = "\n".join(lines[:20])
    assert all(word in top for word in ("make demo", "make test", "CITATION.cff", "docs/"))


def test_the_rows_of_the_readme_are_those_of_the_results():
    """A number changed in one place only would be seen."""
    results = (ROOT / "docs/results.md").read_text().splitlines()
    rows = [line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("|")]
    start = results.index(rows[0])
    assert results[start : start + len(rows)] == rows
