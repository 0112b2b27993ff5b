"""Damage to the axes of NetCDF files: turned, shifted, in other units, a month that is gone."""

from __future__ import annotations

import cftime
import numpy as np
import xarray as xr
from fuzz_changes import Change, Damage, damage, pick
from fuzz_grids import Grid, changed


@damage("harmless", 2)
def latitude_turned(dataset: xr.Dataset, rng: np.random.Generator, about: Grid) -> Change | None:
    return Change(dataset.isel({about.lat: slice(None, None, -1)})) if about.lat in dataset.dims else None


@damage("harmless", 2)
def longitudes_from_elsewhere(dataset: xr.Dataset, rng: np.random.Generator, about: Grid) -> Change | None:
    """0..360 in place of -180..180 or the other way round, the columns in ascending order of it."""
    if about.lon not in dataset.dims:
        return None
    lon = dataset[about.lon].to_numpy().astype(float)
    other = (lon + 180) % 360 - 180 if lon.max() > 180 else lon % 360
    return Change(changed(dataset, about.lon, other).sortby(about.lon))


@damage("harmless", 2)
def time_turned(dataset: xr.Dataset, rng: np.random.Generator, about: Grid) -> Change | None:
    return Change(dataset.isel({about.time: slice(None, None, -1)})) if dataset.sizes.get(about.time, 0) > 1 else None


@damage("harmless", 4)
def cells_in_another_order(dataset: xr.Dataset, rng: np.random.Generator, about: Grid) -> Change | None:
    if about.cell not in dataset.dims:
        return None
    return Change(dataset.isel({about.cell: rng.permutation(dataset.sizes[about.cell])}))


@damage("harmless")
def axes_in_another_order(dataset: xr.Dataset, rng: np.random.Generator, about: Grid) -> Change:
    return Change(dataset.transpose(*[str(name) for name in rng.permutation([*map(str, dataset.dims)])]))


@damage("harmless", 2)
def time_in_other_units(dataset: xr.Dataset, rng: np.random.Generator, about: Grid) -> Change | None:
    """Hours, minutes or seconds since, from another day, or in another calendar with the same dates."""
    if dataset.sizes.get(about.time, 0) < 2 or "since" not in str(dataset[about.time].attrs.get("units", "")):
        return None
    attrs = dataset[about.time].attrs
    calendar = str(attrs.get("calendar", "standard"))
    bounds = [name for name in (attrs.get("bounds"),) if name in dataset]
    other = calendar if rng.random() < 0.5 else str(pick(rng, ("standard", "proleptic_gregorian", "noleap", "julian")))
    unit = str(
        pick(
            rng,
            (
                "hours since 1850-01-01",
                "minutes since 1999-12-31",
                "days since 1901-01-01 00:00:00",
                "seconds since 1970-01-01",
            ),
        )
    )
    for name in (about.time, *bounds):
        dates = cftime.num2date(dataset[name].to_numpy().astype(float), attrs["units"], calendar)
        if any(date.month == 2 and date.day > 28 for date in np.ravel(dates)):
            other = calendar
    for name in (about.time, *bounds):
        dates = cftime.num2date(dataset[name].to_numpy().astype(float), attrs["units"], calendar)
        texts = [
            cftime.datetime(d.year, d.month, d.day, d.hour, d.minute, d.second, calendar=other) for d in np.ravel(dates)
        ]
        numbers = np.asarray(cftime.date2num(texts, unit, other), float).reshape(dataset[name].shape)
        dataset = dataset.assign({name: (dataset[name].dims, numbers, dataset[name].attrs)})
    return Change(changed(dataset, about.time, dataset[about.time].to_numpy(), units=unit, calendar=other))


@damage("hostile", 2)
def month_gone_or_twice(dataset: xr.Dataset, rng: np.random.Generator, about: Grid) -> Change | None:
    count = dataset.sizes.get(about.time, 0)
    if count < 12:
        return None
    at = int(rng.integers(1, count - 1))
    chosen = [*range(at), *range(at + 1, count)] if rng.random() < 0.5 else [*range(at + 1), *range(at, count)]
    if rng.random() < 0.3:
        chosen = sorted({*range(count)} - {at}) + [at - 1]
    return Change(dataset.isel({about.time: chosen}), None, (about.time,))


@damage("hostile", 2)
def latitudes_misplaced(dataset: xr.Dataset, rng: np.random.Generator, about: Grid) -> Change | None:
    """The coordinate is turned or exchanged, the data are not: they lie elsewhere than in the other files."""
    if not about.compared:
        return None
    lat = dataset[about.lat].to_numpy()
    if about.cell and rng.random() < 0.5:
        return Change(
            changed(changed(dataset, about.lat, dataset[about.lon].to_numpy()), about.lon, lat), None, (about.lat,)
        )
    return Change(changed(dataset, about.lat, -lat if about.cell else lat[::-1]), None, (about.lat,))


@damage("hostile", 2)
def times_without_their_bounds(dataset: xr.Dataset, rng: np.random.Generator, about: Grid) -> Change | None:
    """The stamps are the ends of their months and nothing says so."""
    if dataset.sizes.get(about.time, 0) < 12 or "since" not in str(dataset[about.time].attrs.get("units", "")):
        return None
    attrs = {key: value for key, value in dataset[about.time].attrs.items() if key != "bounds"}
    bounds = str(dataset[about.time].attrs.get("bounds", ""))
    plain = dataset.drop_vars(bounds) if bounds in dataset else dataset
    ends = dataset[bounds].to_numpy()[:, 1] if bounds in dataset else None
    if ends is None:
        return None
    return Change(plain.assign_coords({about.time: (about.time, ends, attrs)}), None, (about.time,))


@damage("hostile")
def time_that_is_none(dataset: xr.Dataset, rng: np.random.Generator, about: Grid) -> Change | None:
    if dataset.sizes.get(about.time, 0) < 2 or about.time not in dataset.variables:
        return None
    values, way = dataset[about.time].to_numpy().astype(float), int(rng.integers(5))
    plain = dataset.drop_vars(str(dataset[about.time].attrs.get("bounds", "")), errors="ignore")
    attrs = {key: value for key, value in dataset[about.time].attrs.items() if key != "bounds"}
    spoiled = (values * 0, values, values, np.where(np.arange(len(values)) == 3, np.nan, values), values * 1e9)[way]
    attrs |= ({}, {"units": "fortnights since 2000-01-01"}, {"calendar": "mayan"}, {}, {})[way]
    return Change(plain.assign_coords({about.time: (about.time, spoiled, attrs)}), None, (about.time,))


DAMAGES = tuple(found for found in globals().values() if isinstance(found, Damage))
