"""Read what ingest made, harmonise it, write the canonical set and each fold's statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from dere import versions
from dere.config.harmonise import HarmoniseConfig
from dere.config.simulation import SimulationSource
from dere.config.splits import SplitsConfig
from dere.exchange.co2 import EXCHANGE as CO2
from dere.harmonise.build import Canonical, harmonise, write
from dere.harmonise.interim import Interim, unpack_cover
from dere.harmonise.known_sites import known_sites
from dere.harmonise.origin import Origin, built_in_rows, file_attributes
from dere.harmonise.outcome import outcome
from dere.ingest.provenance import software_rows
from dere.invented import PROCESS_MODEL
from dere.io import content_hash, file_sha256, read_netcdf, write_json, write_netcdf, write_table
from dere.workflow.script import announce

SOURCES = ("simulation", "cover", "towers")
CELLS = ("drivers", "simulation", "cover")


def harmonise_files(
    files: Mapping[str, Path],
    truth: Path | None,
    folder: Path,
    provenance: Path,
    odd_months: Path,
    params: Mapping[str, Any],
    code: str = "",
    memory: int | None = None,
    known: Path | None = None,
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
    provenance, odd_months
        Tables to write.
    params
        Sub-trees ``simulation``, ``harmonise`` and ``splits``; ``built_in`` lists the sources of the built-in world.
    code
        Digest of the rule's code, which every file states.
    memory
        Bytes that the job may use; None = everything fits.
    known
        Gets what goes with the models (`dere.harmonise.known_sites`); None = it is not made.

    Raises
    ------
    ValueError
        As ``dere.harmonise.build.harmonise``.
    """
    tables = {name: files[f"provenance_{name}"] for name in SOURCES if f"provenance_{name}" in files}
    interim = Interim(
        towers=read_netcdf(files["towers"]),
        cover=unpack_cover(read_netcdf(files["cover"])),
        forcing=read_netcdf(files["forcing"], memory=memory) if "forcing" in files else None,
        simulation=read_netcdf(files["simulation"], memory=memory) if "simulation" in files else None,
        truth={path.stem: read_netcdf(path) for path in sorted(truth.glob("*.nc"))} if truth else None,
        provenance={name: read_provenance(path) for name, path in tables.items()},
    )
    canonical = harmonise(
        interim,
        SimulationSource(**params["simulation"]),
        HarmoniseConfig(**params["harmonise"]),
        SplitsConfig(**params["splits"]),
    )
    built_in = tuple(params.get("built_in", ()))
    table = pd.concat([built_in_rows(canonical.provenance, built_in), software_rows(versions.here())])
    write_table(table, provenance)
    write_table(canonical.odd, odd_months)
    modelled = (PROCESS_MODEL,) if params["simulation"]["provider"] == "builtin" else ()
    origin = Origin("harmonise", code, content_hash(params), table, file_sha256(provenance), (*modelled, *built_in))
    write(with_attributes(canonical, origin), folder)
    if known is not None:
        in_files = params["simulation"]["provider"] == "files"
        going = known_sites(
            canonical.towers,
            canonical.splits,
            file_sha256(folder / "splits.csv"),
            params["harmonise"]["minimum_training_quality"],
            CO2,
            {name: getattr(canonical, name) for name in CELLS} if in_files else None,
        )
        write_netcdf(going.assign_attrs({**file_attributes(origin, "known_sites"), **going.attrs}), known)
    about = {"file": "splits.csv", "sha256": file_sha256(folder / "splits.csv"), **file_attributes(origin, "splits")}
    write_json(about, folder / "splits.json")
    if line := outcome(canonical.counts, canonical.towers, tuple(canonical.dropped)):
        announce(line)


def with_attributes(canonical: Canonical, origin: Origin) -> Canonical:
    """Let every dataset of the canonical set say where it comes from."""
    datasets = {name: getattr(canonical, name) for name in ("drivers", "simulation", "cover", "towers", "truth")}
    stated = {
        name: dataset.assign_attrs(file_attributes(origin, name))
        for name, dataset in datasets.items()
        if dataset is not None
    }
    return replace(canonical, **stated)


def read_provenance(path: Path) -> pd.DataFrame:
    """Read a provenance table; a source without files has an empty one."""
    return pd.read_csv(path) if path.read_text(encoding="utf-8").strip() else pd.DataFrame()
