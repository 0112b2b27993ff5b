"""Predict sites of one's own by the trained models of a run, without training, rules or the run's data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from dere import __version__
from dere.api.arguments import require
from dere.api.fits import ALL_TOWERS, EACH_FOLD, fits_of, listed
from dere.api.known import compared
from dere.api.own_site_errors import error_model_of
from dere.api.own_site_models import TRAINED_BY, predictions_at, reads_simulation, stored_predictions
from dere.api.run import Run
from dere.config.harmonise import HarmoniseConfig
from dere.config.simulation import SimulationSource
from dere.config.splits import SplitsConfig
from dere.config.towers import TowerSource
from dere.exchange import DEFAULT, Exchange
from dere.harmonise.own_sites import Settings, own_sites
from dere.harmonise.site_roles import COORDINATE
from dere.ingest.accounts import Account, lines_of
from dere.ingest.tower.claims import known_sources
from dere.ingest.tower.plain_table import plain_source
from dere.ingest.tower.site_ids import OTHER_CODES
from dere.ingest.tower.towers import Towers, read_and_account
from dere.ingest.unread import DROPPED, IGNORED
from dere.invented import invented_sources, marked
from dere.methods import Method
from dere.products import own_site_files
from dere.products.own_site_table import Part, site_rows, warnings_of
from dere.products.sites import dropped_sites
from dere.workflow import targets


@dataclass(frozen=True)
class SitePredictions:
    """Predictions of sites of one's own.

    Parameters
    ----------
    dataset
        ``prediction(site, time, flux)`` in gC m-2 d-1, ``std`` and ``quantile_value`` where the method has them,
        ``extrapolation_index(site, time)``, ``known_as(site)``; empty outside each record.
    sites
        Every site that was given: where it lies, what became of it and why (``docs/command-line.md``).
    warnings
        What a reader should know, a sentence each.
    counts
        Months by site, step and reason: how drivers were filled.
    files
        Lines of what was read and what was not.
    calibration
        What own months say of the sites (`dere.calibrate_sites`); ``dataset`` then also has ``prediction_before``,
        ``std_before`` and ``own_values``.
    """

    dataset: xr.Dataset
    sites: pd.DataFrame
    warnings: tuple[str, ...]
    counts: pd.DataFrame
    files: tuple[str, ...] = ()
    calibration: own_site_files.Calibration | None = None

    @property
    def table(self) -> pd.DataFrame:
        """One row per site and month, as ``predictions.csv``."""
        return own_site_files.monthly_table(self.dataset)

    def write(self, folder: str | Path, *, overwrite: bool = False) -> None:
        """Write ``predictions.nc``, ``predictions.csv``, ``sites.csv``; of own months ``effects.csv``, ``members.nc``.

        Raises
        ------
        ValueError
            When the folder holds anything and ``overwrite`` is false, or cannot be written.
        """
        own_site_files.write(self.dataset, self.sites, Path(folder), calibration=self.calibration, overwrite=overwrite)


def predict_sites(
    run: Run,
    sites: str | Path | Sequence[str | Path],
    method: str | None = None,
    *,
    backbone: str | None = None,
    fold: int | None = None,
    seed: int | None = None,
    without_satellites: bool = False,
    gpu: int = 0,
) -> SitePredictions:
    """Predict sites that lie in files, by the models that a run has trained.

    A site that the run knows, by its code or within 1 km, gets the prediction that the run has stored for it, by models
    that had not seen it, never another.

    Parameters
    ----------
    run
        From `dere.open_run`; its folder ``data`` is not needed.
    sites
        Files or folders: all formats of towers (``docs/data.md``), and plain tables (``docs/command-line.md``).
    method
        Method of the run; default its product's (``products.method``).
    backbone
        The first of the run by default.
    fold, seed
        The models of one fold or seed; default the mean over all of the run, and of sites that are not the run's those
        fitted on all towers where the run has such (``all_towers``).
    without_satellites
        Predict sites without LAI and EVI also where the models have learned from no such tower.
    gpu
        1 = compute on the GPU.

    Returns
    -------
    SitePredictions
        Every site is in it, or named with the reason why not.

    Raises
    ------
    FileNotFoundError
        When a file or a part of the run is missing.
    ValueError
        When no site can be predicted, or the run or the options are wrong; one sentence.

    Examples
    --------
    >>> found = dere.predict_sites(dere.open_run("results/towers"), "mine.csv")  # doctest: +SKIP
    >>> found.write("predicted")  # doctest: +SKIP
    """
    require("run", run, Run, "dere.open_run")
    chosen = method_of(run, method)
    judged, fitted = fits_of(run, chosen, backbone, fold, seed)

    paths = [Path(sites)] if isinstance(sites, (str, Path)) else [Path(path) for path in sites]
    known = run.known_sites
    given, accounts = read_sites(paths, TowerSource(**run.tree["sources"]["towers"]))
    lost = _dropped(given)
    about = compared(given.dataset, known)
    new = given.dataset.isel(site=(about["known_as"] == "").to_numpy())
    parts = []
    named = {str(site): str(code) for site, code in about["known_as"].items() if code}
    if named:
        stored, seen = stored_predictions(run, chosen, judged, named)
        lost |= seen
        parts += [] if stored is None else [Part(stored)]
    if new.sizes["site"]:
        settings = settings_of(run)
        ready = own_sites(new, known, settings, simulated=reads_simulation(chosen), unseen=without_satellites)
        lost |= ready.dropped
        counts = ready.counts
        if ready.towers is not None:
            made = predictions_at(run, chosen, fitted, ready.towers, known, settings.harmonise, gpu)
            parts.append(Part(made, ready.towers))
    else:
        counts = pd.DataFrame(columns=["site", "step", "reason", "months"])
    if not parts:
        raise ValueError(_none_left(lost))
    rows = site_rows(given.dataset, about, parts, lost)
    dataset = _joined([part.predicted for part in parts], rows, run.exchange)
    attrs = {"method": chosen.name, "backbone": fitted[0][0], "run": run.name, "code_version": __version__}
    attrs |= {"folds": listed(judged, 1), "seeds": listed(judged, 2), "split": run.split}
    attrs |= {"fitted_on": EACH_FOLD if judged == fitted else ALL_TOWERS}
    invented = invented_sources([part.predicted.attrs for part in parts] + [known.attrs])
    said = _of_versions(parts) + warnings_of(rows, parts, known)
    return SitePredictions(dataset.assign_attrs(attrs | marked(invented)), rows, said, counts, tuple(_lines(accounts)))


def method_of(run: Run, name: str | None) -> Method:
    """Return the method that predicts: the one asked for, or the run's product's.

    Raises
    ------
    ValueError
        When it is none of the run's, or another exchange than CO2 is asked for.
    """
    if run.exchange.name != DEFAULT:
        raise ValueError(f"exchange: sites of your own are predicted for {DEFAULT}, not for {run.exchange.name}")
    if name is None:
        return targets.product_method(run.tree)
    if name not in run.methods:
        raise ValueError(f"method: {name} is none of the run's; choose from {', '.join(run.methods)}")
    return run.method(name)


def read_sites(paths: Sequence[Path], config: TowerSource) -> tuple[Towers, list[Account]]:
    """Read files of sites: formats of towers by their names, other tables as plain ones.

    Raises
    ------
    FileNotFoundError
        When a file is missing.
    ValueError
        When no site can be used, or no file is known.
    """
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"{path} does not exist, but files of sites are expected; correct the path")
    among = known_sources()
    plain = plain_source(paths, among)
    return read_and_account(paths, config, among=[plain, *among] if plain else among)


def _dropped(given: Towers) -> dict[str, str]:
    """Site to the sentence that says why reading dropped it."""
    lost = dropped_sites(given.provenance.assign(source="towers", dropped=""), _ids(given.dataset))
    if OTHER_CODES in given.dataset.coords:
        for site, others in zip(_ids(given.dataset), given.dataset[OTHER_CODES].values.astype(str), strict=True):
            lost |= {code: f"site {code} is the same tower as {site}, under which it stands" for code in others.split()}
    return lost


def settings_of(run: Run) -> Settings:
    """Return what sites are made ready by."""
    tree = run.tree
    return Settings(
        HarmoniseConfig(**tree["harmonise"]),
        SimulationSource(**tree["sources"]["simulation"]),
        SplitsConfig(**tree["splits"]),
        own_co2="towers" in targets.built_in(tree),
    )


def _joined(parts: Sequence[xr.Dataset], rows: pd.DataFrame, exchange: Exchange) -> xr.Dataset:
    """Parts beside each other on one gap-free monthly axis, sites in the order of the table."""
    common = [name for name in parts[0].data_vars if all(name in part for part in parts)]
    plain = [part[common].drop_vars(COORDINATE, errors="ignore") for part in parts]
    record = [part["record"].astype(float) for part in plain]
    joined = xr.concat(
        [part.assign(record=flag) for part, flag in zip(plain, record, strict=True)], "site", join="outer"
    )
    joined = joined.sortby("time")
    there = rows[rows["site"].isin(_ids(joined))]
    joined = joined.sel(site=there["site"].to_numpy(object))
    joined["record"] = joined["record"].fillna(0.0) > 0
    months = joined["record"].any("site")
    joined = joined.isel(time=slice(*_span(months.values)))
    for name in ("lat", "lon", "igbp", "known_as"):
        joined = joined.assign_coords({name: ("site", there[name].to_numpy())})
    return joined.assign_attrs(error_model_of(parts, exchange))


def _span(months: np.ndarray) -> tuple[int, int]:
    at = np.flatnonzero(months)
    return int(at[0]), int(at[-1]) + 1


def _of_versions(parts: Sequence[Part]) -> tuple[str, ...]:
    """A sentence where another version of the package trained the models."""
    trained = {version for part in parts for version in str(part.predicted.attrs.get(TRAINED_BY, "")).split()}
    if not (others := sorted(trained - {__version__})):
        return ()
    return (f"the models were trained by dere {', '.join(others)}, and this is {__version__}: numbers may differ",)


def _none_left(lost: dict[str, str]) -> str:
    first = next(iter(lost.values()), "no site was given")
    rest = len(lost) - 1
    return first if rest < 1 else f"{first}; no site is left, {rest} more are at fault"


def _lines(accounts: Sequence[Account]) -> list[str]:
    """What became of the files."""
    unread = (IGNORED, DROPPED)
    return [*lines_of("files", accounts), *(f"not read: {a.file} ({a.why})" for a in accounts if a.what in unread)]


def _ids(dataset: xr.Dataset) -> list[str]:
    return [str(site) for site in dataset["site"].values]
