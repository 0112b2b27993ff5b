"""The methane towers of the package: months of measured days, repairs that are stated, clusters that are neighbours."""

import gzip
import io

import numpy as np
import pandas as pd
import pytest

from dere.config.towers import TowerSource
from dere.harmonise.citations import citations
from dere.harmonise.splits import site_clusters
from dere.ingest.tower.bundled import PRODUCT as CARBON
from dere.ingest.tower.bundled_methane import PRODUCT, SITES, TABLE
from dere.ingest.tower.bundled_methane.compilation import compiled, monthly_rows
from dere.ingest.tower.bundled_methane.table import parse
from dere.ingest.tower.bundled_methane.wetlands import WETLANDS
from dere.ingest.tower.choice import choose
from dere.ingest.tower.partial_record import Origin, partial_record
from dere.ingest.tower.towers import read_towers
from dere.resources import METHANE
from dere.variables import FLUX_UNIT, WETLAND_CLASSES, convert


@pytest.fixture(scope="module")
def rows():
    return pd.read_csv(METHANE / TABLE)


@pytest.fixture(scope="module")
def sites():
    return pd.read_csv(METHANE / SITES).set_index("site_id")


@pytest.fixture(scope="module")
def towers():
    return read_towers([METHANE], TowerSource())


def test_months_are_those_of_ten_measured_days(rows):
    assert len(rows) == 706 and rows["FCH4"].notna().sum() == 495
    assert (rows["FCH4"].notna() == (rows["FCH4_DAYS"] >= 10)).all()
    days = pd.to_datetime(rows["TIMESTAMP"].astype(str), format="%Y%m").dt.days_in_month
    np.testing.assert_allclose(rows["FCH4_DAYS"] / days, rows["FCH4_QC"], atol=1e-6)
    long = rows.dropna(subset="FCH4").groupby("Site").size()
    assert (long >= 12).sum() == 14 and long["BW-Gum"] == 7


def test_levels_differ_by_wetland_as_published(rows):
    mean = rows.groupby("Site")["FCH4"].mean()
    assert mean.idxmin() == "FR-LGt" and mean.idxmax() == "BW-Gum"
    assert mean["FR-LGt"] < 5 and mean["BW-Gum"] > 150


def test_rain_of_one_site_is_put_right_and_no_other(rows):
    rain = rows.groupby("Site")["P_F"].mean() * 365.25
    assert rain["FI-Lom"] == pytest.approx(548.5, abs=5)
    assert rain.between(100, 1200).all()


def test_clusters_are_towers_within_fifty_kilometres(sites):
    found = site_clusters(list(sites.index), sites["lat"].to_numpy(), sites["lon"].to_numpy(), 50.0)
    pairs = pd.Series(found, index=sites.index)
    assert sites["cluster"].nunique() == pairs.nunique() == 12
    for _, group in sites.groupby("cluster"):
        assert pairs[group.index].nunique() == 1
    assert set(sites["wetland"]) == {"bog", "fen", "swamp", "wet tundra", "drained"} and set(sites.index) == {*WETLANDS}


def test_the_class_of_each_wetland_is_that_of_the_table_of_sites(towers, sites):
    number = towers.dataset["wetland_class"].transpose("site", "time").to_pandas()
    assert (number.min(axis=1) == number.max(axis=1)).all()
    named = {site: WETLAND_CLASSES[int(row.max()) - 1] for site, row in number.iterrows()}
    assert named == sites["wetland"].to_dict()


def test_towers_are_read_with_methane_in_carbon(towers, rows):
    data = towers.dataset
    assert list(data["site"].values) == sorted(WETLANDS) and (data["igbp"] == "WET").all()
    first = rows[rows["Site"] == "FI-Lom"].set_index("TIMESTAMP")["FCH4"]
    mine = data["ch4"].sel(site="FI-Lom").to_series().dropna()
    stamps = [int(f"{time:%Y%m}") for time in mine.index]
    np.testing.assert_allclose(mine, convert(first[stamps].to_numpy(), "nmolCH4 m-2 s-1", FLUX_UNIT))
    assert data["ch4"].attrs["units"] == FLUX_UNIT and int(data["ch4"].notnull().sum()) == 495
    assert float(data["nee"].notnull().mean("time").min()) > 0.05


def test_methane_that_a_newer_record_of_its_site_hides_is_said(caplog):
    origin = Origin(PRODUCT, "methane", "fluxnet-ch4", "a.csv"), Origin(CARBON, "carbon", "fluxnet", "b.csv")
    months, flux = np.arange(24000, 24012), {"nee": np.full(12, 1.0)}
    methane = partial_record("FI-Lom", months, flux | {"ch4": np.full(12, 0.1)}, origin[0])
    found = choose([methane, partial_record("FI-Lom", months, flux, origin[1])])
    assert found["FI-Lom"].processing == "carbon" and "ch4 of FI-Lom is not read" in caplog.text
    caplog.clear()
    assert choose([methane])["FI-Lom"] is methane and not caplog.text


def test_product_and_sites_are_cited_without_an_invented_doi(towers):
    assert set(towers.provenance["product"]) == {PRODUCT.title}
    found = citations(towers.provenance)
    own = found[found["product"].str.contains(", site ")]
    assert len(own) == 15 and not own["citation"].str.contains(r"10\.\d").any()
    assert found["citation"].str.contains("10.5194/essd-13-3607-2021", regex=False).any()


def test_a_file_of_another_site_or_step_is_refused(tmp_path):
    for name in ("FLX_XX-Syn_FLUXNET-CH4_DD_2014-2014_1-1.csv", "FLX_FI-Lom_FLUXNET-CH4_HH_2006-2010_1-1.csv"):
        with pytest.raises(ValueError, match="is no daily file of a listed site"):
            monthly_rows(tmp_path / name, TowerSource())
    with pytest.raises(FileNotFoundError, match="name their folder"):
        compiled(tmp_path)


def test_a_site_at_fault_costs_itself(rows):
    bad = rows[rows["Site"].isin(["FI-Lom", "FI-Sii"])].copy()
    bad.loc[bad["Site"] == "FI-Sii", "FCH4"] *= 1000.0
    record, fault = parse(bad, "t.csv", TowerSource())
    assert record.site == "FI-Lom" and "t.csv: site FI-Sii" in fault.sentence


@pytest.mark.realdata
def test_the_tables_are_made_again_from_the_daily_files(realdata):
    months, sites = compiled(realdata / "fluxnet-ch4-daily")
    assert months == gzip.decompress((METHANE / TABLE).read_bytes()) and sites == (METHANE / SITES).read_bytes()
    assert len(pd.read_csv(io.BytesIO(months))) == 706
