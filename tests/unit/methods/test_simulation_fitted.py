"""The fitted process model: its normal equations against the rows, its shrinkage, and towers that it can explain."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import nnls

from dere.methods.simulation_fitted.regression import Coefficients, best_strength, fitted, normal
from dere.methods.simulation_fitted.terms import WARMTH, hats, terms_of
from dere.variables import FLUXES, TARGETS
from simple_methods import CO2, Run, places_of


@pytest.fixture
def made():
    """Twelve towers of three classes whose coefficients differ, with noise; GPP, RECO and NEE of two terms each."""
    rng = np.random.default_rng(0)
    towers, months = 12, 60
    parts = rng.gamma(2.0, 1.0, (towers, months, 4))
    none = np.zeros((towers, months, 2))
    gpp, reco = parts[..., :2], parts[..., 2:]
    order = {"gpp": (gpp, none), "reco": (none, reco), "nee": (-gpp, reco)}
    terms = np.stack([np.concatenate(order[name], -1) for name in FLUXES], 2)
    classes = np.repeat(["A", "B", "C"], 4)
    true = np.array([[1.0, 0.2, 0.5, 0.0]] * 12) * np.repeat([0.7, 1.0, 1.6], 4)[:, None]
    flux = np.einsum("ptfi,pi->ptf", terms, true) + 0.1 * rng.normal(size=(towers, months, 3))
    flux[rng.uniform(size=flux.shape) < 0.2] = np.nan
    return terms, flux, rng.uniform(0.5, 1.0, flux.shape), classes, true


def by_rows(terms, flux, quality, classes, strength):
    """The obvious version: weighted rows, and rows that pull to the common coefficients."""
    rows, right, owner = [], [], []
    for p in range(len(flux)):
        for f in range(3):
            known = np.isfinite(flux[p, :, f])
            size = flux[p, known, f].var() ** -0.2 / known.sum() ** 0.5
            root = np.sqrt(quality[p, known, f] * size)
            rows.append(terms[p, known, f] * root[:, None])
            right.append(flux[p, known, f] * root)
            owner += [p] * known.sum()
    rows, right, owner = np.concatenate(rows), np.concatenate(right), np.array(owner)
    scale = np.sqrt((rows**2).sum(0) / len(flux))
    common = nnls(np.concatenate([rows, np.diag(np.sqrt(0.05) * scale)]), np.append(right, np.zeros(4)))[0]
    pull = np.diag(np.sqrt(strength) * scale)
    own = {}
    for name in np.unique(classes):
        mine = classes[owner] == name
        own[name] = nnls(np.concatenate([rows[mine], pull]), np.append(right[mine], pull @ common))[0]
    return common, own


@pytest.mark.parametrize("strength", [0.3, 30.0])
def test_normal_equations_give_what_the_rows_give(made, strength):
    terms, flux, quality, classes, _ = made
    found = fitted(normal(terms, flux, quality), classes, strength)
    common, own = by_rows(terms, flux, quality, classes, strength)
    np.testing.assert_allclose(found.common, common, atol=1e-4)
    for name, values in zip(found.classes, found.of_class, strict=True):
        np.testing.assert_allclose(values, own[name], atol=1e-4)
    assert (found.of_class >= 0).all()


def test_classes_are_shrunk_to_all_towers_and_inner_folds_see_that_they_differ(made):
    terms, flux, quality, classes, true = made
    sums = normal(terms, flux, quality)
    loose, tight = (fitted(sums, classes, strength) for strength in (0.3, 1e6))
    np.testing.assert_allclose(tight.of_class, np.tile(tight.common, (3, 1)), atol=1e-3)
    np.testing.assert_allclose(loose.of_class[:, 0], true[::4, 0], rtol=0.1)
    strength, errors = best_strength(sums, classes, np.arange(12), 0)
    assert strength == 0.3
    assert errors[0] < errors[-1]
    np.testing.assert_array_equal(loose.at(["B", "never seen"])[1], loose.common)
    assert isinstance(loose, Coefficients)


def test_hats_share_each_value_between_its_knots():
    found = hats(np.array([-5.0, 5.0, 28.0, 40.0]), WARMTH)
    np.testing.assert_allclose(found.sum(-1), 1.0)
    np.testing.assert_allclose(found[1], [0.5, 0.5, 0, 0])
    np.testing.assert_allclose(found[[0, 3]], [[1, 0, 0, 0], [0, 0, 0, 1]])


def test_towers_that_follow_a_scaled_simulation_are_found(towers, members):
    """Every tower's GPP is 1.5 times the simulated and its RECO 0.6 Ra + 0.9 Rh; the raw simulation is far off."""
    simulated = towers["simulated"].transpose("site", "time", "target").values
    gpp, ra, rh = (simulated[..., TARGETS.index(name)] for name in ("gpp", "ra", "rh"))
    values = {"gpp": 1.5 * gpp, "reco": 0.6 * ra + 0.9 * rh}
    values["nee"] = values["reco"] - values["gpp"]
    true = np.stack([values[name] for name in FLUXES], -1)
    labelled = towers["flux_value"].transpose("site", "time", "flux").notnull().values
    changed = towers.assign(flux_value=(("site", "time", "flux"), np.where(labelled, true, np.nan).astype(np.float32)))
    file = Run(changed, members).predict("simulation_fitted")
    predicted = file["prediction"].transpose("site", "time", "flux").values
    order = [towers["site"].values.tolist().index(site) for site in file["site"].values]
    known = np.isfinite(predicted)
    error = np.sqrt(((predicted - true[order])[known] ** 2).mean())
    raw = np.stack([simulated[..., TARGETS.index(name)] for name in FLUXES], -1)
    assert error < 0.2 * np.sqrt(((raw - true)[order][known] ** 2).mean())


def test_terms_are_the_simulation_and_never_negative(towers, members):
    places = places_of(towers, members)
    found = terms_of(places, CO2)
    gpp = towers["simulated"].sel(target="gpp").transpose("site", "time").values
    known = np.isfinite(gpp)
    np.testing.assert_allclose(found.gpp[..., : len(WARMTH)].sum(-1)[known], np.maximum(gpp, 0)[known], rtol=1e-5)
    assert (found.gpp[known] >= 0).all()
    assert (found.reco[known] >= 0).all()
