"""Thin writer: one figure to its file formats."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from dere.figures.style import NOTE
from dere.io import write_atomically

# No date inside the files, so that equal numbers give equal files.
_METADATA: dict[str, dict[str, str | None]] = {
    "png": {"Software": "dere"},
    "svg": {"Date": None, "Creator": "dere"},
    "pdf": {"CreationDate": None, "Creator": "dere"},
}


def write_figure(
    figure: Figure, folder: Path, name: str, formats: Sequence[str] = ("png", "svg"), dpi: int = 130, note: str = ""
) -> list[Path]:
    """Write ``folder/name.<format>`` for each format, atomically, with ``note`` below the figure's right end.

    Raises
    ------
    ValueError
        For a format other than png, svg, pdf.
    """
    unknown = sorted(set(formats) - set(_METADATA))
    if unknown:
        raise ValueError(f"figures.formats holds {unknown[0]!r}, but only {sorted(_METADATA)} are written; change it")
    if note:
        # below the canvas, which the tight box of the file includes: no panel moves
        figure.text(1.0, -0.01, note, ha="right", va="top", fontsize=8, color=NOTE)
    paths = []
    for suffix in formats:
        metadata = _METADATA[suffix]
        paths.append(
            write_atomically(
                Path(folder) / f"{name}.{suffix}",
                lambda tmp, suffix=suffix, metadata=metadata: figure.savefig(  # type: ignore[misc]
                    tmp, format=suffix, dpi=dpi, metadata=metadata, bbox_inches="tight", pad_inches=0.08
                ),
            )
        )
    return paths
