"""Which files of the processed arrays a rule read."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from dere.config.simulation import SimulationSource
from dere.ingest.arrays.dere_files import CONTENTS, find_files
from dere.ingest.arrays.dere_source import PRODUCT
from dere.ingest.provenance import provenance_row
from dere.ingest.tower.site_table import PRODUCT as SITES

CELL_COVER = ("cells", "cell_cover", "cell_fractions", "tower_cover")
"""Kinds of files that bring the cover."""
TOWERS = ("towers", "tower_cover", "tower_imputation")
"""Kinds of files that bring the towers."""


def provenance_of(config: SimulationSource, kinds: tuple[str, ...] = tuple(CONTENTS)) -> pd.DataFrame:
    """Provenance of the files of some kinds, and of the table of coordinates."""
    found = find_files(Path(config.path), config.network)
    rows = [provenance_row(found[kind], PRODUCT, 0, role=CONTENTS[kind]) for kind in kinds if kind in found]
    if config.coordinates:
        rows.append(provenance_row(Path(config.coordinates), SITES, 0, role="coordinates of cells and towers"))
    return pd.DataFrame(rows)
