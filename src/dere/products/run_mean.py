"""Mean of map predictions over folds and seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from dere.ingest.alignment import require_same_axes

RUN_AXES = ("cell", "time", "flux", "quantile")
"""Axes that predictions of all folds and seeds have in common."""


def mean_of_runs(runs: Sequence[xr.Dataset]) -> xr.Dataset:
    """Average map predictions over folds and seeds; means keep the closure.

    Variances are combined by the law of total variance; quantiles are averaged level by level and lie as much farther
    from the mean as the scatter of the runs widens the standard deviation. What only some of the runs have is left out.
    """
    first = runs[0]
    if len(runs) == 1:
        return first
    require_same_axes({f"map {number}": run for number, run in enumerate(runs, start=1)}, RUN_AXES)
    shared = [name for name in first.data_vars if all(name in run for run in runs)]
    result = first[shared].copy()
    means = np.stack([run["prediction"].values for run in runs])
    result["prediction"] = first["prediction"].copy(data=means.mean(0))
    for name in ("quantile_value", "plant_fraction", "extrapolation_index"):
        if name in shared:
            result[name] = first[name].copy(data=np.mean([run[name].values for run in runs], axis=0))
    if "std" in shared:
        within = np.mean(np.stack([run["std"].values for run in runs]) ** 2, axis=0)
        total = within + means.var(0, ddof=1)
        result["std"] = first["std"].copy(data=np.sqrt(total))
        if "quantile_value" in shared:
            wider = np.sqrt(total / np.where(within > 0, within, np.nan))[..., None]
            centre = result["prediction"].values[..., None]
            ends = centre + (result["quantile_value"].values - centre) * np.where(np.isfinite(wider), wider, 1.0)
            # what is never negative in any run is not in their mean
            positive = np.min([run["quantile_value"].values for run in runs], axis=0) >= 0
            result["quantile_value"] = result["quantile_value"].copy(
                data=np.where(positive, np.maximum(ends, 0.0), ends)
            )
    return result.assign_attrs(fold="all", seed="ensemble")
