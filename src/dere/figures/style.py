"""The look of every figure: colours that colour-blind readers can tell apart, labels, units."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import matplotlib as mpl

from dere.evaluation.runs import OWN_CLIMATOLOGY, OWN_LEVEL
from dere.exchange.base import Flux

# Okabe and Ito (2008), Color Universal Design.
BLACK, GREY, NOTE = "#000000", "#8c8c8c", "#555555"
ORANGE, SKY, GREEN = "#e69f00", "#56b4e9", "#009e73"
BLUE, VERMILLION, PURPLE = "#0072b2", "#d55e00", "#cc79a7"
OTHER_LABELS = {
    "product": "product files",
    OWN_CLIMATOLOGY: "reference: own climatology",
    OWN_LEVEL: "reference: best method, own level",
}
"""What stands beside methods in tables without being one."""
_OTHER_LINES = {OWN_CLIMATOLOGY: (0, (1, 1)), OWN_LEVEL: (0, (3, 1, 1, 1, 1, 1))}
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


Shown = Mapping[str, Any]
"""How a method shows: label, colour, rank, marker, line, reference, network (`dere.methods.base.Method`)."""
_METHODS: ContextVar[Mapping[str, Shown] | None] = ContextVar("methods", default=None)
_BACKBONES: ContextVar[Mapping[str, str] | None] = ContextVar("backbones", default=None)


@contextmanager
def house_style(
    methods: Mapping[str, Shown] | None = None, backbones: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Apply the style inside a with block and restore the reader's own settings after it.

    Parameters
    ----------
    methods
        How the methods of a run show, as they declare it; others are black and called by their names.
    backbones
        Label of each backbone.
    """
    tokens = _METHODS.set(methods), _BACKBONES.set(backbones)
    try:
        with mpl.rc_context(_RC):  # type: ignore[arg-type]
            yield
    finally:
        _METHODS.reset(tokens[0])
        _BACKBONES.reset(tokens[1])


def shown(method: str) -> Shown:
    """How a method shows; empty for an unknown one."""
    return (_METHODS.get() or {}).get(method, {})


def method_colour(method: str) -> str:
    """Colour of a method; unknown ones are black."""
    return str(shown(method).get("colour", BLACK))


def method_label(method: str) -> str:
    """Readable name of a method."""
    return str(shown(method).get("label", OTHER_LABELS.get(method, method)))


def method_marker(method: str) -> str:
    """Shape of a method; shape and colour both tell methods apart."""
    return str(shown(method).get("marker", "v"))


def method_line(method: str) -> Any:
    """Line of a method without a network; style and colour both tell them apart."""
    line = shown(method).get("line", _OTHER_LINES.get(method, "solid"))
    return line if isinstance(line, str) else (line[0], tuple(line[1]))


def backbone_label(backbone: str) -> str:
    """Name of a backbone as its paper writes it."""
    return (_BACKBONES.get() or {}).get(backbone, backbone)


def ordered_methods(methods: Any) -> list[str]:
    """Methods in the order of their ranks, unknown ones last in alphabetical order."""
    return sorted(set(methods), key=lambda name: (shown(name).get("rank", float("inf")), name))


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
