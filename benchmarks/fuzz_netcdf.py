"""Damage to NetCDF files: axes turned and shifted, fill values that nobody names, variables that are gone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cftime
import netCDF4
import numpy as np
import xarray as xr
from fuzz_changes import Change, Damage, code, damage, pick


HUGE, CLASSIC = "_huge", "_classic"
"""Marks for `save`."""


@dataclass(frozen=True)
class Grid:
    """What a NetCDF file holds.

    Parameters
    ----------
    data
        Variables that are read, by pattern or name; empty = every variable with more than one axis.
    lat, lon, time, cell
        Its axes; '' = it has none of the kind.
    compared
        Other files of the set tell where its places are.
    """

    data: tuple[str, ...] = ()
    lat: str = "lat"
    lon: str = "lon"
    time: str = "time"
    cell: str = ""
    compared: bool = False

    def variables(self, dataset: xr.Dataset) -> list[str]:
        """Variables that are read and in the file."""
        axes = {self.lat, self.lon, self.time, self.cell, *dataset.dims}
        wide = [str(name) for name, found in dataset.variables.items() if found.ndim > 1 and found.dtype.kind in "fiu"]
        return [name for name in wide if (name in self.data if self.data else name not in axes)]


def changed(dataset: xr.Dataset, name: str, values: np.ndarray, **attrs: object) -> xr.Dataset:
    """The file with other values, and some other attributes, of a variable."""
    old = dataset[name]
    return dataset.assign({name: (old.dims, values, {**old.attrs, **attrs})})


def fill_of(dataset: xr.Dataset, name: str) -> float | None:
    """The missing value that a variable states."""
    attrs = dataset[name].attrs
    return attrs.get("_FillValue", attrs.get("missing_value"))


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
    return Change(dataset.transpose(*[str(name) for name in rng.permutation(list(dataset.dims))]))


@damage("harmless")
def extra_variables(dataset: xr.Dataset, rng: np.random.Generator, about: Grid) -> Change:
    first = about.variables(dataset)[0]
    more = {"quality_flag": dataset[first] * 0 + 1, "crs": ((), 0, {"grid_mapping_name": "latitude_longitude"})}
    return Change(dataset.assign(more).assign_coords(height=2.0))


@damage("harmless")
def in_double_precision(dataset: xr.Dataset, rng: np.random.Generator, about: Grid) -> Change:
    names = [name for name in about.variables(dataset) if dataset[name].dtype.kind == "f"]
    return Change(dataset.assign({name: dataset[name].astype("f8") for name in names}))


@damage("harmless", 2)
def missing_stated_otherwise(dataset: xr.Dataset, rng: np.random.Generator, about: Grid) -> Change | None:
    """Another number for missing values, which an attribute names."""
    name = str(pick(rng, about.variables(dataset)))
    old, values = fill_of(dataset, name), dataset[name].to_numpy()
    if values.dtype.kind != "f":
        return None
    empty = np.isnan(values) | ((values == old) if old is not None else False)
    new = values.dtype.type(pick(rng, (-9999.0, 1e20, -999.0, 9.96921e36)))
    kept = {key: value for key, value in dataset[name].attrs.items() if key not in ("_FillValue", "missing_value")}
    attribute = str(pick(rng, ("_FillValue", "missing_value")))
    filled = (dataset[name].dims, np.where(empty, new, values), {**kept, attribute: new})
    return Change(dataset.assign({name: filled}))


@damage("harmless", 2)
def time_in_other_units(dataset: xr.Dataset, rng: np.random.Generator, about: Grid) -> Change | None:
    """Hours, minutes or seconds since, from another day, or in another calendar with the same dates."""
    if dataset.sizes.get(about.time, 0) < 2 or "since" not in str(dataset[about.time].attrs.get("units", "")):
        return None
    attrs = dataset[about.time].attrs
    calendar = str(attrs.get("calendar", "standard"))
    bounds = [name for name in (attrs.get("bounds"),) if name in dataset]
    other = calendar if rng.random() < 0.5 else str(pick(rng, ("standard", "proleptic_gregorian", "noleap", "julian")))
    unit = str(pick(rng, ("hours since 1850-01-01", "minutes since 1999-12-31", "days since 1901-01-01 00:00:00", "seconds since 1970-01-01")))
    for name in (about.time, *bounds):
        dates = cftime.num2date(dataset[name].to_numpy().astype(float), attrs["units"], calendar)
        if any(date.month == 2 and date.day > 28 for date in np.ravel(dates)):
            other = calendar
    for name in (about.time, *bounds):
        dates = cftime.num2date(dataset[name].to_numpy().astype(float), attrs["units"], calendar)
        texts = [cftime.datetime(d.year, d.month, d.day, d.hour, d.minute, d.second, calendar=other) for d in np.ravel(dates)]
        numbers = np.asarray(cftime.date2num(texts, unit, other), float).reshape(dataset[name].shape)
        dataset = dataset.assign({name: (dataset[name].dims, numbers, dataset[name].attrs)})
    return Change(changed(dataset, about.time, dataset[about.time].to_numpy(), units=unit, calendar=other))


@damage("hostile", 4)
def missing_code(dataset: xr.Dataset, rng: np.random.Generator, about: Grid) -> Change | None:
    """A code that no attribute names, in some known places or wherever the file has a missing value."""
    name = str(pick(rng, about.variables(dataset)))
    old, values = fill_of(dataset, name), dataset[name].to_numpy().copy()
    if values.dtype.kind != "f":
        return None
    empty = np.isnan(values) | ((values == old) if old is not None else False)
    kept = {key: value for key, value in dataset[name].attrs.items() if key not in ("_FillValue", "missing_value")}
    new = values.dtype.type(code(rng))
    if empty.any() and rng.random() < 0.5:
        return Change(dataset.assign({name: (dataset[name].dims, np.where(empty, new, values), kept)}), dataset, (name,))
    places = np.argwhere(~empty)
    chosen = tuple(places[rng.choice(len(places), size=int(rng.integers(1, 4)), replace=False)].T)
    proper = values.copy()
    proper[chosen] = np.nan if old is None else old
    values[chosen] = new
    return Change(changed(dataset, name, values), changed(dataset, name, proper), (name,))


@damage("hostile")
def variable_gone(dataset: xr.Dataset, rng: np.random.Generator, about: Grid) -> Change:
    name = str(pick(rng, [*about.variables(dataset), *(a for a in (about.lat, about.lon, about.time) if a in dataset.variables)]))
    return Change(dataset.drop_vars(name), None, (name,), lacks=True)


@damage("hostile")
def variable_renamed(dataset: xr.Dataset, rng: np.random.Generator, about: Grid) -> Change:
    name = str(pick(rng, about.variables(dataset)))
    return Change(dataset.rename({name: f"{name}_x"}), None, (name,), lacks=True)


@damage("hostile")
def variable_of_another_kind(dataset: xr.Dataset, rng: np.random.Generator, about: Grid) -> Change:
    """Text, a single number, or one axis less."""
    name = str(pick(rng, about.variables(dataset)))
    old, way = dataset[name], int(rng.integers(3))
    if way == 0:
        return Change(dataset.assign({name: (old.dims, np.full(old.shape, "much"), old.attrs)}), None, (name,))
    if way == 1:
        return Change(dataset.assign({name: ((), 3.0, old.attrs)}), None, (name,))
    return Change(dataset.assign({name: old.isel({old.dims[0]: 0})}), None, (name,), excused=old.sizes[old.dims[0]] == 1)


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
        return Change(changed(changed(dataset, about.lat, dataset[about.lon].to_numpy()), about.lon, lat), None, (about.lat,))
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


@damage("hostile")
def unit_of_another_kind(dataset: xr.Dataset, rng: np.random.Generator, about: Grid) -> Change | None:
    """The attribute says another unit than the values have."""
    names = [name for name in about.variables(dataset) if dataset[name].attrs.get("units")]
    if not names:
        return None
    name = str(pick(rng, names))
    other = str(pick(rng, ("furlong", "", "kg", "mm century-1")))
    return Change(changed(dataset, name, dataset[name].to_numpy(), units=other), None, (name,))


@damage("hostile", 0.5)
def claims_a_huge_variable(dataset: xr.Dataset, rng: np.random.Generator, about: Grid) -> Change:
    """A variable of the right name and 10^11 values of which none is stored."""
    return Change(dataset.assign_attrs({HUGE: str(pick(rng, about.variables(dataset)))}), None, lacks=True)


@damage("harmless", 0.7)
def in_the_classic_format(dataset: xr.Dataset, rng: np.random.Generator, about: Grid) -> Change:
    return Change(dataset.assign_attrs({CLASSIC: 1}))


def load(path: Path) -> xr.Dataset:
    """The file as stored: fill values as numbers, times as numbers."""
    dataset = xr.load_dataset(path, mask_and_scale=False, decode_times=False)
    for variable in dataset.variables.values():
        variable.encoding = {}
    return dataset


def save(dataset: xr.Dataset, path: Path) -> None:
    """Write a file as it is, without attributes that nobody asked for."""
    huge, classic = dataset.attrs.get(HUGE, ""), CLASSIC in dataset.attrs
    dataset = dataset.drop_attrs(deep=False).assign_attrs(title="synthetic")
    plain = {name: {"_FillValue": None} for name, found in dataset.variables.items() if "_FillValue" not in found.attrs}
    if huge:
        plain.pop(huge, None)
        dims, attrs = dataset[huge].dims, dataset[huge].attrs
        dataset.drop_vars(huge).to_netcdf(path, encoding=plain)
        with netCDF4.Dataset(path, "a") as opened:
            names = [opened.createDimension(f"{dim}_huge", 10_000_000 if number < 2 else 4).name for number, dim in enumerate(dims)]
            claimed = opened.createVariable(huge, "f4", names, zlib=True, chunksizes=[min(1000, 4)] * len(names))
            claimed.setncatts({key: value for key, value in attrs.items() if key != "_FillValue"})
        return
    dataset.to_netcdf(path, encoding=plain, **({"format": "NETCDF3_64BIT"} if classic else {}))


DAMAGES = tuple(found for found in globals().values() if isinstance(found, Damage))
