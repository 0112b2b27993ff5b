"""Observed against predicted months at single towers, and the labels that imputation adds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.dates import date2num
from matplotlib.figure import Figure

from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2
from dere.figures.observed import TOWER_FLUX, example_sites, good_months, labelled
from dere.figures.style import BLACK, BLUE, GREY, flux_label, method_colour, method_label

IMPUTED, PARTLY = 2, 3
"""Codes of ``origin`` for an imputed month, and for one where not every flux is."""
SIDES = {"unseen": "unseen towers: {}", "training": "training towers: {}"}
"""Columns of panels and their titles, filled with what is drawn."""
LABELS = "imputed labels"
_INTERVAL = {"low": 0.05, "high": 0.95}
COLUMNS = (
    *("side", "series", "site", "igbp", "lat", "flux", "time", "value"),
    *(*_INTERVAL, "imputed", "observed", "good"),
)


def tabulate(
    towers: xr.Dataset,
    prediction: xr.Dataset,
    labels: xr.Dataset | None = None,
    flux: str = "nee",
    panels: int = 6,
    exchange: Exchange = CO2,
) -> pd.DataFrame:
    """Months of the towers that are shown, in the order of the panels.

    Parameters
    ----------
    towers
        Canonical towers.
    prediction
        ``prediction(site, time, flux)`` at towers that no stage has seen and, where the method has them,
        ``quantile_value(..., quantile)``.
    labels
        ``label(site, time, flux)``, ``quantile_value``, ``origin(site, time)`` of one fold; None = unseen towers only.
    flux
        Which flux.
    panels
        Number of towers in all.
    exchange
        What is predicted.

    Returns
    -------
    DataFrame
        Columns ``COLUMNS``: side (unseen or training), series (the method, or that these are labels), value
        (prediction or label) with the ends of its 90 % interval, whether it is imputed, the observed value and whether
        that is good enough to be scored, in the unit of the flux. A tower may stand on both sides, tested by one fold
        and trained on by the fold of ``labels``.
    """
    count = panels if labels is None else -(-panels // 2)
    values = {"value": labelled(prediction, "prediction", exchange)} | _interval(prediction, exchange)
    sides = [("unseen", str(prediction.attrs.get("method", "prediction")), values, prediction["site"].values)]
    if labels is not None:
        imputed, partly = (labels["origin"] == code for code in (IMPUTED, PARTLY))
        values = {"value": labelled(labels, "label", exchange).where(labels["origin"] > 0)} | _interval(
            labels, exchange
        )
        filled = labels["site"].values[(imputed | partly).any("time").values]
        sides.append(("training", LABELS, values | {"imputed": imputed, "partly": partly}, filled))
    parts = [
        _months(towers, values, site, flux, exchange).assign(side=side, series=series)
        for side, series, values, candidates in sides
        for site in example_sites(towers, candidates, count, flux, exchange)
    ]
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)] if parts else pd.DataFrame(columns=list(COLUMNS))


def _interval(dataset: xr.Dataset, exchange: Exchange) -> dict[str, xr.DataArray]:
    if "quantile_value" not in dataset:
        return {}
    quantiles = labelled(dataset, "quantile_value", exchange)
    return {name: quantiles.sel(quantile=q, method="nearest", drop=True) for name, q in _INTERVAL.items()}


def _months(
    towers: xr.Dataset, values: dict[str, xr.DataArray], site: str, flux: str, exchange: Exchange
) -> pd.DataFrame:
    """Months of one tower from the first to the last that has a value or an observation."""
    place = towers.sel(site=site)
    table = pd.DataFrame({"time": towers["time"].values}).assign(low=np.nan, high=np.nan, imputed=False, partly=False)
    for name, array in values.items():
        here = array.sel(site=site)
        table[name] = (here.sel(flux=flux) if "flux" in here.dims else here).values
    table["observed"] = labelled(towers, TOWER_FLUX, exchange).sel(site=site, flux=flux).values
    table["good"] = good_months(towers, flux, exchange).sel(site=site).values
    table["imputed"] |= table["partly"] & ~table["good"]
    table = table.assign(site=site, igbp=str(place["igbp"].values), lat=float(place["lat"]), flux=flux)
    known = np.flatnonzero(table[["value", "observed"]].notna().any(axis=1))
    return table.iloc[known[0] : known[-1] + 1]


def draw(figure: Figure, table: pd.DataFrame, exchange: Exchange = CO2) -> list[Artist]:
    """Left: towers that no stage has seen, with prediction; right: training towers with imputed months.

    Parameters
    ----------
    figure
        Empty figure.
    table
        Result of ``tabulate``.
    exchange
        What is predicted.
    """
    sides = [side for side in SIDES if side in set(table["side"])]
    panels = {side: list(part.groupby("site", sort=False)) for side, part in table.groupby("side")}
    rows = max(map(len, panels.values()), default=1)
    axes = figure.subplots(rows, max(len(sides), 1), squeeze=False)
    artists: list[Artist] = []
    for column, side in enumerate(sides):
        for panel in axes[len(panels[side]) :, column]:
            panel.set_axis_off()
        for panel, (_, months) in zip(axes[:, column], panels[side], strict=False):
            artists += tower_panel(panel, months)
        head = SIDES[side].format(method_label(panels[side][0][1]["series"].iloc[0]))
        axes[0, column].set_title(f"{head}\n{axes[0, column].get_title()}", parse_math=False)
        named = [a.get_legend_handles_labels() for a in axes[:, column]]
        handles = {text: handle for each in named for handle, text in zip(*each, strict=True)}
        place: Any = ("outside lower left", "outside lower right")[column]
        figure.legend(list(handles.values()), list(handles), loc=place, ncols=4, columnspacing=1.0)
    if len(table):
        figure.supylabel(flux_label(exchange.flux(table["flux"].iloc[0])), fontsize=9)
    return artists


def tower_panel(axes: Axes, months: pd.DataFrame) -> list[Artist]:
    """Draw one tower: prediction or labels with their 90 % interval, imputed and observed months on top.

    Parameters
    ----------
    axes
        Where to draw.
    months
        Rows of one tower and side.
    """
    first = months.iloc[0]
    time = months["time"].to_numpy()
    number = {name: months[name].to_numpy(dtype=float) for name in ("value", *_INTERVAL, "observed")}
    training = first["side"] == "training"
    colour = BLUE if training else method_colour(first["series"])
    artists: list[Artist] = []
    if np.isfinite(number["low"]).any():
        low, high = (number[name] for name in _INTERVAL)
        band: dict[str, Any] = {"color": colour, "alpha": 0.25, "linewidth": 0, "label": "90 % interval", "zorder": 1}
        artists.append(axes.fill_between(time, low, high, **band))
    line: dict[str, Any] = {"linewidth": 0.8} if training else {"label": "predicted", "zorder": 2}
    artists += axes.plot(time, number["value"], color=colour, **line)
    imputed, good = (months[name].to_numpy(dtype=bool) for name in ("imputed", "good"))
    white: dict[str, Any] = {"markersize": 3.2, "markerfacecolor": "white", "zorder": 3}
    artists += _dots(axes, time[imputed], number["value"][imputed], BLUE, "imputed", **white)
    seen = np.isfinite(number["observed"])
    for here, shade, label in ((good, BLACK, "observed"), (seen & ~good, GREY, "observed, mostly gap-filled")):
        artists += _dots(axes, time[here], number["observed"][here], shade, label)
    _finish(axes, f"{first['site']}, {first['igbp']}", float(first["lat"]), time[np.isfinite(number["value"])])
    return artists


def _dots(axes: Axes, time: np.ndarray, values: np.ndarray, colour: str, label: str, **style: Any) -> list[Artist]:
    if not time.size:
        return []
    look = {"linestyle": "", "marker": "o", "markersize": 2.6, "zorder": 4, **style}
    return list(axes.plot(time, values, color=colour, label=label, **look))


def _finish(axes: Axes, name: str, lat: float, span: np.ndarray) -> None:
    axes.set_title(f"{name}, {abs(lat):.0f}°{'N' if lat >= 0 else 'S'}", fontsize=8.5, parse_math=False)
    axes.axhline(0.0, color=GREY, linewidth=0.6, zorder=0)
    if span.size:
        month = np.timedelta64(31, "D")
        axes.set_xlim(*date2num([span.min() - month, span.max() + month]))
    axes.tick_params(labelsize=8)
    axes.margins(y=0.08)
