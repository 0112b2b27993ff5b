"""What the probabilistic labels are worth: their spread, and the weight that follows from it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2
from dere.figures.style import BLACK, BLUE, ORANGE, VERMILLION, flux_label

ORIGINS = {1: "observed", 2: "imputed", 3: "partly observed"}
_COLOURS = {"observed": BLACK, "imputed": BLUE, "partly observed": VERMILLION}
_BINS = 30
_EQUAL = 1e-6
"""Relative difference up to which two standard deviations count as one: labels are stored as float32."""


def tabulate(labels: xr.Dataset) -> pd.DataFrame:
    """Histograms of the label spread and of the relative weight, by origin.

    The weight of a month is its precision, the square root of the determinant of the inverse covariance of the
    independent fluxes (for CO2, NEE and RECO), relative to the median over observed months (over all months where none
    is observed).

    Parameters
    ----------
    labels
        ``covariance(site, time, component, component2)`` of the independent fluxes; ``origin(site, time)``.

    Returns
    -------
    DataFrame
        Columns quantity (``std_<flux>`` and weight), origin, lower, upper, share, months, at_smallest_std: share of
        the origin's months whose standard deviation is its smallest one; for the weight, whose both are. A large share
        is a floor (``imputation.floor``): all these months weigh about the same, and more than nearly all others.
    """
    components = [str(name) for name in labels["component"].values]
    covariance = labels["covariance"].transpose("site", "time", "component", "component2").values.astype("float64")
    origin = labels["origin"].transpose("site", "time").values
    usable = (origin > 0) & np.isfinite(covariance).all((-1, -2))
    if not usable.any():
        raise ValueError("labels.nc holds no month with a finite covariance; rerun the imputation")
    chosen, source = covariance[usable], origin[usable]
    variance = np.diagonal(chosen, axis1=1, axis2=2)
    determinant = np.linalg.det(chosen)
    if not (determinant > 0).all():
        raise ValueError(
            f"{int((determinant <= 0).sum())} of {determinant.size} label covariances are singular, "
            "but a weight needs a positive determinant; raise imputation.floor"
        )
    weight = 1.0 / np.sqrt(determinant)
    weight /= np.median(weight[source == 1] if (source == 1).any() else weight)
    quantities = {f"std_{name}": np.sqrt(variance[:, i]) for i, name in enumerate(components)} | {"weight": weight}
    smallest = {name: _at_smallest(values, source) for name, values in quantities.items() if name != "weight"}
    smallest["weight"] = np.logical_and.reduce(list(smallest.values()))
    rows = []
    for quantity, values in quantities.items():
        edges = np.geomspace(values.min() * (1 - 1e-9), values.max() * (1 + 1e-9), _BINS + 1)
        if edges[-1] / edges[0] < 1.01:
            edges = np.geomspace(edges[0] / 1.05, edges[0] * 1.05, _BINS + 1)
        for code, name in ORIGINS.items():
            part = values[source == code]
            if not part.size:
                continue
            counts, _ = np.histogram(part, edges)
            floor = float(smallest[quantity][source == code].mean())
            for i, count in enumerate(counts):
                rows.append(
                    {
                        "quantity": quantity,
                        "origin": name,
                        "lower": edges[i],
                        "upper": edges[i + 1],
                        "share": count / part.size,
                        "months": part.size,
                        "at_smallest_std": floor,
                    }
                )
    return pd.DataFrame(rows)


def _at_smallest(values: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Which values (month,) equal the smallest one of their origin."""
    least = {code: values[source == code].min() for code in np.unique(source)}
    return np.isclose(values, np.vectorize(least.get)(source), rtol=_EQUAL, atol=0)


def draw(figure: Figure, table: pd.DataFrame, exchange: Exchange = CO2) -> list[Artist]:
    """Panels: spread of each independent flux, relative weight; one outline per origin, floors in the titles."""
    titles = {f"std_{name}": f"standard deviation of {flux_label(exchange.flux(name))}" for name in exchange.basis}
    titles["weight"] = "weight relative to the median observed month"
    axes = figure.subplots(1, len(titles), squeeze=False)[0]
    artists: list[Artist] = []
    for panel, (quantity, title) in zip(axes, titles.items(), strict=True):
        for name, colour in _COLOURS.items():
            part = table[(table["quantity"] == quantity) & (table["origin"] == name)]
            if part.empty:
                continue
            edges = np.append(part["lower"].to_numpy(), part["upper"].iloc[-1])
            label = f"{name}: {part['months'].iloc[0]} months"
            artists.append(
                panel.stairs(
                    100 * part["share"].to_numpy(), edges, color=colour, fill=name == "imputed", alpha=0.45, linewidth=0
                )
                if name == "imputed"
                else panel.stairs(100 * part["share"].to_numpy(), edges, color=colour, linewidth=1.3)
            )
            artists[-1].set_label(label)
        panel.set_xscale("log")
        panel.set_xlabel(title)
        panel.grid(True)
        panel.set_title(_floors(table[table["quantity"] == quantity]), fontsize=8)
        if quantity == "weight":
            panel.axvline(1.0, color=ORANGE, linewidth=0.9)
    axes[0].set_ylabel("share of months (%)")
    handles, texts = axes[0].get_legend_handles_labels()
    figure.legend(handles, texts, loc="outside upper center", ncols=3)
    return artists


def _floors(part: pd.DataFrame) -> str:
    """Say how many months of each origin sit on the smallest standard deviation."""
    shares = part.groupby("origin", sort=False)["at_smallest_std"].first()
    both = (part["quantity"] == "weight").all()
    which = "both smallest standard deviations" if both else "the smallest standard deviation"
    return f"months at {which}:\n" + ", ".join(f"{name} {100 * s:.0f} %" for name, s in shares.items())
