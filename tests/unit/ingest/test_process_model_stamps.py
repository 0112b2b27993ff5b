"""Stamps that may be starts or ends of months, read right or refused, never a month off (NCAR/geocat-comp#676,
COSIMA/cosima-recipes#21, FESOM/fesom2#763, spencerahill/aospy#185, pydata/xarray#5939)."""

import numpy as np
import pytest
import xarray as xr
from process_model_samples import FIRST, LAT, YEARS, config, days_of, write_model

from dere.ingest.simulation.process_model_files import open_quantity
from dere.ingest.simulation.process_model_netcdf import read_simulation
from dere.ingest.simulation.process_model_time import Steps, steps_of

MONTHLY = ("gpp", "ra", "rh", "lai", "cVeg", "cSoil")
DRIVERS = ("tmp", "pre", "dswrf", "dlwrf", "pres", "spfh", "ugrd", "vgrd")
COUNT = 12 * YEARS
ENDS = days_of("noleap", YEARS)
STARTS = np.concatenate([[0.0], ENDS[:-1]])
MIDDLES = (STARTS + ENDS) / 2
DAYS = f"days since {FIRST}-01-01"


def wave(peak):
    """(time, 1, 1) yearly wave, highest in the middle of month ``peak`` (0 = January)."""
    return np.cos(2 * np.pi * (np.arange(COUNT) - peak) / 12)[:, None, None]


def change(path, function):
    with xr.open_dataset(path, decode_times=False) as opened:
        dataset = opened.load()
    function(dataset).to_netcdf(path)


@pytest.fixture(scope="module")
def seasonal(tmp_path_factory):
    """The sample with seasons of the north at 45 N: sun in June, warmth and GPP in July."""
    folder = tmp_path_factory.mktemp("seasonal")
    write_model(folder)
    sea = -99999.0

    def scaled(name, factor):
        return lambda d: d.assign({name: d[name].where(d[name] == sea, d[name] * factor).assign_attrs(d[name].attrs)})

    change(folder / "synth.dswrf.monthly.nc", scaled("dswrf", 1 + 0.5 * wave(5.2)))
    change(folder / "synth.tmp.monthly.nc", scaled("tmp", 1 + 12 / 283 * wave(6)))
    # the sample's own months are noise about a wave of its own
    growth = 4e-8 * (1 + 0.9 * wave(6))[:, None]
    change(
        folder / "SYNTH_S3_gpp.nc",
        lambda d: d.assign(gpp=d["gpp"].where(d["gpp"] <= 0, growth).assign_attrs(d["gpp"].attrs)),
    )
    return folder


@pytest.fixture
def folder(seasonal, tmp_path):
    for path in seasonal.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def stamp(folder, names, values, units=DAYS, part=slice(None), calendar="noleap"):
    """New stamps without bounds for some of the files, of which a part is kept."""
    for path in folder.glob("*.nc"):
        if any(f"_{name}." in path.name or f".{name}." in path.name for name in names):

            def restamped(d):
                bare = d.drop_vars("time_bnds", errors="ignore")
                time = ("time", np.asarray(values, float), {"units": units, "calendar": calendar})
                return bare.assign_coords(time=time).isel(time=part)

            change(path, restamped)


def annual(folder, values):
    time = ("time", np.asarray(values, float), {"units": DAYS, "calendar": "noleap"})
    change(folder / "SYNTH_S3_landCoverFrac.nc", lambda d: d.drop_vars("time_bnds").assign_coords(time=time))


def peak(folder, **netcdf):
    """Calendar month of the highest GPP, and that of the highest shortwave, at 45 N."""
    forcing, simulation, _ = read_simulation(folder, "monthly8", config(netcdf=netcdf))
    assert not np.isnan(simulation["state"].sel(target="gpp", stand="mixture")).any()
    place = int(np.argmax(forcing["lat"].values == 45.0))
    gpp = simulation["state"].sel(target="gpp", stand="mixture").isel(cell=place, age=0)[:12]
    sun = forcing["shortwave"].isel(cell=place)[:12]
    return tuple(int(one["time"].dt.month[int(one.values.argmax())]) for one in (gpp, sun))


WAYS = [
    (ENDS, DAYS),
    (STARTS, DAYS),
    (ENDS * 24, f"hours since {FIRST}-01-01"),
    ((ENDS - 0.001) * 24, f"hours since {FIRST}-01-01 00:00:00"),
    (ENDS - 0.5, DAYS),
    (ENDS - 1, DAYS),
    (np.arange(COUNT) + 1.0, f"months since {FIRST}-01-01"),
    (np.arange(COUNT), f"months since {FIRST}-01-01"),
    ((np.arange(COUNT) + 1.0) / 12, f"years since {FIRST}-01-01"),
    ((ENDS + 400 * 365).astype(np.float32), f"days since {FIRST - 400}-01-01"),
]


@pytest.mark.parametrize(
    ("names", "values", "units"),
    [
        *((MONTHLY, *way) for way in WAYS),
        *((names, *way) for names in (DRIVERS, MONTHLY + DRIVERS) for way in (WAYS[0], WAYS[6])),
    ],
)
def test_whole_files_are_settled_by_sun_and_drivers(folder, names, values, units):
    stamp(folder, names, values, units)
    annual(folder, ENDS[11::12])
    assert peak(folder) == (7, 6)


@pytest.mark.parametrize(
    "part", [slice(0, -1), slice(6, None), slice(1, None), slice(2, 14), slice(0, 1), slice(11, 35)]
)
@pytest.mark.parametrize("values", [ENDS, STARTS])
def test_parts_of_a_model_are_refused_and_can_be_stated(folder, part, values):
    stamp(folder, MONTHLY, values, part=part)
    with pytest.raises(
        ValueError, match=r"may be the starts .* set sources\.simulation\.netcdf\.stamps to start or end"
    ):
        peak(folder)
    if len(np.arange(COUNT)[part]) >= 24 and part.start != 11:
        assert peak(folder, stamps="end" if values is ENDS else "start") == (7, 6)


def test_the_sun_settles_parts_of_the_drivers_and_is_logged(folder, caplog):
    stamp(folder, DRIVERS, ENDS, part=slice(3, None))
    assert peak(folder) == (7, 6)
    assert "dswrf: its stamps at first instants without bounds are taken for ends of months" in caplog.text
    assert "driver_stamps if this is wrong" in caplog.text


def test_a_statement_that_the_sun_contradicts(folder):
    stamp(folder, DRIVERS, ENDS)
    assert peak(folder, driver_stamps="end") == (7, 6)
    with pytest.raises(ValueError, match=r"shortwave is 1\.\d months behind the sun .*driver_stamps"):
        peak(folder, driver_stamps="start")


def test_months_of_the_drivers_with_seasons_that_do_not_fit(folder):
    """Ends from December to November look like starts of the drivers' years."""
    late = np.roll(np.arange(COUNT), 1)
    change(folder / "SYNTH_S3_gpp.nc", lambda d: d.isel(time=late).assign_coords(time=d["time"].values))
    stamp(folder, MONTHLY, STARTS)
    with pytest.raises(ValueError, match=r"with the months of the drivers GPP is 1\.\d months behind sun and warmth"):
        peak(folder)


def test_a_driver_of_other_months_than_shortwave(folder):
    stamp(folder, ("tmp",), ENDS, part=slice(0, -1))
    with pytest.raises(ValueError, match=r"tmp: 35 stamps .* neither reading has the months of synth\.dswrf"):
        peak(folder)


def test_latitudes_that_the_sun_contradicts(folder):
    change(folder / "synth.dswrf.monthly.nc", lambda d: d.assign_coords(lat=-LAT))
    with pytest.raises(ValueError, match=r"dswrf: shortwave is 6\.\d months (behind|ahead of) the sun|5\.\d months"):
        peak(folder)


def test_bounds_without_the_attribute_are_used(folder):
    for path in folder.glob("SYNTH_S3_*.nc"):
        change(path, lambda d: d.assign_coords(time=d["time"].drop_attrs().assign_attrs(units=DAYS, calendar="noleap")))
        assert not open_quantity(path, path.stem.split("_")[-1]).steps.undecided
    assert peak(folder) == (7, 6)


def with_bounds(bounds, **attrs):
    def edit(d):
        made = d.drop_vars("time_bnds").assign(time_bnds=(("time", "bnds"), bounds, attrs))
        return made.assign_coords(time=d["time"].assign_attrs(bounds="time_bnds"))

    return edit


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (with_bounds(np.stack([ENDS, ENDS + 30.0], 1)[np.r_[1:COUNT, 0]]), "lies outside its time bounds"),
        (with_bounds(np.stack([STARTS, ENDS, ENDS], 1)), r"time_bnds has shape \(36, 3\)"),
        (with_bounds(np.stack([STARTS, ENDS], 1) * 24, units="hours since 2000-01-01"), "units 'hours since"),
        (with_bounds(np.full((COUNT, 2), np.nan)), "finite numbers are needed"),
    ],
)
def test_bounds_that_contradict(folder, edit, message):
    change(folder / "SYNTH_S3_gpp.nc", edit)
    with pytest.raises(ValueError, match=message):
        peak(folder)


def test_bounds_of_no_length_are_none(folder):
    change(folder / "SYNTH_S3_gpp.nc", with_bounds(np.stack([ENDS, ENDS], 1)))
    assert open_quantity(folder / "SYNTH_S3_gpp.nc", "gpp").steps.undecided
    assert peak(folder) == (7, 6)


@pytest.mark.parametrize(("values", "right"), [(ENDS[11::12], True), (STARTS[::12], True), (ENDS[11::12] + 365, False)])
def test_years_are_those_of_the_fluxes(folder, values, right):
    annual(folder, values)
    if right:
        assert peak(folder) == (7, 6)
        cover = open_quantity(folder / "SYNTH_S3_landCoverFrac.nc", "landCoverFrac").steps
        assert cover.annual and cover.undecided
    else:
        with pytest.raises(ValueError, match=r"landCoverFrac: 3 stamps .*the years that they stand for"):
            peak(folder)


@pytest.mark.parametrize("calendar", ["standard", "noleap", "360_day"])
def test_what_is_open_and_what_is_not(calendar):
    attrs = {"units": "days since 2001-01-01", "calendar": calendar}
    for values, undecided in (([0.0], True), ([0.02], True), ([0.5], False), ([14.5], False), ([29.99], False)):
        assert steps_of(np.array(values), attrs, None, "f").undecided is undecided
    assert Steps(False, np.array([24000]), True).ending() == Steps(False, np.array([23999]))


def test_duplicates_gaps_and_time_reversed(folder):
    for order in ([0, 1, 1, *range(2, COUNT)], [0, 2, *range(3, COUNT)], list(range(COUNT))[::-1]):
        with xr.open_dataset(folder / "SYNTH_S3_gpp.nc", decode_times=False) as d:
            d.load().isel(time=order).to_netcdf(folder / "other.nc")
        with pytest.raises(ValueError, match="time goes on by"):
            open_quantity(folder / "other.nc", "gpp")
