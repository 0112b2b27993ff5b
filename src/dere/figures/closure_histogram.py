"""How exactly the fluxes of each method add up (for CO2, RECO = GPP + NEE)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from dere.evaluation.closure import flux_residual, product_residuals
from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2
from dere.figures.observed import labelled
from dere.figures.style import BLACK, GREY, method_colour, method_label, ordered_methods, unit_text

PROMISE = 1e-5
"""Largest residual accepted in predictions and promised for product files (gC m-2 d-1)."""
_EXPONENTS = np.arange(-17, 3)
"""Decades of the residual; the lowest one also holds exact zeros and anything smaller."""
_TICKS = ((0, "100"), (-2, "1"), (-4, "0.01"))
"""Powers of ten of a share and their names in percent."""


def tabulate(
    predictions: Mapping[str, xr.Dataset],
    products: Mapping[str, xr.Dataset] | None = None,
    exchange: Exchange = CO2,
) -> pd.DataFrame:
    """Share of site-months (product: cell-months) per decade of the size of the residual, in the unit of the fluxes.

    Parameters
    ----------
    predictions
        Method to ``prediction(site, time, flux)``.
    products
        Flux to product dataset, in the public unit.
    exchange
        Whose identities are checked.

    Returns
    -------
    DataFrame
        Columns source, exponent (lower edge of the decade; the first one holds all below it too), share, zero (share
        of exact zeros), months, largest.
    """
    residuals: dict[str, Iterable[np.ndarray]] = {
        name: [flux_residual(labelled(prediction, "prediction", exchange), exchange)]
        for name, prediction in predictions.items()
    }
    if products:
        residuals["product"] = product_residuals(products, exchange)
    rows = []
    for name, parts in residuals.items():
        counts, zeros, months, largest = np.zeros(len(_EXPONENTS)), 0, 0, 0.0
        for part in parts:
            finite = part[np.isfinite(part)]
            with np.errstate(divide="ignore"):
                decade = np.clip(np.floor(np.log10(finite)), _EXPONENTS[0], _EXPONENTS[-1]).astype(int)
            counts += np.bincount(decade - _EXPONENTS[0], minlength=len(_EXPONENTS))
            zeros, months = zeros + int((finite == 0).sum()), months + finite.size
            largest = max(largest, float(finite.max(initial=0.0)))
        for exponent, count in zip(_EXPONENTS, counts, strict=True):
            rows.append(
                {
                    "source": name,
                    "exponent": int(exponent),
                    "share": float(count / months) if months else 0.0,
                    "zero": zeros / months if months else 0.0,
                    "months": months,
                    "largest": largest,
                }
            )
    return pd.DataFrame(rows)


def draw(figure: Figure, table: pd.DataFrame, exchange: Exchange = CO2) -> list[Artist]:
    """One row of bars per method along the decades of the residual, shares logarithmic, the promise as a line."""
    order = ordered_methods(table["source"])
    axes = figure.subplots(len(order), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    # A month in a hundred thousand must show: one open budget among them is what the figure is for.
    least = 10.0 ** np.floor(np.log10(table["share"].where(table["share"] > 0, 1.0).min()) - 0.5)
    artists: list[Artist] = []
    for panel, name in zip(axes, order, strict=True):
        part = table[table["source"] == name]
        bars = panel.bar(
            part["exponent"], part["share"], width=1.0, align="edge", color=method_colour(name), edgecolor=BLACK,
            linewidth=0.4,
        )  # fmt: skip
        artists += list(bars)
        panel.axvline(np.log10(PROMISE), color=BLACK, linestyle="--", linewidth=0.9)
        text = f"{method_label(name)}\n{_summary(part['zero'].iloc[0], part['largest'].iloc[0])}"
        panel.text(1.01, 0.5, text, transform=panel.transAxes, va="center", fontsize=8)
        panel.set_yscale("log")
        panel.set_ylim(least, 2.0)
        ticks = [(10.0**power, label) for power, label in _TICKS if 10.0**power >= least]
        panel.set_yticks([place for place, _ in ticks], [label for _, label in ticks])
        panel.minorticks_off()
        panel.grid(axis="x", color=GREY, alpha=0.25)
    decades = _EXPONENTS[1::2]
    axes[-1].set_xticks(decades, [f"$10^{{{decade}}}$" for decade in decades])
    axes[-1].set_xlim(_EXPONENTS[0], _EXPONENTS[-1] + 1)
    unit = unit_text(exchange.fluxes[0].unit)
    sizes = " or ".join(f"|{identity.replace('-', '−')}|" for identity in exchange.identities)
    axes[-1].set_xlabel(f"{sizes} ({unit}); leftmost bar: exact zeros and all below $10^{{{decades[0]}}}$")
    axes[0].set_title(f"dashed: bound for predictions and products, {PROMISE:g}", fontsize=8.5)
    figure.supylabel("share of months (%, logarithmic)", fontsize=9)
    return artists


def _summary(zero: float, largest: float) -> str:
    """Exact zeros and the largest residual in words."""
    if largest == 0:
        return "exactly zero"
    # 99.97 % rounded to whole percent would deny the bar beside it.
    return f"zero in {np.floor(1000 * zero) / 10:g} %\nlargest {largest:.1e}"
