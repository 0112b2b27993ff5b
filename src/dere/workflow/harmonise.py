"""Read what ingest made, harmonise it, write the canonical set and each fold's statistics."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from dere.config.sources import HarmoniseConfig, SimulationSource, SplitsConfig
from dere.harmonise.build import harmonise, write
from dere.harmonise.interim import Interim, unpack_cover
from dere.io import read_netcdf, write_table

SOURCES = ("simulation", "cover", "towers")


def harmonise_files(
    files: Mapping[str, Path], truth: Path | None, folder: Path, provenance: Path, params: Mapping[str, Any]
) -> None:
    """Write the canonical set.

    Parameters
    ----------
    files
        ``towers``, ``cover`` and, from a simulation in files, ``forcing`` and ``simulation``; ``provenance_<source>``.
    truth
        The built-in world's folder of true fluxes, or None.
    folder
        Gets the canonical files.
    provenance
        Table to write.
    params
        Sub-trees ``simulation``, ``harmonise`` and ``splits``.

    Raises
    ------
    ValueError
        As ``dere.harmonise.build.harmonise``.
    """
    tables = {name: files[f"provenance_{name}"] for name in SOURCES if f"provenance_{name}" in files}
    interim = Interim(
        towers=read_netcdf(files["towers"]),
        cover=unpack_cover(read_netcdf(files["cover"])),
        forcing=read_netcdf(files["forcing"]) if "forcing" in files else None,
        simulation=read_netcdf(files["simulation"]) if "simulation" in files else None,
        truth={path.stem: read_netcdf(path) for path in sorted(truth.glob("*.nc"))} if truth else None,
        provenance={name: read_provenance(path) for name, path in tables.items()},
    )
    canonical = harmonise(
        interim,
        SimulationSource(**params["simulation"]),
        HarmoniseConfig(**params["harmonise"]),
        SplitsConfig(**params["splits"]),
    )
    write_table(canonical.provenance, provenance)
    write(canonical, folder)


def read_provenance(path: Path) -> pd.DataFrame:
    """Read a provenance table; a source without files has an empty one."""
    return pd.read_csv(path) if path.read_text(encoding="utf-8").strip() else pd.DataFrame()
