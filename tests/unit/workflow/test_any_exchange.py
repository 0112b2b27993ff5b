"""An exchange that is declared in one place goes through ensemble, judge, products, summary and figures as it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dere.config.evaluation import EvaluationConfig
from dere.config.figures import FiguresConfig
from dere.config.products import ProductsConfig
from dere.evaluation.completeness import check_prediction
from dere.evaluation.schemas import checked
from dere.evaluation.total_columns import columns
from dere.evaluation.totals import true_totals
from dere.exchange.base import Exchange, Flux
from dere.figures import label_weights
from dere.figures.catalogue import CATALOGUE, outputs, possible
from dere.figures.gallery import ARGUMENTS
from dere.harmonise.site_roles import OF_SPLIT
from dere.harmonise.splits import roles
from dere.io import read_netcdf, write_netcdf, write_table
from dere.products.files import write_products
from dere.products.grid import Grid
from dere.products.totals import closure, totals
from dere.workflow import evaluate, figures, products, summary
from dere.workflow.ensemble import write_ensembles

FLUX = Flux(
    name="isoprene",
    long_name="isoprene emission",
    unit="gC m-2 d-1",
    public_unit="kg m-2 s-1",
    valid=(-0.1, 1.0),
    possible=(-1.0, 10.0),
    file_stem="emiisop",
)
TOY = Exchange(
    name="toy",
    fluxes=(FLUX,),
    free=("isoprene",),
    basis=("isoprene",),
    area="wetland_fraction",
    substance="carbon",
    total_unit="TgC",
)
OTHER_UNIT = replace(
    TOY, fluxes=(replace(FLUX, unit="nmol m-2 s-1", public_unit="nmol m-2 s-1"),), substance="", total_unit=""
)
NO_TOTAL = replace(TOY, fluxes=(replace(FLUX, unit="W m-2", public_unit="W m-2"),), total_unit="")
SITES, MONTHS, CONFIG = 16, 72, EvaluationConfig(bootstrap=50, minimum_years=3)
TIME = pd.date_range("2001-01-01", periods=MONTHS, freq="MS") + pd.Timedelta(days=14)
CELLS = np.array([12, 20, 33, 41])
DIMS = ("site", "time", "flux")


@pytest.fixture
def known(monkeypatch):
    """Make the edge resolve every name to the toy; whatever asks for another exchange meets unknown fluxes."""

    def make(exchange: Exchange) -> Exchange:
        for edge in (evaluate, figures, products, summary):
            monkeypatch.setattr(edge, "get", lambda name: {"toy": exchange}[name])
        return exchange

    return make


def season(lat: np.ndarray) -> np.ndarray:
    """A flux with a season and a level that follows latitude, (place, time)."""
    phase = np.cos(2 * np.pi * (np.arange(MONTHS) % 12 - 6.5) / 12)
    return 0.2 * (1.2 + np.where(lat[:, None] > 0, 1, -1) * phase) * np.cos(np.deg2rad(lat))[:, None]


def world() -> dict[str, xr.Dataset | pd.DataFrame]:
    """Towers without temperature and second partitioning, their splits, cells, cover and truth."""
    rng = np.random.default_rng(0)
    lat = np.linspace(-40, 65, SITES)
    flux = season(lat)[..., None] + rng.normal(0, 0.03, (SITES, MONTHS, 1))
    sites = [f"S{i:02d}" for i in range(SITES)]
    labels = flux.copy()
    labels[12:] = np.nan
    towers = xr.Dataset(
        {
            "flux_value": (DIMS, labels),
            "flux_quality": (DIMS, np.full(labels.shape, 0.9)),
            "record": (DIMS[:2], np.ones((SITES, MONTHS), bool)),
        },
        coords={
            "site": sites, "time": TIME, "flux": ["isoprene"], "lat": ("site", lat), "lon": ("site", lat),
            "igbp": ("site", ["WET", "ENF"] * 8), "koppen": ("site", ["Dfb"] * SITES),
            "kind": ("site", ["tower"] * 12 + ["predict"] * 4),
        },
    )  # fmt: skip
    fold = [i % 3 for i in range(12)] + [-1] * 4
    table = {"id": sites, "kind": "site", "cluster": sites, "fold": fold, "lat": lat, "lon": lat, "cell": -1}
    splits = pd.DataFrame(table)
    grid = Grid(30.0)
    rows, columns = CELLS // 12, CELLS % 12
    place = {"lat": ("cell", grid.lat[5 - rows]), "lon": ("cell", grid.lon[columns])}
    area = ("cell", grid.area[5 - rows, columns])
    drivers = xr.Dataset(
        coords={"cell": CELLS, **place, "land_fraction": ("cell", np.full(4, 0.5)), "cell_area": area},
        attrs={"grid_degrees": 30.0},
    )
    share = np.array([0.1, 0.4, 0.0, 0.9])
    cover = xr.Dataset(
        {"wetland_fraction": (("cell", "year"), share[:, None].repeat(6, 1))},
        coords={"cell": CELLS, "year": np.arange(2001, 2007)},
    )
    cells = season(place["lat"][1])[..., None]
    truth = xr.Dataset(
        {
            "flux_value": (DIMS, flux[12:]),
            "cell_flux": (("cell", "time", "flux"), cells),
            "wetland_fraction": ("cell", share),
        },
        coords={"site": sites[12:], "cell": CELLS, "time": TIME, "flux": ["isoprene"], **place},
    )
    return {"towers": towers, "splits": splits, "drivers": drivers, "cover": cover, "truth": truth}


def predicted(place: str, names: list, values: np.ndarray, seed: int, spread: bool = False) -> xr.Dataset:
    data = xr.Dataset(
        {"prediction": ((place, "time", "flux"), values)},
        coords={place: names, "time": TIME, "flux": ["isoprene"]},
        attrs={"method": "gbm", "backbone": "none", "fold": 0, "seed": seed},
    )
    if spread:
        levels = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
        data["std"] = xr.full_like(data["prediction"], 0.03)
        steps = 0.03 * np.array([-1.64, -0.67, 0, 0.67, 1.64])
        data["quantile_value"] = ((place, "time", "flux", "quantile"), values[..., None] + steps)
        data = data.assign_coords(quantile=levels)
    return data


def run(folder: Path, exchange: str = "toy") -> dict[str, Path]:
    """Files of a run of a method without network, spread only at sites, as the rules call one after the other."""
    given = world()
    rng = np.random.default_rng(1)
    files = {name: folder / "data" / f"{name}.nc" for name in ("towers", "drivers", "cover", "truth")}
    for name, path in files.items():
        write_netcdf(given[name], path)
    files["splits"] = write_table(given["splits"], folder / "data" / "splits.csv")
    header = "source,file,product,version,role,rows,sha256,licence,citation,url,site\n"
    files["provenance"] = folder / "provenance.csv"
    files["provenance"].write_text(header)
    here = roles(given["splits"], 0)
    sites, worth = here["id"].tolist(), here["role"].map(OF_SPLIT).tolist()
    mean = season(given["towers"]["lat"].sel(site=sites).values)[..., None]
    runs, cells = [], []
    for seed in range(2):
        path = folder / "predictions" / "gbm" / "none" / "fold0" / f"seed{seed}.nc"
        noisy = mean + rng.normal(0, 0.03, mean.shape)
        made = predicted("site", sites, noisy, seed, spread=True).assign_coords(role=("site", worth))
        runs.append(write_netcdf(made, path))
        level = season(given["drivers"]["lat"].values)[..., None] + rng.normal(0, 0.01, (4, 1, 1))
        cells.append(write_netcdf(predicted("cell", list(CELLS), level, seed), path.with_name(f"seed{seed}_cells.nc")))
    files["ensemble"] = folder / "predictions" / "gbm" / "none" / "ensemble.nc"
    write_ensembles(runs, [files["ensemble"]])
    products.products(cells, [], files, folder / "products", ProductsConfig(name="toy"), exchange=exchange)
    files["products"] = folder / "products"
    products.write_sites(files, folder / "tables" / "sites.csv", [0], exchange)
    names = ("skill", "site_skill", "paired", "calibration", "site_calibration", "closure", "totals", "roles")
    tables = {name: folder / "tables" / f"{name}.csv" for name in names}
    evaluate.evaluate([*runs, files["ensemble"]], files, tables, CONFIG, "gbm/none", 0, exchange)
    return files | tables


def test_all_tables_and_products_of_another_exchange(known, tmp_path, capsys):
    exchange = known(TOY)
    files = run(tmp_path)
    skill = pd.read_csv(files["skill"])
    assert set(skill["flux"]) == {"isoprene"}
    assert set(skill["grouping"]) == {"all", "igbp", "koppen", "quality", "virtual", "map"}
    monthly = skill.query("scale == 'monthly' and statistic == 'median' and fold == 'all' and seed == 'all'")
    assert (monthly["nse"] > 0.5).all()
    calibration = pd.read_csv(files["calibration"])
    assert set(calibration["flux"]) == {"isoprene"} and calibration["coverage_90"].between(0.5, 1).all()
    closure_rows = pd.read_csv(files["closure"])
    assert closure_rows.empty and list(closure_rows) == [
        "file", "kind", "values", "mean_residual", "maximum_residual",
    ]  # fmt: skip
    paths = sorted((tmp_path / "products").glob("*.nc"))
    assert [path.name for path in paths] == ["emiisop_mon_toy_gn_200101-200612.nc"]
    with xr.open_dataset(paths[0]) as product:
        assert product.attrs["variable_id"] == "emiisop" and product["emiisop"].attrs["units"] == "kg m-2 s-1"
        assert product["emiisop"].attrs["long_name"] == "isoprene emission, as carbon per land area"
        assert "standard_name" not in product["emiisop"].attrs and "comment" not in product["emiisop"].attrs
        assert not {"emiisop_std", "carbon_closure_residual"} & set(product.variables)
        assert "land without wetland counts as zero" in product.attrs["comment"]
        texts = " ".join(map(str, (product.attrs["title"], product.attrs["comment"], product.attrs["references"])))
        assert not {"dere", "network", "simulation"} & set(texts.lower().split())
        assert product.attrs["references"] == "not stated"
        assert product.attrs["source"].endswith("configuration not stated")
        assert product.attrs["input_data_versions"].count("predictions: ") == 1
    table = pd.read_csv(files["totals"])
    assert list(table) == [*columns(exchange), "source"] and "total_tgc" in table
    assert set(table["source"]) == {"product", "truth"}
    annual = table.query("region == 'global'").pivot_table(index="year", columns="source", values="total_tgc")
    np.testing.assert_allclose(annual["product"], annual["truth"], rtol=0.2)
    towers = pd.read_csv(tmp_path / "products" / "towers.csv.gz")
    assert set(towers["flux"]) == {"isoprene"} and {"std", "q05", "q95"} <= set(towers)
    summary.main(tmp_path, "toy")
    said = capsys.readouterr().out
    assert "ISOPRENE" in said and "12 towers: 4 cross-validated, 8 seen in training; 4 sites without labels" in said
    assert exchange.names == ("isoprene",)


def test_maps_of_another_exchange_are_flux_times_its_own_area(known, tmp_path):
    known(TOY)
    run(tmp_path)
    product = xr.open_dataset(next((tmp_path / "products").glob("*.nc")))
    paths = sorted((tmp_path / "predictions" / "gbm" / "none" / "fold0").glob("*_cells.nc"))
    mean = sum(read_netcdf(path)["prediction"].values[..., 0] for path in paths) / len(paths)
    cover, drivers = (world()[name] for name in ("cover", "drivers"))
    expected = mean * cover["wetland_fraction"].values[:, :1] * 1e-3 / 86400
    found = product["emiisop"].sel(lat=drivers["lat"], lon=drivers["lon"]).transpose("cell", "time")
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    days = pd.DatetimeIndex(TIME).days_in_month.to_numpy()[:12]
    area = (drivers["cell_area"] * drivers["land_fraction"]).values
    by_hand = (expected[:, :12] * days * 86400).sum(1) @ area / 1e9
    table = totals({"isoprene": product}, TOY).query("region == 'global' and year == 2001")
    assert table["total_tgc"].item() == pytest.approx(by_hand, rel=1e-6)


def test_figures_of_another_exchange_leave_out_what_it_has_not(known, tmp_path):
    exchange = known(TOY)
    files = run(tmp_path)
    shown = {
        name: files[name]
        for name in ("towers", "drivers", "cover", "truth", "skill", "paired", "calibration", "site_calibration")
    }
    shown |= {"predictions": [files["ensemble"]], "products": files["products"]}
    config = FiguresConfig(dpi=50, formats=("png",), compared=("gbm",))
    figures.draw(shown, tmp_path / "figures", config, exchange="toy")
    written = {path.name for path in (tmp_path / "figures").iterdir()}
    assert written == set(outputs(shown, ["png"], exchange=exchange))
    assert "product_maps.png" in written and "closure_histogram.png" not in written
    assert set(pd.read_csv(tmp_path / "figures" / "seasonal_cycles.csv")["flux"]) == {"isoprene"}
    assert "isoprene" in pd.read_csv(tmp_path / "figures" / "world_map.csv")


def test_figures_that_a_unit_or_missing_identities_rule_out():
    every = {need for entry in CATALOGUE.values() for need in entry.needs}
    assert set(possible(every)) == set(ARGUMENTS)
    assert set(possible(every)) - set(possible(every, exchange=TOY)) == {"closure_histogram"}
    lost = set(possible(every)) - set(possible(every, exchange=OTHER_UNIT))
    assert lost == {"closure_histogram", "product_maps"}


def test_label_weights_of_another_exchange_have_a_panel_per_independent_flux():
    from matplotlib.figure import Figure

    labels = xr.Dataset(
        {
            "covariance": (("site", "time", "component", "component2"), np.linspace(0.1, 1, 24)[None, :, None, None]),
            "origin": (("site", "time"), np.ones((1, 24), int)),
        },
        coords={"component": ["isoprene"], "component2": ["isoprene"]},
    )
    figure = Figure(layout="constrained")
    label_weights.draw(figure, label_weights.tabulate(labels), TOY)
    assert [axes.get_xlabel().split(" (")[0] for axes in figure.axes] == [
        "standard deviation of ISOPRENE", "weight relative to the median observed month",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("exchange", "column", "rows"), [(OTHER_UNIT, "total_nmol", True), (NO_TOTAL, "total_w", False)]
)
def test_units_without_mass_have_a_total_where_they_add_up(known, tmp_path, exchange, column, rows):
    known(exchange)
    files = run(tmp_path)
    table = pd.read_csv(files["totals"])
    assert column in table and bool(len(table)) == rows
    product = xr.open_dataset(next((tmp_path / "products").glob("*.nc")))
    assert product["emiisop"].attrs["long_name"].endswith("per land area")
    checked(table[table["source"] == "product"].drop(columns="source"), "totals", exchange)


def test_a_total_that_its_unit_does_not_give_is_a_sentence():
    wrong = replace(OTHER_UNIT, total_unit="PgC")
    given = world()
    with pytest.raises(ValueError, match=r"isoprene has the public unit 'nmol m-2 s-1', .* no unit of totals"):
        true_totals(given["truth"], given["drivers"], wrong)


def two_identities() -> Exchange:
    """Three equal fluxes, of which the last two follow from the first."""
    names = ("a", "b", "c")
    return Exchange(
        name="equal",
        fluxes=tuple(replace(FLUX, name=name, file_stem="") for name in names),
        free=("a",),
        basis=("a",),
        close=lambda values: np.repeat(values[..., :1], 3, -1),
        residuals=lambda values: values[..., 1:] - values[..., :1],
        identities=("B - A", "C - A"),
    )


def test_an_exchange_of_two_identities_is_closed_checked_and_shown(tmp_path):
    exchange = two_identities()
    given = world()
    values = np.repeat(season(given["drivers"]["lat"].values)[..., None], 3, -1)
    cells = xr.Dataset(
        {"prediction": (("cell", "time", "flux"), values)},
        coords={"cell": CELLS, "time": TIME, "flux": ["a", "b", "c"]},
        attrs={"method": "gbm"},
    )
    cover = given["cover"].rename(wetland_fraction="vegetated_fraction")
    paths = write_products(cells, cover, given["drivers"], tmp_path, ProductsConfig(), exchange=exchange)
    files = {name: xr.open_dataset(path) for name, path in zip("abc", paths, strict=True)}
    assert files["b"]["closure_residual_2"].attrs["long_name"] == "c - a of the rounded values"
    assert closure(files, exchange)["maximum"] == 0
    cells["prediction"][0, 3, 2] += 0.5
    with pytest.raises(ValueError, match=r"\|B - A\| or \|C - A\| up to 0.5 gC m-2 d-1"):
        write_products(cells, cover, given["drivers"], tmp_path, ProductsConfig(), exchange=exchange)


def test_a_prediction_of_other_fluxes_is_refused():
    given = world()
    file = predicted("site", ["S00"], np.zeros((1, MONTHS, 1)), 0)
    with pytest.raises(ValueError, match=r"holds the fluxes \['isoprene'\], but \['a', 'b', 'c'\] are judged"):
        check_prediction(file, given["towers"], roles(given["splits"], 0), "file", two_identities())


def test_residuals_without_names_are_refused():
    with pytest.raises(
        ValueError, match=r"exchange toy: residuals and identities \(A\) go together, but one is missing"
    ):
        replace(TOY, identities=("A",))
