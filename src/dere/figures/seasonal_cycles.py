"""Mean seasonal cycles of unseen towers, by vegetation class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2
from dere.figures.observed import TOWER_FLUX, good_months, labelled
from dere.figures.style import BLACK, flux_label, method_colour, method_label, signed

OBSERVED = "observed"


def tabulate(
    towers: xr.Dataset,
    predictions: Mapping[str, xr.Dataset],
    methods: Sequence[str],
    grouping: str = "igbp",
    exchange: Exchange = CO2,
) -> pd.DataFrame:
    """Mean cycle per class: mean over years within a tower first, then over towers.

    Months are used where a good observation and every method are there. South of the equator months are shifted by
    six, so that summer meets summer.

    Parameters
    ----------
    towers
        Canonical towers.
    predictions
        Method to its predictions.
    methods
        Methods to compare; those without predictions are left out.
    grouping
        Site coordinate that names the classes.
    exchange
        Whose fluxes are shown.

    Returns
    -------
    DataFrame
        Columns group, flux, month (1-12, season-aligned), series (observed or method), value, sites.
    """
    chosen = {name: predictions[name] for name in methods if name in predictions}
    sites = np.array([s for s in towers["site"].values if all(s in set(p["site"].values) for p in chosen.values())])
    here = towers.sel(site=sites)
    shift = xr.where(here["lat"] < 0, 6, 0)
    month = (here["time"].dt.month - 1 + shift) % 12 + 1
    rows = []
    for flux in exchange.names:
        series = {OBSERVED: labelled(here, TOWER_FLUX, exchange).sel(flux=flux, drop=True)}
        for name, prediction in chosen.items():
            series[name] = prediction["prediction"].sel(site=sites, flux=flux, drop=True).reindex(time=here["time"])
        good = good_months(here, flux, exchange)
        for values in series.values():
            good = good & values.notnull()
        usable = good.values
        frame = pd.DataFrame(
            {name: values.transpose("site", "time").values[usable] for name, values in series.items()}
            | {
                "month": month.transpose("site", "time").values[usable],
                "site": np.broadcast_to(sites[:, None], usable.shape)[usable],
                "group": np.broadcast_to(here[grouping].values.astype(str)[:, None], usable.shape)[usable],
            }
        )
        per_site = frame.groupby(["group", "site", "month"]).mean().reset_index()
        tidy = per_site.melt(["group", "site", "month"], var_name="series", value_name="value")
        mean = tidy.groupby(["group", "month", "series"])["value"].mean().reset_index()
        counts = per_site.groupby("group")["site"].nunique()
        rows.append(mean.assign(flux=flux, sites=mean["group"].map(counts)))
    return pd.concat(rows, ignore_index=True)[["group", "flux", "month", "series", "value", "sites"]]


def draw(figure: Figure, table: pd.DataFrame, groups: int = 5, exchange: Exchange = CO2) -> list[Artist]:
    """One column per class, one row per flux.

    Parameters
    ----------
    figure
        Empty figure.
    table
        Result of ``tabulate``.
    groups
        Largest number of classes, those with most towers first.
    exchange
        Whose fluxes are shown.
    """
    counts = table.groupby("group")["sites"].max().sort_index().sort_values(ascending=False, kind="stable")
    names = list(counts.index[:groups])
    axes = figure.subplots(len(exchange.fluxes), len(names), sharex=True, sharey="row", squeeze=False)
    order = [OBSERVED, *[name for name in table["series"].unique() if name != OBSERVED]]
    artists: list[Artist] = []
    for row, one in enumerate(exchange.fluxes):
        flux = one.name
        for column, group in enumerate(names):
            panel = axes[row, column]
            for name in order:
                part = table[(table["flux"] == flux) & (table["group"] == group) & (table["series"] == name)]
                cycle = part.set_index("month")["value"].reindex(range(1, 13))
                seen = name == OBSERVED
                artists += panel.plot(
                    cycle.index,
                    cycle.to_numpy(),
                    color=BLACK if seen else method_colour(name),
                    marker="o" if seen else None,
                    markersize=2.8,
                    linewidth=1.0 if seen else 1.6,
                    label="observed" if seen else method_label(name),
                )
            panel.grid(True)
            if row == 0:
                panel.set_title(f"{group} ({counts[group]} tower{'s' if counts[group] > 1 else ''})")
            if column == 0:
                panel.set_ylabel(flux_label(one))
            if signed(one):
                panel.axhline(0.0, color=BLACK, linewidth=0.6)
    for panel in axes[-1]:
        panel.set_xticks([1, 4, 7, 10], ["Jan", "Apr", "Jul", "Oct"])
    figure.supxlabel("month (south of the equator shifted by six months)", fontsize=9)
    handles, texts = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, texts, loc="outside upper center", ncols=len(texts))
    return artists
