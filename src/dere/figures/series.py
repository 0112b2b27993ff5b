"""Observed against predicted months at single towers, and the labels that imputation adds."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.dates import date2num
from matplotlib.figure import Figure

from dere.figures.observed import TOWER_FLUX, example_sites, good_months, labelled
from dere.figures.style import BLACK, BLUE, GREY, flux_label, method_colour, method_label

IMPUTED = 2
"""Code of ``origin`` for an imputed month."""


def draw(
    figure: Figure,
    towers: xr.Dataset,
    prediction: xr.Dataset,
    labels: xr.Dataset | None = None,
    flux: str = "nee",
    panels: int = 6,
) -> list[Artist]:
    """Left: held-out towers with prediction; right: training towers with imputed months.

    Parameters
    ----------
    figure
        Empty figure.
    towers
        Canonical towers.
    prediction
        ``prediction(site, time, flux)`` and, where the method has them, ``quantile_value(..., quantile)``.
    labels
        ``label(site, time, flux)``, ``quantile_value``, ``origin(site, time)``; None = held-out towers only.
    flux
        Which flux.
    panels
        Number of towers in all.
    """
    columns = 1 if labels is None else 2
    rows = -(-panels // columns)
    held_out = example_sites(towers, prediction["site"].values, rows, flux)
    trained = [] if labels is None else example_sites(towers, _with_gaps(labels), rows, flux)
    rows = max(len(held_out), len(trained), 1)
    axes = figure.subplots(rows, columns, squeeze=False)
    method = str(prediction.attrs.get("method", "prediction"))
    artists: list[Artist] = []
    for row in range(rows):
        if row < len(held_out):
            artists += predicted_panel(axes[row, 0], towers, prediction, held_out[row], flux)
        else:
            axes[row, 0].set_axis_off()
        if labels is not None:
            if row < len(trained):
                artists += imputed_panel(axes[row, 1], towers, labels, trained[row], flux)
            else:
                axes[row, 1].set_axis_off()
    for column, text in enumerate(
        (f"unseen towers: {method_label(method)}", "training towers: imputed labels")[:columns]
    ):
        handles = {
            text_: handle for a in axes[:, column] for handle, text_ in zip(*a.get_legend_handles_labels(), strict=True)
        }
        axes[0, column].set_title(f"{text}\n{axes[0, column].get_title()}")
        figure.legend(
            handles.values(),
            handles.keys(),
            loc=("outside lower left", "outside lower right")[column],
            ncols=4,
            columnspacing=1.0,
        )
    figure.supylabel(flux_label(flux), fontsize=9)
    return artists


def _with_gaps(labels: xr.Dataset) -> np.ndarray:
    imputed = (labels["origin"] == IMPUTED).sum("time")
    return labels["site"].values[imputed.values > 0]


def predicted_panel(axes: Axes, towers: xr.Dataset, prediction: xr.Dataset, site: str, flux: str) -> list[Artist]:
    """Draw one held-out tower: prediction with its 90 % interval, observed months on top."""
    here = prediction.sel(site=site)
    values = here["prediction"].sel(flux=flux)
    span = values["time"].values[values.notnull().values]
    colour = method_colour(str(prediction.attrs.get("method", "")))
    artists: list[Artist] = []
    if "quantile_value" in here:
        artists.append(_band(axes, here["quantile_value"].sel(flux=flux), colour))
    artists += axes.plot(values["time"].values, values.values, color=colour, label="predicted", zorder=2)
    artists += _dots(axes, towers, site, flux)
    _finish(axes, towers, site, span)
    return artists


def imputed_panel(axes: Axes, towers: xr.Dataset, labels: xr.Dataset, site: str, flux: str) -> list[Artist]:
    """Draw one training tower: imputed months with their 90 % interval between the observed ones."""
    here = labels.sel(site=site)
    values = here["label"].sel(flux=flux)
    imputed = (here["origin"] == IMPUTED).values
    span = values["time"].values[(here["origin"] > 0).values]
    artists: list[Artist] = []
    if "quantile_value" in here:
        artists.append(_band(axes, here["quantile_value"].sel(flux=flux), BLUE))
    artists += axes.plot(values["time"].values, values.where(here["origin"] > 0).values, color=BLUE, linewidth=0.8)
    artists += axes.plot(
        values["time"].values[imputed],
        values.values[imputed],
        linestyle="",
        marker="o",
        markersize=3.2,
        markerfacecolor="white",
        color=BLUE,
        label="imputed",
        zorder=3,
    )
    artists += _dots(axes, towers, site, flux)
    _finish(axes, towers, site, span)
    return artists


def _band(axes: Axes, quantiles: xr.DataArray, colour: str) -> Artist:
    low, high = (quantiles.sel(quantile=q, method="nearest").values for q in (0.05, 0.95))
    return axes.fill_between(
        quantiles["time"].values, low, high, color=colour, alpha=0.25, linewidth=0, label="90 % interval", zorder=1
    )


def _dots(axes: Axes, towers: xr.Dataset, site: str, flux: str) -> list[Artist]:
    seen = labelled(towers, TOWER_FLUX).sel(site=site, flux=flux)
    good = good_months(towers, flux).sel(site=site).values
    artists: list[Artist] = []
    for here, colour, label in (
        (good, BLACK, "observed"),
        (seen.notnull().values & ~good, GREY, "observed, mostly gap-filled"),
    ):
        if here.any():
            style: dict[str, Any] = {
                "linestyle": "",
                "marker": "o",
                "markersize": 2.6,
                "color": colour,
                "label": label,
                "zorder": 4,
            }
            artists += axes.plot(seen["time"].values[here], seen.values[here], **style)
    return artists


def _finish(axes: Axes, towers: xr.Dataset, site: str, span: np.ndarray) -> None:
    place = towers.sel(site=site)
    north = "N" if float(place["lat"]) >= 0 else "S"
    axes.set_title(f"{site}, {place['igbp'].values!s}, {abs(float(place['lat'])):.0f}°{north}", fontsize=8.5)
    axes.axhline(0.0, color=GREY, linewidth=0.6, zorder=0)
    if span.size:
        month = np.timedelta64(31, "D")
        axes.set_xlim(*date2num([span.min() - month, span.max() + month]))
    axes.tick_params(labelsize=8)
    axes.margins(y=0.08)
