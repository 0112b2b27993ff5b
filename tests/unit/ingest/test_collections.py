"""All tower collections beside each other in one folder, as a user would put them."""

import numpy as np
import pytest
from collection_samples import write_collections

from dere.config.towers import TowerSource
from dere.ingest.tower.discovery import recognise
from dere.ingest.tower.towers import read_towers


@pytest.fixture
def folder(tmp_path):
    return write_collections(tmp_path)


def test_every_format_is_recognised_once(folder):
    found = recognise([folder])
    assert sorted(form.name for form, _ in found.towers) == [
        "ABCflux", "CarbonSense v1", "CarbonSense v2", "FLUXNET-CH4", "FLUXNET2015 Zarr store", "FluxCourse",
        "six forests",
    ]  # fmt: skip
    assert not found.ignored


def test_sites_of_all_formats_stand_in_one_dataset(folder):
    dataset, provenance = read_towers([folder], TowerSource())[:2]
    sites = dataset["site"].values.tolist()
    assert sites == [
        "ABC+68.356+019.050", "SE-St1", "US-Sy2", "US-Syn", "XX-Cou", "XX-Met", "XX-Sen", "XX-Sy2", "XX-Syn", "XX-Wes",
    ]  # fmt: skip
    # XX-Syn is in ABCflux and in CarbonSense v2, whose drivers are more complete
    assert dataset["network"].sel(site="XX-Syn").item() == "carbonsense"
    rows = provenance.set_index("site").loc["XX-Syn"]
    assert sorted(rows["role"]) == ["fluxes and drivers", "superseded by carbonsense_v2.sql"]
    assert provenance["licence"].notna().all() and provenance["sha256"].str.len().eq(64).all()
    labelled = (np.isfinite(dataset["nee"]) & np.isfinite(dataset["gpp_nt"])).any("time")
    assert labelled.all()
