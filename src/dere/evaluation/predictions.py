"""The prediction dataset of one method, fold and seed, as every method of the comparison hands it in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.harmonise.label_months import usable
from dere.variables import FLUX_UNIT, FLUXES

PREDICTED_ROLES = ("test", "predict")
TRAINING_ROLES = ("training", "validation")
"""Roles whose labels a method may use: without early stopping, or after it (``stages.*.refit``), validation trains."""


def sites_with_role(members: pd.DataFrame, roles: Sequence[str]) -> list[str]:
    """Ids of the sites (not cells) in one of ``roles``, in table order."""
    chosen = (members["kind"] == "site") & members["role"].isin(list(roles))
    return members.loc[chosen, "id"].astype(str).tolist()


def assemble(
    values: NDArray,
    towers: xr.Dataset,
    sites: Sequence[str],
    *,
    method: str,
    fold: int,
    seed: int,
    backbone: str = "none",
    attrs: Mapping[str, object] | None = None,
) -> xr.Dataset:
    """Prediction dataset on the towers' time axis, empty outside each site's record.

    Parameters
    ----------
    values
        (site, time, flux) in gC m-2 d-1, in the order of ``sites``, ``towers.time`` and ``FLUXES``.
    towers
        Canonical towers; uses ``record`` and the coordinates.
    sites
        Ids.
    method, backbone, fold, seed, attrs
        Attributes of the file.
    """
    here = towers.sel(site=list(sites))
    record = here["record"].transpose("site", "time").values.astype(bool)
    masked = np.where(record[..., None], values, np.nan)
    return xr.Dataset(
        {
            "prediction": (
                ("site", "time", "flux"),
                masked.astype("float64"),
                {"units": FLUX_UNIT, "long_name": "predicted monthly flux, NEE positive to the atmosphere"},
            )
        },
        coords={
            "site": ("site", np.asarray(list(sites), dtype=object).astype(str)),
            "time": towers["time"],
            "flux": ("flux", np.asarray(FLUXES)),
        },
        attrs={"method": method, "backbone": backbone, "fold": int(fold), "seed": int(seed), **(attrs or {})},
    )


def training_rows(
    towers: xr.Dataset, members: pd.DataFrame, minimum_quality: float, roles: Sequence[str] = TRAINING_ROLES
) -> xr.Dataset:
    """Towers of ``roles`` with the labels that may be learned from; everything else is not in it.

    Returns
    -------
    Dataset
        ``flux_value(site, time, flux)`` with NaN below ``minimum_quality``, outside the record, or where one of the
        three fluxes is missing; all other variables as in ``towers``.

    Raises
    ------
    ValueError
        When no labelled month is left.
    """
    names = sites_with_role(members, roles)
    known = set(towers["site"].values.astype(str))
    here = towers.sel(site=[name for name in names if name in known])
    flux = here["flux_value"].sel(flux=list(FLUXES)).transpose("site", "time", "flux")
    quality = here["flux_quality"].transpose("site", "time").values
    good = here["record"].transpose("site", "time").astype(bool) & usable(flux.values, quality, minimum_quality)
    if not bool(good.any()):
        raise ValueError(
            f"towers.nc holds no month of quality >= {minimum_quality:g} at the {here.sizes['site']} "
            f"{' and '.join(roles)} towers; lower harmonise.minimum_training_quality or bring more towers"
        )
    return here.drop_vars("flux_value").assign(flux_value=flux.where(good)).sel(flux=list(FLUXES))
