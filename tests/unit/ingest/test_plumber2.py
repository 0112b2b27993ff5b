"""NetCDF towers of PLUMBER2 (Ukkola and others 2022): months against loops, files that lack their partner, damage.

Public reports: geco-bern/ingestr#10 and geco-bern/FluxDataKit#69, files of one site that nobody reads.
"""

import logging

import netCDF4
import numpy as np
import pytest
from ingest_samples import flx_name, synthetic_monthly
from plumber2_samples import FLUX, MET, SITE, UMOL, values, write

from dere.config.towers import TowerSource
from dere.ingest.accounts import table_of
from dere.ingest.tower.discovery import recognise
from dere.ingest.tower.plumber2.site import read_plumber2
from dere.ingest.tower.towers import read_and_account

CONFIG = TowerSource()
JANUARY = 31 * 48


@pytest.fixture
def pair(tmp_path):
    """Fluxes and weather in folders of their own, as they are published; the flag of NEE is 0, 1 and 10 in turn."""
    flag = np.tile([0.0, 1.0, 10.0], 59 * 16)
    write(tmp_path / "Flux", "Flux", NEE_qc=flag)
    write(tmp_path / "Met", "Met", Tair_qc=np.where(np.arange(59 * 48) < JANUARY // 2, 0.0, 4.0))
    return tmp_path


def test_months_are_means_of_half_hours_in_the_units_of_a_record(pair):
    towers, accounts = read_and_account([pair], CONFIG)
    data = towers.dataset
    assert data["site"].values.tolist() == [SITE] and data["igbp"].item() == "WSA"
    assert (data["lat"].item(), data["lon"].item()) == (-12.5, 131.2)
    raw = values(f"{MET} {FLUX}", 59 * 48, 48)
    first = {name: column[:JANUARY].mean() for name, column in raw.items()}
    found = {name: data[name].isel(site=0).values for name in data.data_vars if data[name].dims == ("site", "time")}
    expected = {
        "nee": first["NEE"] * UMOL, "gpp_nt": first["GPP"] * UMOL, "gpp_dt": first["GPP_DT"] * UMOL,
        "reco_nt": 2 * UMOL, "air_temperature": first["Tair"] - 273.15, "precipitation": 2.0,
        "shortwave": first["SWdown"], "longwave": 310.0, "vpd": first["VPD"], "pressure": 98.0, "wind": 3.0,
        "co2": 390.0, "nee_quality": 1 / 3, "nee_measured_share": 1 / 3, "air_temperature_quality": 0.5,
    }  # fmt: skip
    for name, value in expected.items():
        assert found[name][0] == pytest.approx(value, rel=1e-5), name
    assert np.isfinite(found["nee"]).sum() == 2
    table = table_of(accounts)
    assert table[["folder", "file", "what", "source", "site"]].to_numpy().tolist() == [
        [f"{pair.name}/Flux", f"{SITE}_2005-2005_OzFlux_Flux.nc", "read", "PLUMBER2", SITE],
        [f"{pair.name}/Met", f"{SITE}_2005-2005_OzFlux_Met.nc", "read", "PLUMBER2", SITE],
    ]
    assert table["why"].tolist() == ["", f"read with {SITE}_2005-2005_OzFlux_Flux.nc"] and (table["bytes"] > 0).all()
    roles = towers.provenance.set_index("file")["role"]
    assert roles[f"{SITE}_2005-2005_OzFlux_Met.nc"] == f"read with {SITE}_2005-2005_OzFlux_Flux.nc"
    assert "essd-14-449-2022" in towers.provenance["citation"][0]


def test_hours_gaps_and_other_names_of_variables(tmp_path):
    """LaThuile has hours too; missing steps count as not measured, a month with too few of them is missing."""
    nee = values("NEE", 59 * 24, 24)["NEE"]
    nee[:200], nee[31 * 24 : 31 * 24 + 30] = np.nan, np.nan
    raw = values("Resp Precip Psurf", 59 * 24, 24)
    fluxes = {"NEE": nee, "NEE_qc": np.zeros(59 * 24), "Reco": raw["Resp"] * 2}
    write(tmp_path, "Flux", per_day=24, dataset="LaThuile", units={"Reco": "umol/m2/s"}, **fluxes)
    weather = {"Rainf": raw["Precip"], "PSurf": raw["Psurf"]}
    write(tmp_path, "met", per_day=24, dataset="LaThuile", units={"Rainf": "kg/m2/s", "PSurf": "Pa"}, **weather)
    ((source, file),) = recognise([tmp_path]).towers
    joined = recognise([tmp_path]).joined[file]
    (record,) = source.reader()(file, CONFIG, *joined)
    assert np.isnan(record.values["nee"][0]) and record.values["nee"][1] == pytest.approx(
        nee[774:].mean() * UMOL, rel=1e-5
    )
    assert record.values["nee_quality"] == pytest.approx([544 / 744, 642 / 672])
    assert record.values["reco_nt"] == pytest.approx([4 * UMOL] * 2)
    assert record.values["precipitation"] == pytest.approx([2.0, 2.0]) and record.values["pressure"][0] == 98.0
    assert read_plumber2(file, TowerSource(resolution=("MM", "HH"))) == []


def test_diurnal_cycles_are_hours_of_local_time(pair):
    config = TowerSource(diurnal_cycles=True)
    flux, met = sorted(pair.rglob("*.nc"))
    (record,) = read_plumber2(flux, config, met)
    hours = values("SWdown", JANUARY, 48)["SWdown"].reshape(31, 24, 2).mean((0, 2))
    np.testing.assert_allclose(record.diurnal["shortwave_hourly"][0], hours, rtol=1e-5)
    assert set(record.diurnal) >= {"specific_humidity_hourly", "air_temperature_hourly", "wind_hourly", "co2_hourly"}


def test_files_without_their_partner_are_reported_and_read(tmp_path, caplog):
    write(tmp_path, "Flux")
    write(tmp_path, "Met", site="XX-Met")
    with caplog.at_level(logging.WARNING):
        towers, _ = read_and_account([tmp_path], CONFIG)
    assert towers.dataset["site"].values.tolist() == ["XX-Met", SITE]
    assert np.isfinite(towers.dataset["nee"]).sum("time").values.tolist() == [0, 2]
    assert np.isfinite(towers.dataset["air_temperature"]).any("time").values.tolist() == [True, False]
    assert f"{SITE}_2005-2005_OzFlux_Flux.nc has no file ..._Met.nc of its site beside it" in caplog.text
    assert "XX-Met_2005-2005_OzFlux_Met.nc has no file ..._Flux.nc of its site" in caplog.text
    # without a flag there is no quality, so that no month trains by default
    assert np.isnan(towers.dataset["nee_quality"]).all()


def test_weather_of_other_years_of_the_same_data_set_is_joined_by_time(tmp_path):
    flux = write(tmp_path, "Flux")
    met = write(tmp_path, "Met", days=31, first_day=0)
    met = met.rename(tmp_path / f"{SITE}_2004-2005_OzFlux_Met.nc")
    found = recognise([tmp_path])
    assert found.joined == {flux: (met,)} and len(found.towers) == 1
    (record,) = read_plumber2(flux, CONFIG, met)
    assert np.isfinite(record.values["nee"]).tolist() == [True, True]
    assert np.isfinite(record.values["wind"]).tolist() == [True, False]


def test_onefluxs_own_monthly_file_of_a_site_comes_first(tmp_path):
    write(tmp_path, "Flux", site="AA-Syn", lat=50.0)
    synthetic_monthly(2005, 1).to_csv(tmp_path / flx_name("AA-Syn", 2005, 1), index=False)
    towers, _ = read_and_account([tmp_path], CONFIG)
    assert towers.dataset["source"].item() == flx_name("AA-Syn", 2005, 1) and len(towers.merged) == 2


def strip_units(path):
    with netCDF4.Dataset(path, "a") as file:
        file["time"].delncattr("units")


def strange_units(path):
    with netCDF4.Dataset(path, "a") as file:
        file["NEE"].units = "g m-2"


def unreadable_time(path):
    with netCDF4.Dataset(path, "a") as file:
        file["time"].units = "seconds since when"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (strip_units, r"Flux\.nc: time has the unit '', but seconds since a date"),
        (unreadable_time, r"Flux\.nc cannot be read as NetCDF of PLUMBER2 \(unable to decode time units"),
        (strange_units, r"Flux\.nc: NEE has unit 'g m-2', but 'gC m-2 d-1' is needed"),
        (lambda path: path.write_bytes(path.read_bytes()[:900]), "cannot be read as NetCDF"),
        (lambda path: path.write_bytes(b""), "cannot be read as NetCDF"),
        (lambda path: write(path.parent, "Flux", per_day=8), "has steps of 180 minutes, but half hours or hours are"),
        (lambda path: write(path.parent, "Flux", days=5), r"has no month with 80% of its steps in any of NEE"),
        (lambda path: netCDF4.Dataset(path, "w").close(), "has none of the variables NEE, GPP.* among none"),
    ],
)
def test_hostile_files_end_in_a_sentence(tmp_path, change, sentence):
    path = write(tmp_path, "Flux")
    change(path)
    with pytest.raises(ValueError, match=sentence):
        read_plumber2(path, CONFIG)
