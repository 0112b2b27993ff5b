"""IGBP classes in codes and in words."""

import pytest

from dere.ingest.igbp_classes import IGBP, igbp_code

NAMES = {
    "ENF": "Evergreen Needleleaf Forests", "EBF": "Evergreen Broadleaf Forests",
    "DNF": "Deciduous Needleleaf Forests", "DBF": "Deciduous Broadleaf Forests", "MF": "Mixed Forests",
    "CSH": "Closed Shrublands", "OSH": "Open Shrublands", "WSA": "Woody Savannas", "SAV": "Savannas",
    "GRA": "Grasslands", "WET": "Permanent Wetlands", "CRO": "Croplands", "URB": "Urban and Built-up Lands",
    "CVM": "Cropland/Natural Vegetation Mosaics", "SNO": "Permanent Snow and Ice",
    "BSV": "Barren or Sparsely Vegetated", "WAT": "Water Bodies",
}  # fmt: skip


@pytest.mark.parametrize("code", IGBP)
def test_every_class_is_known_by_its_code_and_its_name(code):
    name = NAMES[code]
    written = (code, code.lower(), f" {code} ", name, name.lower(), name.upper(), name.removesuffix("s"))
    assert {igbp_code(text) for text in (*written, f"{code} ({name}: lands with ...)", f"{code} - {name}")} == {code}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("BAR", "BSV"), ("barren", "BSV"), ("Snow and ice", "SNO"), ("water", "WAT"), ("urban and built-up", "URB"),
        ("wetland", "WET"), ("evergreen needle-leaved forest", "ENF"), ("Savannahs", "SAV"), ("CRO - rice", "CRO"),
        ("CRO-rice", "CRO"), ("DBF: oak", "DBF"),
    ],
)  # fmt: skip
def test_other_ways_to_write_them(text, code):
    assert igbp_code(text) == code


@pytest.mark.parametrize("text", ["", "UNC", "unclassified", "unknown", "NA", "n/a", "-", "-9999", None, float("nan")])
def test_what_says_that_the_class_is_unknown(text):
    assert igbp_code(text) == ""


@pytest.mark.parametrize("text", ["Tundra", "forest", "needleleaf", "12", "ENF2", "GRA - CRO", "XYZ", "rice"])
def test_what_is_no_class(text):
    """A number may be of any legend, and of two classes neither is taken."""
    assert igbp_code(text) is None
