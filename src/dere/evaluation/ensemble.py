"""``ensemble.nc``: one prediction per site from all folds and seeds; means only, because means keep the closure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from dere.evaluation.runs import ENSEMBLE, POOLED
from dere.harmonise.site_roles import COORDINATE, LONG_NAME, SEEN
from dere.ingest.alignment import require_same_axes


def ensemble(predictions: Sequence[xr.Dataset]) -> xr.Dataset:
    """Combine the files of one method and backbone.

    A test tower is predicted by the fold that did not see it, averaged over seeds; a predict site by all folds and
    seeds; a tower whose labels every model has used, by all of them too, and its ``role`` says so. The standard
    deviation combines the members' own variances with the spread of their means (law of total variance); quantiles
    are averaged level by level, which keeps intervals that all members share.

    Parameters
    ----------
    predictions
        Prediction datasets of equal method, backbone and time axis, any folds and seeds.

    Returns
    -------
    Dataset
        ``prediction``, ``std`` (where members have one, or more than one member predicts every site), optional
        ``quantile_value``, ``members(site)``; coordinates ``fold(site)``, -1 where several folds predict a site, and
        ``role(site)`` where the files have it; attributes fold = all, seed = ensemble, and ``folds``, those that were
        joined. Of several assignments of clusters to folds each tests a tower once; all of these are averaged.

    Raises
    ------
    ValueError
        Without files, or when methods, backbones or time axes differ, or when only some files have quantiles.
    """
    if not predictions:
        raise ValueError("an ensemble needs at least one prediction file, but none was given; predict first")
    _check_alike(predictions)
    predictions, roles = _least_seen(predictions)
    sites = sorted({str(site) for file in predictions for site in file["site"].values})
    position = {site: i for i, site in enumerate(sites)}
    first = predictions[0]
    order = ("site", "time", "flux")
    shape = (len(sites), first.sizes["time"], first.sizes["flux"])
    count = np.zeros(len(sites), int)
    mean, scatter, variance = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    fold = np.full(len(sites), -2)
    with_std = all("std" in file for file in predictions)
    with_quantiles = all("quantile_value" in file for file in predictions)
    quantiles = np.zeros((*shape, first.sizes["quantile"])) if with_quantiles else np.zeros(0)
    for file in predictions:
        index = np.asarray([position[str(site)] for site in file["site"].values], int)
        values = file["prediction"].sel(flux=first["flux"]).transpose(*order).values.astype("float64")
        count[index] += 1
        # Welford's update: equal members leave a scatter of exactly zero, where a difference of squares leaves noise.
        change = values - mean[index]
        mean[index] += change / count[index][:, None, None]
        scatter[index] += change * (values - mean[index])
        mine = int(file.attrs["fold"])
        fold[index] = np.where((fold[index] == -2) | (fold[index] == mine), mine, -1)
        if with_std:
            variance[index] += file["std"].sel(flux=first["flux"]).transpose(*order).values.astype("float64") ** 2
        if with_quantiles:
            quantiles[index] += file["quantile_value"].sel(flux=first["flux"]).transpose(*order, "quantile").values
    members = count[:, None, None]
    joined = " ".join(map(str, sorted({int(file.attrs["fold"]) for file in predictions})))
    attrs = first["prediction"].attrs
    out = xr.Dataset(
        {"prediction": (order, mean, attrs), "members": ("site", count, {"long_name": "files averaged"})},
        coords={
            "site": ("site", np.asarray(sites)),
            "time": first["time"],
            "flux": first["flux"],
            "fold": ("site", fold, {"long_name": "fold that predicts the site, -1 = several"}),
        },
        attrs={
            **{k: first.attrs[k] for k in ("method", "backbone")},
            "fold": POOLED,
            "seed": ENSEMBLE,
            "folds": joined,
        },
    )
    if roles:
        out = out.assign_coords(
            {COORDINATE: ("site", np.asarray([roles[site] for site in sites]), {"long_name": LONG_NAME})}
        )
    if with_std or count.min() > 1:
        # With few members the divisor n - 1 matters; the members' own variance needs no such correction.
        between = scatter / np.maximum(members - 1, 1)
        out["std"] = (order, np.sqrt(variance / members + between), attrs)
    if with_quantiles:
        out["quantile_value"] = ((*order, "quantile"), quantiles / members[..., None], attrs)
        out = out.assign_coords(quantile=first["quantile"])
    return out


def _least_seen(predictions: Sequence[xr.Dataset]) -> tuple[list[xr.Dataset], dict[str, str]]:
    """Leave a site in those files only whose models have not used its labels, where there are any; also its role.

    Files that do not name roles are returned as they are, with none.
    """
    if not all(COORDINATE in file.coords for file in predictions):
        return list(predictions), {}
    of_files = [dict(zip(_texts(file["site"]), _texts(file[COORDINATE]), strict=True)) for file in predictions]
    best = {site: role for roles in of_files for site, role in roles.items()}
    best |= {site: role for roles in of_files for site, role in roles.items() if role != SEEN}
    kept = [
        file.isel(site=np.flatnonzero([best[site] == role for site, role in roles.items()]))
        for file, roles in zip(predictions, of_files, strict=True)
    ]
    return kept, best


def _texts(values: xr.DataArray) -> list[str]:
    return values.values.astype(str).tolist()


def _check_alike(predictions: Sequence[xr.Dataset]) -> None:
    first = predictions[0]
    for key in ("method", "backbone"):
        found = {str(file.attrs[key]) for file in predictions}
        if len(found) > 1:
            raise ValueError(f"an ensemble is of one {key}, but the files have {sorted(found)}; combine each by itself")
    if any(not file["time"].equals(first["time"]) for file in predictions):
        raise ValueError("the files of an ensemble have different time axes; predict all of them on that of towers.nc")
    require_same_axes({f"file {n}": file for n, file in enumerate(predictions, start=1)}, ("quantile",))
    having = sum("quantile_value" in file for file in predictions)
    if 0 < having < len(predictions):
        raise ValueError(
            f"{having} of {len(predictions)} files of an ensemble have quantiles; predict all with the same version"
        )
