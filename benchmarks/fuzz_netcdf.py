"""Damage to the variables of NetCDF files: fill values that nobody names, variables that are gone, other units."""

from __future__ import annotations

import numpy as np
import xarray as xr
from fuzz_changes import Change, Damage, code, damage, pick
from fuzz_grids import Grid, changed, fill_of
from fuzz_netcdf_files import CLASSIC, HUGE


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
        return Change(
            dataset.assign({name: (dataset[name].dims, np.where(empty, new, values), kept)}), dataset, (name,)
        )
    places = np.argwhere(~empty)
    chosen = tuple(places[rng.choice(len(places), size=int(rng.integers(1, 4)), replace=False)].T)
    proper = values.copy()
    proper[chosen] = np.nan if old is None else old
    values[chosen] = new
    return Change(changed(dataset, name, values), changed(dataset, name, proper), (name,))


@damage("hostile")
def variable_gone(dataset: xr.Dataset, rng: np.random.Generator, about: Grid) -> Change:
    name = str(
        pick(
            rng, [*about.variables(dataset), *(a for a in (about.lat, about.lon, about.time) if a in dataset.variables)]
        )
    )
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
    return Change(
        dataset.assign({name: old.isel({old.dims[0]: 0})}), None, (name,), excused=old.sizes[old.dims[0]] == 1
    )


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


DAMAGES = tuple(found for found in globals().values() if isinstance(found, Damage))
