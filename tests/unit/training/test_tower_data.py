"""Whose windows are drawn, which labels they hold, and the loss that the tower stages take of them."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from dere.exchange.co2 import EXCHANGE
from dere.harmonise.splits import roles
from dere.io import read_netcdf, write_netcdf
from dere.methods.dere.site import cache_pure, forward, load_pure
from dere.methods.dere.uncertain import expanded_labels
from dere.training.context import Context
from dere.training.simulation import load_cells
from dere.training.tower_data import flux_loss, load_towers
from dere.variables import FLUXES, STANDS, TARGETS
from dere.workflow.members import read_splits
from stage_jobs import HARMONISE, fit, live_job, make_job, with_settings

WINDOW, MINIMUM_QUALITY = HARMONISE["window"], HARMONISE["minimum_training_quality"]
TOWER_STAGES = ["baseline", "kgml_towers", "towers", "uncertain"]
ROLES = {"training": 2, "validation": 1}  # the fold that has the role, counted from that of the test


@pytest.fixture(scope="module")
def uneven(canonical, tmp_path_factory):
    """The canonical files, but months count unequally, every other one is missing, and GPP may be negative."""
    rng = np.random.default_rng(3)
    towers = read_netcdf(canonical["towers"])
    quality, flux = towers["flux_quality"], towers["flux_value"]
    quality.values[:] = rng.uniform(0.3, 1.0, quality.shape)
    flux.values[:] += rng.normal(size=flux.shape) - 1.5
    flux.values[:, ::2] = np.nan
    # a month may have NEE alone, a tower may have no other flux, or labels in one of its windows only
    partitioned = [FLUXES.index(name) for name in ("gpp", "reco")]
    flux.values[2, 5:9, partitioned] = np.nan
    flux.values[8][:, partitioned] = np.nan
    flux.values[4:6, :24] = np.nan
    return canonical | {"towers": write_netcdf(towers, tmp_path_factory.mktemp("uneven") / "towers.nc")}


def context_of(stage, files, run, fold=0, **options):
    job = live_job(make_job(stage, files, run, **options))
    return Context(replace(job, roles=roles(read_splits(files["splits"]), fold), fold=fold))


def labels_of(files):
    """Fluxes (window, W, 3) as in the file, and quality alike, zero where a flux of a month must not count."""
    towers = read_netcdf(files["towers"])
    flux, quality = [], []
    for site, start in zip(towers["window_site"].values, towers["window_start"].values, strict=True):
        inside = slice(int(start), int(start) + WINDOW)
        flux.append(towers["flux_value"].values[site, inside])
        quality.append(towers["flux_quality"].values[site, inside])
    flux, quality = np.array(flux), np.array(quality)
    return flux, np.where(np.isfinite(flux) & (quality >= MINIMUM_QUALITY), quality, 0.0)


@pytest.mark.parametrize("fold", range(3))
def test_tower_windows_are_those_of_the_role_that_hold_a_label(fold, uneven, run):
    data = load_towers(context_of("towers", uneven, run, fold))
    towers, splits = read_netcdf(uneven["towers"]), pd.read_csv(uneven["splits"])
    folds = dict(zip(splits["id"], splits["fold"], strict=True))
    _, quality = labels_of(uneven)
    sites = towers["site"].values[towers["window_site"].values]
    for role, places in ROLES.items():
        expected = [
            window
            for window, site in enumerate(sites)
            if folds[site] == (fold + places) % 3 and quality[window].sum() > 0
        ]
        assert getattr(data, role).tolist() == expected and expected


@pytest.mark.parametrize("fold", range(3))
@pytest.mark.parametrize("stands", [STANDS, ("mixture",)])
def test_cell_windows_are_all_of_the_role(fold, stands, canonical, run):
    windows, *found = load_cells(context_of("pure", canonical, run, fold).job, stands)
    splits = pd.read_csv(canonical["splits"], dtype={"id": str})
    cells = splits[splits["kind"] == "cell"]
    for index, places in zip(found, ROLES.values(), strict=True):
        wanted = {int(i) for i in cells.loc[cells["fold"] == (fold + places) % 3, "id"]}
        assert index.tolist() == [n for n, cell in enumerate(windows.place.tolist()) if cell in wanted] and wanted


def test_labels_are_those_of_the_files_negative_ones_too(uneven, run):
    data = load_towers(context_of("towers", uneven, run))
    flux, quality = labels_of(uneven)
    quality[~np.isin(data.windows.place, (1, 2, 4, 5, 7, 8))] = 0
    found, weight = data.windows.labels(torch.arange(len(data.windows)))
    np.testing.assert_allclose(weight, quality, rtol=1e-6)
    good = quality > 0
    np.testing.assert_allclose(found.numpy()[good], flux[good], rtol=1e-6)
    gpp = FLUXES.index("gpp")
    assert (flux[..., gpp][good[..., gpp]] < 0).mean() > 0.1 and (good[..., 2] & ~good[..., gpp]).any()


def test_expanded_labels_are_those_of_the_file_negative_ones_too(canonical, run):
    windows = load_towers(context_of("towers", canonical, run)).windows
    labels = read_netcdf(canonical["labels"])
    labels["label"] = labels["label"] - 2.0
    pair, _, mask = expanded_labels(labels, windows, EXCHANGE)
    for window in range(len(windows)):
        start = int(windows.start[window])
        expected = labels["label"].sel(site=windows.ids[windows.place[window]], flux=["nee", "reco"])[
            start : start + WINDOW
        ]
        np.testing.assert_allclose(pair[window], expected, rtol=1e-6)
    assert bool((mask == 1).all()) and float(pair[..., 1].min()) < 0


@pytest.mark.parametrize("balance", [0.0, 0.5, 1.0])
def test_flux_loss_is_the_plain_mean_over_the_observed_months_of_each_flux(balance, uneven, run):
    data = load_towers(context_of("towers", uneven, run))
    flux, quality = labels_of(uneven)
    std = read_netcdf(uneven["statistics"])["flux_std"].values

    def relative(window):
        """Inverse variance of a window's labels, a quarter of the overall variance kept."""
        seen = [flux[window, :, f][quality[window, :, f] > 0] for f in range(3)]
        return [s**2 / (one.var() + 0.25 * s**2) if len(one) else np.nan for one, s in zip(seen, std, strict=True)]

    usual = np.nanmean([relative(window) for window in data.training.tolist()], 0)
    index = torch.cat([data.training, data.validation])
    prediction = torch.from_numpy(np.random.default_rng(0).normal(size=(len(index), WINDOW, 10)).astype("f4"))
    total, weights = 0.0, 0.0
    for row, window in enumerate(index.tolist()):
        for f, name in enumerate(FLUXES):
            for month in np.flatnonzero(quality[window, :, f]):
                error = (prediction[row, month, TARGETS.index(name)].item() - flux[window, month, f]) / std[f]
                weight = quality[window, month, f] * (relative(window) / usual)[f] ** balance
                total, weights = total + weight * error**2, weights + weight
    parts = flux_loss(prediction, data, index, balance, data.share(index))
    assert [float(parts.numerator), float(parts.denominator)] == pytest.approx([total, weights], rel=1e-4)


@pytest.fixture
def would_train(run, monkeypatch):
    """What a stage would train, without training it: model, loss, draw, and draw of the refit."""
    caught = []

    def record(self, model, *, draw, validation, loss_of, options, refit=None):
        refit_draw = refit.draw if refit else None
        caught.append(SimpleNamespace(model=model, loss=loss_of(options[0]), draw=draw, refit_draw=refit_draw))

    monkeypatch.setattr(Context, "fit_best", record)

    def would_train(stage, files, **changes):
        fit(with_settings(make_job(stage, files, run, dropout=0.0), **changes))
        for module in caught[-1].model.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
        return caught[-1]

    return would_train


def moved(stage):
    """Move the trained weights of a recorded stage off their start, in place; their squared way from it."""
    generator = torch.Generator().manual_seed(1)
    way = 0.0
    for name, parameter in stage.model.named_parameters():
        step = 0.01 * torch.randn(parameter.shape, generator=generator)
        with torch.no_grad():
            parameter.add_(step)
        if parameter.requires_grad and not name.startswith("error."):
            way += float((step**2).sum())
    return way


def value(stage, index, *, training):
    with torch.no_grad():
        return float(stage.loss(stage.model.train(training), index).mean)


@pytest.mark.parametrize("stage", TOWER_STAGES)
def test_balance_reaches_training_and_validation_of_every_tower_stage(stage, uneven, would_train):
    alike, relative = (would_train(stage, uneven, balance=b) for b in (0.0, 1.0))
    index = alike.draw(torch.Generator().manual_seed(0))
    for training in (False, True):
        found = [value(s, index, training=training) for s in (alike, relative)]
        assert abs(found[0] - found[1]) > 1e-3


@pytest.mark.parametrize(("stage", "frozen"), [("kgml_towers", ("level",)), ("towers", ()), ("uncertain", ("level",))])
def test_pull_adds_the_squared_way_from_the_start_in_training_alone(stage, frozen, uneven, would_train):
    free, pulled = (would_train(stage, uneven, pull=strength, frozen=frozen) for strength in (0.0, 0.7))
    way, _ = (moved(s) for s in (free, pulled))
    index = free.draw(torch.Generator().manual_seed(0))
    added = [value(pulled, index, training=t) - value(free, index, training=t) for t in (False, True)]
    assert added == [0.0, pytest.approx(0.7 * way, rel=1e-4)]


def test_the_baseline_is_pulled_nowhere(uneven, would_train):
    free, pulled = (would_train("baseline", uneven, pull=strength) for strength in (0.0, 0.7))
    for stage in (free, pulled):
        moved(stage)
    index = free.draw(torch.Generator().manual_seed(0))
    assert value(free, index, training=True) == value(pulled, index, training=True)


def test_stage_four_adds_a_tenth_of_the_distance_of_its_fractions_from_the_maps(uneven, run, would_train):
    stage = would_train("towers", uneven, pull=0.0)
    context = context_of("towers", uneven, run)
    windows, index = load_towers(context).windows, torch.tensor([4, 5, 11, 16])
    pure = cache_pure(load_pure(context), windows, index, "cpu")
    with torch.no_grad():
        _, fractions = forward(stage.model.eval(), windows, index, pure[index], "cpu")
    maps = read_netcdf(uneven["towers"])["plant_fraction"].values
    observed = [maps[int(windows.place[i]), int(windows.start[i]) // 12 :][:2] for i in index]
    share = 0.1 * np.mean(((fractions.numpy() - np.array(observed)) / 0.3) ** 2)
    added = value(stage, index, training=True) - value(stage, index, training=False)
    assert added == pytest.approx(share, rel=1e-3) and share > 1e-2


@pytest.mark.parametrize("stage", TOWER_STAGES)
def test_a_site_with_many_windows_is_drawn_as_often_as_one_with_few(stage, canonical, would_train, tmp_path):
    towers = read_netcdf(canonical["towers"])
    sites = towers["window_site"].values
    # ten windows of one training site and of one validation site, one of every other
    windows = np.concatenate([np.flatnonzero(sites == s)[: 2 if s in (2, 4) else 1] for s in range(10)])
    repeats = np.where(np.isin(sites[windows], (2, 4)), 5, 1)
    towers = towers.isel(window=np.repeat(windows, repeats))
    files = canonical | {"towers": write_netcdf(towers, tmp_path / "towers.nc")}
    found = would_train(stage, files, batch=6000, refit=True)
    for draw, drawn_from in ((found.draw, (2, 5, 8)), (found.refit_draw, (1, 2, 4, 5, 7, 8))):
        index = draw(torch.Generator().manual_seed(0)).numpy()
        count = np.bincount(towers["window_site"].values[index], minlength=10)
        assert set(np.flatnonzero(count)) == set(drawn_from)
        np.testing.assert_allclose(count[list(drawn_from)] / 6000, 1 / len(drawn_from), atol=0.03)
        of_one = np.bincount(index)[np.flatnonzero(towers["window_site"].values == 2)]
        np.testing.assert_allclose(of_one / of_one.sum(), 0.1, atol=0.03)


def test_pure_outputs_are_those_without_dropout(canonical, run):
    context = context_of("towers", canonical, run, dropout=0.5)
    windows, index = load_towers(context).windows, torch.arange(4)

    def by_hand(network):
        with torch.no_grad():
            memory, before = network.encode(*windows.inputs(index)), windows.before(index)
            return torch.stack([network.decode(memory, before[:, p], windows.ages, p) for p in range(3)], 2)

    expected = by_hand(load_pure(context).eval())
    assert float((by_hand(load_pure(context).train()) - expected).abs().max()) > 0.01
    cached = cache_pure(load_pure(context).train(), windows, index, "cpu")
    torch.testing.assert_close(cached[index], expected)
    asked = torch.zeros(len(windows), dtype=torch.bool)
    asked[index] = True
    assert torch.isfinite(cached[asked]).all() and cached[~asked].isnan().all()
