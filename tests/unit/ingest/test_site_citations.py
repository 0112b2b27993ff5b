"""DOIs of single sites reach the provenance of the files that are used."""

import numpy as np
import pandas as pd
import pytest
from ingest_samples import flx_name, synthetic_monthly, write_bif

from dere.config.towers import TowerSource
from dere.harmonise.citations import citations
from dere.ingest.tower.bif import parse_bif, read_listing
from dere.ingest.tower.site_citations import doi_of, parse_site_citations, read_site_citations, stated_dois
from dere.ingest.tower.towers import read_towers

LISTING = "data_hub,site_id,site_name,location_lat,location_long,igbp,team_member_name,product_citation,product_id\n"
HANDLE = "https://hdl.handle.net/11676/39gLjDLg85pGQzLxDnzjtRU_"
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


BASE, FLUXNET, CH4 = ("10.17190/AMF/1", "10.17190/AMF/2", "10.18140/FLX/3")


def long_rows(*groups):
    """Rows of a long table: each group is (GROUP_ID, {variable: value}) of site US-Syn."""
    rows = [("US-Syn", group, name, value) for group, stated in groups for name, value in stated.items()]
    return pd.DataFrame(rows, columns=["SITE_ID", "GROUP_ID", "VARIABLE", "DATAVALUE"])


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2)])
def test_of_the_dois_of_a_site_that_of_the_fluxnet_product_counts(order):
    groups = [
        (1, {"DOI": BASE, "DOI_DATAPRODUCT": "AmeriFlux BASE", "DOI_CITATION": "Somebody, BASE"}),
        (2, {"DOI_DATAPRODUCT": "AmeriFlux FLUXNET-1F", "DOI_CITATION": "Somebody, FLUXNET-1F", "DOI": FLUXNET}),
        (3, {"DOI": CH4, "DOI_DATAPRODUCT": "FLUXNET-CH4"}),
    ]
    row = parse_bif(long_rows(*(groups[number] for number in order)), "f").loc["US-Syn"]
    assert (row["doi"], row["citation"]) == (FLUXNET, "Somebody, FLUXNET-1F")


def test_rows_of_two_groups_may_be_mixed():
    rows = long_rows((1, {"DOI": BASE}), (2, {"DOI": FLUXNET}), (2, {"DOI_DATAPRODUCT": "FLUXNET2015"}),
                     (1, {"DOI_DATAPRODUCT": "AmeriFlux BASE"}))  # fmt: skip
    assert stated_dois(rows).loc["US-Syn", "doi"] == FLUXNET


def test_without_a_product_the_last_doi_counts():
    rows = long_rows((1, {"DOI": FLUXNET}), (2, {"DOI": f"https://doi.org/{BASE}"}))
    assert stated_dois(rows).loc["US-Syn"].tolist() == [BASE, ""]
    assert stated_dois(rows.drop(columns="GROUP_ID")).loc["US-Syn", "doi"] == BASE
    assert stated_dois(rows.assign(DATAVALUE="not assigned")).empty


def test_a_table_without_dois_still_lists_its_sites():
    assert parse_bif(long_rows((1, {"IGBP": "ENF"})), "f").loc["US-Syn", ["doi", "citation"]].tolist() == ["", ""]


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_listing_keeps_names_in_its_citations(tmp_path, encoding):
    name = "Šigut, L." if encoding == "utf-8" else "Gößling, L."
    path = tmp_path / "fluxnet_shuttle_snapshot_1.csv"
    path.write_text(f'{LISTING}ICOS,CZ-Syn,N,49,18,ENF,x,"{name} (2025). A product, {HANDLE}",1\n', encoding=encoding)
    assert read_listing(path).loc["CZ-Syn", "citation"] == f"{name} (2025). A product, {HANDLE}"


def test_products_of_the_shuttle_are_cited_as_the_listing_says(tmp_path):
    """A handle at ICOS, a text at TERN, a DOI at AmeriFlux, whatever the DOI of another product in the BIF table."""
    table = synthetic_monthly()
    files = {
        "CZ-Syn": "ICOSETC_CZ-Syn_FLUXNET_FLUXMET_MM_2001-2002_v1.3_r1.csv",
        "AU-Syn": "TERN_AU-Syn_FLUXNET_FLUXMET_MM_2001-2002_v1.3_r1.csv",
        "US-Syn": "AMF_US-Syn_FLUXNET_FLUXMET_MM_2001-2002_v1.3_r1.csv",
        "FI-Syn": flx_name("FI-Syn"),
    }
    for name in files.values():
        table.to_csv(tmp_path / name, index=False)
    bif = tmp_path / "FLX_AA-Flx_BIF_MM_20260101.csv"
    write_bif(bif, {site: (50.0, 18.0 + place, "ENF") for place, site in enumerate(files)})
    with bif.open("a", encoding="latin-1") as stream:
        stream.write("US-Syn;9;GRP_DOI;DOI;10.17190/AMF/9\nUS-Syn;9;GRP_DOI;DOI_DATAPRODUCT;AmeriFlux BASE\n")
        stream.write("CZ-Syn;9;GRP_DOI;DOI;10.18140/FLX/9\n")
    lines = [
        f'ICOS,CZ-Syn,N,50,18,ENF,x,"Šigut, L. (2025). Fluxnet Archive Product, FLUXNET, {HANDLE}.",1',
        'TERN,AU-Syn,N,50,18,ENF,x,"Feitz, A. (2024). Flux data, TERN.",1',
        'AmeriFlux,US-Syn,N,50,18,ENF,x,"Body, S. (2024). AmeriFlux FLUXNET-1F, https://doi.org/10.17190/AMF/2",1',
        'ICOS,FI-Syn,N,50,18,ENF,x,"Another product, https://hdl.handle.net/11676/other",1',
    ]
    (tmp_path / "fluxnet_shuttle_snapshot_1.csv").write_text(LISTING + "\n".join(lines) + "\n", encoding="utf-8")
    provenance = read_towers([tmp_path], TowerSource()).provenance
    cited = citations(provenance.assign(source="towers")).set_index("product")
    shuttle = "FLUXNET shuttle product, site"
    assert cited.loc[f"{shuttle} CZ-Syn", ["citation", "url"]].tolist() == [
        f"Šigut, L. (2025). Fluxnet Archive Product, FLUXNET, {HANDLE}.",
        HANDLE,
    ]
    assert cited.loc[f"{shuttle} AU-Syn", ["citation", "url"]].tolist() == ["Feitz, A. (2024). Flux data, TERN.", ""]
    assert cited.loc[f"{shuttle} US-Syn", "url"] == "https://doi.org/10.17190/AMF/2"
    assert not cited.index.str.contains("FI-Syn").any(), "the listing speaks of another product of that site"
    assert provenance.set_index("file").loc["fluxnet_shuttle_snapshot_1.csv", "role"] == "metadata"


@pytest.mark.parametrize(
    ("citation", "url"),
    [
        ("A (2025), hdl.handle.net/11676/abc_, and more", "https://hdl.handle.net/11676/abc_"),
        ("A (2025) (https://portal.example/x?y=1).", "https://portal.example/x?y=1"),
        ("A (2025), no address", ""),
    ],
)
def test_a_citation_without_a_doi_is_cited_with_its_address(citation, url):
    rows = {"product": ["p"], "site": ["XX-Syn"], "site_doi": [float("nan")], "site_citation": [citation]}
    found = citations(pd.DataFrame({**rows, "version": ["1"], "licence": ["l"], "citation": ["c"], "url": ["u"]}))
    assert found.loc[1, ["product", "citation", "url"]].tolist() == ["p, site XX-Syn", citation, url]


@pytest.mark.realdata
def test_real_ameriflux_sites_have_their_dois(realdata, tmp_path):
    # the download holds no coordinates; rounded ones of Barrow and Harvard Forest will do
    (tmp_path / "sites.csv").write_text("site,lat,lon,igbp\nUS-xBA,71.3,-156.6,WET\nUS-xHA,42.5,-72.2,DBF\n")
    found = read_towers([realdata / "ameriflux-fluxnet-subset", tmp_path], TowerSource()).provenance
    stated = found.loc[found["site"].notna() & (found["site"] != ""), ["site", "site_doi"]].drop_duplicates()
    assert dict(stated.to_numpy())["US-xBA"] == "10.17190/AMF/2229404"
