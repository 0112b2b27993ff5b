"""Aggregate one year's 300 m plant-type map."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dere.ingest.cover.esacci_aggregate import aggregate_file


def aggregate_plant_types(source: Path, output: Path, config: Mapping[str, Any]) -> None:
    """Write the map's means over cells of ``config["degrees"]``, weighted by area with ``config["area_weights"]``.

    Raises
    ------
    FileNotFoundError, ValueError
        As ``dere.ingest.cover.esacci_aggregate.aggregate_file``.
    """
    aggregate_file(source, output, float(config["degrees"]), bool(config["area_weights"]))
