"""What stands on a run's first page, from tables that are known; and the page as HTML and as files."""

import base64
import io
import itertools
from html.parser import HTMLParser

import matplotlib.image
import pandas as pd
import pytest

from dere.exchange import get
from dere.exchange.ch4 import EXCHANGE as CH4
from dere.exchange.co2 import EXCHANGE as CO2
from dere.opening import cost, origin, skill, sure, where
from dere.opening.facts import Facts, Known
from dere.opening.html import html
from dere.opening.model import Link
from dere.opening.page import NEEDED, Tables, build
from dere.opening.words import duration
from dere.run_config.root import normalise
from dere.words import listed
from dere.workflow import opening_plan
from dere.workflow.opening import write_opening
from hostile import TEXTS, Page

METHODS = {
    "climatology": Known("mean cycle", True),
    "gp": Known("Gaussian process", True),
    "net": Known("network", False),
}
NSE = {"climatology": 0.3, "gp": 0.6, "net": 0.7}
REAL = {
    "world": None,
    "sources": {
        "simulation": {"provider": "builtin"},
        "cover": {"provider": "igbp"},
        "towers": {"provider": "bundled"},
    },
}
VOID = {"meta", "link", "img", "br"}


def facts(**changes):
    known = {"run": "demo", "exchange": "co2", "method": "net", "backbone": "lags", "methods": METHODS}
    return Facts(
        **{
            **known,
            "backbones": {"lags": "Lags"},
            "reads": "towers",
            "invented": False,
            "mixed": False,
            "references": ("https://doi.org/10.1/x",),
            **changes,
        }
    )


def backbone(method):
    return "none" if METHODS[method].simple else "lags"


def scores(exchange=CO2, grouping="all"):
    rows = [
        (method, backbone(method), fold, seed, flux, scale, grouping, "all", statistic, 12, nse + move, 1.0 - nse)
        for (method, nse), flux in itertools.product(NSE.items(), exchange.names)
        for scale, fold, seed in (("monthly", "all", "all"), ("monthly", "0", "0"), ("anomaly", "all", "all"))
        for statistic, move in (("median", 0.0), ("q25", -0.1), ("q75", 0.1))
    ]
    return pd.DataFrame(rows, columns=list(skill.SKILL))


def pairs(ratio=0.9, low=0.8, high=0.95, exchange=CO2):
    rows = [
        ("gp", "none", "net", "lags", "all", flux, "monthly", 1 / ratio, 1 / high, 1 / low) for flux in exchange.names
    ]
    return pd.DataFrame(rows, columns=list(skill.PAIRED))


def intervals(low=0.85, high=0.93):
    rows = [
        ("net", "lags", "all", "all", "all", "all", scale, flux, 12, 100, 0.52, 0.9, low, high, 2.5)
        for scale in ("monthly", "annual")
        for flux in CO2.names
    ]
    return pd.DataFrame(rows, columns=list(sure.CALIBRATION))


def site_scores(names=("A", "B", "C")):
    rows = [
        (name, "net", "lags", *run, flux, "monthly", "measured", quality, "ENF", "Dfb", 36, 0.1 * place + move, 1.0)
        for place, name in enumerate(names)
        for flux in CO2.names
        for run, move in ((("0", "0"), 0.0), (("0", "1"), 0.2), (("all", "ensemble"), 5.0))
        for quality in (0.5, 0.8)
    ]
    return pd.DataFrame(rows, columns=list(where.SITE_SKILL))


def places(names=("A", "B", "C")):
    rows = [(name, "site", 10.0 * n, 20.0 * n) for n, name in enumerate(names)]
    return pd.DataFrame([*rows, ("A", "cell", 1.0, 1.0)], columns=list(where.ROLES))


def cited(text="Pastorello and others 2020", url="https://doi.org/10.1038/s41597-020-0534-3"):
    return pd.DataFrame([("FLUXNET2015", "1", "CC-BY-4.0", text, url, 3, 3)], columns=list(origin.CITATIONS))


def costs():
    rule = ["train_net", "impute_labels", "predict_net", "map_net"]
    return pd.DataFrame({"rule": rule, "cpu_seconds": [100.0, 30.0, 8.0, 2.0]})


def compared():
    rows = [(m, backbone(m), "all", flux, 75.0, 8.0) for m in METHODS for flux in CO2.names]
    return pd.DataFrame(rows, columns=list(NEEDED["comparison"]))


def whole():
    return Tables(scores(), pairs(), compared(), intervals(), site_scores(), places(), costs(), cited())


@pytest.fixture(scope="module")
def page():
    links = {"Tables": [Link("tables/skill.csv", "skill.csv", "scores over towers")]}
    return build(facts(), whole(), CO2, {"gpp": "data:image/png;base64,AAAA"}, links)


def test_a_card_says_how_good_and_how_sure(page):
    card = page.cards[0]
    assert (card.title, card.nse, card.rmse) == ("GPP", "0.70 [0.60, 0.80]", "0.30 gC m-2 d-1")
    assert card.versus == "RMSE 0.90 [0.80, 0.95] times that of Gaussian process, the best simple method: better."
    assert card.sure.replace("\xa0", " ") == (
        "90 % intervals hold 90 % [85, 93] of months and 90 % [85, 93] of annual means; 50 % intervals 52 % and 52 %."
    )
    assert page.lead == "network: monthly fluxes at 12 test towers whose labels no stage has seen, 1 fold, 1 seed."
    assert page.cost == (
        "Processor time of all methods: 2 min of trainings, 8.0 s of predictions and 2.0 s of maps; one training of "
        "the method shown, with all its stages, 75 s."
    )


@pytest.mark.parametrize(
    ("ratio", "verdict"),
    [((0.9, 0.8, 0.95), "better"), ((1.0, 0.9, 1.1), "not told apart"), ((1.2, 1.1, 1.3), "worse")],
)
def test_a_ratio_is_read_both_ways(ratio, verdict):
    found = skill.ratios(pairs(*ratio), "all")
    assert found["net", "lags", "gp", "none", "gpp"].verdict == verdict
    turned = found["gp", "none", "net", "lags", "gpp"]
    assert turned.value == pytest.approx(1 / ratio[0]) and turned.low < turned.high
    assert skill.Ratio().verdict == ""


def test_the_best_simple_method_is_another_one_and_no_network():
    found = skill.scores(skill.pooled(scores())[1])
    assert skill.best_simple(found, "gpp", facts()) == "gp"
    assert skill.best_simple(found, "gpp", facts(method="gp", backbone="none")) == "climatology"
    assert skill.best_simple(found, "gpp", facts(methods={"net": METHODS["net"]})) == ""


@pytest.mark.parametrize(
    ("ends", "verdict"), [((0.7, 0.8), "too narrow"), ((0.85, 0.95), "as promised"), ((0.95, 1), "too wide")]
)
def test_coverage_is_judged_by_its_interval(ends, verdict):
    assert sure.coverages(intervals(*ends), "all", facts())["gpp", "annual"].verdict == verdict


def test_scores_of_a_tower_are_means_over_seeds_without_the_ensemble_at_the_first_quality():
    found = where.towers(site_scores(), "all", facts(), CO2.names)
    assert found["nse_gpp"].tolist() == pytest.approx([0.1, 0.2, 0.3])
    there = where.placed(found, places(("A", "C")))
    assert there[["site", "lat", "lon"]].values.tolist() == [["A", 0.0, 0.0], ["C", 10.0, 20.0]]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "Invented data: simulation, plant types, towers of the built-in world; no number here is of a place"),
        (REAL, "Real data: simulation by the built-in process model on the weather of the towers; plant types by"),
        (
            {"allow_invented": True, "sources": {"towers": {"provider": "bundled"}}},
            "Invented and real data mixed: towers of FLUXNET2015 that come with the package; simulation, plant",
        ),
    ],
)
def test_the_page_says_whether_data_are_real(given, said):
    told = opening_plan.facts(normalise(given))
    known = facts(**{name: told[name] for name in ("reads", "invented", "mixed")})
    assert origin.origin(known).startswith(said)
    assert build(known, whole(), CO2, {}, {}).invented == (given != REAL)


def test_only_addresses_of_the_web_become_links():
    assert origin.web_address("https://doi.org/10.1/x") == "https://doi.org/10.1/x"
    assert [origin.web_address(text) for text in ("javascript:alert(1)", "https://a b", "", *TEXTS)] == [""] * 8


def test_times_and_lists_are_words():
    assert [duration(value) for value in (3.2, 95, 600, 40000, float("nan"))] == [
        "3.2 s",
        "95 s",
        "10 min",
        "11.1 h",
        "–",
    ]
    assert [listed(words) for words in ([], ["a"], ["a", "b", "c"])] == ["", "a", "a, b and c"]
    assert cost.sentence(None, float("nan")) == "Nothing is recorded of what this run cost."


def test_a_page_of_scores_alone_says_what_there_is_not():
    page = build(facts(), Tables(scores(CH4, "virtual")), CH4, {}, {})
    (card,) = page.cards
    assert card.title == "CH4" and card.sure == "This method states no intervals." and "virtual towers" in page.lead
    assert card.versus == "No pair with Gaussian process, the best simple method."
    assert list(page.grids) == ["All methods"] and len(page.grids["All methods"].rows) == 3
    assert "No map" in html(page)


class Whole(HTMLParser):
    """Open tags and addresses of a page; fails where tags do not match."""

    def __init__(self, text):
        super().__init__()
        self.open, self.addresses, self.titles = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.addresses += [value for name, value in attrs if name in ("src", "href")]
        self.titles += [value for name, value in attrs if name == "title"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_needs_no_other_file_and_its_tags_match(page):
    text = html(page)
    found = Whole(text)
    allowed = ("data:", "https://doi.org/", "tables/skill.csv")
    assert all(address.startswith(allowed) for address in found.addresses)
    assert "@import" not in text and "url(" not in text and 'name="viewport"' in text
    assert any("inside the central interval" in title for title in found.titles), "meanings of docs/tables.md"
    part = html(page, part=True)
    assert "<script" not in part and "<html" not in part and "skill.csv</a>" not in part
    Whole(part)


@pytest.mark.parametrize("text", TEXTS)
def test_texts_of_data_stay_texts(text):
    tables = whole()._replace(citations=cited(text, text), site_skill=site_scores((text, "B", "C")))
    known = facts(run=text, methods={**METHODS, "net": Known(text, False)}, references=(text,), reads=text)
    shown = Page(
        html(build(known, tables, CO2, {}, {"Tables": [Link(text, text, text)]}, [Link("../index.html", text)]))
    )
    assert len(shown.scripts) == 1 and text not in shown.scripts[0][1] and len(shown.texts) >= 5
    # the only tags that hold the text hold it as the value of an attribute of the links of the run itself
    assert all(tag.startswith("<a href=") for tag in shown.tags)


def written(folder, tables, known=None, exchange="co2"):
    (folder / "tables").mkdir(exist_ok=True)
    files = {}
    for name, table in tables._asdict().items():
        if table is not None:
            files[name] = folder / "tables" / f"{name}.csv"
            table.to_csv(files[name], index=False)
    plain = {**vars(known or facts(exchange=exchange))}
    plain["methods"] = {name: vars(one) for name, one in plain["methods"].items()}
    write_opening(files, folder / "index.html", folder / "opening.html", plain, {"Run": ["config.html"]}, {}, [])
    return files, (folder / "index.html").read_text(encoding="utf-8")


def test_the_files_hold_a_map_of_every_flux_and_are_the_same_twice(tmp_path):
    _, text = written(tmp_path, whole())
    pictures = [found for found in Whole(text).addresses if found.startswith("data:image/png")]
    assert len(pictures) == 3 and len(text) < 400_000
    image = matplotlib.image.imread(io.BytesIO(base64.b64decode(pictures[0].partition(",")[2])), format="png")
    assert image.shape[1] > 400 and image.std() > 0.05
    assert written(tmp_path, whole())[1] == text
    assert "Data to cite" in (tmp_path / "opening.html").read_text(encoding="utf-8")


def test_methane_alone_has_its_page(tmp_path):
    known = facts(exchange="ch4")
    _, text = written(tmp_path, Tables(scores(CH4)), known)
    assert "CH4" in text and get("ch4").fluxes[0].unit in text


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (lambda path: path.unlink(), "skill.csv does not exist, but the page of the run shows it"),
        (lambda path: path.write_text(""), "skill.csv cannot be read as a table"),
        (lambda path: path.write_text(path.read_text().replace("nse", "other", 1)), "skill.csv lacks the column nse"),
    ],
)
def test_a_broken_table_ends_in_a_sentence(tmp_path, broken, said):
    files, _ = written(tmp_path, Tables(scores()))
    broken(files["skill"])
    plain = {**vars(facts()), "methods": {}}
    with pytest.raises((ValueError, FileNotFoundError), match=said) as raised:
        write_opening(files, tmp_path / "index.html", tmp_path / "opening.html", plain, {}, {})
    assert "run again" in str(raised.value) or "run the workflow again" in str(raised.value)


def test_the_plan_names_files_from_the_folder_of_the_page():
    config = normalise({"exchanges": ["co2", "ch4"]})
    first, other = (opening_plan.links(config, ["pit.png", "pit.svg", "a.csv"], name) for name in ("co2", "ch4"))
    assert first["Figures"] == ["figures/pit.png"] and other["Figures"] == []
    # every exchange has its own explorer, beside its page; the report is of the run
    assert first["Run"][:2] == ["explorer/index.html", "report.html"]
    assert other["Run"][:2] == ["explorer/index.html", "../report.html"]
    assert opening_plan.others(config) == {"ch4": "ch4/index.html"}
    assert opening_plan.others(config, "ch4") == {"co2": "../index.html"}
    known = opening_plan.facts(config)["methods"]
    assert known["gp"]["simple"] and not known["dere"]["simple"] and not known["blend"]["simple"]
    assert next(iter(known)) == "climatology"
