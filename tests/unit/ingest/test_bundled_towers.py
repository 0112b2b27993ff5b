"""The towers of the package: the compilation's own numbers, LAI and EVI in their months, each site cited."""

import csv
import gzip
import io
from statistics import mean

import numpy as np
import pandas as pd
import pytest
from ingest_samples import synthetic_extract

from dere.config.towers import TowerSource
from dere.harmonise.citations import citations
from dere.ingest.tower import fluxnet_extract
from dere.ingest.tower.bundled import PRODUCT, RENAMED, SITES, TABLE
from dere.ingest.tower.bundled.compilation import compiled, in_calendar_order
from dere.ingest.tower.bundled.table import parse, read_bundled
from dere.ingest.tower.faults import SiteFault
from dere.ingest.tower.fluxnet_extract.table import read_extract
from dere.ingest.tower.towers import read_towers
from dere.resources import TOWERS

MOST_BYTES = 2_500_000
RECORDED = ("site", "lat", "lon", "igbp", "koppen", "variant", "partitioning", "processing", "counts", "breaches")


def rows():
    return csv.DictReader(io.StringIO(gzip.decompress((TOWERS / TABLE).read_bytes()).decode()))


def test_northern_broadleaf_forests_are_green_in_summer():
    """Straight from the file, as anybody would open it."""
    months = {month: [] for month in range(1, 13)}
    for row in rows():
        if row["PFT"] == "DBF" and float(row["Lat"]) > 30 and row["LAI_MODIS"]:
            months[int(row["TIMESTAMP"][4:])].append(float(row["LAI_MODIS"]))
    lai = {month: mean(values) for month, values in months.items()}
    assert set(sorted(lai, key=lai.get)[-3:]) == {6, 7, 8} and min(lai[m] for m in (6, 7, 8)) > 4
    assert max(lai[month] for month in (12, 1, 2)) < 0.7


def test_it_is_small_and_complete():
    assert sum(path.stat().st_size for path in TOWERS.iterdir()) < MOST_BYTES
    found = [(row["Site"], row["TIMESTAMP"]) for row in rows()]
    assert len(found) == 14328 and found == sorted(set(found)) and len({site for site, _ in found}) == 166


def test_months_of_a_year_are_moved_and_nothing_else():
    """The sample's LAI of month m is m / 2, written in the order of the compilers."""
    texts = synthetic_extract(years=2).assign(**{"Unnamed: 0": 0}).astype(str)
    made = in_calendar_order(texts, "f")
    assert made["LAI_MODIS"].tolist() == [str(month / 2) for month in [*range(1, 13)] * 2]
    others = [column for column in texts if column not in (*RENAMED, "Unnamed: 0")]
    pd.testing.assert_frame_equal(made[others], texts[others])


def test_months_are_not_moved_again_and_a_site_at_fault_costs_itself():
    good, bad = synthetic_extract("XX-Syn", years=1), synthetic_extract("YY-Syn", years=1)
    bad["Lon"] = 11.0
    bad.loc[3, "Lon"] = 12.0
    record, fault = parse(pd.concat([bad, good]).rename(columns=RENAMED), "t.csv")
    np.testing.assert_array_equal(record.values["lai_satellite"], good["LAI"])
    assert isinstance(fault, SiteFault) and fault.site == "YY-Syn"
    assert fault.sentence.startswith("t.csv: site YY-Syn: column Lon holds 2 values")


@pytest.fixture(scope="module")
def towers():
    return read_towers([TOWERS], TowerSource(use_satellites=True))


def test_product_and_sites_are_cited_without_an_invented_doi(towers):
    table = towers.provenance
    assert len(towers.dataset["site"]) == 166 and set(table["product"]) == {PRODUCT.title}
    found = citations(table)
    own = found[found["product"].str.contains(", site ")]
    pages = {f"https://fluxnet.org/doi/FLUXNET2015/{site}" for site in towers.dataset["site"].values}
    assert set(own["url"]) == pages and not own["citation"].str.contains(r"10\.18140").any()
    whole = found[~found["product"].str.contains(", site ")]
    for doi in ("10.1038/s41597-020-0534-3", "10.1038/s41597-023-02349-y"):
        assert whole["citation"].str.contains(doi, regex=False).all()


def test_a_file_of_ones_own_comes_first_and_is_not_cited_as_the_packages(towers, tmp_path):
    mine = next(table for site, table in pd.read_csv(TOWERS / TABLE).groupby("Site") if site == "DE-Hai")
    given = mine.rename(columns={new: old for old, new in RENAMED.items()})
    given.to_csv(tmp_path / "DE-Hai_MM.csv", index=False)
    both = read_towers([TOWERS, tmp_path], TowerSource())
    row = both.provenance[both.provenance["file"] == "DE-Hai_MM.csv"].iloc[0]
    assert row["role"] == "fluxes, drivers, satellites" and row["product"] == fluxnet_extract.PRODUCT.title
    assert not row["site_citation"] and len(both.dataset["site"]) == 166


@pytest.mark.realdata
def test_records_are_those_of_the_compilation(realdata):
    found = {record.site: record for record in read_bundled(TOWERS / TABLE, TowerSource())}
    originals = [read_extract(path) for path in sorted((realdata / "fluxnet2015-monthly").glob("*_MM.csv.gz"))]
    assert list(found) == [record.site for record in originals]
    for record in originals:
        mine = found[record.site]
        np.testing.assert_array_equal(mine.months, record.months)
        assert list(mine.values) == list(record.values)
        for name, values in record.values.items():
            np.testing.assert_array_equal(mine.values[name], values, err_msg=f"{record.site} {name}")
        assert [getattr(mine, name) for name in RECORDED] == [getattr(record, name) for name in RECORDED]


@pytest.mark.realdata
def test_the_tables_are_made_again_from_the_compilation(realdata):
    months, sites = compiled(realdata / "fluxnet2015-monthly")
    assert months == gzip.decompress((TOWERS / TABLE).read_bytes()) and sites == (TOWERS / SITES).read_bytes()
