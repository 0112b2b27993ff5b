"""DOIs of single sites reach the provenance of the files that are used."""

import numpy as np
import pandas as pd
import pytest
from ingest_samples import flx_name, synthetic_monthly, write_bif

from dere.config.sources import TowerSource
from dere.harmonise.citations import citations
from dere.ingest.tower.site_citations import doi_of, parse_site_citations, read_site_citations
from dere.ingest.tower.towers import read_towers

HEADER = "# Citation information (synthetic).\n# One line more, with, commas.\nsite_id,author,doi,doi_url,citation\n"
AMF = '"US-Syn","A. B.","10.17190/AMF/1","http://doi.org/10.17190/AMF/1","A. B. (2023), Ver. 3-5. https://doi.org/x"\n'


@pytest.mark.parametrize(
    ("text", "doi"),
    [
        ("https://doi.org/10.17190/AMF/2229404", "10.17190/AMF/2229404"),
        ("Someone (2016) FLUXNET2015, doi:10.18140/FLX/1440150.", "10.18140/FLX/1440150"),
        ("not assigned", ""),
        (np.nan, ""),
    ],
)
def test_a_doi_is_found_in_a_text(text, doi):
    assert doi_of(text) == doi


def test_comment_lines_before_the_header_are_passed_over(tmp_path):
    path = tmp_path / "citations_for_site_data_FLUXNET_20240201.csv"
    path.write_text(HEADER + AMF + '"DK-ZaH","C","not yet","",""\n')
    table = read_site_citations(path)
    assert table.loc["US-Syn", "doi"] == "10.17190/AMF/1" and "Ver. 3-5" in table.loc["US-Syn", "citation"]
    assert table.loc["GL-ZaH", "doi"] == ""


def test_a_table_without_a_doi_column_and_one_that_is_none():
    with pytest.raises(ValueError, match=r"c\.csv has no column doi"):
        parse_site_citations(pd.DataFrame({"site_id": ["a"], "citation": ["b"]}), "c.csv")


def test_an_unreadable_table_of_citations(tmp_path):
    path = tmp_path / "citations_for_site_data_x.csv"
    path.write_text("site_id,doi,citation\n1,2,3,4\n1,2,3,4,5\n")
    with pytest.raises(ValueError, match="cannot be read as a table of citations"):
        read_site_citations(path)


def test_each_used_site_is_cited_by_the_doi_of_its_own_product(tmp_path):
    """One site from AmeriFlux, one from FLUXNET2015; the superseded file of the first is not cited."""
    table = synthetic_monthly()
    for name in (
        "AMF_US-Syn_FLUXNET_FULLSET_MM_2001-2002_3-5.csv",
        flx_name("US-Syn"),
        flx_name("FI-Syn"),
    ):
        table.to_csv(tmp_path / name, index=False)
    bif = tmp_path / "FLX_AA-Flx_BIF_MM_20260101.csv"
    write_bif(bif, {"US-Syn": (50.0, -90.0, "DBF"), "FI-Syn": (51.0, 24.0, "ENF")})
    with bif.open("a", encoding="latin-1") as stream:
        stream.write("FI-Syn;9;GRP_DOI;DOI;10.18140/FLX/1\nUS-Syn;9;GRP_DOI;DOI;10.18140/FLX/2\n")
    (tmp_path / "citations_for_site_data_FLUXNET_1.csv").write_text(HEADER + AMF)
    table = read_towers([tmp_path], TowerSource()).provenance
    cited = citations(table.assign(source="towers"))
    urls = dict(zip(cited["product"], cited["url"], strict=True))
    assert urls["AmeriFlux FLUXNET, site US-Syn"] == "https://doi.org/10.17190/AMF/1"
    assert urls["FLUXNET2015, site FI-Syn"] == "https://doi.org/10.18140/FLX/1"
    assert "https://doi.org/10.18140/FLX/2" not in urls.values()


@pytest.mark.realdata
def test_real_ameriflux_sites_have_their_dois(realdata, tmp_path):
    # the download holds no coordinates; rounded ones of Barrow and Harvard Forest will do
    (tmp_path / "sites.csv").write_text("site,lat,lon,igbp\nUS-xBA,71.3,-156.6,WET\nUS-xHA,42.5,-72.2,DBF\n")
    found = read_towers([realdata / "ameriflux-fluxnet-subset", tmp_path], TowerSource()).provenance
    stated = found.loc[found["site"].notna() & (found["site"] != ""), ["site", "site_doi"]].drop_duplicates()
    assert dict(stated.to_numpy())["US-xBA"] == "10.17190/AMF/2229404"
