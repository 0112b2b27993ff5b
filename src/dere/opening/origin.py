"""Whether the data are real or invented, and what to cite."""

from __future__ import annotations

from dere.opening.facts import Facts

CITATIONS = ("product", "version", "licence", "citation", "url", "files", "sites")


def origin(facts: Facts) -> str:
    """Say whether any data are invented, and what the run reads."""
    if not facts.invented:
        return f"Real data: {facts.reads}."
    kind = "Invented and real data mixed" if facts.mixed else "Invented data"
    return f"{kind}: {facts.reads}; no number here is of a place on the Earth."


def web_address(url: str) -> str:
    """Return an address of the web as it is, and nothing for any other text: a page may hold no other link of data."""
    return url if url.startswith(("https://", "http://")) and not set(url) & set(" \"'<>\\") else ""
