"""Another process model as NetCDF against loops over cells, plant types and months."""

import numpy as np
import pytest
import xarray as xr
from process_model_samples import DESERT, LAND, LAT, LON, PLANT_TYPES, config, quantities, write_drivers, write_model

from carbon_closure import closure_residuals
from dere.ingest.simulation.process_model_netcdf import read_simulation
from dere.variables import TARGETS

CLASS = {"NL": 0, "BL": 1, "GS": 2}
KG_PER_SECOND = 8.64e7


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    write_model(folder)
    return folder


@pytest.fixture(scope="module")
def read(folder):
    return read_simulation(folder, "monthly8", config())


@pytest.fixture
def broken(folder, tmp_path):
    """A copy to change."""
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def edit(path, change):
    with xr.open_dataset(path, decode_times=False) as opened:
        dataset = opened.load()
    change(dataset).to_netcdf(path)


def times_cover(name, cover, total=False):
    """Change from values per area of a plant type to values per area of the cell, summed over types with ``total``."""

    def change(dataset):
        amount = dataset[name] * np.where(cover < -1, 1, cover)
        amount = amount.sum("PFT", skipna=False) if total else amount
        return dataset.assign({name: amount.assign_attrs(dataset[name].attrs)})

    return change


def place(simulation, cell):
    """Position of land cell ``cell`` of the samples on the axis."""
    row, column = LAND[cell]
    lon = LON[column] - 360 if LON[column] > 180 else LON[column]
    found = np.flatnonzero((simulation["lat"].values == LAT[row]) & (simulation["lon"].values == lon))
    assert len(found) == 1
    return int(found[0])


def test_cells_lie_where_the_file_puts_them(read):
    forcing, simulation, _ = read
    wanted = {(LAT[r], LON[c] - 360 if LON[c] > 180 else LON[c]) for i, (r, c) in enumerate(LAND) if i != DESERT}
    assert set(zip(forcing["lat"].values, forcing["lon"].values, strict=True)) == wanted
    row, column = np.divmod(forcing["cell"].values, 12)
    np.testing.assert_array_equal(forcing["lat"], 75.0 - 30 * row)
    np.testing.assert_array_equal(forcing["lon"], -165.0 + 30 * column)
    assert (simulation["cell"] == forcing["cell"]).all() and forcing.attrs["grid_degrees"] == 30
    assert str(forcing["time"].values[0])[:7] == "2001-01" and forcing.sizes["time"] == 24


def test_stands_and_mixture_equal_loops(read):
    _, simulation, _ = read
    raw = quantities()
    state = simulation["state"].sel(age=100)
    for cell in (c for c in range(len(LAND)) if c != DESERT):
        here = state.isel(cell=place(simulation, cell))
        for step in (0, 7, 23):
            month = step + 12
            cover = raw["landCoverFrac"][month // 12, :3, cell]
            gpp, carbon = raw["gpp"][month, :3, cell], raw["cVeg"][month, :3, cell]
            total = sum(cover[p] * gpp[p] for p in range(3)) / cover.sum() * KG_PER_SECOND
            mixture = here.sel(stand="mixture").isel(time=step)
            assert float(mixture.sel(target="gpp")) == pytest.approx(total, rel=1e-5)
            for name, position in CLASS.items():
                pure = here.sel(stand=name).isel(time=step)
                if cover[position] == 0:
                    assert np.isnan(pure).all()
                    continue
                assert float(pure.sel(target="gpp")) == pytest.approx(gpp[position] * KG_PER_SECOND, rel=1e-5)
                share = {"BL": 0.79, "NL": 0.79, "GS": 0.25}[name]
                assert float(pure.sel(target="agb")) == pytest.approx(share * carbon[position], rel=1e-5)
                height, rate = {"BL": (40, 0.30), "NL": (38, 0.24), "GS": (1, 1.2)}[name]
                estimate = height * (1 - np.exp(-rate * (share * carbon[position]) ** 0.6))
                assert float(pure.sel(target="height")) == pytest.approx(estimate, rel=1e-5)
            # the soil belongs to the cell: per vegetated area, alike in all stands
            rh = raw["rh"][month, cell] / cover.sum() * KG_PER_SECOND
            assert float(mixture.sel(target="rh")) == pytest.approx(rh, rel=1e-5)


def test_fluxes_close_and_the_initial_state_is_the_month_before(read):
    _, simulation, _ = read
    values = {name: simulation["state"].sel(target=name, stand="mixture").values for name in TARGETS}
    assert max(np.abs(r).max() for r in closure_residuals(values).values()) < 1e-5
    raw = quantities()
    cell = place(simulation, 1)
    lai = simulation["initial_state"].sel(age=100, stand="NL", target="lai").values[cell]
    assert lai == pytest.approx(raw["lai"][11, 0, 1], rel=1e-6)


def test_fractions(read):
    _, simulation, _ = read
    raw = quantities()["landCoverFrac"]
    cell = place(simulation, 2)
    for year in (2001, 2002):
        cover = raw[year - 2000, :3, 2]
        found = simulation["plant_fraction"].sel(age=100, year=year).values[cell]
        np.testing.assert_allclose(found, np.array([cover[1], cover[0], cover[2]]) / cover.sum(), rtol=1e-6)


def test_drivers(read):
    forcing, simulation, files = read
    cell = place(simulation, 1)
    here = forcing.isel(cell=cell, time=0)
    grown = 1 + 0.01 + 0.001
    assert float(here["air_temperature"]) == pytest.approx(283 * grown - 273.15, rel=1e-4)
    assert float(here["precipitation"]) == pytest.approx(2.3e-5 * 86400 * grown, rel=1e-5)
    assert float(here["wind"]) == pytest.approx(5 * grown, rel=1e-5)
    temperature, pressure, humidity = 283 * grown - 273.15, 980.0 * grown, 0.006 * grown
    vapour = humidity * pressure / (0.622 + 0.378 * humidity)
    vpd = 6.1094 * np.exp(17.625 * temperature / (temperature + 243.04)) - vapour
    assert float(here["vpd"]) == pytest.approx(vpd, rel=1e-4)
    assert float(here["co2"]) == 371.0 and here["pressure"].attrs["units"] == "kPa"
    assert len(files) == len(set(files)) == 7 + 8 + 1


def test_calendar_and_latitude_order_change_nothing(read, tmp_path):
    write_model(tmp_path, calendar="360_day", descending=True)
    other = read_simulation(tmp_path, "monthly8", config())
    for one, two in zip(read[:2], other[:2], strict=True):
        xr.testing.assert_allclose(one, two)


def test_blocks_change_nothing(folder, read):
    blocks = read_simulation(folder, "monthly8", config(), memory=60_000)
    assert len(blocks[1]["state"].chunks[0]) == 4
    for one, two in zip(read[:2], blocks[:2], strict=True):
        xr.testing.assert_identical(one, two.compute())


def test_values_per_cell_area(folder, read, tmp_path):
    """The same model written per area of the cell gives the same stands."""
    write_model(tmp_path)
    with xr.open_dataset(tmp_path / "SYNTH_S3_landCoverFrac.nc", decode_times=False) as opened:
        cover = np.repeat(opened["landCoverFrac"].values, 12, axis=0)
    for name in ("gpp", "ra", "lai", "cVeg"):
        edit(tmp_path / f"SYNTH_S3_{name}.nc", times_cover(name, cover))
    other = read_simulation(tmp_path, "monthly8", config(netcdf={"per": "cell_area"}))
    xr.testing.assert_allclose(read[1], other[1], rtol=1e-4)


def test_one_file_per_plant_type_and_per_age(folder, read, tmp_path):
    for name in ("gpp", "ra", "lai", "cVeg", "landCoverFrac", "rh", "cSoil"):
        with xr.open_dataset(folder / f"SYNTH_S3_{name}.nc", decode_times=False) as opened:
            dataset = opened.load()
        for age in (50, 100):
            for index, plant_type in enumerate(PLANT_TYPES[:3]):
                one = dataset.isel(PFT=index, drop=True) if "PFT" in dataset.dims else dataset
                one = one.assign(
                    {name: (one[name] * (age / 100 if name == "gpp" else 1)).assign_attrs(one[name].attrs)}
                )
                one.to_netcdf(tmp_path / f"{name}_{plant_type}_{age}.nc")
    write_drivers(tmp_path)
    # what the model writes for the cell only stands in each type's file too: then it is per type
    classes = {"BNE": "NL", "TeBS": "BL", "C3G": "GS"}
    options = {"pattern": "{name}_{plant_type}_{age}.nc", "plant_types": classes}
    found = read_simulation(tmp_path, "monthly8", config(ages=(50, 100), netcdf=options))[1]
    known = read[1]
    assert found["age"].values.tolist() == [50, 100]
    for stand in ("NL", "mixture"):
        gpp = found["state"].sel(stand=stand, target="gpp")
        np.testing.assert_allclose(gpp.sel(age=100), known["state"].sel(stand=stand, target="gpp", age=100), rtol=1e-5)
        np.testing.assert_allclose(gpp.sel(age=50), gpp.sel(age=100) / 2, rtol=1e-5)


def test_a_model_without_plant_type_fluxes_gives_the_mixture_alone(broken, read):
    """Fluxes of the whole cell are per vegetated area afterwards; harmonise then looks for pure cells."""
    with xr.open_dataset(broken / "SYNTH_S3_landCoverFrac.nc", decode_times=False) as opened:
        cover = np.repeat(opened["landCoverFrac"].values, 12, axis=0)
    for name in ("gpp", "ra", "lai", "cVeg"):
        edit(broken / f"SYNTH_S3_{name}.nc", times_cover(name, cover, total=True))
    simulation = read_simulation(broken, "monthly8", config())[1]
    assert simulation["stand"].values.tolist() == ["mixture"]
    for name in ("gpp", "reco", "lai"):
        np.testing.assert_allclose(
            simulation["state"].sel(stand="mixture", target=name),
            read[1]["state"].sel(stand="mixture", target=name),
            rtol=1e-4,
        )


def test_height_and_roots_of_the_model_are_used(broken):
    for name, value in (("height", 12.5), ("cRoot", 0.5)):
        with xr.open_dataset(broken / "SYNTH_S3_cVeg.nc", decode_times=False) as opened:
            dataset = opened.load().rename(cVeg=name)
        values = np.where(dataset[name].values < -1, -99999.0, value)
        dataset[name] = dataset[name].copy(data=values).assign_attrs(units="m" if name == "height" else "kg m-2")
        dataset.to_netcdf(broken / f"SYNTH_S3_{name}.nc")
    names = dict(config().netcdf.variables) | {"height": "height", "root_carbon": "cRoot"}
    simulation = read_simulation(broken, "monthly8", config(netcdf={"variables": names}))[1]
    state = simulation["state"].sel(age=100, stand="NL").isel(cell=place(simulation, 1), time=0)
    assert float(state.sel(target="height")) == pytest.approx(12.5)
    assert float(state.sel(target="agb")) == pytest.approx(quantities()["cVeg"][12, 0, 1] - 0.5, rel=1e-5)


def test_annual_fluxes_are_refused(broken):
    def mean_of_years(dataset):
        years = dataset["gpp"].values.reshape(3, 12, *dataset["gpp"].shape[1:]).mean(1)
        return dataset.assign(gpp=dataset["gpp"].copy(data=np.repeat(years, 12, axis=0)))

    edit(broken / "SYNTH_S3_gpp.nc", mean_of_years)
    with pytest.raises(ValueError, match=r"GPP repeats one annual value .* 4 of 4"):
        read_simulation(broken, "monthly8", config())
    dropped = read_simulation(broken, "monthly8", config(annual_targets="states_only"))[1]
    assert (
        dropped.attrs["fluxes"] == "absent" and np.isfinite(dropped["state"].sel(target="lai", stand="mixture")).all()
    )
