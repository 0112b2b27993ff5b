"""Labels of an exchange whose towers publish its fluxes as they are: one column per flux, one of quality.

Rejected and counted are values that no such flux can have (`Flux.possible`) and runs of repeated values; nothing is
clipped. Quality never removes a month here; it is stored beside the label. Such columns state no uncertainty: the
standard uncertainty of a label is 5 % of the standard deviation of its flux at the same site, which is a round
fallback and no measurement.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.exchange import Exchange
from dere.harmonise.label_quality import flux_quality
from dere.harmonise.labels import OUTSIDE, Labels, counted, repeated_runs, sifted

UNCERTAINTY_SHARE = 0.05
_DIMS = ("site", "time", "flux")


def column_labels(
    towers: xr.Dataset, exchange: Exchange, repeated_run: int, reached: NDArray[np.bool_] | None = None
) -> Labels:
    """Take the labels of an exchange from the columns that its rule names.

    Parameters
    ----------
    towers
        Interim towers (site, time): ``in_record`` and the columns of ``exchange.labels``, in the units of its fluxes.
    exchange
        With ``labels.columns`` and ``labels.quality`` only.
    repeated_run
        Runs of so many equal values are rejected.
    reached
        (site, time) months that have drivers; None = all. Others give nothing, and their labels are counted.

    Returns
    -------
    Labels
        ``flux_value``, ``flux_uncertainty`` and ``flux_quality``, each (site, time, flux); fluxes are rejected each
        for itself. In the counts a month is kept that is a label of any flux, and rejected for the first reason that
        holds for any of its fluxes.

    Raises
    ------
    ValueError
        When the towers lack a column.
    """
    rule = exchange.labels
    values = np.stack([_column(towers, rule.columns.get(flux.name, ""), exchange.name) for flux in exchange.fluxes], -1)
    _column(towers, rule.quality, exchange.name)  # refused here where no tower has it
    record = towers["in_record"].transpose("site", "time").values.astype(bool)
    low, high = np.array([flux.possible for flux in exchange.fluxes]).T
    beyond = np.zeros_like(record) if reached is None else ~reached
    tests = {
        "missing": np.isnan(values),
        "impossible": (values < low) | (values > high),
        "repeated": np.moveaxis(repeated_runs(np.moveaxis(values, -1, 1), repeated_run), 1, -1),
        OUTSIDE: np.broadcast_to(beyond[..., None], values.shape),
    }
    left, rejected = sifted(np.broadcast_to(record[..., None], values.shape), tests)
    kept = np.where(left, values, np.nan)
    units = {flux.unit for flux in exchange.fluxes}
    unit = {"units": units.pop()} if len(units) == 1 else {}
    dataset = xr.Dataset(
        {
            "flux_value": (_DIMS, kept.astype(np.float32), {**unit, "long_name": "tower flux"}),
            "flux_uncertainty": (
                _DIMS,
                np.where(left, UNCERTAINTY_SHARE * _spread(kept)[:, None], np.nan).astype(np.float32),
                {
                    **unit,
                    "long_name": f"standard uncertainty of the label, {UNCERTAINTY_SHARE:.0%} of its site's spread",
                },
            ),
            "flux_quality": flux_quality(towers, exchange, record & ~beyond),
        },
        coords={"site": towers["site"], "time": towers["time"], "flux": list(exchange.names)},
    )
    months: dict[tuple[str, str], NDArray[np.bool_]] = {("labels", "kept"): np.asarray(left.any(-1))}
    for reason, where in rejected.items():
        months["labels", reason] = where.any(-1) & ~np.any(list(months.values()), axis=0)
    return Labels(dataset, counted(towers["site"].values.astype(str), months))


def _spread(values: NDArray) -> NDArray[np.float64]:
    """Standard deviation (site, flux) over the months of each site; NaN without any."""
    present = np.isfinite(values)
    count = np.where(present.any(1), present.sum(1), np.nan)
    mean = np.where(present, values, 0.0).sum(1) / count
    return np.sqrt((np.where(present, values - mean[:, None], 0.0) ** 2).sum(1) / count)


def _column(towers: xr.Dataset, name: str, exchange: str) -> NDArray[np.float64]:
    if name not in towers:
        raise ValueError(
            f"labels of exchange '{exchange}' come from column '{name}', which no tower has; bring towers that measure "
            "it, or take the exchange out of exchanges"
        )
    return towers[name].transpose("site", "time").values.astype(float)
