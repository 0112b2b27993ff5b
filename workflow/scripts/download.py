"""Fetch a published data set, or say where a person gets it."""

from pathlib import Path
from typing import TYPE_CHECKING

from dere.config.download import DownloadsConfig
from dere.workflow.download import download
from dere.workflow.running import running

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with running(snakemake):
    download(snakemake.wildcards.source, DownloadsConfig(**snakemake.params.config), Path(snakemake.output[0]))
