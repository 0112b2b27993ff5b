"""Canonical files of a run as an opened run hands them out."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from dere.io import read_netcdf


def require_this_version(towers: Path) -> None:
    """Check that this version of the package wrote the towers of a run.

    Parameters
    ----------
    towers
        ``data/towers.nc``.

    Raises
    ------
    ValueError
        When quality is not by site, month and flux.
    """
    with read_netcdf(towers, load=False) as found:
        dims = found["flux_quality"].dims if "flux_quality" in found else ()
    if set(dims) != {"site", "time", "flux"}:
        raise ValueError(
            f"{towers} was written by another version of dere (flux_quality by site, month and flux is expected); make "
            "the run again with dere run"
        )


def loaded(dataset: xr.Dataset) -> xr.Dataset:
    """Read a lazy dataset and close its file, which a notebook would else hold for as long as it lives."""
    with dataset:
        return dataset.load()
