"""Write the statistics of one fold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dere.config.windows import WindowConfig
from dere.exchange import DEFAULT, get
from dere.harmonise.origin import derived_attributes
from dere.harmonise.statistics import statistics
from dere.io import content_hash, read_netcdf, write_netcdf
from dere.workflow.members import read_splits


def write_statistics(
    files: Mapping[str, Path],
    fold: int,
    output: Path,
    config: WindowConfig,
    memory: int | None = None,
    code: str = "",
    exchange: str = DEFAULT,
) -> None:
    """Write mean and spread of drivers, statics, targets and fluxes over the fold's training members.

    Parameters
    ----------
    files
        ``drivers``, ``towers``, ``splits``, and ``simulation`` unless the exchange has no states.
    fold
        Fold.
    output
        File to write.
    config
        Channels and label quality of the section harmonise.
    memory
        Bytes that the job may use; None = everything fits.
    code
        Digest of the rule's code, which the file states.
    exchange
        Name of what is predicted.
    """
    drivers = read_netcdf(files["drivers"], memory=memory)
    simulation = read_netcdf(files["simulation"], memory=memory) if "simulation" in files else None
    towers = read_netcdf(files["towers"])
    result = statistics(
        drivers,
        simulation,
        towers,
        read_splits(files["splits"]),
        fold,
        config.satellites,
        config.minimum_training_quality,
        get(exchange),
        config.channels,
    )
    title = f"Mean and spread of the training members of fold {fold}"
    parents = [dataset.attrs for dataset in (drivers, simulation, towers) if dataset is not None]
    hashed = content_hash([config.model_dump(), exchange])
    result.attrs |= derived_attributes(title, "statistics", code, hashed, parents)
    write_netcdf(result, output)
