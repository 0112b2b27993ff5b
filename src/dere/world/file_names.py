"""Names of the built-in world's tower files; imports nothing, because the workflow reads it before any job."""

from __future__ import annotations

BIF_NAME = "FLX_AA-Flx_BIF_MM_20260101.csv"


def file_name(site: str, first_year: int, last_year: int) -> str:
    """Name of a monthly FULLSET file."""
    return f"FLX_{site}_FLUXNET2015_FULLSET_MM_{first_year}-{last_year}_1-4.csv"
