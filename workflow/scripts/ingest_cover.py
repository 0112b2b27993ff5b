"""Read plant-type maps and stand ages."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from dere.config.cover import CoverSource
from dere.config.simulation import SimulationSource
from dere.ingest.source import of_modules
from dere.workflow.ingest_cover import ingest_cover
from dere.workflow.running import running
from dere.workflow.script import memory_of, named_files

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with running(snakemake):
    config = CoverSource(**snakemake.params.config)
    if config.provider == "dere":
        # loaded by name: the arrays are no part of the code of other runs
        arrays = import_module("dere.workflow.ingest_dere")
        arrays.ingest_cover(SimulationSource(**snakemake.params.arrays), *map(Path, snakemake.output))
    else:
        files = named_files(snakemake)
        maps = [Path(config.path or path) for path in snakemake.input.files[:1]]
        ingest_cover(
            maps[0] if maps else None,
            [Path(path) for path in snakemake.params.towers or snakemake.input.towers],
            snakemake.params.ages,
            config,
            *map(Path, snakemake.output),
            made=[Path(path) for path in snakemake.input.made],
            pixels=next(map(Path, snakemake.input.pixels), None),
            degrees=snakemake.params.degrees,
            sites=files.get("sites"),
            forcing=files.get("forcing"),
            memory=memory_of(snakemake),
            among=of_modules(snakemake.params.sources),
            invented=bool(maps and not config.path) or not snakemake.params.towers,
        )
