"""What ingest took out of the tower files is counted in counts.csv, and stands nowhere else."""

import numpy as np

from dere.config.harmonise import HarmoniseConfig
from dere.config.simulation import SimulationSource
from dere.config.splits import SplitsConfig
from dere.harmonise.build import harmonise
from dere.harmonise.impossible import without_impossible
from dere.harmonise.interim import Interim


def test_counts_of_ingest_become_rows(interim):
    texts = np.full(interim.towers.sizes["site"], "", object)
    texts[:2] = "nee:3 wind:1", "failed_fits:2"
    marked = interim.towers.assign_coords(impossible=("site", texts))
    canonical = harmonise(
        Interim(**{**interim.__dict__, "towers": marked}),
        SimulationSource(),
        HarmoniseConfig(window=24, window_stride=12),
        SplitsConfig(folds=3, block_degrees=20),
    )
    rows = canonical.counts[canonical.counts["step"] == "ingest"]
    first, second = marked["site"].values[:2].tolist()
    assert rows[["site", "reason", "months"]].values.tolist() == [
        [first, "nee: impossible", 3], [first, "wind: impossible", 1], [second, "failed_fits: impossible", 2],
    ]  # fmt: skip
    assert "impossible" not in canonical.towers.coords and canonical.counts["months"].dtype.kind == "i"


def test_towers_without_counts_stay_as_they_are(towers):
    same, counts = without_impossible(towers)
    assert same.identical(towers) and not len(counts)
