"""Configuration of the downloads."""

from __future__ import annotations

from pydantic import Field

from dere.config.base import Section


class DownloadsConfig(Section):
    """Published files for make download SOURCE=<name>; no other rule reads this."""

    folder: str = Field("data", min_length=1)
    """Folder of all downloads; each data set has its own below it (docs/downloads.md), for sources.*.path."""
    versions: dict[str, str] = Field(
        {
            "carbonglobe": "main",
            "dere": "main",
            "esacci_pft": "v2.0.8",
            "gfad": "v1.1",
            "carbonsense": "v2",
            "abcflux": "v1",
        }
    )
    """Version by data set, or revision (branch, tag, commit) on Hugging Face; others have one version."""
    files: dict[str, tuple[str, ...]] = Field({})
    """Only files that fit these patterns, by data set, for example {esacci_pft: ['*-2010-*']}; others come whole."""
    attempts: int = Field(6, ge=1)
    """Attempts without progress before a download gives up."""
