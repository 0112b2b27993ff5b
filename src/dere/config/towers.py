"""Configuration of the flux towers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dere.config.base import Section


class TowerSource(Section):
    """Flux towers."""

    provider: Literal["files", "bundled", "dere"] = "files"
    """files = folders of tower files; bundled = the 166 FLUXNET2015 towers that come with the package, and those of the
    folders, if any; dere = the towers of the simulation's arrays (sources.simulation.network)."""
    paths: tuple[str, ...] = ()
    """Folders of tower files, also inside zips; the format of each file is recognised; empty = the built-in world's
    (provider files)."""
    use_satellites: bool = True
    """Read LAI and EVI columns where a file has them."""
    resolution: tuple[Literal["MM", "DD", "HH", "HR"], ...] = Field(("MM", "DD", "HH", "HR"), min_length=1)
    """Steps that may be read where a site brings several of one processing, the preferred one first."""
    minimum_coverage: float = Field(0.8, gt=0, le=1)
    """Months made from days or half hours need this share of their steps, else they are missing."""
    diurnal_cycles: bool = False
    """Read half-hourly files also beside monthly ones, for mean diurnal cycles and the share that was measured."""
    threshold: Literal["ref", "ustar50"] = "ref"
    """Friction-velocity threshold of the fluxes: the reference member or the median threshold."""
    cut_or_vut: Literal["vut", "cut"] = "vut"
    """Threshold that varies by year (vut) or is constant (cut)."""
    partitioning: Literal["nt", "dt"] = "nt"
    """Partitioning of the labels: night-time (nt) or day-time (dt)."""
    fallback: Literal["none", "threshold", "all"] = "threshold"
    """What a site without a month of the wanted variant may take for its whole record: nothing, another threshold, or
    (all) also the other partitioning; each such site is counted."""
    members: bool = False
    """Keep the percentile members of NEE and GPP, whose annual sums must use the same member all year."""
    maximum_member_gb: float = Field(4.0, gt=0)
    """Files inside archives (and compressed ones) that unpack to more are refused."""
    maximum_compression: float = Field(200.0, gt=1)
    """Files inside archives that unpack to more than so many times their stored size are refused."""
    minimum_sites: int = Field(5, ge=1)
    """Sites that must be left for the run to go on once any was dropped for a fault of its files or its metadata."""
