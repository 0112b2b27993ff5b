"""A run goes on after a fault of a site only where enough sites are left."""

import pandas as pd
import pytest
import xarray as xr

from dere.config.towers import TowerSource
from dere.ingest.tower.tower_provenance import DROPPED
from dere.ingest.tower.towers import Towers
from dere.workflow.ingest_towers import require_sites


def found(left, dropped, metadata=()):
    rows = [{"site": site, "role": "fluxes and drivers"} for site in left]
    rows += [{"site": site, "role": f"{DROPPED}FLX_{site}.csv has neither column"} for site in dropped]
    rows += [{"role": role} for role in metadata]
    dataset = xr.Dataset(coords={"site": list(left)})
    return Towers(dataset, pd.DataFrame(rows, columns=["site", "role"]), pd.DataFrame())


def test_too_few_are_left():
    with pytest.raises(
        ValueError, match=r"^2 sites are left after 1 was dropped \(FLX_C\.csv has neither column\), but at least 5"
    ):
        require_sites(found("AB", "C"), TowerSource().minimum_sites)
    require_sites(found("AB", "C"), 2)
    require_sites(found("ABDEF", "C"), 5)


def test_without_a_fault_any_number_will_do():
    """A damaged table of metadata, or an older file of a site, costs no site."""
    require_sites(found("AB", ""), 5)
    require_sites(found("AB", "A", [f"{DROPPED}BIF.csv is truncated"]), 5)
