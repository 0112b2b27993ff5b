"""The look of every figure: colours that colour-blind readers can tell apart, labels, units."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl

from dere.exchange.base import Flux

# Okabe and Ito (2008), Color Universal Design.
BLACK, GREY = "#000000", "#8c8c8c"
ORANGE, SKY, GREEN = "#e69f00", "#56b4e9", "#009e73"
BLUE, VERMILLION, PURPLE = "#0072b2", "#d55e00", "#cc79a7"
# Their yellow is too faint for lines on white; wine is from Tol (2021), muted scheme, and darker than every neighbour.
WINE = "#882255"

METHOD_COLOURS = {
    "climatology": GREY,
    "simulation": ORANGE,
    "gbm": SKY,
    "gbm_sim": BLUE,
    "baseline": PURPLE,
    "kgml": GREEN,
    "dere_towers": WINE,
    "dere": VERMILLION,
}
METHOD_LABELS = {
    "climatology": "climatology",
    "simulation": "process model",
    "gbm": "trees",
    "gbm_sim": "trees + simulation",
    "baseline": "network, towers only",
    "kgml": "KGML",
    "dere_towers": "DERE, stage 4",
    "dere": "DERE, stage 6",
    "product": "product files",
}
BACKBONE_LABELS = {
    "transformer": "Transformer",
    "informer": "Informer",
    "fedformer": "FEDformer",
    "itransformer": "iTransformer",
    "timexer": "TimeXer",
    "simpletm": "SimpleTM",
}
SEQUENTIAL, SEQUENTIAL_OTHER, DIVERGING = "viridis", "cividis", "RdBu_r"
LAND, SEA = "#e8e6e1", "#ffffff"

_RC: dict[str, Any] = {
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.labelsize": 9,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.3,
    "image.cmap": SEQUENTIAL,
    "figure.facecolor": "white",
    # A fixed salt makes element ids, and so the svg files, the same in every run.
    "svg.hashsalt": "dere",
}


@contextmanager
def house_style() -> Iterator[None]:
    """Apply the style inside a with block and restore the reader's own settings after it."""
    with mpl.rc_context(_RC):  # type: ignore[arg-type]
        yield


def method_colour(method: str) -> str:
    """Colour of a method; unknown ones are black."""
    return METHOD_COLOURS.get(method, BLACK)


def method_label(method: str) -> str:
    """Readable name of a method."""
    return METHOD_LABELS.get(method, method)


def backbone_label(backbone: str) -> str:
    """Name of a backbone as its paper writes it."""
    return BACKBONE_LABELS.get(backbone, backbone)


def ordered_methods(methods: Any) -> list[str]:
    """Methods in the order of the house, unknown ones last in alphabetical order."""
    known = list(METHOD_COLOURS)
    return sorted(set(methods), key=lambda name: (known.index(name) if name in known else len(known), name))


def unit_text(unit: str) -> str:
    """Unit with raised exponents.

    Examples
    --------
    >>> unit_text("gC m-2 d-1")
    'gC m$^{-2}$ d$^{-1}$'
    """
    return re.sub(r"(?<=[A-Za-z])(-?\d+)", r"$^{\1}$", unit)


def flux_label(flux: Flux) -> str:
    """Short axis label of a flux, with unit."""
    return f"{flux.name.upper()} ({unit_text(flux.unit)})"


def signed(flux: Flux) -> bool:
    """Tell whether a flux goes both ways, beyond the noise that takes small fluxes below zero."""
    low, high = flux.valid
    return -low > 0.5 * high
