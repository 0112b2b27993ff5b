"""How exactly RECO, GPP and NEE of each method add up."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from dere.figures.observed import labelled
from dere.figures.style import BLACK, GREY, method_colour, method_label, ordered_methods, unit_text
from dere.variables import FLUX_UNIT, convert

PROMISE = 1e-5
"""Largest residual promised for network predictions and product files (gC m-2 d-1)."""
_EXPONENTS = np.arange(-17, 3)
"""Decades of the residual; the lowest one also holds exact zeros and anything smaller."""


def tabulate(predictions: Mapping[str, xr.Dataset], products: Mapping[str, xr.Dataset] | None = None) -> pd.DataFrame:
    """Share of site-months (product: cell-months) per decade of |RECO - GPP - NEE| in gC m-2 d-1.

    Parameters
    ----------
    predictions
        Method to ``prediction(site, time, flux)``.
    products
        Flux to product dataset, kg m-2 s-1.

    Returns
    -------
    DataFrame
        Columns source, exponent (lower edge of the decade), share, months, largest.
    """
    residuals = {}
    for name, prediction in predictions.items():
        values = labelled(prediction, "prediction").astype("float64")
        gpp, reco, nee = (values.sel(flux=flux).values for flux in ("gpp", "reco", "nee"))
        residuals[name] = np.abs(reco - gpp - nee)
    if products:
        gpp, reco, nee = (products[flux][flux].values.astype("float64") for flux in ("gpp", "reco", "nee"))
        residuals["product"] = np.abs(convert(reco - gpp - nee, "kg m-2 s-1", FLUX_UNIT))
    rows = []
    for name, residual in residuals.items():
        finite = residual[np.isfinite(residual)]
        with np.errstate(divide="ignore"):
            decade = np.clip(np.floor(np.log10(finite)), _EXPONENTS[0], _EXPONENTS[-1]).astype(int)
        for exponent in _EXPONENTS:
            share = float((decade == exponent).mean()) if finite.size else 0.0
            rows.append(
                {
                    "source": name,
                    "exponent": int(exponent),
                    "share": share,
                    "months": finite.size,
                    "largest": float(finite.max(initial=0.0)),
                }
            )
    return pd.DataFrame(rows)


def draw(figure: Figure, table: pd.DataFrame) -> list[Artist]:
    """One row of bars per method along the decades of the residual, the promise as a line."""
    order = ordered_methods(table["source"])
    axes = figure.subplots(len(order), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    artists: list[Artist] = []
    for panel, name in zip(axes, order, strict=True):
        part = table[table["source"] == name]
        bars = panel.bar(
            part["exponent"], 100 * part["share"], width=1.0, align="edge", color=method_colour(name), edgecolor=BLACK,
            linewidth=0.4,
        )  # fmt: skip
        artists += list(bars)
        panel.axvline(np.log10(PROMISE), color=BLACK, linestyle="--", linewidth=0.9)
        largest = part["largest"].iloc[0]
        text = f"{method_label(name)}\nlargest {largest:.1e}" if largest > 0 else f"{method_label(name)}\nexactly zero"
        panel.text(1.01, 0.5, text, transform=panel.transAxes, va="center", fontsize=8)
        panel.set_ylim(0, 100)
        panel.set_yticks([0, 100])
        panel.grid(axis="x", color=GREY, alpha=0.25)
    ticks = _EXPONENTS[1::2]
    axes[-1].set_xticks(ticks, [f"$10^{{{tick}}}$" for tick in ticks])
    axes[-1].set_xlim(_EXPONENTS[0], _EXPONENTS[-1] + 1)
    axes[-1].set_xlabel(f"|RECO − GPP − NEE| ({unit_text(FLUX_UNIT)}); exact zeros in the leftmost bin")
    axes[0].set_title(f"dashed: bound for networks and products, {PROMISE:g}", fontsize=8.5)
    figure.supylabel("share of months (%)", fontsize=9)
    return artists
