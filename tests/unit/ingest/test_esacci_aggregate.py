"""Aggregation of 300 m plant-type maps: exact against the obvious sum, any dtype, order, chunk and region."""

import tracemalloc

import netCDF4
import numpy as np
import pytest
import xarray as xr

from dere.ingest.cover import fine_map
from dere.ingest.cover.esacci import read_cover
from dere.ingest.cover.esacci_aggregate import aggregate_file, aggregate_layer, aggregate_map
from dere.ingest.cover.esacci_classes import LAYERS
from dere.ingest.cover.esacci_names import aggregated_name
from dere.ingest.cover.fine_map import open_fine_map, whole_chunks
from dere.ingest.cover.pixel_grid import pixel_grid
from plant_type_maps import WATER, centres, synthetic_layers, write_fine_map


def obvious(layers, lat, lon, degrees, area_weights=True, missing=None):
    """Ten lines: gather the pixels of every cell and average them."""
    cells = {}
    for i, y in enumerate(lat):
        for j, x in enumerate(lon):
            if missing is None or not missing[i, j]:
                cell = (int((90 - y) / degrees), int((x + 180) / degrees))
                cells.setdefault(cell, []).append((np.cos(np.deg2rad(y)) if area_weights else 1.0, layers[:, i, j]))
    return {cell: sum(w * v for w, v in rows) / sum(w for w, _ in rows) for cell, rows in cells.items()}


def compare(result, expected, degrees, unknown=0):
    assert result.sizes["lat"] * result.sizes["lon"] == len(expected) + unknown
    for (row, column), values in expected.items():
        cell = result.sel(lat=90 - degrees * (row + 0.5), lon=-180 + degrees * (column + 0.5), method="nearest")
        np.testing.assert_allclose([float(cell[name].item()) for name in LAYERS], values, rtol=0, atol=1e-5)


def aggregated(path, degrees, area_weights=True):
    with open_fine_map(path) as fine:
        return aggregate_map(fine, degrees, 2001, area_weights)


@pytest.mark.parametrize("area_weights", [True, False])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"ascending": True},
        {"dtype": "u2", "fill": 65535},
        {"dtype": "f4", "fill": -9999.0},
        {"fill": None, "chunks": None},
        {"chunks": (7, 11)},
    ],
    ids=["product", "south-to-north", "uint16", "float", "contiguous", "odd-chunks"],
)
def test_mean_equals_the_obvious_one(tmp_path, options, area_weights):
    size, layers = 1 / 12, synthetic_layers(24, 36, ocean=False)
    path = write_fine_map(tmp_path, layers=layers, north=60.0, west=-3.0, size=size, **options)
    expected = obvious(layers.astype(float), centres(60.0, 24, -size), centres(-3.0, 36, size), 0.5, area_weights)
    compare(aggregated(path, 0.5, area_weights), expected, 0.5)


@pytest.mark.parametrize(("degrees", "cells"), [(0.5, 2), (1.0, 1), (1 / 360, 360)])
def test_any_multiple_of_the_pixel(tmp_path, degrees, cells):
    path = write_fine_map(tmp_path)
    result = aggregated(path, degrees)
    assert result.sizes["lat"] == result.sizes["lon"] == cells
    total = sum(result[name] for name in LAYERS)
    np.testing.assert_allclose(total, 100, atol=1e-4)


def test_cosine_weights_differ_from_the_plain_mean_by_what_the_docs_say(tmp_path):
    """A step inside a cell at 60 N: the weights of the two halves differ by tan(60) x 0.25 degrees = 0.76 %."""
    layers = np.zeros((14, 180, 180), np.uint8)
    layers[0, :90], layers[9, 90:] = 100, 100
    path = write_fine_map(tmp_path, layers=layers, north=60.5)
    weighted, plain = (aggregated(path, 0.5, weights)["TREES-BD"].item() for weights in (True, False))
    assert plain == 50
    assert 50 - weighted == pytest.approx(50 * np.tan(np.deg2rad(60.25)) * np.deg2rad(0.25) / 2, rel=0.01)


def test_reader_takes_what_was_written_and_a_region_has_only_its_cells(tmp_path):
    for year in (2000, 2001, 2002):
        path = write_fine_map(tmp_path, year)
        aggregate_file(path, tmp_path / "made" / aggregated_name(path.name), 0.5)
    cover = read_cover(tmp_path / "made", include_crops=True)
    assert cover.year.values.tolist() == [2000, 2001, 2002]
    assert cover.lat.values.tolist() == [50.75, 50.25] and cover.lon.values.tolist() == [10.25, 10.75]
    assert np.isnan(cover.vegetated_fraction.isel(lat=0, lon=0)).all(), "the ocean cell has no land"
    assert np.isfinite(cover.vegetated_fraction.isel(lat=1)).all()
    assert not list((tmp_path / "made").glob(".*"))


def test_pixels_of_incomplete_cells_are_left_out(tmp_path, caplog):
    layers = synthetic_layers(60, 60, ocean=False)
    path = write_fine_map(tmp_path, layers=layers, north=51.25, west=9.75, size=1 / 24)
    with caplog.at_level("INFO"):
        result = aggregated(path, 0.5)
    expected = obvious(layers[:, 6:54, 6:54].astype(float), centres(51, 48, -1 / 24), centres(10, 48, 1 / 24), 0.5)
    compare(result, expected, 0.5)
    assert "12 rows and 12 columns of pixels belong to no complete cell" in caplog.text


def test_fill_is_not_averaged_and_counted_against_the_cell(tmp_path):
    layers = synthetic_layers(24, 24, ocean=False)
    missing = np.zeros((24, 24), bool)
    missing[:5, :12] = True  # 5 of 12 rows of the first cell
    missing[12:20, :12] = True  # 8 of 12 rows of the cell below
    path = write_fine_map(tmp_path, layers=layers, north=51.0, size=1 / 24, missing=missing)
    result = aggregated(path, 0.5)
    expected = obvious(layers.astype(float), centres(51, 24, -1 / 24), centres(10, 24, 1 / 24), 0.5, missing=missing)
    for name in LAYERS:
        assert np.isnan(result[name].isel(time=0, lat=1, lon=0)), "less than half is known"
    expected.pop((79, 380))
    compare(result, expected, 0.5, unknown=1)


def test_blocks_cover_every_pixel_once_and_cut_no_chunk():
    for shape, chunks, pixels in (((100, 90), (20, 30), 1300), ((100, 90), (64, 64), 10), ((7, 9), (7, 9), 5)):
        seen = np.zeros(shape, int)
        for rows, columns in whole_chunks(shape, chunks, pixels=pixels):
            seen[rows, columns] += 1
            assert rows.start % chunks[0] == 0 and columns.start % chunks[1] == 0
        assert (seen == 1).all()
    widths = {rows.stop - rows.start for rows, _ in whole_chunks((100, 90), (100, 90), pixels=900, contiguous=True)}
    assert widths == {10}


def globe(size=10.0, north_is_sea=True):
    """A globe of coarse pixels with a sea in the north and ice in the south, or the reverse."""
    layers = np.zeros((14, 18, 36), np.uint8)
    layers[LAYERS.index("BARE")] = 100
    for row, layer in ((0, WATER), (-1, LAYERS.index("SNOWICE"))) if north_is_sea else ((-1, WATER), (0, 13)):
        layers[:, row] = 0
        layers[layer, row] = 100
    return {"layers": layers, "north": 90.0, "west": -180.0, "size": size, "chunks": None}


def test_a_globe_upside_down_is_refused(tmp_path):
    assert aggregated(write_fine_map(tmp_path, **globe()), 10.0)["WATER"].shape == (1, 18, 36)
    path = write_fine_map(tmp_path, 2002, **globe(north_is_sea=False))
    with pytest.raises(ValueError, match=r"P1Y-2002.*the Arctic is sea and the Antarctic land; turn the latitudes"):
        aggregated(path, 10.0)


SMALL = {"layers": synthetic_layers(24, 24, ocean=False), "size": 1 / 24}
AXIS = centres(51.0, 24, -1 / 24)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"drop": ("TREES-NE", "WATER")}, "has no layer TREES-NE, WATER"),
        ({"lat": centres(10.0, 24, 1 / 24) + 90}, "lat reaches 100.979, but 90 is the limit"),
        ({"lat": np.where(np.arange(24) == 3, np.nan, AXIS)}, "1 of 24 values of lat are missing"),
        ({"lat": np.r_[AXIS[:10], AXIS[12:], AXIS[:2]]}, "lat does not change evenly"),
        ({"lat": AXIS + 0.02}, "0.48 pixels off a grid that starts at 90"),
        ({"layers": np.where(SMALL["layers"] == 0, 0, 120).astype("u1")}, "layer TREES-BD holds 120 at"),
        ({"layers": SMALL["layers"] / 100, "dtype": "f4", "fill": -1.0}, "sum to 1 to 1.*convert shares to percent"),
        ({"layers": SMALL["layers"] // 2}, "but 100 within 2 is needed at 4 places"),
        ({"missing": np.ones((24, 24), bool)}, "all 4 places are missing"),
        ({"fill": None, "missing": np.eye(24, dtype=bool)}, "holds 255 at .* or the fill value None is expected"),
        ({"north": 90.0, "size": 0.3}, "do not fill cells of 0.5 degrees evenly along lat"),
        ({"north": 50.75, "layers": SMALL["layers"][:, :12, :12]}, "fill no cell of 0.5 degrees"),
    ],
)
def test_damaged_maps_end_in_a_sentence(tmp_path, options, message):
    path = write_fine_map(tmp_path, **(SMALL | options))
    with pytest.raises(ValueError, match=message) as error:
        aggregated(path, 0.5)
    assert path.name in str(error.value) and "\n" not in str(error.value)


def changed(tmp_path, change):
    """Rewrite a small map after ``change`` of its dataset."""
    path = write_fine_map(tmp_path, **SMALL)
    with xr.open_dataset(path, mask_and_scale=False) as dataset:
        other = change(dataset.load())
    other.to_netcdf(path)
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda d: d.assign({"TREES-BD": d["TREES-BD"].squeeze("time")}).transpose("lon", "lat", ...),
            "has dimensions",
        ),
        (lambda d: xr.concat([d, d], "time"), "has dimensions {'time': 2"),
        (lambda d: d.drop_vars("lon"), "has no coordinate lon of pixel centres"),
        (lambda d: d.assign({"BARE": d["BARE"].astype("S1")}), r"layer BARE .*(holds|has dimensions)"),
        (lambda d: d.assign({"BARE": d["BARE"].assign_attrs(scale_factor=50.0)}), "layer BARE holds .* 0 to 100"),
        (lambda d: d.assign({"BARE": d["BARE"].where(d["BARE"].lat > 50.6, 255)}), "BARE is known at other pixels"),
    ],
)
def test_other_forms_end_in_a_sentence(tmp_path, change, message):
    path = changed(tmp_path, change)
    with pytest.raises(ValueError, match=message):
        aggregated(path, 0.5)


def test_signed_bytes_marked_unsigned(tmp_path):
    layers = synthetic_layers(24, 24, ocean=False)
    path = write_fine_map(tmp_path, layers=layers, size=1 / 24, dtype="i1", fill=-1, missing=np.eye(24, dtype=bool))
    with netCDF4.Dataset(path, "a") as dataset:
        for name in LAYERS:
            dataset[name].setncattr("_Unsigned", "true")
    result = aggregated(path, 1.0)
    known = ~np.eye(24, dtype=bool)
    weight = np.cos(np.deg2rad(AXIS))[:, None] * known
    expected = (layers[0] * weight).sum() / weight.sum()
    assert result["TREES-BD"].item() == pytest.approx(expected, abs=1e-5)


def test_truncated_absent_and_misnamed_files(tmp_path):
    path = write_fine_map(tmp_path, **SMALL)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match="truncated"):
        aggregate_file(path, tmp_path / "out.nc", 0.5)
    with pytest.raises(FileNotFoundError, match=r"does not exist; correct its path under sources\.cover"):
        aggregate_file(path.with_name("ESACCI-LC-L4-PFT-Map-300m-P1Y-1999-v2.0.8.nc"), tmp_path / "out.nc", 0.5)
    with pytest.raises(ValueError, match="is not named like a plant-type map"):
        aggregate_file(tmp_path / "map.nc", tmp_path / "out.nc", 0.5)
    assert not (tmp_path / "out.nc").exists() and not list(tmp_path.glob(".*partial*"))


def test_a_damaged_chunk_ends_in_a_sentence(tmp_path):
    path = write_fine_map(tmp_path, layers=synthetic_layers(240, 240, ocean=False), size=1 / 240, chunks=(60, 60))
    content = bytearray(path.read_bytes())
    content[len(content) // 3 : 2 * len(content) // 3] = bytes(len(content) // 3 + 1)
    path.write_bytes(bytes(content[: len(path.read_bytes())]))
    with pytest.raises(ValueError, match=r"P1Y-2001.*download it again"):
        aggregated(path, 0.5)


def test_memory_does_not_grow_with_the_map(tmp_path):
    """Peak of NumPy's own memory while a layer is summed: bounded by the block, not by the layer."""
    peaks = {}
    for rows in (1440, 5760):
        layers = np.zeros((14, rows, 1440), np.uint8)
        layers[0] = 100
        path = write_fine_map(tmp_path, 1990 + rows % 7, layers=layers, north=80.0, size=1 / 72, chunks=(144, 144))
        with open_fine_map(path) as fine, pytest.MonkeyPatch.context() as patch:
            patch.setattr(fine_map, "BLOCK_PIXELS", 144 * 1440)
            grid = pixel_grid(fine.lat, fine.lon, 0.5, "f")
            tracemalloc.start()
            aggregate_layer(fine.layers["TREES-BD"], grid)
            peaks[rows] = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
    assert peaks[5760] < 1.2 * peaks[1440] < 2e7
