"""Climate groups."""

import pytest

from dere.harmonise.koppen import climate_group


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        *[("Aw", "tropical"), ("BSk", "arid"), ("ET", "polar"), ("Continental", "continental")],
        *[("Arctic", "polar"), ("", ""), ("unknown", ""), ("Dsomething", "")],
    ],
)
def test_climates(code, expected):
    assert climate_group(code) == expected
