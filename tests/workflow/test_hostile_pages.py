"""What stands in the configuration is text on every page, never a part of the page."""

import base64
import html

import pytest
import yaml

from hostile import MARK, RUN, TEXTS, Page, assigned, opened

LEAVES = ("title", "institution", "license", "references", "training_data_doi")
EVERY_VIEW = """
function visit() {
  if (!app) return setTimeout(visit, 20);
  for (const path of Object.keys(results)) {
    app.setView({navbarMode: "resultinfo", resultPath: path});
    const shown = document.createElement("div");
    document.body.appendChild(shown);
    ReactDOM.render(e(ResultInfo, {resultPath: path, app: app}), shown);
  }
  setTimeout(() => document.body.setAttribute("data-views", Object.keys(results).length), 100);
}
visit();
"""
"""Shows what the report says of each of its results."""


@pytest.fixture(scope="module")
def report(tiny, tmp_path_factory):
    """Return the report of the finished run with hostile texts in its configuration; nothing runs for it."""
    overlay = tiny.folder / "hostile.yaml"
    overlay.write_text(yaml.safe_dump({"products": dict(zip(LEAVES, TEXTS, strict=True))}))
    page = tmp_path_factory.mktemp("report") / "report.html"
    made = tiny.snakemake("--report", str(page), overlay.name)
    overlay.unlink()
    assert made.returncode == 0, made.stdout[-3000:]
    return page


def test_no_text_of_the_configuration_ends_a_script_of_the_report(report):
    page = Page(report.read_text(encoding="utf-8"))
    assert page.tags == page.texts == []
    holding = {name: script for name, script in page.scripts if MARK in script}
    assert set(holding) == {"results"}, "parameters stand among the results"
    results = assigned(holding["results"])
    shown = "".join(result["job_properties"]["params"] for result in results.values())
    assert "Fluxes </script><script>" in shown, "it can still be read"
    for name, script in page.scripts:
        if name in (
            "workflow-desc",
            "categories",
            "rules",
            "rulegraph",
            "runtimes",
            "timeline",
            "metadata",
            "packages",
        ):
            assigned(script)


def test_pages_inside_the_report_run_nothing(report):
    """Tables are given as files; the only page is that of the configuration, which has no script."""
    scripts = dict(Page(report.read_text(encoding="utf-8")).scripts)
    results = assigned(scripts["results"])
    pages = {path: found for path, found in results.items() if found["mime_type"] not in ("image/png", "text/csv")}
    assert [(path, found["mime_type"]) for path, found in pages.items()] == [("results/tiny/config.html", "text/html")]
    (found,) = pages.values()
    text = base64.b64decode(found["data_uri"].partition("base64,")[2]).decode()
    assert Page(text).scripts == [] and "products.title" in text


@pytest.mark.browser
def test_a_browser_shows_the_report_and_runs_nothing_of_the_configuration(report):
    shown = opened(report, EVERY_VIEW)
    assert 'data-views="' in shown and f'id="{MARK}"' not in shown
    assert html.escape("Fluxes </script><script>", quote=False) in shown


@pytest.mark.browser
def test_a_browser_would_show_it_if_it_ran(report):
    """The same report as JSON alone would leave it."""
    broken = report.with_name("broken.html")
    text = report.read_text(encoding="utf-8").replace(r"\u003c", "<").replace(r"\u003e", ">")
    broken.write_text(text, encoding="utf-8")
    assert f'id="{MARK}"' in opened(broken) and RUN in text
