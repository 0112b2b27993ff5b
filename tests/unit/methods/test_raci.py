"""RACI: the split by role, who may be retrieved, and that the bank knows no flux of a tower that is held out."""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch

from dere.exchange.co2 import EXCHANGE
from dere.io import read_netcdf, write_netcdf
from dere.methods.raci.asking import bank_of
from dere.methods.raci.bank import NEAR, entries, reach, years
from dere.methods.raci.description import calendar_of, described, running_year
from dere.methods.raci.predicting import predict
from dere.methods.raci.retrieval import Recall, nearest
from dere.methods.raci.training import BANK
from dere.training import checkpoint
from dere.training.read_places import site_labels, site_places
from dere.workflow.neighbours import COLUMNS, write_neighbours
from dere.workflow.train import train as train_stage
from stage_jobs import live_job, make_job, with_settings
from strewn_towers import places


@pytest.fixture(scope="module")
def jobs(canonical, tmp_path_factory):
    """Both stages on the tiny set, the second as an ensemble of two."""
    root, found = tmp_path_factory.mktemp("raci"), {}
    for name in ("raci_simulation", "raci"):
        found[name] = with_settings(make_job(name, canonical, root, "lags"), learning_rate=1e-2, neighbours=3)
    found["raci"] = replace(found["raci"], params=found["raci"].params | {"members": 2})
    for job in found.values():
        train_stage(job)
    return found


@pytest.fixture(scope="module")
def stage(jobs):
    return checkpoint.read(jobs["raci"].output, EXCHANGE)


@pytest.fixture(scope="module")
def towers(jobs):
    """Places of the tiny set, their labels of all roles, and the job."""
    job = live_job(jobs["raci"])
    data, own = read_netcdf(job.files["towers"]), job.windows
    here = site_places(data, job.roles, satellites=own.satellites, channels=own.channels, exchange=EXCHANGE)
    return here, site_labels(data, here.ids.tolist(), own.minimum_training_quality, EXCHANGE).flux, job


def test_fast_and_slow_add_up_to_the_drivers_and_the_fast_part_has_no_level():
    here = places()
    about, drivers = described(here), here.drivers.astype(float)
    slow = drivers - about.fast.numpy()
    for month in (0, 5, 11, 12, 23):
        first = max(0, month - 11)
        np.testing.assert_allclose(slow[:, month], drivers[:, first : first + 12].mean(1), atol=1e-5)
    moved = described(replace(here, drivers=here.drivers + 5))
    torch.testing.assert_close(moved.fast, about.fast, rtol=0, atol=1e-4)
    torch.testing.assert_close(moved.slow[:, 0], about.slow[:, 0] + 5)
    np.testing.assert_allclose(running_year(drivers[:, :6])[:, 3], drivers[:, :6].mean(1))


def test_seasons_are_of_the_hemisphere_and_of_the_record():
    here, rng = places(), np.random.default_rng(0)
    record = rng.random(here.record.shape) < 0.8
    about = described(replace(here, record=record))
    for place in (0, 1, 2):
        south = here.lat[place] < 0
        month = (np.arange(24) % 12 + 6 * south) % 12
        # December to February first
        inside = record[place] & np.isin(month, [11, 0, 1])
        own = about.fast[place].numpy()[inside]
        np.testing.assert_allclose(about.seasons[place, 0, 0], own.mean(0), atol=1e-5)
        np.testing.assert_allclose(about.seasons[place, 1, 0], own.std(0), atol=1e-4)


def test_an_entry_is_the_mean_year_of_its_months():
    here, rng = places(), np.random.default_rng(1)
    flux = rng.normal(3, 2, (len(here), 24, 3))
    flux[rng.random(flux.shape) < 0.3] = np.nan
    mean, std, calendar = np.array([1.0, 2, 3]), np.array([2.0, 1, 4]), calendar_of(here)
    found, months = years(flux, calendar, mean, std)
    for place, number in ((0, 0), (3, 2), (7, 1)):
        own = (flux[place, :, number] - mean[number]) / std[number]
        year = [np.nanmean(own[calendar[place] == m]) if np.isfinite(own[calendar[place] == m]).any()
                else np.nanmean(own) for m in range(12)]  # fmt: skip
        np.testing.assert_allclose(found[place, :36].reshape(12, 3)[:, number], year, rtol=1e-6)
        assert months[place, number] == np.isfinite(own).sum()
    short = np.full_like(flux, np.nan)
    short[::2, :6] = 1.0
    kept = entries(here, described(here), short, np.arange(9), torch.zeros(3), torch.ones(3))
    assert kept.ids.tolist() == here.ids[:9:2].tolist()


def test_the_nearest_are_those_of_a_plain_search():
    generator = torch.Generator().manual_seed(0)
    distance, allowed = torch.rand(20, 9, generator=generator), torch.rand(20, 9, generator=generator) < 0.4
    allowed[0], allowed[1, :], allowed[1, 2] = False, False, True
    rows, weights, mean = nearest(distance, allowed, 4, torch.tensor(0.3))
    for place in range(20):
        own = sorted((float(distance[place, e]), e) for e in range(9) if allowed[place, e])[:4]
        raw = np.exp([-d / 0.3 for d, _ in own])
        expected = dict(zip([e for _, e in own], raw / raw.sum() if own else [], strict=True))
        found = {int(e): float(w) for e, w in zip(rows[place], weights[place], strict=True) if w > 0}
        assert found == pytest.approx(expected, rel=1e-5)
        assert float(mean[place]) == pytest.approx(sum(d * expected[e] for d, e in own), rel=1e-5)
    recall = Recall(5, 3, 4, 4)
    given = torch.rand(20, 3), distance, allowed, torch.rand(9, 8)
    said = recall(*given)
    assert (said[0] == 0).all() and (said[1:] != 0).any(-1).all()
    # nearly closed
    rows, weights, _ = recall.neighbours_of(distance, allowed)
    open_wide = recall.value((weights[..., None] * given[3][rows]).sum(1))
    torch.testing.assert_close(said[1:], torch.sigmoid(torch.tensor(-2.0)) * open_wide[1:])
    (said.sum()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in recall.parameters())


def test_a_place_retrieves_neither_itself_nor_its_cluster_nor_a_twin():
    here = places().take(np.arange(6))
    lat, lon = here.lat.copy(), here.lon.copy()
    # a twin of another name and cluster, one kilometre away, and a place of unknown position
    lat[1], lon[1] = lat[0] + 1 / 111.0, lon[0]
    lat[5] = np.nan
    cluster = here.classes.assign(cluster=["a", "b", "c", "c", "", ""])
    here = replace(here, lat=lat, lon=lon, classes=cluster)
    facts = {"id": here.ids.tolist(), "cluster": cluster["cluster"].tolist()}
    seen = reach(here, facts, torch.from_numpy(np.stack([lat, lon], -1)), random=False)
    allowed = seen.allowed.numpy()
    assert not allowed.diagonal().any()
    assert not allowed[0, 1] and not allowed[1, 0] and not allowed[2, 3] and not allowed[3, 2]
    # places without a cluster are strangers
    others = ~np.eye(6, dtype=bool)
    for pair in ((0, 1), (1, 0), (2, 3), (3, 2)):
        others[pair] = False
    far = seen.km.numpy() > NEAR
    np.testing.assert_array_equal(allowed, others & far)
    assert np.isinf(seen.km[5, :5]).all() and allowed[5, :5].all()


def test_the_bank_holds_training_towers_alone_and_of_each_member_those_that_it_learns_from(stage, towers):
    here, _, job = towers
    facts = stage.facts[BANK]["towers"]
    assert set(facts["id"]) <= set(job.allowed("training", "validation"))
    assert 0 < len(facts["id"]) < len(here)
    left_out = [set(names) for names in stage.facts["left_out"]]
    assert all(left_out)
    for member in range(2):
        known = bank_of(stage.member(member).arrays)["towers"].known.numpy()
        assert known.tolist() == [name not in left_out[member] for name in facts["cluster"]]
    assert stage.facts["split"] == job.split
    cells = stage.facts[BANK]["cells"]["id"]
    role = job.roles[job.roles["kind"] == "cell"].set_index("id")["role"]
    assert len(cells) and set(role[cells]) == {"training"}


def test_no_held_out_flux_is_in_any_bank(stage, towers):
    here, flux, job = towers
    values = bank_of(stage.member(0).arrays)["towers"].values.numpy()
    held = ~np.isin(here.ids, job.allowed("training", "validation"))
    assert held.any()
    statistics = read_netcdf(job.files["statistics"])
    standard = [statistics[name].values for name in ("flux_mean", "flux_std")]
    expected, _ = years(flux, calendar_of(here), *standard)
    position = {name: row for row, name in enumerate(here.ids)}
    own = [position[name] for name in stage.facts[BANK]["towers"]["id"]]
    np.testing.assert_allclose(values, expected[own], rtol=1e-4, atol=1e-5)
    for year in expected[held][:, :36]:
        assert np.abs(values[:, :36] - year).max(1).min() > 0.01


def moved(stage, names):
    """The stage with other values of some towers of the bank."""
    chosen = np.isin(stage.facts[BANK]["towers"]["id"], names)
    arrays = dict(stage.arrays)
    arrays["bank.towers.values"] = arrays["bank.towers.values"] + 3.0 * chosen[None, :, None].astype(np.float32)
    return replace(stage, arrays=arrays)


def test_what_a_tower_and_its_cluster_measured_does_not_reach_its_prediction(stage, towers):
    here, _, _ = towers
    facts = stage.facts[BANK]["towers"]
    own = here.take(np.flatnonzero(here.ids == facts["id"][0]))
    cluster = [name for name, of in zip(facts["id"], facts["cluster"], strict=True) if of == facts["cluster"][0]]
    before = predict({"raci": stage}, own)
    np.testing.assert_array_equal(predict({"raci": moved(stage, cluster)}, own).mean, before.mean)
    others = [name for name in facts["id"] if name not in cluster]
    assert np.abs(predict({"raci": moved(stage, others)}, own).mean - before.mean).max() > 0


def test_neighbours_are_named_with_their_weights(stage, towers):
    here, _, _ = towers
    found = predict({"raci": stage}, here)
    about = found.extras
    weight, name, km = (about[v].values for v in ("neighbour_weight", "neighbour", "neighbour_km"))
    np.testing.assert_allclose(weight.sum(-1), 1.0, rtol=1e-5)
    assert ((name == "") == (weight == 0)).all() and (np.isnan(km) == (weight == 0)).all()
    assert (np.diff(weight, axis=-1) <= 1e-9).all() and np.nanmin(km) > NEAR
    cluster = dict(zip(here.ids, here.classes["cluster"], strict=True))
    for place, site in enumerate(here.ids):
        assert cluster[site] not in {cluster.get(other) for other in name[place].ravel() if other}
    np.testing.assert_allclose(found.mean[..., 2], found.mean[..., 1] - found.mean[..., 0], atol=1e-9)


def test_the_table_of_neighbours_has_a_row_for_each(stage, towers, tmp_path):
    here, _, _ = towers
    about = predict({"raci": stage}, here.take(np.arange(3))).extras.rename(place="site")
    about = about.assign_coords(site=here.ids[:3]).assign_attrs(method="raci", backbone="lags", fold=0, seed=0)
    # as the rule does
    files = [write_netcdf(about.assign_attrs(seed=seed), tmp_path / f"{seed}.nc") for seed in (0, 1)]
    write_neighbours(files, tmp_path / "neighbours.csv")
    both = pd.read_csv(tmp_path / "neighbours.csv")
    table = both[both["seed"] == 0]
    assert len(both) == 2 * len(table)
    assert list(table) == list(COLUMNS) and len(table) == int((about["neighbour_weight"] > 0).sum())
    for (site, role, source), part in table.groupby(["site", "role", "source"]):
        own = about.sel(site=site, asked_role=role, asked_source=source)
        assert part["neighbour"].tolist() == [name for name in own["neighbour"].values if name]
        assert part["weight"].sum() == pytest.approx(1, abs=0.001) and part["weight"].is_monotonic_decreasing
        assert part["distance_km"].to_numpy() == pytest.approx(own["neighbour_km"].values[: len(part)], abs=0.06)


@pytest.mark.parametrize("retrieval", ["none", "random"])
def test_other_retrieval_is_an_ablation(retrieval, canonical, tmp_path, towers):
    for name, more in (("raci_simulation", {}), ("raci", {"refit": True})):
        job = make_job(name, canonical, tmp_path, "lags")
        train_stage(with_settings(job, retrieval=retrieval, neighbours=3, **more))
    stage = checkpoint.read(tmp_path / "raci", EXCHANGE)
    here, _, job = towers
    # one network knows training towers alone, until it is fitted once more on all
    names = np.array(stage.facts[BANK]["towers"]["id"])
    before, after = (bank_of(stage.chosen(unseen))["towers"].known.numpy() for unseen in (True, False))
    assert set(names[before]) == set(names) & set(job.allowed("training")) and not before.all() and after.all()
    found, again = predict({"raci": stage}, here), predict({"raci": stage}, here.take(np.arange(len(here))[::-1]))
    np.testing.assert_allclose(again.mean[::-1], found.mean, rtol=1e-5, atol=1e-6)
    name = found.extras["neighbour"].values
    if retrieval == "none":
        assert (name == "").all()
        one = replace(stage, arrays=stage.arrays | {"bank.towers.values": stage.arrays["bank.towers.values"] + 3})
        np.testing.assert_array_equal(predict({"raci": one}, here).mean, found.mean)
    else:
        assert (again.extras["neighbour"].values[::-1] == name).all()
        assert (name[:, 0] != name[:, 1]).any()


def test_a_network_with_compiled_sequence_network_trains(jobs, tmp_path, monkeypatch):
    """What is compiled is the sequence network inside; the weights keep their names."""
    # traced and differentiated as any compiled network; building C++ would take minutes
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="aot_eager"))
    job = with_settings(jobs["raci"], compile=True)
    train_stage(replace(job, output=tmp_path / "raci", params=job.params | {"members": 1}))
    found = checkpoint.read(tmp_path / "raci", EXCHANGE)
    assert all(np.isfinite(values).all() for values in found.arrays.values() if values.dtype.kind == "f")
    assert not any("_orig_mod" in key for key in found.arrays)
