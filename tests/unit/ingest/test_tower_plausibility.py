"""Wrong units of drivers: found in one site's record where physics can tell, else over the sites of a product."""

from dataclasses import replace

import numpy as np
import pytest
from ingest_samples import flx_name, synthetic_monthly, write_bif

from dere.config.towers import TowerSource
from dere.ingest.tower import plausibility
from dere.ingest.tower.discovery import recognise
from dere.ingest.tower.file_records import read_files
from dere.ingest.tower.towers import read_towers

FACTORS = {
    "MJ": ("SW_IN", 1 / 11.574, "MJ m-2 d-1"),
    "kPa": ("VPD", 0.1, "kPa"),
    "metres": ("P", 0.0304, "m per month"),
    "kilograms": ("P", 1 / 86400, "kg m-2 s-1"),
}


def write_tower(folder, site="DE-Syn", columns=("_F", "_ERA"), stem=None, factor=1.0, **given):
    table = synthetic_monthly()
    for name, values in given.items():
        table[name] = values
    for column in columns if stem else ():
        table[f"{stem}{column}"] *= factor
    table.to_csv(folder / flx_name(site), index=False)


@pytest.mark.parametrize("unit", FACTORS)
@pytest.mark.parametrize("columns", [("_F", "_ERA"), ("_F",)], ids=["both", "own"])
def test_a_wrong_unit_of_one_site_is_a_sentence(tmp_path, unit, columns):
    stem, factor, guess = FACTORS[unit]
    write_bif(tmp_path / "BIF.csv", {"DE-Syn": (50.0, 10.0, "GRA")})
    write_tower(tmp_path, columns=columns, stem=stem, factor=factor)
    with pytest.raises(ValueError, match=f"FLX_DE-Syn.*site DE-Syn.*{stem}_F.*expected.*looks like.*{guess}"):
        read_towers([tmp_path], TowerSource())


def test_wind_in_kilometres_per_hour_beside_its_reanalysis(tmp_path):
    write_bif(tmp_path / "BIF.csv", {"DE-Syn": (50.0, 10.0, "GRA")})
    write_tower(tmp_path, columns=("_F",), stem="WS", factor=3.2)
    with pytest.raises(ValueError, match=r"site DE-Syn: wind averages 9\.6 in WS_F and 3\.01 in WS_ERA.*another unit"):
        read_towers([tmp_path], TowerSource())


def test_strong_wind_of_one_site(tmp_path):
    write_bif(tmp_path / "BIF.csv", {"DE-Syn": (50.0, 10.0, "GRA")})
    write_tower(tmp_path, stem="WS", factor=3.6)
    with pytest.raises(ValueError, match=r"averages 10\.8 m s-1, but at most 10 is expected; it looks like km h-1"):
        read_towers([tmp_path], TowerSource())


@pytest.mark.parametrize(
    ("stem", "value", "guess"),
    [("WS", 8.0, "km h-1"), ("VPD", 0.8, "kPa"), ("P", 0.19, "m per month"), ("P", 20.0, "mm per month")],
)
def test_what_one_site_leaves_open_shows_over_all_sites(tmp_path, stem, value, guess):
    rng = np.random.default_rng(0)
    # a wettest month of 0.4 mm d-1 and dry months: no single site is refused
    values = np.full(24, value) if value > 0.19 else np.where(np.arange(24) % 2, 0.36, 0.01) + rng.uniform(0, 1e-3, 24)
    sites = {f"DE-Sy{number}": (50.0, 10.0 + number, "GRA") for number in range(3)}
    for number, site in enumerate(sites):
        write_bif(tmp_path / "BIF.csv", dict(list(sites.items())[: number + 1]))
        write_tower(tmp_path, site, **{f"{stem}_F": values, f"{stem}_ERA": values})
        if number < 2:
            assert read_towers([tmp_path], TowerSource()).dataset.sizes["site"] == number + 1
    with pytest.raises(ValueError, match=f"fluxnet2015: .*{stem}_F.* of its 3 sites has a median.*{guess}"):
        read_towers([tmp_path], TowerSource())


def test_a_bad_reanalysis_beside_a_good_column_is_warned_of(tmp_path, caplog):
    write_bif(tmp_path / "BIF.csv", {"DE-Syn": (50.0, 10.0, "GRA")})
    write_tower(tmp_path, columns=("_ERA",), stem="SW_IN", factor=1 / 11.574)
    assert read_towers([tmp_path], TowerSource()).dataset.sizes["site"] == 1
    assert "site DE-Syn: shortwave (SW_IN_ERA)" in caplog.text and "only fills gaps of SW_IN_F" in caplog.text


def test_a_humid_cold_site_is_not_refused(tmp_path):
    """VPD of 0.3 hPa at -12 degC is 12 % of saturation."""
    write_bif(tmp_path / "BIF.csv", {"DE-Syn": (50.0, 10.0, "GRA")})
    cold = {"TA_F": -12.0, "TA_ERA": -12.0, "VPD_F": 0.3, "VPD_ERA": 0.3}
    write_tower(tmp_path, **cold)
    assert read_towers([tmp_path], TowerSource()).dataset.sizes["site"] == 1


@pytest.mark.realdata
def test_no_real_site_is_refused_and_wrong_units_are_found(realdata):
    """The margins that the module's text states."""
    sources = ("fluxnet2015-monthly", "icos-warm-winter-2020")
    # reading them raises where a real site is refused
    dataset = read_towers([realdata / name for name in sources], TowerSource()).dataset
    lat = dict(zip(dataset["site"].values, dataset["lat"].values, strict=True))
    read = read_files(recognise([realdata / name for name in sources], TowerSource()), TowerSource()).records
    records = [record for _, record, _ in read]
    assert len(records) == 221
    least = {"shortwave": 219, "vpd": 190, "precipitation": 180, "wind": 80}
    factors = {"shortwave": 1 / 11.574, "vpd": 0.1, "precipitation": 0.0304, "wind": 3.6}
    for name, factor in factors.items():
        wrong = [_scaled(record, name, factor) for record in records]
        assert sum(_refused(record, lat[record.site]) for record in wrong) >= least[name]
        if name != "shortwave":
            with pytest.raises(ValueError, match=f"{name}.*median"):
                plausibility.check_products(wrong)


def _scaled(record, name, factor):
    both = {key: record.values[key] * factor for key in (name, f"{name}_reanalysis")}
    return replace(record, values=record.values | both)


def _refused(record, lat):
    try:
        plausibility.check_record(record, lat)
    except ValueError:
        return True
    return False
