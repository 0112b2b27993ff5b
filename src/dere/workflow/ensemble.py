"""Join the folds and seeds of each method."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dere.evaluation.ensemble import ensemble
from dere.invented import invented_sources, marked
from dere.io import read_netcdf, write_netcdf


def write_ensembles(predictions: Sequence[Path], outputs: Sequence[Path]) -> None:
    """Write one ensemble for each method and backbone.

    Parameters
    ----------
    predictions
        ``.../<method>/<backbone>/fold<k>/seed<s>.nc``.
    outputs
        ``.../<method>/<backbone>/ensemble.nc``.
    """
    for output in outputs:
        members = [read_netcdf(path) for path in predictions if path.parent.parent == output.parent]
        sources = invented_sources(member.attrs for member in members)
        write_netcdf(ensemble(members).assign_attrs(marked(sources)), output)
