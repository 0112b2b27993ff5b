"""All eleven kinds of DERE files, from synthetic ones to the canonical pair, cover and towers."""

import logging
import shutil

import numpy as np
import pandas as pd
import pytest

from dere.config.simulation import SimulationSource
from dere.ingest.arrays.dere_coordinates import parse_coordinates, rows_of
from dere.ingest.arrays.dere_cover import read_cover
from dere.ingest.arrays.dere_files import CONTENTS, KINDS, NETWORKS, find_files, recognise
from dere.ingest.arrays.dere_simulation import read_simulation
from dere.ingest.arrays.dere_towers import read_towers
from dere.ingest.grid import cells_of_centres
from dere.ingest.simulation.carbonglobe_forcing import parse_channels
from dere.variables import PLANT_TYPES, TARGETS
from dere_arrays import write_arrays

DAILY = 1000 / 365.25
CELLS = "res_train4_test8_extract_28years_ageindependent_update_with_NEE_Ra_RECO.npz"
SAMPLES = "res_train4_test8_extract_4types_28years_update_with_NEE_Ra_RECO.npz"
COVER = "1_res_train4_test8_allx_plus_ageweight_esapft_update.npz"
ANNUAL = "1_ED_PFT_train4_test8_1992_to_2020_update.npz"
TOWERS = "pft_dataset_12mean_4types_28years_ESACCI_plusAW_mix.npz"
ORDER = ("train_cell", "test_cell", "train_tower", "test_tower")
CONFIG = SimulationSource(format="dere", network="mix")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dere")
    return folder, write_arrays(folder)


@pytest.fixture(scope="module")
def read(written):
    return read_simulation(written[0], CONFIG)


@pytest.fixture
def copy(written, tmp_path):
    shutil.copytree(written[0], tmp_path / "dere")
    return tmp_path / "dere"


def placed(folder, **changes):
    return CONFIG.model_copy(
        update={"coordinates": str(folder / "coordinates_synthetic.csv"), "grid_degrees": 15.0} | changes
    )


def edit(path, **changes):
    """Rewrite an npz with some arrays changed (None removes one)."""
    with np.load(path) as file:
        arrays = {key: file[key] for key in file.files}
    for key, change in changes.items():
        arrays[key] = change(arrays[key]) if change else None
    np.savez(path, **{key: value for key, value in arrays.items() if value is not None})


def test_all_kinds_are_written_and_recognised(written):
    names = sorted(path.name for path in written[0].glob("*.npz"))
    assert sorted(recognise(name)[0] for name in names) == sorted(KINDS) == sorted(CONTENTS) and len(names) == 11


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_and_the_older_names_are_recognised(network):
    pft = f"pft_dataset_12mean_4types_28years_ESACCI_plusAW_{network}"
    res = f"res_train4_test8_extract_4types_28years_{network}"
    assert recognise(f"{res}.npz") == recognise(f"{res}_with_NEE_Ra_RECO.npz") == ("towers", network)
    assert recognise(f"{pft}.npz") == ("tower_cover", network)
    assert recognise(f"{pft}_imputation.npz") == ("tower_imputation", network)
    older = "res_train4_test8_extract_4types_28years_insituless_update_6networks_with_NEE_Ra_RECO.npz"
    assert recognise(older) == ("towers", "6networks")
    assert recognise(SAMPLES) == ("samples", "") and recognise("res_train4_other.npz") is None


def test_published_folders_in_their_order(copy, tmp_path, caplog):
    for name in ("SimpleTM", "DERE-main"):
        (tmp_path / "all" / name).mkdir(parents=True)
        shutil.copy(copy / "data_stats.npz", tmp_path / "all" / name)
        shutil.copy(copy / TOWERS, tmp_path / "all" / name)
    (tmp_path / "all" / "SimpleTM" / "data_stats.npz").write_bytes(b"another")
    (tmp_path / "all" / "SimpleTM" / "notes.npz").write_bytes(b"")
    found = find_files(tmp_path / "all", "above")
    assert found["driver_statistics"].parent.name == "DERE-main" and "tower_cover" not in found
    assert "differ in size; the first is read" in caplog.text and "notes.npz: name is none of" in caplog.text
    assert "holds the networks mix, not above" in caplog.text


def test_missing_folder_and_files(tmp_path, copy):
    with pytest.raises(FileNotFoundError, match=r"nowhere is no folder; correct sources\.simulation\.path"):
        find_files(tmp_path / "nowhere", "mix")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="holds no npz file of the DERE data set"):
        find_files(tmp_path / "empty", "mix")
    (copy / CELLS).unlink()
    with pytest.raises(FileNotFoundError, match=r"has no res_train4.*ageindependent.*\.npz \(drivers and simulated"):
        read_simulation(copy, CONFIG)
    with pytest.raises(FileNotFoundError, match=r"has no res_train4_test8_extract_4types_28years_fluxnet\.npz"):
        read_towers(copy, CONFIG.model_copy(update={"network": "fluxnet"}))


def test_drivers_are_those_of_the_arrays_in_their_order(written, read):
    made, forcing = written[1], read[0]
    raw = np.concatenate([made.drivers[kind] for kind in ORDER])
    for name, variable in parse_channels(raw, 1993 * 12, "x").items():
        np.testing.assert_array_equal(forcing[name], variable)
    np.testing.assert_array_equal(forcing["soil"], raw[:, 0, 0, 129:])
    assert forcing.sizes["time"] == 336 and str(forcing.time.values[0])[:7] == "1993-01"
    assert forcing.published_role.values.tolist() == ["train"] * 4 + ["test"] * 2 + ["train"] * 2 + ["test"]
    assert forcing.tower.values.tolist() == [""] * 6 + ["mix-train-000", "mix-train-001", "mix-test-000"]


def test_states_of_every_age_in_canonical_units(written, read):
    made, simulation = written[1], read[1]
    raw = np.concatenate([made.states[kind] for kind in ORDER])
    gpp = simulation.state.sel(stand="mixture", target="gpp").values
    np.testing.assert_allclose(gpp, raw[:, :, 1:, :, 4].reshape(9, 18, 336) * DAILY, rtol=1e-5)
    before = simulation.initial_state.sel(stand="mixture", target="agb")
    np.testing.assert_array_equal(before, raw[:, :, 0, 11, TARGETS.index("agb")])
    assert simulation.age.values.tolist() == list(CONFIG.ages) and simulation.year.values[0] == 1992
    fraction = np.concatenate([made.fractions[kind] for kind in ORDER])
    np.testing.assert_allclose(simulation.plant_fraction, fraction, atol=1e-6)


def test_pure_samples_are_found_again(written, read):
    made, pure = written[1], read[1].pure_sample
    for first, split in ((0, "train"), (4, "test")):
        for name in PLANT_TYPES:
            expected = np.zeros((4 if split == "train" else 2, 18), bool)
            for cell, age in made.pairs[split, name]:
                expected[cell, age] = True
            found = pure.sel(plant_type=name).values[first : first + len(expected)]
            np.testing.assert_array_equal(found, expected)
    assert not pure[6:].any() and pure.any(["cell", "age"]).all()


def test_samples_without_a_pair_are_counted(copy, caplog):
    caplog.set_level(logging.INFO)
    edit(copy / SAMPLES, y_train_BL=lambda y: y + np.float32(0.5), x_train_NL=lambda x: x[::-1] * 1.5)
    pure = read_simulation(copy, CONFIG)[1].pure_sample.isel(cell=slice(0, 4))
    assert not pure.sel(plant_type=["BL", "NL"]).any() and pure.sel(plant_type="GS").any()
    assert "0 of" in caplog.text and "are left out" in caplog.text


def test_without_samples_the_dominance_rule_is_left(copy):
    (copy / SAMPLES).unlink()
    assert "pure_sample" not in read_simulation(copy, CONFIG)[1]


def test_annual_and_monthly_files_of_fractions_agree(copy, read):
    (copy / ANNUAL).unlink()
    other = read_simulation(copy, CONFIG)[1]
    np.testing.assert_allclose(other.plant_fraction, read[1].plant_fraction, atol=1e-6)


def test_double_precision_gives_the_same(tmp_path, read):
    write_arrays(tmp_path, dtype=np.float64)
    forcing, simulation = read_simulation(tmp_path, CONFIG)
    assert simulation.state.dtype == np.float32
    np.testing.assert_array_equal(simulation.state, read[1].state)
    np.testing.assert_array_equal(simulation.pure_sample, read[1].pure_sample)
    np.testing.assert_array_equal(forcing.shortwave_hourly, read[0].shortwave_hourly)


def test_latitude_without_coordinates_and_places_with_them(written, read, caplog):
    folder, made = written
    lat = np.concatenate([made.lat[kind] for kind in ORDER])
    assert np.abs(read[0].lat.values - lat).max() <= 1 and np.isnan(read[0].lon).all()
    assert read[0].attrs["grid_degrees"] == 0
    forcing, _ = read_simulation(folder, placed(folder))
    np.testing.assert_allclose(forcing.lat, lat)
    assert forcing.cell.values.tolist() == [24, 48, 72, 96, 120, 144, 288, 289, 290]
    strip = np.sin(np.deg2rad(75.0)) - np.sin(np.deg2rad(60.0))
    assert float(forcing.cell_area[0]) == pytest.approx(6371007.2**2 * np.deg2rad(15) * strip, rel=1e-9)
    assert forcing.tower.values[-1] == "ZZ-Te0" and forcing.attrs["grid_degrees"] == 15


def test_the_clock_follows_from_the_places(written, read, copy):
    assert read[0].attrs["hours"] == "unknown"
    assert read_simulation(written[0], placed(written[0]))[0].attrs["hours"] == "solar"
    (copy / COVER).unlink()
    (copy / SAMPLES).unlink()
    table = pd.read_csv(copy / "coordinates_synthetic.csv", keep_default_na=False)

    def in_utc(kind):
        lon = table[table["kind"] == kind].sort_values("index")["lon"].to_numpy()

        def turn(x):
            x = x.copy()
            for row, hours in enumerate(np.round(lon / 15).astype(int)):
                for start in range(33, 37):
                    x[row, ..., start:129:4] = np.roll(x[row, ..., start:129:4], -hours, axis=-1)
            return x

        return turn

    edit(copy / CELLS, x_train=in_utc("train_cell"), x_test=in_utc("test_cell"))
    assert read_simulation(copy, placed(copy))[0].attrs["hours"] == "utc"


def test_cover_lists_the_cells_of_the_forcing(written, read):
    folder, made = written
    cover = read_cover(folder, CONFIG)
    assert cover.cells.cell.values.tolist() == read[0].cell.values[:6].tolist()
    raw = np.concatenate([made.observed["train_cell"], made.observed["test_cell"]])
    np.testing.assert_allclose(cover.cells.vegetated_fraction, raw.sum(-1), atol=1e-6)
    np.testing.assert_allclose(cover.cells.plant_fraction, raw / raw.sum(-1, keepdims=True), atol=1e-6)
    np.testing.assert_allclose(cover.cells.age_weight[:4], made.weights["train_cell"], atol=1e-6)
    assert cover.sites.site.values.tolist() == read[0].tower.values[6:].tolist() == cover.site_ages.site.values.tolist()
    np.testing.assert_allclose(cover.site_ages.age_weight[2], made.weights["test_tower"][0], atol=1e-6)
    placed_cells = read_cover(folder, placed(folder)).cells.cell.values
    assert placed_cells.tolist() == [24, 48, 72, 96, 120, 144]


def test_folders_of_the_comparison_models_lack_observed_fractions(copy, written, caplog):
    (copy / COVER).unlink()
    cover, made = read_cover(copy, CONFIG), written[1]
    expected = np.einsum("na,nayp->nyp", made.weights["test_cell"], made.fractions["test_cell"])
    np.testing.assert_allclose(cover.cells.plant_fraction[4:], expected, atol=1e-5)
    assert "the simulation's own stand in" in caplog.text
    (copy / "pft_dataset_12mean_28years_ageindependent_plus_ageweight_update.npz").unlink()
    with pytest.raises(FileNotFoundError, match="observed plant fractions and age weights of the cells"):
        read_cover(copy, CONFIG)


def test_towers_have_labels_and_roles(written, caplog):
    caplog.set_level(logging.INFO)
    folder, made = written
    towers = read_towers(folder, placed(folder))
    raw = np.concatenate([made.fluxes["train_tower"], made.fluxes["test_tower"]])[:, 1:].reshape(3, 336, 3) * DAILY
    for position, name in enumerate(("gpp_nt", "reco_nt", "nee")):
        np.testing.assert_allclose(towers[name], raw[..., position], rtol=1e-5, atol=1e-6)
    assert float(towers.nee.min()) < 0 and bool(towers.nee[2].isnull().all()) and bool(towers.in_record.all())
    np.testing.assert_array_equal(towers.nee_quality.notnull(), np.isfinite(raw).all(-1))
    assert towers.published_role.values.tolist() == ["train", "train", "test"]
    assert towers.igbp.values.tolist() == ["DBF", "ENF", "DBF"] and towers.site.values[0] == "ZZ-Tr0"
    assert "months of 1992 with a flux and without drivers are left out" in caplog.text
    imputed = towers.imputed_flux.sel(flux=0) if "flux" in towers.coords else towers.imputed_flux[..., 0]
    np.testing.assert_allclose(imputed[2], 0.5 * DAILY, rtol=1e-6)
    assert bool((towers.imputed_flux_std[..., 0].isnull() == towers.gpp_nt.notnull()).all())
    nameless = read_towers(folder, CONFIG)
    assert nameless.site.values[0] == "mix-train-000" and np.isnan(nameless.lon).all()
    assert np.abs(nameless.lat.values - towers.lat.values).max() <= 1


def test_wrong_numbers_of_ages_cells_and_samples(copy):
    with pytest.raises(ValueError, match=r"AgeWeight_train has shape \(18, 4\), but \(3, 4\) .*simulation\.ages"):
        read_simulation(copy, CONFIG.model_copy(update={"ages": (1, 2, 3)}))
    edit(copy / SAMPLES, x_train_GS=lambda x: x[1:])
    with pytest.raises(ValueError, match=r"x_train_GS has .* samples and y_train_GS .* the same number is needed"):
        read_simulation(copy, CONFIG)


def test_annual_states_are_refused(copy):
    edit(copy / CELLS, y_train=lambda y: np.repeat(y[..., :1, :], 12, axis=3))
    with pytest.raises(ValueError, match="y_train repeats one value in all months of every year"):
        read_simulation(copy, CONFIG)


def test_another_order_of_cells_is_refused(copy):
    edit(copy / COVER, x_train_all=lambda x: x[::-1])
    with pytest.raises(ValueError, match=r"row 0 of x_train_all has other drivers than row 0 of x_train"):
        read_simulation(copy, CONFIG)


def test_a_month_fastest_layout_mistaken_for_another_is_refused(copy):
    edit(copy / COVER, x_test_all=lambda x: x.reshape(2, 28, 136, 12).swapaxes(2, 3).reshape(2, 28, 1632))
    with pytest.raises(ValueError, match="the months of a channel together"):
        read_simulation(copy, CONFIG)


def test_weights_that_do_not_fit_the_published_sum_are_said(copy, caplog):
    edit(copy / CELLS, y_train_agesum=lambda y: y * 1.1)
    read_simulation(copy, CONFIG)
    assert "y_train_agesum differs from the sum over ages with AgeWeight" in caplog.text


def test_scrambled_hours_are_refused(copy):
    (copy / COVER).unlink()

    def scramble(x):
        x = x.copy()
        x[..., 33:129] = x[..., 33:129].reshape(*x.shape[:3], 24, 4).swapaxes(3, 4).reshape(*x.shape[:3], 96)
        return x

    edit(copy / CELLS, x_train=scramble, x_test=scramble)
    with pytest.raises(ValueError, match="interleaved by hour"):
        read_simulation(copy, CONFIG)


def test_statistics_are_compared_and_not_used(copy, read, caplog):
    edit(copy / "data_stats_with_NEE_Ra_RECO.npz", y_mean=lambda y: y * 3)
    _, simulation = read_simulation(copy, CONFIG)
    assert "y_mean of 10 of 10 channels is off" in caplog.text and "x_mean" not in caplog.text
    np.testing.assert_array_equal(simulation.state, read[1].state)


TABLE = pd.DataFrame(
    {
        "kind": ["train_cell", "train_cell", "test_tower"],
        "index": [1, 0, 0],
        "id": ["", "", "A"],
        "lat": [1.0, 2.0, 3.0],
        "lon": [4.0, 5.0, 6.0],
        "igbp": ["", None, "ENF"],
    }
)


def test_rows_are_in_the_order_of_the_array():
    places = parse_coordinates(TABLE, "t.csv")
    assert rows_of(places, "train_cell", 2, "t.csv")["lat"].tolist() == [2.0, 1.0]
    for kind, count in (("train_cell", 3), ("test_cell", 1)):
        with pytest.raises(ValueError, match=rf"t\.csv places . rows of kind {kind}, but the arrays have {count}"):
            rows_of(places, kind, count, "t.csv")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lat": [1, 2, 300]}, "latitude 300"),
        ({"lat": [1, 2, None]}, "latitude nan"),
        ({"kind": ["train_cell", "train_cell", "tower"]}, "kind 'tower' is unknown"),
        ({"index": [0, 0.5, 1]}, "index must count the rows"),
        ({"index": [0, 0, 0]}, "train_cell 0 stands there twice"),
        ({"id": ["", "", ""]}, "tower id '' is empty or occurs twice"),
    ],
)
def test_bad_coordinates(change, message):
    with pytest.raises(ValueError, match=rf"t\.csv.*{message}"):
        parse_coordinates(TABLE.assign(**change), "t.csv")
    with pytest.raises(ValueError, match=r"t\.csv has no column igbp"):
        parse_coordinates(TABLE.drop(columns="igbp"), "t.csv")


def test_cells_off_the_grid_or_on_one_place():
    with pytest.raises(ValueError, match=r"t: 1 cells \(first at 10\.1, 0\.25\) are no centres of a grid of 0\.5"):
        cells_of_centres(np.array([10.25, 10.1]), np.array([0.25, 0.25]), 0.5, "t")
    with pytest.raises(ValueError, match="1 cells share their place"):
        cells_of_centres(np.array([10.25, 10.25]), np.array([0.25, 0.25]), 0.5, "t")
