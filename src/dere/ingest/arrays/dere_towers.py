"""Towers of the DERE arrays as interim towers: labels, place and published role; their drivers lie in the forcing."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import xarray as xr

from dere.config.simulation import SimulationSource
from dere.ingest.arrays.dere_arrays import (
    CHANNELS,
    FIRST_YEAR,
    IN_SITU,
    SPLITS,
    YEARS,
    dropped_months,
    parse_fluxes,
)
from dere.ingest.arrays.dere_coordinates import read_coordinates, rows_of
from dere.ingest.arrays.dere_cover import tower_ids
from dere.ingest.arrays.dere_files import find_files, require_files
from dere.ingest.arrays.dere_npz import Npz
from dere.ingest.arrays.dere_simulation import estimated_latitude
from dere.ingest.checks import check_unit
from dere.ingest.months import MONTHS, time_coordinates
from dere.ingest.possible import IMPOSSIBLE, only_possible, packed
from dere.variables import FLUX_UNIT, FLUXES, VARIABLES, convert, count_out_of_range

log = logging.getLogger(__name__)

_LABELS = {"nee": "nee", "gpp": "gpp_nt", "reco": "reco_nt"}


def read_towers(folder: Path, config: SimulationSource) -> xr.Dataset:
    """Read the towers of one network.

    Every month from January 1993 on is in the record, because it has drivers. Quality is not published: a month with a
    value counts as measured. GPP and RECO stand as those of the night-time partitioning, which is not stated either.

    Returns
    -------
    Dataset
        Interim towers (site, time): ``nee``, ``gpp_nt``, ``reco_nt``, ``nee_quality``, ``in_record``; where its file is
        at hand the published imputation ``imputed_flux`` and ``imputed_flux_std`` (site, time, flux), kept for
        comparison. Coordinates as of ``dere.ingest.tower.towers.merge`` and ``published_role`` (train or test). Without
        a table of coordinates latitude is estimated from shortwave and longitude is NaN.

    Raises
    ------
    FileNotFoundError
        When a file of the network is missing.
    ValueError
        When a file is damaged, of another shape, order or unit.
    """
    found = find_files(folder, config.network)
    require_files(found, folder, config.network, "towers", "tower_cover")
    file, drivers = Npz(found["tower_cover"]), Npz(found["towers"])
    values: dict[str, list[np.ndarray]] = {name: [] for name in FLUXES}
    lost: dict[str, list[np.ndarray]] = {name: [] for name in FLUXES}
    names: list[str] = []
    roles: list[str] = []
    lat: list[np.ndarray] = []
    lon: list[np.ndarray] = []
    igbp: list[np.ndarray] = []
    for split in SPLITS:
        key = f"InSitu_{split}"
        raw = file.read(key, (None, YEARS + 1, MONTHS, len(IN_SITU)))
        count = len(raw)
        fluxes_of = parse_fluxes(raw, f"{file.name}: {key}")
        stored = raw.reshape(count, -1, len(IN_SITU))[:, -YEARS * MONTHS :]
        for name, array in fluxes_of.items():
            values[name].append(array)
            lost[name].append((np.isfinite(stored[..., IN_SITU.index(name)]) & np.isnan(array)).sum(1))
        log.info("%s: %d months of 1992 with a flux and without drivers are left out", key, dropped_months(raw))
        names += tower_ids(config, split, count)
        roles += [split] * count
        if config.coordinates:
            table = Path(config.coordinates)
            own = rows_of(read_coordinates(table), f"{split}_tower", count, table.name)
            place = own["lat"].to_numpy(), own["lon"].to_numpy(), own["igbp"].to_numpy()
        else:
            x = drivers.read(f"x_{split}", (count, YEARS, MONTHS, CHANNELS))
            place = estimated_latitude(x), np.full(count, np.nan), np.full(count, "", object)
        for into, column in zip((lat, lon, igbp), place, strict=True):
            into.append(column)
    fluxes = {name: np.concatenate(parts) for name, parts in values.items()}
    for name, array in fluxes.items():
        check_unit(name, array, file.name, f"InSitu channel {IN_SITU.index(name)}")
        count_out_of_range(name, array, file.name)
    dims = ("site", "time")
    taken_out = {name: np.concatenate(parts) for name, parts in lost.items()}
    texts = [packed({n: int(of[row]) for n, of in taken_out.items() if of[row]}) for row in range(len(names))]
    measured = np.isfinite(fluxes["nee"])
    text = {"network": config.network, "koppen": "", "source": file.name, "processing": "DERE arrays"}
    towers = xr.Dataset(
        {
            **{_LABELS[name]: (dims, array, VARIABLES[name].attrs) for name, array in fluxes.items()},
            "nee_quality": (dims, np.where(measured, 1.0, np.nan), {"units": "1", "comment": "not published: 1"}),
            "in_record": (dims, np.ones(measured.shape, bool)),
        },
        coords={
            "site": np.array(names, object),
            **time_coordinates(FIRST_YEAR * MONTHS, YEARS * MONTHS),
            "lat": ("site", np.concatenate(lat), {"units": "degrees_north"}),
            "lon": ("site", np.concatenate(lon), {"units": "degrees_east"}),
            "elevation": ("site", np.full(len(names), np.nan), {"units": "m"}),
            "igbp": ("site", np.concatenate(igbp).astype(object)),
            "published_role": ("site", np.array(roles, object)),
            IMPOSSIBLE: ("site", np.array(texts, object)),
            **{name: ("site", np.full(len(names), value, object)) for name, value in text.items()},
        },
    )
    if "tower_imputation" in found:
        towers = towers.assign(_imputation(Npz(found["tower_imputation"]), [roles.count(split) for split in SPLITS]))
    log.info("%d towers, %d months with fluxes", len(names), int(measured.sum()))
    return towers


def _imputation(file: Npz, counts: list[int]) -> dict[str, xr.Variable]:
    """The published imputation in canonical order and unit; its spread is taken to be in the same unit (not stated)."""
    order = [IN_SITU.index(name) for name in FLUXES]
    parts = {}
    for name, key in {"imputed_flux": "InSitu_{}_imputation", "imputed_flux_std": "InSitu_{}_std"}.items():
        raw = [
            file.read(key.format(split), (count, YEARS, MONTHS, len(IN_SITU)))
            for split, count in zip(SPLITS, counts, strict=True)
        ]
        series = np.concatenate(raw).reshape(sum(counts), YEARS * MONTHS, len(IN_SITU))[..., order]
        attrs = {"units": FLUX_UNIT, "comment": f"published imputation, order {' '.join(FLUXES)}"}
        values = convert(series, "kgC m-2 yr-1", FLUX_UNIT).astype(np.float32)
        kinds = [f"{flux}_uncertainty" if name.endswith("_std") else flux for flux in FLUXES]
        for at, kind in enumerate(kinds):
            what = f"{key.format('*')}: {kind}"
            values[..., at] = only_possible(kind, values[..., at], file.name, what, written=series[..., at])[0]
        parts[name] = xr.Variable(("site", "time", "flux"), values, attrs)
    return parts
