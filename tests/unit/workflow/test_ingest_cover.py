"""From 300 m maps, ages and tables to the interim file, and what cells and towers then take from it."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dere.config.cover import AgeSource, CoverSource
from dere.harmonise import igbp
from dere.harmonise.age_lookup import ages_without_forest
from dere.harmonise.cover import cell_cover, site_cover
from dere.harmonise.cover_grid import maps_on_grid, run_grid
from dere.harmonise.interim import unpack_cover
from dere.ingest.cover.age_intervals import class_shares
from dere.ingest.cover.esacci_classes import LAYERS
from dere.ingest.cover.esacci_names import aggregated_name, fine_maps, is_aggregated, version_of, year_of
from dere.ingest.cover.forest_age import GFAD_LOWER, GFAD_UPPER
from dere.ingest.cover.stand_ages import find_ages
from dere.io import read_netcdf, write_netcdf
from dere.run_config.root import normalise
from dere.workflow import cover_files
from dere.workflow.aggregate_plant_types import aggregate_plant_types
from dere.workflow.ingest_cover import ingest_cover
from dere.workflow.sample_plant_types import sample_plant_types
from forest_age_maps import FILL, gfad, write_gfad, write_mpi
from plant_type_maps import synthetic_layers, write_fine_map

AGES = (1, 20, 100, 200, 400)
YEARS = (2000, 2001, 2002)
SITES = {"AA-Syn": (50.9, 10.9), "BB-Syn": (50.2, 10.3), "CC-Syn": (-30.0, 10.0), "DD-Syn": (50.8, 10.2)}


@pytest.fixture
def folders(tmp_path):
    """Three years at 300 m over 2 x 2 cells (the north-western one ocean), GFAD, towers with a table of their own."""
    maps, towers = tmp_path / "cover", tmp_path / "towers"
    maps.mkdir(), towers.mkdir()
    for year in YEARS:
        layers = synthetic_layers(60, 60, seed=year, ocean=False)
        layers[:, :30, :30] = 0
        layers[LAYERS.index("WATER"), :30, :30] = 100
        write_fine_map(maps, year, layers, size=1 / 60, chunks=(25, 25))
    ages = gfad()
    ages["age"][:, :, 2, 1] = FILL  # the cell at 50.75 N, 10.75 E has no forest
    write_gfad(maps, ages)
    rows = [("AA-Syn", 2005, 100, 0), ("CC-Syn", 2005, 0, 100)]
    table = pd.DataFrame(rows, columns=["SITE_ID", "year", "TREES-BD", "TREES-NE"])
    table.assign(**{name: 0 for name in LAYERS if name not in table}).to_csv(
        towers / "site_plant_types.csv", index=False
    )
    dataset = xr.Dataset(
        coords={
            "site": np.array(list(SITES), object),
            "lat": ("site", [place[0] for place in SITES.values()]),
            "lon": ("site", [place[1] for place in SITES.values()]),
            "igbp": ("site", np.array(["ENF"] * 4, object)),
        }
    )
    write_netcdf(dataset, tmp_path / "towers.nc")
    return tmp_path


def ingest(folder, config=None, pixels=True):
    maps = folder / "cover"
    fine = fine_maps(maps.glob("ESACCI*.nc"))
    given = {year_of(path.name) for path in maps.glob("*.nc") if is_aggregated(path.name)}
    made = [folder / "interim" / aggregated_name(path.name) for year, path in fine.items() if year not in given]
    for path in made:
        source = maps / path.name.replace("aggregated-", "")
        aggregate_plant_types(source, path, {"degrees": 0.5, "area_weights": True})
    table = folder / "interim" / "site_pixels.csv"
    sample_plant_types(list(fine.values()), folder / "towers.nc", table, {"tower_window_km": 1.0})
    config = config or CoverSource(path=str(maps))
    files = folder / "cover.nc", folder / "provenance.csv", folder / "sources.csv"
    ingest_cover(maps, [folder / "towers"], AGES, config, *files, made, table if pixels else None, 0.5)
    return unpack_cover(read_netcdf(files[0])), pd.read_csv(files[1])


def write_aggregated(folder, year, degrees, shape=None, version="2.0.8"):
    """Random aggregated map of the globe, or of a region from 51 N, 10 E on; percent (lat, lon, layer)."""
    lat, lon = run_grid(degrees)
    if shape:
        lat, lon = 51 - degrees * (np.arange(shape[0]) + 0.5), 10 + degrees * (np.arange(shape[1]) + 0.5)
    layers = np.random.default_rng(year).dirichlet(np.full(len(LAYERS), 0.4), (len(lat), len(lon))) * 100
    data = {name: (("lat", "lon"), layers[..., i].astype(np.float32)) for i, name in enumerate(LAYERS)}
    name = f"ESACCI-LC-L4-PFT-Map-300m-P1Y-aggregated-{year}-v{version}.nc"
    xr.Dataset(data, coords={"lat": lat, "lon": lon}).to_netcdf(folder / name)
    return layers


def cells(*places):
    lat, lon = np.array(places).T
    return xr.Dataset(
        coords={"cell": np.arange(len(places)), "lat": ("cell", lat), "lon": ("cell", lon)}, attrs={"grid_degrees": 0.5}
    )


def test_towers_take_pixels_then_their_table_then_the_cell_then_their_class(folders):
    cover, provenance = ingest(folders)
    towers = read_netcdf(folders / "towers.nc")
    of_sites = site_cover(towers, YEARS, AGES, cover.sites, cover.site_ages, cover.grid, cover.grid_ages)
    assert of_sites["cover_source"].values.tolist() == ["pixels", "pixels", "own", "igbp"], "DD-Syn lies in the ocean"
    assert of_sites["age_source"].values.tolist() == ["igbp", "cell", "igbp", "cell"], "AA-Syn's cell has no forest"
    np.testing.assert_allclose(of_sites["plant_fraction"].sel(site="CC-Syn", year=2002), [0, 1, 0])
    assert set(provenance["file"]) == {
        *(f"ESACCI-LC-L4-PFT-Map-300m-P1Y-{year}-v2.0.8.nc" for year in YEARS), "GFAD_V1-1.nc", "site_plant_types.csv"
    }  # fmt: skip
    assert provenance["licence"].str.contains("CC-BY-4.0").sum() == 1


def test_provenance_lists_the_maps_that_were_read(folders):
    """Not what else is called ESACCI, and each map with the version that its name states."""
    maps = folders / "cover"
    write_fine_map(maps, 2003, synthetic_layers(60, 60, ocean=False), size=1 / 60, chunks=(25, 25), version="2.0.81")
    for name in ("LCCS-Map-300m-P1Y-2001-v2.0.7cds.nc", "PFT-Map-300m-P1Y-aggregated-2000-v2.0.8.nc.part"):
        (maps / f"ESACCI-LC-L4-{name}").touch()
    for year, version in ((2001, "2.0.82"), (2004, "2.0.8")):
        write_aggregated(maps, year, 0.5, (2, 2), version)
    _, provenance = ingest(folders)
    read = provenance.set_index("file")["version"].filter(like="ESACCI")
    assert read.to_dict() == {
        "ESACCI-LC-L4-PFT-Map-300m-P1Y-2000-v2.0.8.nc": "2.0.8",
        "ESACCI-LC-L4-PFT-Map-300m-P1Y-2001-v2.0.8.nc": "2.0.8",
        "ESACCI-LC-L4-PFT-Map-300m-P1Y-2002-v2.0.8.nc": "2.0.8",
        "ESACCI-LC-L4-PFT-Map-300m-P1Y-2003-v2.0.81.nc": "2.0.81",
        "ESACCI-LC-L4-PFT-Map-300m-P1Y-aggregated-2001-v2.0.82.nc": "2.0.82",
        "ESACCI-LC-L4-PFT-Map-300m-P1Y-aggregated-2004-v2.0.8.nc": "2.0.8",
    }
    _, provenance = ingest(folders, pixels=False)
    assert "ESACCI-LC-L4-PFT-Map-300m-P1Y-2001-v2.0.8.nc" not in set(provenance["file"]), "neither averaged nor sampled"
    assert version_of("GFAD_V1-1.nc") == ""


def test_cells_take_the_map_and_stated_ages_where_no_forest_is(folders):
    cover, _ = ingest(folders)
    result = cell_cover(cells((50.25, 10.25), (50.75, 10.75)), cover.grid, cover.grid_ages, YEARS, AGES)
    np.testing.assert_allclose(result["age_weight"].sum("age"), 1, rtol=1e-6)
    shares = gfad().age.values[:, :, 3, 0].sum(1) @ class_shares(GFAD_LOWER, GFAD_UPPER, AGES)
    np.testing.assert_allclose(result["age_weight"][0], shares / shares.sum(), rtol=1e-5)
    layers = cover.grid["layer_fraction"].sel(lat=50.75, lon=10.75)
    kinds = {"TREES": "MF", "SHRUBS": "OSH", "GRASS-NAT": "GRA", "GRASS-MAN": "CRO"}
    expected = sum(
        float(layers.sel(layer=name)) * igbp.age_weights([kind], AGES)[0]
        for name in LAYERS
        for start, kind in kinds.items()
        if name.startswith(start)
    )
    np.testing.assert_allclose(result["age_weight"][1], expected / expected.sum(), rtol=1e-5)
    np.testing.assert_allclose(result["plant_fraction"].sum("plant_type"), 1, rtol=1e-6)


def test_a_place_without_plants_has_the_prior_of_barren_land():
    weight = ages_without_forest(np.array([[0.0, 1.0], [0.5, 0.5]]), ["GRASS-NAT", "BARE"], AGES)
    np.testing.assert_allclose(weight, igbp.age_weights(["BSV", "GRA"], AGES))
    np.testing.assert_allclose(ages_without_forest(np.zeros((1, 0)), [], AGES), igbp.age_weights(["BSV"], AGES))


def test_cells_outside_the_region_end_in_the_sentence(folders):
    cover, _ = ingest(folders)
    with pytest.raises(ValueError, match=r"plant-type map has no land value at 1 of 2 cells .* at 10.25, 20.25"):
        cell_cover(cells((50.25, 10.25), (10.25, 20.25)), cover.grid, cover.grid_ages, YEARS, AGES)


def test_weights_of_other_ages_are_refused(folders):
    cover, _ = ingest(folders)
    with pytest.raises(
        ValueError, match=r"of the ages \[1, 20, 100, 200, 400\], but the simulation has \[1, 2, 3, 4, 5\]"
    ):
        cell_cover(cells((50.25, 10.25)), cover.grid, cover.grid_ages, YEARS, (1, 2, 3, 4, 5))


def test_shares_of_the_land_by_switch(folders):
    config = CoverSource(path=str(folders / "cover"), renormalise=False, include_crops=False)
    cover, _ = ingest(folders, config)
    result = cell_cover(cells((50.25, 10.25)), cover.grid, cover.grid_ages, YEARS, AGES)
    total = result["plant_fraction"].sum("plant_type")
    np.testing.assert_allclose(total, result["vegetated_fraction"], rtol=1e-5)
    assert float(total.max()) < 0.95
    towers = read_netcdf(folders / "towers.nc")
    of_sites = site_cover(towers, YEARS, AGES, cover.sites, cover.site_ages, cover.grid, cover.grid_ages)
    np.testing.assert_allclose(of_sites["plant_fraction"].sum("plant_type"), of_sites["vegetated_fraction"], rtol=1e-5)


@pytest.mark.parametrize("renormalise", [True, False])
def test_maps_as_read_go_to_another_grid(folders, renormalise):
    """Two cells of half a degree in one of a degree: means by area and, where they are of the vegetation, by it."""
    cover, _ = ingest(folders, CoverSource(path=str(folders / "cover"), renormalise=renormalise, include_crops=False))
    coarse = maps_on_grid(cover.grid, 1.0, "conservative").sel(lat=50.5, lon=10.5)
    fine = cover.grid.stack(cell=("lat", "lon")).isel(cell=[1, 2, 3])  # the first one is ocean
    area = np.cos(np.deg2rad(fine["lat"])) * xr.ones_like(fine["lat"])
    weight = area * fine["vegetated_fraction"] if renormalise else area
    expected = (fine["plant_fraction"] * weight).sum("cell") / weight.sum("cell")
    np.testing.assert_allclose(coarse["plant_fraction"], expected.transpose(*coarse["plant_fraction"].dims), rtol=1e-5)
    np.testing.assert_allclose(coarse["layer_fraction"].sum("layer"), 1, rtol=1e-6)


def test_crops_placed_elsewhere(folders):
    classes = {"BL": ["TREES-BD", "TREES-BE", "GRASS-MAN"]}
    moved, _ = ingest(folders, CoverSource(path=str(folders / "cover"), classes=classes))
    usual, _ = ingest(folders)
    layers = usual.grid["layer_fraction"].sel(lat=50.25, lon=10.25)
    change = (moved.grid - usual.grid)["plant_fraction"].sel(lat=50.25, lon=10.25).mean("year")
    assert float(change.sel(plant_type="BL")) > 0 and float(change.sel(plant_type="NL")) == pytest.approx(0)
    assert float(layers.sel(layer="GRASS-MAN")) > 0


def test_no_tower_in_the_region(folders):
    dataset = read_netcdf(folders / "towers.nc").isel(site=[2])
    write_netcdf(dataset, folders / "towers.nc")
    cover, _ = ingest(folders)
    assert cover.sites is not None and "cover_source" not in cover.sites


@pytest.mark.parametrize(("form", "product"), [("gfad", "GFAD"), ("mpi_bgc", "MPI-BGC"), ("table", "table of stand")])
def test_ages_of_each_format(folders, form, product):
    write_mpi(folders / "cover", size=1 / 120)
    grid = pd.DataFrame({"lat": [50.25], "lon": [10.25], **{f"weight_{i}": 0.2 for i in range(1, 6)}})
    grid.to_csv(folders / "cover" / "lat_lon_age_weights.csv", index=False)
    config = CoverSource(path=str(folders / "cover"), age={"format": form})
    cover, provenance = ingest(folders, config)
    result = cell_cover(cells((50.25, 10.25)), cover.grid, cover.grid_ages, YEARS, AGES)
    np.testing.assert_allclose(result["age_weight"].sum("age"), 1, rtol=1e-6)
    assert provenance["product"].str.contains(product).sum() == 1


def test_without_stand_ages_towers_take_their_class_and_cells_end_in_a_sentence(folders, caplog):
    (folders / "cover" / "GFAD_V1-1.nc").unlink()
    cover, _ = ingest(folders)
    assert "towers take the stated ages of their class" in caplog.text
    towers = read_netcdf(folders / "towers.nc")
    of_sites = site_cover(towers, YEARS, AGES, cover.sites, cover.site_ages, cover.grid, cover.grid_ages)
    assert set(of_sites["age_source"].values) == {"igbp"}
    with pytest.raises(ValueError, match=r"sources\.cover gives no age table"):
        cell_cover(cells((50.25, 10.25)), cover.grid, cover.grid_ages, YEARS, AGES)
    with pytest.raises(FileNotFoundError, match=r"holds no stand ages \(GFAD_V1-1\.nc\)"):
        ingest(folders, CoverSource(path=str(folders / "cover"), age={"format": "gfad"}))


def test_stand_ages_are_found_by_name(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"holds no stand ages .*put one there"):
        find_ages(AgeSource(), tmp_path)
    (tmp_path / "GFAD_V1-1.zip").touch()
    with pytest.raises(FileNotFoundError, match=r"unpack GFAD_V1-1\.zip"):
        find_ages(AgeSource(), tmp_path)
    path = write_gfad(tmp_path)
    assert find_ages(AgeSource(), tmp_path) == ("gfad", path)
    assert find_ages(AgeSource(path=str(path)), None) == ("gfad", path)
    other = tmp_path / "other.nc"
    path.rename(other)
    with pytest.raises(ValueError, match=r"other\.nc is not named like stand ages .* set sources\.cover\.age\.format"):
        find_ages(AgeSource(path=str(other)), None)
    assert find_ages(AgeSource(path=str(other), format="gfad"), None) == ("gfad", other)
    other.rename(path)
    write_mpi(tmp_path, size=1 / 120)
    with pytest.raises(ValueError, match=r"holds GFAD_V1-1\.nc and .*BGIForestAge.*one file of stand ages is expected"):
        find_ages(AgeSource(), tmp_path)
    with pytest.raises(FileNotFoundError, match=r"does not exist.*sources\.cover\.age\.path"):
        find_ages(AgeSource(path=str(tmp_path / "absent")), None)


def ingest_aggregated(folder, **options):
    files = folder / "cover.nc", folder / "provenance.csv", folder / "sources.csv"
    ingest_cover(folder / "maps", [folder], AGES, CoverSource(path=str(folder / "maps")), *files, **options)
    return unpack_cover(read_netcdf(files[0])).grid


def test_maps_finer_than_the_run_become_its_cells_and_towers_keep_theirs(tmp_path):
    """The grid is the simulation's; what cells take is what regridding gives, what towers take the map's own cell."""
    (tmp_path / "maps").mkdir()
    for year in YEARS:
        write_aggregated(tmp_path / "maps", year, 5.0)
    sites = {"AA-Syn": (50.9, 10.9), "BB-Syn": (-33.0, 151.0)}
    lat, lon = np.array(list(sites.values())).T
    towers = xr.Dataset(
        coords={"site": np.array(list(sites), object), "lat": ("site", lat), "lon": ("site", lon)}
    ).assign_coords(igbp=("site", np.array(["ENF", "EBF"], object)))
    forcing = xr.Dataset({"time": ("time", [0])}, attrs={"grid_degrees": 10.0})
    files = {"sites": tmp_path / "towers.nc", "forcing": tmp_path / "forcing.nc"}
    write_netcdf(towers, files["sites"]), write_netcdf(forcing, files["forcing"])
    original, coarse = ingest_aggregated(tmp_path), ingest_aggregated(tmp_path, **files, memory=10_000_000)
    assert original.sizes["lat"] == 36 and coarse.sizes["lat"] == 18
    assert maps_on_grid(coarse, 10.0, "refuse") is coarse
    regridded = maps_on_grid(original, 10.0, "conservative")
    for name in ("plant_fraction", "vegetated_fraction", "land_fraction", "layer_fraction"):
        np.testing.assert_allclose(coarse[name], regridded[name], rtol=2e-5, atol=1e-6)
    first, second = (site_cover(towers, YEARS, AGES, grid=grid) for grid in (original, coarse))
    assert first.identical(second) and set(first["cover_source"].values) == {"cell"}
    # a simulation whose cells are no grid, or none at all
    write_netcdf(forcing.assign_attrs(grid_degrees=0.0), files["forcing"])
    assert ingest_aggregated(tmp_path, **files, degrees=20.0).sizes["lat"] == 9
    assert ingest_aggregated(tmp_path, sites=files["sites"], degrees=30.0).sizes["lat"] == 6
    with pytest.raises(ValueError, match=r"36 x 72 cells and 3 years are wanted.*raise mem_mb"):
        ingest_aggregated(tmp_path, memory=100_000)


def config_of(tmp_path, **cover):
    simulation = {"path": str(tmp_path / "simulation")}
    sources = {"simulation": simulation, "cover": {"path": str(tmp_path), **cover}, "towers": {"paths": ["x"]}}
    return normalise({"world": None, "sources": sources})


def test_rules_know_the_maps_that_are_missing(tmp_path):
    layers = synthetic_layers(12, 12, ocean=False)
    for year in (2000, 2001):
        write_fine_map(tmp_path, year, layers, size=1 / 24)
    there = "ESACCI-LC-L4-PFT-Map-300m-P1Y-aggregated-2000-v2.0.81.nc"
    (tmp_path / there).touch()
    config = config_of(tmp_path)
    assert list(cover_files.maps_at_300_m(config)) == [2000, 2001]
    assert list(cover_files.missing_years(config)) == ["ESACCI-LC-L4-PFT-Map-300m-P1Y-aggregated-2001-v2.0.8.nc"]
    assert cover_files.missing_years(normalise({})) == {} == cover_files.maps_at_300_m(normalise({}))
    write_fine_map(tmp_path, 2001, layers, size=1 / 24, version="2.0.81")
    with pytest.raises(ValueError, match=r"v2\.0\.81\.nc is a second 300 m map of 2001 beside"):
        cover_files.maps_at_300_m(config)


def test_rules_know_when_maps_may_be_finer_than_the_run(tmp_path):
    """Then ingest waits for the interim towers and, where there is one, the simulation."""
    both = {"sites": "<interim>/towers.nc", "forcing": "<interim>/forcing.nc"}
    assert cover_files.place_files(normalise({})) == {} == cover_files.place_files(config_of(tmp_path))
    assert cover_files.place_files(config_of(tmp_path, aggregate_degrees=0.25)) == both
    (tmp_path / "ESACCI-LC-L4-PFT-Map-300m-P1Y-2000-v2.0.8.nc").touch()
    assert cover_files.place_files(config_of(tmp_path)) == {}, "aggregated to the run's grid by the run itself"
    (tmp_path / "ESACCI-LC-L4-PFT-Map-300m-P1Y-aggregated-2001-v2.0.8.nc").touch()
    config = config_of(tmp_path)
    assert cover_files.place_files(config) == both
    refusing = config | {"harmonise": config["harmonise"] | {"regrid": "refuse"}}
    assert cover_files.place_files(refusing) == {}
    builtin = {**config["sources"], "simulation": {**config["sources"]["simulation"], "provider": "builtin"}}
    assert cover_files.place_files(config | {"sources": builtin}) == {"sites": "<interim>/towers.nc"}


def test_rules_know_the_grid_and_the_ages(tmp_path):
    assert cover_files.map_degrees(config_of(tmp_path)) == 0.5
    assert cover_files.map_degrees(config_of(tmp_path, aggregate_degrees=1)) == 1.0
    assert cover_files.map_degrees(normalise({})) == 6.0, "the built-in world's"
    meta = tmp_path / "simulation" / "meta.json"
    meta.parent.mkdir()
    meta.write_text(json.dumps({"grid_degrees": 2.0}))
    assert cover_files.map_degrees(config_of(tmp_path)) == 2.0
    for text in ("{", '{"grid_degrees": "wide"}', "[1]"):
        meta.write_text(text)
        with pytest.raises(ValueError, match=r"meta\.json gives no grid_degrees .*aggregate_degrees"):
            cover_files.map_degrees(config_of(tmp_path))
    assert cover_files.age_files(config_of(tmp_path)) == []
    assert cover_files.age_files(config_of(tmp_path, age={"path": str(meta)})) == [str(meta)]
    assert cover_files.age_files(config_of(tmp_path, age={"path": str(meta.parent)})) == [str(meta)]
    with pytest.raises(FileNotFoundError, match=r"sources\.cover\.age\.path does not exist"):
        cover_files.age_files(config_of(tmp_path, age={"path": str(tmp_path / "absent")}))
