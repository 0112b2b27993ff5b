"""JSON inside a script element ends where JSON ends, not where a text says so."""

import json

import pytest
from snakemake.report import html_reporter
from snakemake.report.html_reporter.data import categories, metadata, results, rulegraph, rules, runtimes, timeline

from dere.workflow.report_text import escape_reports, script_json
from hostile import TEXTS, Page

MODULES = (html_reporter, categories, metadata, results, rulegraph, rules, runtimes, timeline)


@pytest.mark.parametrize("text", [*TEXTS, "a & b", "Hyytiälä \u2028", "<!--"])
def test_it_is_the_same_text_to_a_script_and_nothing_to_html(text):
    found = script_json({text: [text]})
    assert json.loads(found) == {text: [text]}
    assert not set("<>&") & set(found) and found.isascii()
    page = Page(f"<html><script id=a>var x = {found};</script></html>")
    assert len(page.scripts) == 1 and page.tags == page.texts == []


def test_every_part_of_the_report_is_written_by_it(monkeypatch):
    for module in MODULES:
        monkeypatch.setattr(module, "json", json)
    escape_reports()
    for module in MODULES:
        assert module.json.dumps is script_json and module.json.loads is json.loads
    assert metadata.render_metadata({"a": "</script>"}) == r'{"a": "\u003c/script\u003e"}'
    escape_reports()
    assert metadata.render_metadata({"a": "<"}) == r'{"a": "\u003c"}'
