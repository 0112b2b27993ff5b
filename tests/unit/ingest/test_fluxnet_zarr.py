"""The half-hourly FLUXNET2015 store: packed values, absent chunks, UTC to local time."""

import json

import numpy as np
import pytest
from collection_samples import FACTOR, write_store

from dere.config.towers import TowerSource
from dere.ingest.tower.fluxnet_zarr.store import local_offset, read_fluxnet_zarr
from dere.ingest.tower.towers import read_towers

CONFIG = TowerSource()
SITES = {"XX-Wes": -99.4, "XX-Mis": 10.0, "XX-Eas": 112.5}


@pytest.fixture
def store(tmp_path):
    return write_store(tmp_path / "fluxnet.zarr", SITES, {"XX-Wes": -6, "XX-Eas": 8})


def by_site(path, config=CONFIG):
    return {record.site: record for record in read_fluxnet_zarr(path, config)}


def test_sites_with_chunks_are_read(store):
    records = by_site(store)
    sun = np.maximum(0, np.cos(2 * np.pi * (np.arange(48) / 2 - 12) / 24))
    assert sorted(records) == ["XX-Eas", "XX-Wes"]
    for site, record in records.items():
        assert record.months.tolist() == [2010 * 12, 2010 * 12 + 1]
        np.testing.assert_allclose(record.values["gpp_nt"], 8 * sun.mean() * FACTOR, atol=1e-3)
        np.testing.assert_allclose(record.values["nee"], (2 - 8 * sun.mean()) * FACTOR, atol=1e-3)
        np.testing.assert_allclose(record.values["shortwave"], 500 * sun.mean(), atol=0.02)
        np.testing.assert_allclose([record.lat, record.lon], [45.0, SITES[site]], atol=0.006)
        assert np.isnan(record.values["reco_nt"]).all()


def test_quality_is_a_share_with_the_opposite_direction(store):
    values = by_site(store)["XX-Wes"].values
    np.testing.assert_allclose(values["nee_quality"], 0.5, atol=1e-3)
    np.testing.assert_allclose(values["nee_measured_share"], 0.25, atol=1e-3)
    np.testing.assert_allclose(values["shortwave_quality"], 1.0)
    np.testing.assert_allclose(values["vpd_quality"], 0.0)


def test_noon_is_at_noon(store):
    for record in by_site(store, TowerSource(diurnal_cycles=True)).values():
        cycle = record.diurnal["shortwave_hourly"][0]
        assert cycle.argmax() in (11, 12) and np.isclose(cycle[11], cycle[12], rtol=0.1) and cycle[:5].max() < 1
        assert "wind_hourly" not in record.diurnal


def test_the_clock_of_the_cycles_reaches_the_towers(store, caplog):
    """Without it the cycles cannot be turned; a table of sites that says otherwise does not move them."""
    towers = read_towers([store.parent], TowerSource(diurnal_cycles=True)).dataset
    assert dict(zip(towers.site.values, towers.utc_offset.values, strict=True)) == {"XX-Wes": -6, "XX-Eas": 8}
    assert "keep the clock" not in caplog.text
    (store.parent / "sites.csv").write_text(
        "site,lat,lon,igbp,utc_offset\nXX-Wes,45,-99.4,GRA,-5\nXX-Eas,45,112.5,GRA,8\n"
    )
    towers = read_towers([store.parent], TowerSource(diurnal_cycles=True)).dataset
    assert dict(zip(towers.site.values, towers.utc_offset.values, strict=True)) == {"XX-Wes": -6, "XX-Eas": 8}
    assert "1 sites keep the clock of their own file" in caplog.text and "XX-Wes -6 h, not -5 h" in caplog.text


@pytest.mark.parametrize(
    ("first_end", "longitude", "expected"),
    [
        ("2009-01-01T06:30", -99.4, (-360, True)),
        ("2006-12-31T22:30", 24.2, (120, True)),
        ("2002-12-31T16:30", 112.5, (480, True)),
        ("2002-12-31T18:45", 85.0, (345, True)),
        ("2004-07-01T03:30", 24.2, (120, False)),
    ],
)
def test_offset_from_the_first_half_hour(first_end, longitude, expected):
    assert local_offset(np.datetime64(first_end, "m"), longitude) == expected


def test_record_that_begins_in_summer_is_counted(tmp_path, caplog):
    import zarr

    path = write_store(tmp_path / "fluxnet.zarr", {"XX-Wes": -99.4}, {"XX-Wes": -6})
    group = zarr.open_group(path, mode="r+", zarr_format=2)
    group["time"].attrs["units"] = "minutes since 2009-07-31 00:30:00"
    assert by_site(path)["XX-Wes"].counts["offset_by_longitude"] == 1
    assert "1 offset by longitude" in caplog.text


def test_half_hours_that_are_not_to_be_read_give_nothing(store):
    assert read_fluxnet_zarr(store, TowerSource(resolution=("MM", "DD"))) == []


def attributes(store, name, **change):
    path = store / name / ".zattrs"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda s: attributes(s, "ta", units="degF"), "has unit 'degF'"),
        (lambda s: attributes(s, "time", units="days since 1991-01-01"), "minutes since an instant are expected"),
        (lambda s: (s / "nee" / ".zarray").unlink(), "has no array nee"),
        (lambda s: (s / ".zgroup").unlink(), "cannot be read as a Zarr store"),
        (lambda s: (s / "nee" / "0.0").write_bytes(b"\x02\x01"), "array nee cannot be read"),
        (lambda s: [path.unlink() for path in (s / "nee").glob("?.0")], "the chunks are missing"),
        (lambda s: attributes(s, "ta", add_offset=243.15), "it looks like K"),
    ],
)
def test_bad_stores_end_in_one_sentence(store, damage, sentence):
    damage(store)
    with pytest.raises(ValueError, match=sentence):
        read_fluxnet_zarr(store, CONFIG)


def test_missing_store_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"fluxnet\.zarr is no folder"):
        read_fluxnet_zarr(tmp_path / "fluxnet.zarr", CONFIG)
