"""A further exchange has its own labels and folds on the drivers, windows and clusters of the run."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from harmonise_samples import make_cover, make_towers

from dere.config.harmonise import HarmoniseConfig
from dere.config.simulation import SimulationSource
from dere.config.splits import SplitsConfig
from dere.exchange import Exchange, Flux, LabelRule
from dere.exchange.co2 import EXCHANGE as CO2
from dere.harmonise.build import harmonise, write
from dere.harmonise.column_labels import column_labels
from dere.harmonise.further_exchange import further_exchange
from dere.harmonise.interim import Interim
from dere.harmonise.place_classes import with_place_classes
from dere.harmonise.protocols import hidden_groups
from dere.harmonise.splits import read_back
from dere.harmonise.statistics import statistics
from dere.io import read_netcdf, write_netcdf
from dere.run_config.root import normalise
from dere.training.read_places import site_places
from dere.variables import WETLAND_CLASSES
from dere.workflow.harmonise_exchange import harmonise_exchange_files

N2O = Exchange(
    name="n2o",
    fluxes=(Flux("n2o", "nitrous oxide flux", "mgN m-2 d-1", "kg m-2 s-1", (-1.0, 20.0), (-5.0, 50.0)),),
    free=("n2o",),
    basis=("n2o",),
    labels=LabelRule(columns={"n2o": "n2o_flux"}, quality="n2o_quality"),
)
MEASURING = [0, 1, 2, 5, 7]
NAMES = [f"XX-S{site:02d}" for site in MEASURING]
CONFIG, SPLITS = HarmoniseConfig(window=60, window_stride=12), SplitsConfig(folds=3, block_degrees=20)


@pytest.fixture(scope="module")
def interim_towers():
    """Towers 2, 5 and 7 measure no CO2; 2 stands beside 3, and 7 beside 5."""
    towers = make_towers()
    rng = np.random.default_rng(8)
    for name, value in (("n2o_flux", rng.gamma(2.0, 1.0, towers["nee"].shape)), ("n2o_quality", 0.8)):
        towers[name] = (("site", "time"), np.full(towers["nee"].shape, np.nan))
        towers[name][MEASURING] = value if np.isscalar(value) else value[MEASURING]
    towers["nee"][[2, 5, 7]] = np.nan
    for site, beside in ((2, 3), (7, 5)):
        towers["lat"].values[site], towers["lon"].values[site] = towers["lat"][beside] + 0.2, towers["lon"][beside]
    return towers


@pytest.fixture(scope="module")
def canonical(interim_towers, forcing, simulation):
    interim = Interim(interim_towers, make_cover(forcing), forcing, simulation)
    return harmonise(interim, SimulationSource(), CONFIG, SPLITS)


def made_of(canonical, interim_towers, exchange=N2O, config=CONFIG):
    return further_exchange(canonical.towers, interim_towers, canonical.splits, exchange, config, SPLITS)


@pytest.fixture(scope="module")
def made(canonical, interim_towers):
    return made_of(canonical, interim_towers)


def test_labels_are_the_exchanges_own(made, interim_towers):
    towers = made.towers
    assert towers["flux"].values.tolist() == ["n2o"]
    assert towers["site"].values[towers["kind"].values == "tower"].tolist() == NAMES
    np.testing.assert_allclose(
        towers["flux_value"].values[MEASURING, :48, 0], interim_towers["n2o_flux"].values[MEASURING], rtol=1e-6
    )
    assert np.isnan(towers["flux_value"].values[:, 48:]).all() and towers.sizes["time"] == 60
    assert np.isnan(towers["flux_value"].values[[3, 4]]).all()
    spread = interim_towers["n2o_flux"].values[5].std()
    np.testing.assert_allclose(towers["flux_uncertainty"].values[5, :48, 0], 0.05 * spread, rtol=1e-6)
    np.testing.assert_allclose(towers["flux_quality"].values[5, :48], 0.8, rtol=1e-6)
    assert towers["flux_value"].attrs["units"] == "mgN m-2 d-1"


def test_all_but_labels_and_states_is_that_of_the_run(made, canonical):
    labels = [name for name in canonical.towers.variables if str(name).startswith("flux")] + ["kind"]
    rest = canonical.towers.drop_vars([*labels, "simulated", "initial_state", "target", "stand"])
    own = made.towers.drop_vars([name for name in made.towers.variables if str(name).startswith("flux")] + ["kind"])
    xr.testing.assert_identical(own, rest)


def test_a_site_keeps_its_fold_and_new_ones_join_their_neighbours_or_the_smallest_fold(made, canonical):
    before = canonical.splits[canonical.splits["kind"] == "site"].set_index("id")
    after = made.splits[made.splits["kind"] == "site"].set_index("id")
    assert after.index[after["fold"] >= 0].tolist() == NAMES
    for site in ("XX-S00", "XX-S01"):
        assert after.loc[site, ["cluster", "fold"]].tolist() == before.loc[site, ["cluster", "fold"]].tolist()
    assert before.loc["XX-S02", "fold"] == -1
    assert after.loc["XX-S02", ["cluster", "fold"]].tolist() == before.loc["XX-S03", ["cluster", "fold"]].tolist()
    assert (after.loc[["XX-S05", "XX-S07"], "cluster"] == "site XX-S05").all()
    held = after.loc[["XX-S00", "XX-S01", "XX-S02"], "fold"].value_counts().reindex(range(3), fill_value=0)
    assert (after.loc[["XX-S05", "XX-S07"], "fold"] == held.idxmin()).all()
    cells = canonical.splits["kind"] == "cell"
    pd.testing.assert_frame_equal(made.splits[cells], canonical.splits[cells])


def test_published_splits_know_no_neighbourhoods(canonical, interim_towers):
    config = SPLITS.model_copy(update={"site_rule": "published"})
    made = further_exchange(canonical.towers, interim_towers, canonical.splits, N2O, CONFIG, config).splits
    of_sites = made[made["kind"] == "site"].set_index("id")
    for site in ("XX-S02", "XX-S05", "XX-S07"):
        assert of_sites.loc[site, "cluster"] == f"site {site}"
    assert of_sites.loc[NAMES, "fold"].value_counts().tolist() == [2, 2, 1]


def test_a_new_tower_between_two_folds_joins_the_nearer_and_is_named(canonical, interim_towers, caplog):
    splits, first = canonical.splits.copy(), canonical.splits["id"].tolist().index("XX-S00")
    other = splits[(splits["kind"] == "site") & ~splits["fold"].isin([-1, splits["fold"][first]])].iloc[0]
    at = {name: splits["id"].tolist().index(name) for name in ("XX-S02", other["id"])}
    for name, lat in ((other["id"], 30.6), ("XX-S02", 30.4)):
        splits.loc[at[name], ["lat", "lon"]] = [lat, splits["lon"][first]]
    result = further_exchange(canonical.towers, interim_towers, splits, N2O, CONFIG, SPLITS).splits
    assert result.loc[at["XX-S02"], ["cluster", "fold"]].tolist() == [other["cluster"], other["fold"]]
    assert "lie between towers of different folds" in caplog.text


def test_the_first_exchange_comes_back_from_the_same_function(canonical, interim_towers):
    again = made_of(canonical, interim_towers, CO2)
    xr.testing.assert_identical(again.towers, canonical.towers[list(again.towers.data_vars)])
    assert set(again.towers.data_vars) == set(canonical.towers.data_vars)
    pd.testing.assert_frame_equal(again.splits, canonical.splits)


def test_impossible_and_repeated_values_are_rejected_and_counted(interim_towers):
    towers = interim_towers.copy(deep=True)
    towers["n2o_flux"][0, 3:6] = 1.25
    towers["n2o_flux"][0, 10] = 60.0
    towers["n2o_flux"][0, 20] = np.nan
    towers["in_record"][0, 40:] = False
    reached = np.ones(towers["nee"].shape, bool)
    reached[0, :2] = False
    labels = column_labels(towers, N2O, 3, reached)
    counts = labels.counts[labels.counts["site"] == "XX-S00"].set_index("reason")["months"].to_dict()
    outside = {"outside the simulation's months": 2}
    assert counts == {"kept": 40 - 7, "missing": 1, "impossible": 1, "repeated": 3, **outside}
    finite = np.isfinite(labels.dataset["flux_value"].values[0, :, 0])
    assert np.flatnonzero(~finite[:40]).tolist() == [0, 1, 3, 4, 5, 10, 20] and not finite[40:].any()


def test_a_month_that_one_flux_rejects_is_a_label_of_the_other(interim_towers):
    second = Flux("no", "nitric oxide flux", "mgN m-2 d-1", "kg m-2 s-1", (0.0, 20.0), (0.0, 50.0))
    rule = LabelRule(columns={"n2o": "n2o_flux", "no": "no_flux"}, quality="n2o_quality")
    both = Exchange("both", (*N2O.fluxes, second), ("n2o", "no"), ("n2o", "no"), labels=rule)
    towers = interim_towers.assign(no_flux=interim_towers["n2o_flux"] + 1.0)
    towers["no_flux"][0, 4:6] = -3.0
    towers["n2o_flux"][0, 5] = np.nan
    labels = column_labels(towers, both, 3)
    assert np.isfinite(labels.dataset["flux_value"].values[0, 4:7]).tolist() == [[True, False], [False] * 2, [True] * 2]
    counts = labels.counts[labels.counts["site"] == "XX-S00"].set_index("reason")["months"]
    assert counts.to_dict() == {"kept": 47, "missing": 1}


def test_states_are_those_of_the_exchange_or_it_is_refused(canonical, interim_towers):
    def with_states(*states):
        return Exchange("n2o", N2O.fluxes, N2O.free, N2O.basis, states=states, labels=N2O.labels)

    towers = made_of(canonical, interim_towers, with_states("lai", "rh")).towers
    for name in ("simulated", "initial_state"):
        np.testing.assert_array_equal(towers[name], canonical.towers[name].sel(target=["lai", "rh"]))
    with pytest.raises(ValueError, match="has the state 'peat', which the simulation of the run lacks"):
        made_of(canonical, interim_towers, with_states("lai", "peat"))


def test_what_is_missing_is_said(canonical, interim_towers):
    with pytest.raises(ValueError, match="labels of exchange 'n2o' come from column 'n2o_flux', which no tower has"):
        made_of(canonical, interim_towers.drop_vars("n2o_flux"))
    with pytest.raises(ValueError, match="no tower has enough labelled months of exchange 'n2o'"):
        made_of(canonical, interim_towers, config=CONFIG.model_copy(update={"minimum_labelled_months": 49}))


def test_statistics_of_an_exchange_without_states_come_from_its_labels(made, canonical):
    fold = int(made.splits.set_index("id")["fold"]["XX-S05"]) - 2
    arguments = (made.splits, fold % 3, False, 0.5, N2O)
    result = statistics(canonical.drivers, None, made.towers, *arguments)
    assert result["flux"].values.tolist() == result["target"].values.tolist() == ["n2o"]
    np.testing.assert_array_equal(result["target_mean"], result["flux_mean"])
    roles = made.splits.set_index("id")
    training = [name for name in NAMES if (roles["fold"][name] - fold) % 3 == 2]
    values = made.towers["flux_value"].sel(site=training).values
    np.testing.assert_allclose(result["flux_mean"], np.nanmean(values.astype(float)), rtol=1e-5)
    with pytest.raises(ValueError, match="'n2o' has 0 simulated states and a simulation"):
        statistics(canonical.drivers, canonical.simulation, made.towers, *arguments)


def test_files_of_an_exchange_are_written_with_their_origin(canonical, interim_towers, tmp_path, monkeypatch):
    write(canonical, tmp_path / "data")
    files = {"towers": tmp_path / "data" / "towers.nc", "splits": tmp_path / "data" / "splits.csv"}
    files["interim"] = write_netcdf(interim_towers, tmp_path / "interim.nc")
    config = normalise({})
    params = {"exchange": "n2o", "harmonise": config["harmonise"] | {"window": 60, "window_stride": 12}}
    params["splits"] = config["splits"] | {"folds": 3}
    with pytest.raises(ValueError, match="exchange 'n2o' is unknown"):
        harmonise_exchange_files(files, tmp_path / "n2o", params)
    monkeypatch.setattr("dere.workflow.harmonise_exchange.get", lambda name: N2O)
    harmonise_exchange_files(files, tmp_path / "n2o", params, code=[__file__])
    made = made_of(canonical, interim_towers)
    towers = read_netcdf(tmp_path / "n2o" / "towers.nc")
    for name in ("flux_value", "flux_uncertainty", "flux_quality", "vpd", "window_start"):
        np.testing.assert_array_equal(towers[name].values, made.towers[name].values)
    assert towers.attrs["title"] == "Towers of exchange n2o" and towers.attrs["window"] == 60
    pd.testing.assert_frame_equal(read_back(pd.read_csv(tmp_path / "n2o" / "splits.csv")), made.splits)
    assert {path.name for path in (tmp_path / "n2o").iterdir()} == {
        "towers.nc",
        "splits.csv",
        "splits.json",
        "counts.csv",
    }


def test_the_canonical_set_is_the_same_with_and_without_columns_of_another_exchange(
    canonical, interim_towers, forcing, simulation
):
    plain = interim_towers.drop_vars(["n2o_flux", "n2o_quality"])
    alone = harmonise(Interim(plain, make_cover(forcing), forcing, simulation), SimulationSource(), CONFIG, SPLITS)
    for name in ("drivers", "simulation", "cover", "towers"):
        xr.testing.assert_identical(getattr(alone, name), getattr(canonical, name))
    pd.testing.assert_frame_equal(alone.splits, canonical.splits)


def test_classes_of_places_are_inputs_of_their_exchange_alone(canonical, interim_towers):
    classed = replace(N2O, place_classes={"wetland_class": WETLAND_CLASSES})
    stated = interim_towers.copy(deep=True)
    number = np.full(stated["nee"].shape, np.nan)
    number[1], number[5, ::2] = 1.0 + WETLAND_CLASSES.index("bog"), 1.0 + WETLAND_CLASSES.index("wet tundra")
    stated["wetland_class"] = (("site", "time"), number)
    made = made_of(canonical, stated, classed)
    assert "wetland_class" not in made_of(canonical, stated).towers
    reading = {"satellites": False, "channels": "knowledge"}
    places = site_places(made.towers, made.splits, exchange=classed, **reading)
    plain = site_places(made.towers, made.splits, exchange=N2O, **reading)
    count = len(plain.attributes)
    assert places.attributes[count:] == tuple(f"wetland_class_{n.replace(' ', '_')}" for n in WETLAND_CLASSES)
    np.testing.assert_array_equal(places.static[:, :count], plain.static)
    expected = np.zeros((len(places), 5))
    expected[1, 2] = expected[5, 1] = 1.0
    np.testing.assert_array_equal(places.static[:, count:], expected)
    arguments = canonical.drivers, None, made.towers, made.splits, 0, False, 0.5
    found, before = (statistics(*arguments, exchange) for exchange in (classed, N2O))
    assert tuple(found["attribute"].values) == places.attributes
    assert (found["static_mean"].values[count:] == 0).all() and (found["static_std"].values[count:] == 1).all()
    xr.testing.assert_identical(found["static_mean"][:count], before["static_mean"])
    unnamed = SPLITS.model_copy(update={"protocol": "class"})
    hidden = with_place_classes(made.towers, stated, classed, "WET" in hidden_groups(unnamed))
    assert not hidden["wetland_class"].any()
    stated["wetland_class"][1, 0] = 5.0
    with pytest.raises(ValueError, match="of site XX-S01 is 3 in some months and 5 in others"):
        made_of(canonical, stated, classed)
