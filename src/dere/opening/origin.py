"""Whether the data are real or invented, and what to cite."""

from __future__ import annotations

import pandas as pd

from dere.invented import WORLD
from dere.opening.words import listed

PROVENANCE = ("source", "product")
CITATIONS = ("product", "version", "licence", "citation", "url", "files", "sites")
SOURCES = {"towers": "towers", "simulation": "simulation", "cover": "plant maps"}


def origin(provenance: pd.DataFrame | None) -> tuple[bool, str]:
    """Tell whether any data are invented, and say it in a sentence.

    Parameters
    ----------
    provenance
        ``tables/provenance.csv``; None = the run has none.
    """
    if provenance is None:
        return False, "Nothing is recorded of where the data come from."
    invented, real = [], []
    for source, name in SOURCES.items():
        products = provenance.loc[provenance["source"] == source, "product"].astype(str)
        drawn = products.str.startswith(WORLD)
        if drawn.any():
            invented.append(name)
        if (~drawn).any():
            real.append(name)
    if not invented:
        return False, f"Real data: {listed(real)} from files." if real else "Nothing is recorded of any source."
    if real:
        return True, (
            f"Invented and real data mixed: {listed(invented)} of the built-in world, {listed(real)} from files; no "
            "number here is of a place on the Earth."
        )
    return True, f"Invented data: {listed(invented)} of the built-in world; no number here is of a place on the Earth."


def web_address(url: str) -> str:
    """Return an address of the web as it is, and nothing for any other text: a page may hold no other link of data."""
    return url if url.startswith(("https://", "http://")) and not set(url) & set(" \"'<>\\") else ""
