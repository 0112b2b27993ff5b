"""Forest ages: classes and pixels become weights of the run's ages that sum to 1, compared with obvious loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dere.ingest.cover.age_intervals import DISTURBANCE_RATE, age_edges, class_shares
from dere.ingest.cover.forest_age import GFAD_LOWER, GFAD_UPPER, parse_gfad, read_gfad, read_mpi_bgc
from forest_age_maps import FILL, gfad, mpi_ages, write_gfad, write_mpi

AGES = (1, 5, 10, 20, 30, 40, 50, 70, 100, 130, 160, 200, 250, 300, 350, 400, 450, 500)


def obvious_shares(low, high, ages, step=0.01, end=4000.0):
    """Sum small slices of a class into the run's ages, whose intervals meet at the geometric middle."""
    totals = np.zeros(len(ages))
    slices = np.arange(low + step / 2, min(high, end), step)
    weight = np.ones_like(slices) if np.isfinite(high) else np.exp(-DISTURBANCE_RATE * (slices - low))
    for number, age in enumerate(ages):
        begin = 0.0 if number == 0 else np.sqrt(ages[number - 1] * age)
        last = np.inf if number == len(ages) - 1 else np.sqrt(age * ages[number + 1])
        totals[number] = weight[(slices >= begin) & (slices < last)].sum()
    return totals / weight.sum()


def test_classes_fall_to_the_ages_whose_interval_they_overlap():
    shares = class_shares(GFAD_LOWER, GFAD_UPPER, AGES)
    for row, (low, high) in enumerate(zip(GFAD_LOWER, GFAD_UPPER, strict=True)):
        np.testing.assert_allclose(shares[row], obvious_shares(low, high, AGES), atol=2e-3)
    assert (shares[-1, : AGES.index(130)] == 0).all() and (shares[-1, AGES.index(160) :] > 0).all()
    mean = shares[-1] @ np.array(AGES)
    assert 200 < mean < 240, "old stands are 140 years and one mean life of 83 years on the average"


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.integers(1, 600), min_size=1, max_size=20, unique=True))
def test_shares_always_sum_to_one(ages):
    shares = class_shares(GFAD_LOWER, GFAD_UPPER, sorted(ages))
    np.testing.assert_allclose(shares.sum(1), 1, atol=1e-12)
    assert (shares >= 0).all()


def test_ages_must_increase_and_zero_has_an_interval():
    assert age_edges((0, 10, 40)).tolist() == [0, 5, 20, np.inf]
    with pytest.raises(ValueError, match=r"stand ages of the run are \[5, 5\], but they must increase"):
        age_edges((5, 5))


@pytest.mark.parametrize("stated", [True, False])
@pytest.mark.parametrize("turned", [False, True])
def test_gfad(tmp_path, stated, turned):
    source = gfad()
    written = source.isel(lat=slice(None, None, -1)) if turned else source
    weights = read_gfad(write_gfad(tmp_path, written, stated), AGES, 0.5)
    assert weights.age_weight.shape == (4, 4, 18) and weights.lat.values.tolist() == source.lat.values.tolist()
    shares = class_shares(GFAD_LOWER, GFAD_UPPER, AGES)
    for i in range(4):
        for j in range(4):
            cell = source.age.values[:, :, i, j].astype(float)
            got = weights.age_weight.values[i, j]
            if (cell == FILL).all():
                assert np.isnan(got).all(), "no forest"
            else:
                expected = sum(cell[c].sum() * shares[c] for c in range(15)) / cell.sum()
                np.testing.assert_allclose(got, expected, atol=1e-6)
                assert got.sum() == pytest.approx(1, abs=1e-12)


def test_coarser_cells_are_area_means_of_their_forest(tmp_path):
    source = gfad()
    weights = read_gfad(write_gfad(tmp_path), AGES, 1.0)
    fine = read_gfad(write_gfad(tmp_path), AGES, 0.5)
    area = np.cos(np.deg2rad(source.lat.values))
    parts = [(0, 1), (1, 0), (1, 1)]  # the part (0, 0) has no forest
    expected = sum(area[i] * fine.age_weight.values[i, j] for i, j in parts) / sum(area[i] for i, _ in parts)
    assert weights.age_weight.shape == (2, 2, 18)
    np.testing.assert_allclose(weights.age_weight.values[0, 0], expected, atol=1e-12)
    assert read_gfad(write_gfad(tmp_path), AGES, 0.25).sizes["lat"] == 4, "finer cells keep the map's grid"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.rename(age="ages"), r"holds .* but age \(Class, PFT, lat, lon\) is expected"),
        (lambda d: d.rename(PFT="type"), r"but age \(Class, PFT, lat, lon\) is expected"),
        (lambda d: d.isel(Class=slice(10)), "10 classes and 4 forest types, but 15 and 4"),
        (lambda d: d.assign(age=d.age * 100), "convert percent to fractions"),
        (lambda d: d.assign(age=d.age.where(d.age >= 0, -1)), "age reaches from -1 to .* fill value -9999"),
        (lambda d: d.assign(age=d.age * 0 + 1.0), "sum to 60, but at most 1"),
        (lambda d: d.assign(age=d.age * 0 + FILL), "has no cell with forest"),
        (lambda d: d.drop_vars("lat"), "no coordinate lat of cell centres"),
        (lambda d: d.assign_coords(lat=[51.75, np.nan, 50.75, 50.25]), "1 of 4 values of lat are missing"),
        (lambda d: d.assign_coords(lat=d.lat + 100), "lat reaches 151.75, but 90 is the limit"),
        (lambda d: d.assign_coords(lon=d.lon + 180), "lon reaches 191.75, but 180 is the limit"),
        (lambda d: d.assign_coords(lon=[10.25, 10.75, 11.0, 11.75]), "lon does not change evenly"),
    ],
)
def test_damaged_gfad(change, message):
    with pytest.raises(ValueError, match=message) as error:
        parse_gfad(change(gfad()), AGES, 0.5, "GFAD_V1-1.nc")
    assert "GFAD_V1-1.nc" in str(error.value) and "\n" not in str(error.value)


def obvious_histogram(ages, degrees, size, north, west, run):
    """Put every pixel into the interval of its age; the saturated ones by the rule for classes without end."""
    edges = age_edges(run)
    old = obvious_shares(299.0, np.inf, run)
    cells = {}
    for i in range(ages.shape[0]):
        lat = north - size * (i + 0.5)
        for j in range(ages.shape[1]):
            if ages[i, j] == FILL:
                continue
            cell = (int((90 - lat) / degrees), int((west + size * (j + 0.5) + 180) / degrees))
            weights = cells.setdefault(cell, np.zeros(len(run)))
            area = np.cos(np.deg2rad(lat))
            if ages[i, j] >= 299:
                weights += area * old
            else:
                weights[int(np.flatnonzero(edges <= ages[i, j])[-1])] += area
    return {cell: weights / weights.sum() for cell, weights in cells.items()}


def test_pixels_of_the_1_km_map_become_weights(tmp_path):
    ages = mpi_ages(48, 72)
    ages[30:, :20] = 300.0  # an old-growth corner
    path = write_mpi(tmp_path, ages, size=1 / 24, chunks=(7, 50))
    weights = read_mpi_bgc(path, AGES, 0.5, tree_cover=0)
    expected = obvious_histogram(ages, 0.5, 1 / 24, 52.0, 10.0, AGES)
    assert int(np.isfinite(weights.age_weight[..., 0]).sum()) == len(expected) < 4 * 6, "a quarter has no forest"
    for (row, column), values in expected.items():
        got = weights.age_weight.sel(lat=90 - 0.5 * (row + 0.5), lon=-180 + 0.5 * (column + 0.5))
        np.testing.assert_allclose(got, values, atol=2e-3)


def test_tree_cover_chooses_the_layer(tmp_path):
    path = write_mpi(tmp_path, mpi_ages(48, 72), size=1 / 24)
    wide, dense = (read_mpi_bgc(path, AGES, 0.5, tree_cover=cover).age_weight for cover in (0, 30))
    assert not np.allclose(wide, dense, equal_nan=True)
    np.testing.assert_allclose(dense.sum("age").where(dense[..., 0].notnull(), 1), 1, atol=1e-12)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"names": ("ForestAge_TC000",)}, "has no layer ForestAge_TC010"),
        ({"axes": ("lat", "lon")}, "has no coordinate latitude"),
        ({"ages": np.full((48, 48), -5, "f4")}, "layer ForestAge_TC010 holds -5.* 0 to 1000 years"),
        ({"ages": np.full((48, 48), FILL, "f4")}, "has no cell with forest"),
        ({"north": 95.0}, "latitude reaches|lat reaches 94.97"),
        ({"size": 1 / 25}, "do not fill cells of 0.5 degrees evenly"),
    ],
)
def test_damaged_1_km_maps(tmp_path, options, message):
    path = write_mpi(tmp_path, **({"ages": mpi_ages(48, 48), "size": 1 / 24} | options))
    with pytest.raises(ValueError, match=message) as error:
        read_mpi_bgc(path, AGES, 0.5)
    assert path.name in str(error.value)


def test_truncated_1_km_map(tmp_path):
    path = write_mpi(tmp_path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match="truncated"):
        read_mpi_bgc(path, AGES, 0.5)
