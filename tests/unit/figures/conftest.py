"""A small run as the other rules leave it: canonical towers, predictions, labels, tables, products."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dere.backbones import names
from dere.config.products import ProductsConfig
from dere.figures.style import house_style
from dere.io import write_netcdf, write_table
from dere.products.files import write_products
from dere.products.grid import Grid
from dere.run_config.root import normalise
from dere.variables import FLUXES, PLANT_TYPES
from dere.workflow import targets

MONTHS, DEGREES = 72, 6.0
TIME = pd.period_range("2001-01", periods=MONTHS, freq="M").start_time + pd.Timedelta(days=14)
METHODS = ("climatology", "simulation", "gbm", "gbm_sim", "baseline", "kgml", "dere_towers", "dere")
BACKBONES = ("transformer", "informer", "fedformer", "itransformer", "timexer", "simpletm")
CLASSES = ("ENF", "DBF", "GRA", "EBF", "CRO", "WET")


@pytest.fixture(autouse=True)
def look():
    """The house style with all methods and backbones as they declare themselves."""
    config = normalise({"backbones": names()})
    with house_style(targets.shown(config), targets.backbone_labels(config)):
        yield


def cycle(lat: np.ndarray) -> np.ndarray:
    """A plausible closing seasonal cycle, (place, time, flux)."""
    phase = 2 * np.pi * (np.arange(MONTHS) % 12 - 6.5) / 12
    season = np.where(lat[:, None] >= 0, 1, -1) * np.cos(phase)[None]
    level = 7.5 * np.cos(np.deg2rad(lat))[:, None] ** 2
    swing = np.minimum(np.abs(lat) / 55, 1.0)[:, None]
    gpp = np.maximum(level * (1 + swing * season), 0.02)
    reco = 0.85 * level * (1 + 0.6 * swing * season) + 0.1
    return np.stack([gpp, reco, reco - gpp], axis=-1)


@pytest.fixture(scope="session")
def towers() -> xr.Dataset:
    """30 towers with gaps and 40 label-free sites."""
    rng = np.random.default_rng(1)
    sites = np.array([f"T{i:02d}" for i in range(30)] + [f"V{i:02d}" for i in range(40)])
    lat = np.concatenate([rng.uniform(30, 65, 24), rng.uniform(-35, -10, 6), rng.uniform(-40, 70, 40)])
    lon = np.concatenate([rng.uniform(-110, 30, 24), rng.uniform(-60, 140, 6), rng.uniform(-120, 140, 40)])
    truth = cycle(lat)
    noise = rng.normal(0, 0.4, (70, MONTHS, 2))
    flux = np.stack([truth[..., 0] + noise[..., 0], truth[..., 1] + noise[..., 1]], -1)
    flux = np.concatenate([flux, flux[..., 1:] - flux[..., :1]], -1)
    record = np.ones((70, MONTHS), bool)
    record[:, :12] = rng.random(70)[:, None] < 0.5
    winter = (np.arange(MONTHS) % 12 < 3)[None] & (lat > 50)[:, None] & (rng.random((70, 1)) < 0.7)
    flux[winter | ~record | (rng.random((70, MONTHS)) < 0.08)] = np.nan
    flux[30:] = np.nan
    return xr.Dataset(
        {
            "flux_value": (("site", "time", "flux"), flux),
            "flux_quality": (
                ("site", "time", "flux"),
                np.repeat(np.where(rng.random((70, MONTHS, 1)) < 0.9, 0.9, 0.3), 3, -1),
            ),
            "record": (("site", "time"), record),
        },
        coords={
            "site": sites,
            "time": TIME,
            "flux": list(FLUXES),
            "lat": ("site", lat),
            "lon": ("site", lon),
            "igbp": ("site", np.array(CLASSES)[np.arange(70) % 6]),
            "koppen": ("site", np.where(np.abs(lat) > 45, "Dfb", "Cfa")),
            "kind": ("site", np.where(np.arange(70) < 30, "tower", "predict")),
        },
    )


def prediction_of(method: str, towers: xr.Dataset, sites: np.ndarray, spread: bool) -> xr.Dataset:
    rng = np.random.default_rng(METHODS.index(method))
    here = towers.sel(site=sites)
    error = rng.normal(0, 0.5, (len(sites), 1, 2)) + rng.normal(0, 0.3, (len(sites), MONTHS, 2))
    free = cycle(here["lat"].values)[..., :2] + error
    mean = np.concatenate([free, free[..., 1:] - free[..., :1]], -1)
    if method.startswith("gbm"):
        mean[..., 2] += rng.normal(0, 0.2, mean.shape[:2])
    mean[~here["record"].values] = np.nan
    dims = ("site", "time", "flux")
    out = xr.Dataset(
        {"prediction": (dims, mean)},
        coords={"site": sites, "time": TIME, "flux": list(FLUXES)},
        attrs={"method": method, "backbone": "none", "fold": 0, "seed": 0},
    )
    if spread:
        levels = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
        out["std"] = (dims, np.full_like(mean, 0.6))
        out = out.assign_coords(quantile=levels)
        out["quantile_value"] = (
            (*dims, "quantile"),
            mean[..., None] + 0.6 * np.array([-1.64, -0.67, 0, 0.67, 1.64]),
        )
    return out


@pytest.fixture(scope="session")
def predictions(towers) -> dict[str, xr.Dataset]:
    sites = np.concatenate([towers["site"].values[:12], towers["site"].values[30:]])
    return {method: prediction_of(method, towers, sites, method == "dere") for method in METHODS}


@pytest.fixture(scope="session")
def labels(towers) -> xr.Dataset:
    rng = np.random.default_rng(3)
    here = towers.isel(site=slice(12, 30))
    seen = here["flux_value"].notnull().all("flux").values
    origin = np.where(seen, 1, 2).astype("int8")
    mean = np.where(seen[..., None], here["flux_value"].values, cycle(here["lat"].values))
    std = np.where(seen, rng.gamma(9, 0.04, seen.shape), rng.gamma(9, 0.1, seen.shape))
    covariance = std[..., None, None] ** 2 * np.array([[1.0, 0.4], [0.4, 1.3]])
    dims = ("site", "time", "flux")
    quantile = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
    return xr.Dataset(
        {
            "label": (dims, mean),
            "origin": (dims[:2], origin),
            "covariance": (("site", "time", "component", "component2"), covariance),
            "quantile_value": (
                (*dims, "quantile"),
                mean[..., None] + std[..., None, None] * np.array([-1.64, -0.67, 0, 0.67, 1.64]),
            ),
        },
        coords={
            "site": here["site"].values,
            "time": TIME,
            "flux": list(FLUXES),
            "quantile": quantile,
            "component": ["nee", "reco"],
            "component2": ["nee", "reco"],
        },
    )


@pytest.fixture(scope="session")
def drivers() -> xr.Dataset:
    """Every third place of the 6 degree grid between 56 S and 74 N counts as land: fast and easy to check."""
    grid = Grid(DEGREES)
    rows, columns = np.nonzero(np.add.outer(np.arange(30), np.arange(60)) % 3 == 0)
    keep = (grid.lat[rows] > -56) & (grid.lat[rows] < 74)
    rows, columns = rows[keep], columns[keep]
    return xr.Dataset(
        coords={
            "cell": (29 - rows) * 60 + columns,
            "lat": ("cell", grid.lat[rows]),
            "lon": ("cell", grid.lon[columns]),
            "land_fraction": ("cell", np.full(rows.size, 0.8)),
        },
        attrs={"grid_degrees": DEGREES},
    )


@pytest.fixture(scope="session")
def cover(drivers) -> xr.Dataset:
    rng = np.random.default_rng(4)
    share = rng.dirichlet([0.8, 0.8, 1.0], drivers.sizes["cell"])[:, None].repeat(6, 1)
    return xr.Dataset(
        {
            "plant_fraction": (("cell", "year", "plant_type"), share),
            "vegetated_fraction": (("cell", "year"), np.full(share.shape[:2], 0.75)),
        },
        coords={"cell": drivers["cell"].values, "year": np.arange(2001, 2007), "plant_type": list(PLANT_TYPES)},
    )


@pytest.fixture(scope="session")
def learned(drivers, cover) -> xr.Dataset:
    """The map prediction: fluxes per vegetated area and learned plant fractions."""
    rng = np.random.default_rng(5)
    flux = cycle(drivers["lat"].values)
    seen = cover["plant_fraction"].mean("year").values
    guess = np.clip(seen + rng.normal(0, 0.08, seen.shape), 0.001, None)
    return xr.Dataset(
        {
            "prediction": (("cell", "time", "flux"), flux),
            "std": (("cell", "time", "flux"), np.full_like(flux, 0.5)),
            "plant_fraction": (("cell", "plant_type"), guess / guess.sum(-1, keepdims=True)),
        },
        coords={
            "cell": drivers["cell"].values,
            "time": TIME,
            "flux": list(FLUXES),
            "plant_type": list(PLANT_TYPES),
        },
        attrs={"method": "dere", "backbone": "transformer", "fold": 0, "seed": 0},
    )


@pytest.fixture(scope="session")
def truth(drivers) -> xr.Dataset:
    rng = np.random.default_rng(6)
    flux = cycle(drivers["lat"].values) + rng.normal(0, 0.6, (drivers.sizes["cell"], 1, 3))
    return xr.Dataset(
        {
            "cell_flux": (("cell", "time", "flux"), flux),
            "vegetated_fraction": ("cell", np.full(drivers.sizes["cell"], 0.7)),
        },
        coords={
            "cell": drivers["cell"].values,
            "lat": ("cell", drivers["lat"].values),
            "lon": ("cell", drivers["lon"].values),
            "time": TIME,
            "flux": list(FLUXES),
        },
    )


@pytest.fixture(scope="session")
def skill() -> pd.DataFrame:
    rows = []
    for i, method in enumerate(METHODS):
        for j, flux in enumerate(FLUXES):
            for grouping in ("all", "virtual"):
                median = (-1.8 if method == "climatology" and flux == "nee" else 0.3 + 0.05 * i) - 0.1 * j
                for statistic, shift in (("median", 0.0), ("q25", -0.35), ("q75", 0.15), ("q90", 0.2)):
                    for fold, seed in (("0", "0"), ("all", "all")):
                        rows.append(
                            {
                                "method": method, "backbone": "none", "fold": fold, "seed": seed, "flux": flux,
                                "scale": "monthly", "grouping": grouping, "group": "all",
                                "statistic": statistic, "nse": median + shift, "quality": 0.5,
                            }
                        )  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture(scope="session")
def paired() -> pd.DataFrame:
    rows = []
    for i, method in enumerate(METHODS):
        for flux in FLUXES:
            for grouping, width in (("all", 0.12), ("virtual", 0.04)):
                value = 0.03 * (i - 3)
                if method == "gbm_sim":
                    continue
                forward = i > 3
                rows.append(
                    {
                        "method": method if forward else "gbm_sim",
                        "against": "gbm_sim" if forward else method,
                        "scale": "monthly", "flux": flux, "grouping": grouping,
                        "nse_difference": value if forward else -value,
                        "nse_low": (value if forward else -value) - width,
                        "nse_high": (value if forward else -value) + width,
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture(scope="session")
def comparison_table() -> pd.DataFrame:
    """Six backbones under the network methods, references beside them; SimpleTM's baseline fails."""
    rng = np.random.default_rng(3)
    rows = []
    for i, method in enumerate(METHODS):
        network = method in ("baseline", "kgml", "dere_towers", "dere")
        for j, backbone in enumerate(BACKBONES if network else ("none",)):
            for grouping in ("all", "virtual"):
                for k, flux in enumerate(FLUXES):
                    nse = 0.3 + 0.05 * i - 0.02 * j - 0.1 * k + rng.normal(0, 0.02)
                    nse = -2.0 if (method, backbone, flux) == ("baseline", "simpletm", "nee") else nse
                    rows.append(
                        {"method": method, "backbone": backbone, "grouping": grouping, "flux": flux, "nse": nse,
                         "nse_seed_std": abs(rng.normal(0, 0.02)) if network else 0.0, "nse_ensemble": nse + 0.02}
                    )  # fmt: skip
    table = pd.DataFrame(rows)
    table.loc[(table["method"] == "simulation") & (table["flux"] == "nee"), "nse"] = -1.4
    return table


@pytest.fixture(scope="session")
def calibration_table() -> pd.DataFrame:
    rows = [
        {"method": method, "backbone": "none", "fold": "0", "seed": "0", "flux": flux, "grouping": grouping,
         "part": "all", "group": "all", "scale": scale, "coverage_50": 0.44 + shift, "coverage_80": 0.72 + shift,
         "coverage_90": 0.83 + shift, "coverage_95": 0.88 + shift,
         **{f"pit_{number}": 0.08 + 0.04 * (number in (1, 10)) + 0.01 * (number in (5, 6)) for number in range(1, 11)}}
        for method, shift in (("dere", 0.02), ("dere_towers", -0.1))
        for flux in FLUXES
        for grouping in ("all", "virtual")
        for scale in ("monthly", "annual")
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture(scope="session")
def site_calibration_table() -> pd.DataFrame:
    rows = [
        {"method": method, "backbone": "none", "fold": "all", "seed": "all", "flux": flux, "known_months": known,
         "support_season": "all", "sites": 30, "rmse_ratio": ratio, "ratio_low": ratio - 0.04,
         "ratio_high": ratio + 0.04, "coverage_90": 0.92 - known / 800}
        for method, shift in (("dere", 0.0), ("gbm", 0.02))
        for flux in FLUXES
        for known in (0, 1, 3, 6, 12, 24)
        for ratio in [1 - (0.08 - shift) * np.log1p(known)]
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture(scope="session")
def history() -> dict[str, pd.DataFrame]:
    epoch = np.arange(0, 9)
    training = np.where(epoch > 0, np.exp(-epoch / 3), np.nan)
    validation = np.exp(-epoch / 4) + 0.01 * epoch
    table = pd.DataFrame({"epoch": epoch, "training_loss": training, "validation_loss": validation, "seconds": 1.0})
    names = ("pure", "mixture", "age", "plant_types_simulated", "plant_types_observed", "towers", "uncertain")
    tables = {name: table for name in (*names, "baseline", "kgml_simulation", "kgml_towers", "imputation")}
    tables["uncertain"] = table.assign(validation_loss=validation - 0.9)
    return tables


@pytest.fixture(scope="session")
def files(
    tmp_path_factory,
    towers,
    predictions,
    labels,
    drivers,
    cover,
    learned,
    truth,
    skill,
    paired,
    calibration_table,
    site_calibration_table,
    comparison_table,
    history,
) -> dict[str, Path | list[Path]]:
    """All of it as files, under the names of the catalogue."""
    folder = tmp_path_factory.mktemp("run")
    single = {
        "towers": towers,
        "labels": labels,
        "drivers": drivers,
        "cover": cover,
        "learned": learned,
        "truth": truth,
    }
    found: dict[str, Path | list[Path]] = {
        name: write_netcdf(data, folder / f"{name}.nc") for name, data in single.items()
    }
    for name, table in (
        ("skill", skill),
        ("paired", paired),
        ("calibration", calibration_table),
        ("site_calibration", site_calibration_table),
        ("comparison", comparison_table),
    ):
        found[name] = write_table(table, folder / f"{name}.csv")
    cells = drivers["cell"].values
    roles = pd.DataFrame({"id": cells, "kind": "cell", "role": np.where(cells % 4 == 0, "test", "training")})
    found["roles"] = write_table(roles, folder / "roles.csv")
    found["predictions"] = [write_netcdf(p, folder / m / "seed0.nc") for m, p in predictions.items()]
    found["history"] = [write_table(t, folder / "models" / n / "history.csv") for n, t in history.items()]
    found["products"] = write_products(learned, cover, drivers, folder, ProductsConfig())
    return found
