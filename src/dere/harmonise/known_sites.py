"""What must go with the models of a run, so that they can predict other sites without the run's data.

Which sites they know, where these lie and who tests them; the axis on which sites are laid; the annual cycles of
satellite channels by class, for a site that no satellite saw; and the drivers of the months learned from.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from dere.exchange import Exchange
from dere.harmonise.axis import month_number
from dere.harmonise.driver_space import driver_ranges, learned_space
from dere.harmonise.knowledge_channels import ClassCycles, class_cycles
from dere.harmonise.known_cells import known_cells
from dere.harmonise.label_months import labels_of, usable
from dere.harmonise.windows import simulated_spans
from dere.variables import SATELLITE

TEXTS = ("igbp", "kind")
MEAN_CLASS = "all"
"""Stands for the mean over all classes, which has an empty name in `ClassCycles`."""


def known_sites(
    towers: xr.Dataset,
    splits: pd.DataFrame,
    split: str,
    minimum_quality: float,
    exchange: Exchange,
    cells: Mapping[str, xr.Dataset] | None = None,
) -> xr.Dataset:
    """Make the dataset.

    Parameters
    ----------
    towers
        Canonical towers.
    splits
        Split table.
    split
        Its hash, which checkpoints and predictions name.
    minimum_quality
        Labels of lower quality are not learned from.
    exchange
        Whose labels.
    cells
        ``drivers``, ``simulation`` and ``cover`` of a simulation in files; None = the built-in process model runs on
        the sites.

    Returns
    -------
    Dataset
        ``lat``, ``lon``, ``igbp``, ``kind``, ``cluster``, ``fold``, ``learned_months`` (site), ``has_satellite`` (site)
        where the run has satellites; ``class_cycle(channel, class, calendar_month)``; ``low`` and ``high`` (driver);
        and what `driver_space.learned_space` and `known_cells.known_cells` give. Attributes ``split``,
        ``first_month``, ``driver_set``, ``window`` and ``simulated_months``, the longest span that is simulated.
    """
    sites = towers["site"].values.astype(str)
    own = splits[splits["kind"] == "site"].drop_duplicates("id").set_index("id").reindex(sites)
    fold, cluster = own["fold"].fillna(-1).to_numpy(np.int64), own["cluster"].fillna("").to_numpy(str)
    good = usable(*labels_of(towers, exchange), minimum_quality).any(-1)
    learned = good & towers["record"].transpose("site", "time").values.astype(bool) & (fold >= 0)[:, None]
    result = xr.Dataset(
        {
            "lat": ("site", towers["lat"].values.astype(float), {"units": "degrees_north"}),
            "lon": ("site", towers["lon"].values.astype(float), {"units": "degrees_east"}),
            **{name: ("site", towers[name].values.astype(str).astype(object)) for name in TEXTS},
            "cluster": ("site", cluster.astype(object)),
            "fold": ("site", fold, {"long_name": "fold that tests the site, -1 = none"}),
            "learned_months": ("site", learned.sum(1), {"long_name": "months with a label that models may learn from"}),
        },
        coords={"site": sites.astype(object)},
        attrs={
            "split": split,
            "first_month": int(month_number(towers["time"].values[:1])[0]),
            "driver_set": str(towers.attrs["driver_set"]),
            "window": int(towers.attrs["window"]),
            # at least a window; a run may ask for more (`members.run_sites`)
            "simulated_months": int(simulated_spans(towers, 0)[1].max()),
        },
    )
    if f"{SATELLITE[0]}_mask" in towers:
        seen = np.any([towers[f"{name}_mask"].transpose("site", "time").values > 0 for name in SATELLITE], axis=0)
        result["has_satellite"] = ("site", seen.any(1))
        result = result.merge(_packed(class_cycles(towers)))
    result = result.merge(driver_ranges(towers, learned)).merge(learned_space(towers, learned, cluster))
    if cells is None:
        return result
    of_cells = known_cells(cells["drivers"], cells["simulation"], cells["cover"])
    return result.merge(of_cells).assign_attrs(of_cells.attrs)


def cycles_of(known: xr.Dataset) -> ClassCycles | None:
    """Cycles by class as `knowledge_channels.with_knowledge` takes them; None in a run without satellites."""
    if "class_cycle" not in known:
        return None
    found: dict[str, Mapping[str, np.ndarray]] = {}
    for channel in known["channel"].values.astype(str):
        values = known["class_cycle"].sel(channel=channel).transpose("class", "calendar_month")
        rows = dict(zip(known["class"].values.astype(str), values.values, strict=True))
        found[channel] = {
            "" if name == MEAN_CLASS else name: row for name, row in rows.items() if np.isfinite(row).all()
        }
    return found


def _packed(cycles: ClassCycles) -> xr.Dataset:
    """Cycles as a dataset; a class that a channel lacks is NaN there."""
    names = sorted({name for of_class in cycles.values() for name in of_class})
    values = np.full((len(cycles), len(names), 12), np.nan)
    for index, of_class in enumerate(cycles.values()):
        for name, cycle in of_class.items():
            values[index, names.index(name)] = cycle
    about = {"long_name": "mean annual cycle of a satellite channel by IGBP class, from local midwinter on"}
    return xr.Dataset(
        {"class_cycle": (("channel", "class", "calendar_month"), values, about)},
        coords={"channel": list(cycles), "class": [name or MEAN_CLASS for name in names]},
    )
