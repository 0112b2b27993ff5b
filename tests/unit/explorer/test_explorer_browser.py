"""The explorer in a headless browser: nothing fails, a click and the keyboard lead to a tower, runs are compared."""

import itertools
import json

import pytest

from browsing import Browsing
from dere.explorer.html import html
from explored import MEMBERS, SITES, data_of, write_page, write_run

pytestmark = pytest.mark.browser
READY = "document.documentElement?.dataset.ready"
TITLE = "document.getElementById('tower-title').textContent"
SHOWN = "document.getElementById('series').data.filter(t => t.visible !== 'legendonly').map(t => t.name)"
OF_TOWER = """(() => {
  const map = document.getElementById('map'), box = map.getBoundingClientRect();
  const [x, y] = [map._fullLayout.xaxis, map._fullLayout.yaxis];
  const tower = JSON.parse(document.getElementById('data').textContent).towers.find((t) => t.id === '%s');
  return [box.left + x._offset + x.d2p(tower.lon), box.top + y._offset + y.d2p(tower.lat)];
})()"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return write_page(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def browser(page):
    with Browsing() as found:
        yield found


@pytest.fixture
def shown(browser, page):
    """Return the page as it opens; whatever the test does, nothing may fail and nothing may be asked of a network."""
    browser.troubles.clear()
    browser.asked.clear()
    browser.resize(1400, 1000)
    browser.open(page, READY)
    yield browser
    assert browser.troubles == []
    assert {address.partition(":")[0] for address in browser.asked} <= {"file", "data", "blob"}


def choose(browser, name, value):
    browser.evaluate(
        f"(() => {{ const e = document.getElementById('{name}'); e.value = {json.dumps(value)}; "
        "e.dispatchEvent(new Event(e.type === 'range' ? 'input' : 'change')); })()"
    )
    assert browser.evaluate(f"document.getElementById('{name}').value") == value


def test_it_opens_with_map_towers_and_the_first_tower(shown):
    assert shown.evaluate(TITLE) == "AA-Two"
    assert shown.evaluate("document.getElementById('map').data.map(t => t.name)") == [
        "cells",
        "land",
        "towers",
        "chosen",
    ]
    assert set(shown.evaluate(SHOWN)) == {"network", "90 % interval", "observed", "observed, poor quality", "imputed"}
    assert "Invented" in shown.evaluate("document.querySelector('.origin').textContent")
    scores = shown.evaluate("document.getElementById('scores').innerText")
    assert "network" in scores and "0.80" in scores
    assert "gC m⁻² d⁻¹" in shown.evaluate("document.getElementById('map').textContent")


def test_a_click_on_a_tower_shows_its_series(shown):
    x, y = shown.evaluate(OF_TOWER % "BB-Far")
    shown.click(x, y)
    shown.wait(f"{TITLE} === 'BB-Far'")
    assert "no test" in shown.evaluate("document.getElementById('series-note').textContent")
    assert "No scores" in shown.evaluate("document.getElementById('scores').textContent")
    first = shown.evaluate("document.getElementById('series').data.find(t => t.name === 'observed').y[0]")
    assert first == pytest.approx(12.0, abs=1e-3), "three times 4 + 3 sin(0)"
    assert shown.evaluate("location.hash") == "#BB-Far"


def test_the_keyboard_reaches_every_tower(shown):
    shown.evaluate("document.getElementById('map').focus()")
    assert shown.evaluate("getComputedStyle(document.activeElement).outlineStyle") in ("solid", "auto")
    shown.press("ArrowRight")
    shown.wait(f"{TITLE} === 'BB-Far'")
    shown.press("ArrowUp")
    shown.wait(f"{TITLE} === 'AA-Two'")
    shown.press("ArrowLeft")
    shown.wait(f"{TITLE} === 'AA-One'")
    # from the top of the page with the tabulator to the list of towers, and along it
    shown.evaluate("document.activeElement.blur()")
    for _ in range(40):
        shown.press("Tab")
        if shown.evaluate("document.activeElement.id") == "tower":
            break
    assert shown.evaluate("document.activeElement.id") == "tower"
    shown.press("ArrowDown")
    shown.wait(f"{TITLE} === 'BB-Far'")


def test_every_choice_of_map_and_colour_is_drawn(shown):
    of = "[...document.getElementById('%s').options].map(o => o.value)"
    choose(shown, "other", "gp/none")
    assert shown.evaluate("document.getElementById('colour').value") == "difference"
    lists = [shown.evaluate(of % name) for name in ("flux", "statistic", "period", "colour")]
    assert lists[1:] == [["mean", "width", "index", "none"], ["month", "all"], ["nse", "rmse", "bias", "difference"]]
    drawn = "document.getElementById('map').data.some(t => t.name === 'cells')"
    for flux, statistic in itertools.product(*lists[:2]):
        choose(shown, "flux", flux)
        choose(shown, "statistic", statistic)
        assert shown.evaluate(drawn) == (statistic != "none")
    for name, values in {"period": lists[2], "colour": lists[3]}.items():
        for value in values:
            choose(shown, name, value)
    choose(shown, "statistic", "mean")
    choose(shown, "period", "month")
    choose(shown, "month", "23")
    seen = "['period-box', 'month-box'].map(id => getComputedStyle(document.getElementById(id)).display !== 'none')"
    assert shown.evaluate(seen) == [True, True]
    choose(shown, "statistic", "index")
    assert shown.evaluate(seen) == [False, False]
    choose(shown, "statistic", "mean")
    assert "2002-12" in shown.evaluate("document.getElementById('map-title').textContent")


def test_two_methods_stand_side_by_side(shown):
    choose(shown, "other", "gp/none")
    assert {"network", "Gaussian process"} <= set(shown.evaluate(SHOWN))
    towers = "document.getElementById('map').data.find(t => t.name === 'towers')"
    difference = MEMBERS["gp/none"] - MEMBERS["net/lags"]
    assert shown.evaluate(f"{towers}.text")[-1] == f"AA-Two GRA: {difference:.2f}", "tested towers lie on top"
    assert shown.evaluate(f"{towers}.text")[0].endswith("not tested")
    assert shown.evaluate(f"{towers}.marker.color") == ["#ffffff", "#ffffff", "rgb(5,48,97)"]
    strong = "[...document.querySelectorAll('#scores tr.strong td:first-child')].map(c => c.textContent)"
    assert shown.evaluate(strong) == ["Gaussian process", "network"]


def test_another_run_is_compared(shown, tmp_path):
    other = write_page(tmp_path, run="second", method="gp", backbone="none")
    shown.choose_file("#run", other)
    shown.wait("document.getElementById('other').value === '2:net/lags'")
    assert "second: network" in shown.evaluate(SHOWN)
    choose(shown, "statistic", "difference")
    cells = "document.getElementById('map').data.find(t => t.name === 'cells').z.flat().filter(v => v !== null)"
    assert shown.evaluate(f"Math.max(...{cells}.map(Math.abs))") == 0, "the runs are the same"
    assert "second minus small" in shown.evaluate("document.getElementById('map-title').textContent")


def test_what_is_no_run_of_the_same_exchange_is_refused_in_a_sentence(shown, page, tmp_path):
    trouble = "document.getElementById('trouble')"
    nothing, methane = tmp_path / "nothing.html", tmp_path / "methane.html"
    nothing.write_text("<p>no run</p>")
    methane.write_text(html({**data_of(page), "exchange": "ch4"}, ".."), encoding="utf-8")
    for file, said in ((nothing, "is no explorer of a run; choose"), (methane, "shows ch4, but this run co2; choose")):
        shown.choose_file("#run", file)
        shown.wait(f"{trouble}.textContent.includes({json.dumps(said)})")
        assert shown.evaluate("document.getElementById('other').value") == ""


def test_a_neighbour_leads_to_its_tower(shown):
    shown.evaluate("document.querySelector('#neighbours button').click()")
    assert shown.evaluate(TITLE) == "AA-One"
    assert "None is recorded" in shown.evaluate("document.getElementById('neighbours').textContent")


def test_an_address_with_a_tower_opens_there(browser, page):
    browser.call("Page.navigate", url="about:blank")
    browser.call("Page.navigate", url=f"{page.as_uri()}#{SITES[2]}")
    browser.wait(READY)
    assert browser.evaluate(TITLE) == "BB-Far"


def test_nothing_can_be_sent_away(shown):
    buttons = shown.evaluate("[...document.querySelectorAll('.modebar-btn')].map(b => b.dataset.title)")
    assert "Download plot as a PNG" in buttons and not [text for text in buttons if "hare" in text]


@pytest.mark.parametrize("width", [1400, 400])
@pytest.mark.parametrize("opened", [True, False], ids=["opened", "resized"])
def test_it_fits_the_window(shown, width, opened):
    shown.resize(width, 800)
    if opened:
        shown.call("Page.reload")
        shown.wait(READY)
    shown.wait(f"['map', 'series'].every(id => document.getElementById(id)._fullLayout.width <= {width})")
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    boxes = shown.evaluate("['map', 'series'].map(id => document.getElementById(id).getBoundingClientRect().width)")
    below = "document.getElementById('map-note').getBoundingClientRect().top"
    assert shown.evaluate(f"{below} >= document.querySelector('#map .main-svg').getBoundingClientRect().bottom")
    assert all(0.4 * min(width, 1000) < found <= width for found in boxes)


def test_a_run_without_a_map_shows_its_towers(browser, tmp_path):
    files = write_run(tmp_path)
    browser.troubles.clear()
    browser.open(write_page(tmp_path, {name: files[name] for name in ("towers", "site_skill", "sites")}), READY)
    assert browser.evaluate("document.getElementById('map').data.map(t => t.name)") == ["land", "towers", "chosen"]
    assert browser.evaluate("document.getElementById('neighbours-box').hidden") is True
    assert browser.troubles == []


def test_it_opens_within_three_seconds_of_work(page):
    """Of the page's own thread, so that other work on the machine does not count."""
    with Browsing() as alone:
        alone.call("Performance.enable", timeDomain="threadTicks")
        alone.open(page, READY)
        spent = {one["name"]: one["value"] for one in alone.call("Performance.getMetrics")["metrics"]}
        assert 0.1 < spent["ThreadTime"] < 3.0
