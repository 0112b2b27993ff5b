"""Fit the simulated fluxes to towers, class by class, and predict by them; the triple closes by construction."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere import exchange as exchanges
from dere.io import read_netcdf
from dere.methods.simulation_fitted.regression import STRENGTHS, Coefficients, best_strength, fitted, normal
from dere.methods.simulation_fitted.terms import terms_of
from dere.training.fitted import Fitted, Prediction, Support
from dere.training.job import Job
from dere.training.places import Places
from dere.training.read_places import site_labels, site_places
from dere.training.roles import TRAINED
from dere.training.texts import decoded, encoded


def fit(job: Job) -> Fitted:
    """Coefficients of the training and validation towers, and of the training towers alone."""
    towers = read_netcdf(job.files["towers"])
    places = site_places(
        towers,
        job.roles,
        satellites=job.windows.satellites,
        channels=job.windows.channels,
        reads=("simulated",),
        exchange=job.exchange,
    )
    everything, errors = _coefficients(job, towers, places, *TRAINED)
    alone, _ = _coefficients(job, towers, places, "training")
    history = pd.DataFrame({"strength": STRENGTHS, "error": errors})
    return Fitted(everything, job.recorded, history, alone)


def predict(
    fitted: Mapping[str, Fitted], places: Places, support: Support | None = None, *, unseen: bool = False, gpu: int = 0
) -> Prediction:
    """Predict places by the coefficients of their class; NaN where the simulation has no month."""
    arrays = fitted["simulation_fitted"].chosen(unseen)
    exchange = exchanges.get(exchanges.DEFAULT)
    terms = terms_of(places, exchange)
    known = Coefficients(arrays["common"], tuple(decoded(arrays["classes"])), arrays["of_class"])
    own = known.at(places.classes["igbp"].astype(str).tolist())
    split = terms.gpp.shape[-1]
    gpp = np.einsum("pti,pi->pt", terms.gpp, own[:, :split])
    reco = np.einsum("pti,pi->pt", terms.reco, own[:, split:])
    values = {"gpp": gpp, "reco": reco, "nee": reco - gpp}
    return Prediction(exchange.close(np.stack([values[name] for name in exchange.names], -1)))


def _coefficients(job: Job, towers: xr.Dataset, places: Places, *roles: str) -> tuple[dict[str, NDArray], list[float]]:
    """Arrays of the towers of some roles, and the error of each strength at clusters left out."""
    allowed = job.allowed(*roles)
    labels = site_labels(towers, allowed, job.windows.minimum_training_quality, job.exchange)
    rows = np.flatnonzero(np.isfinite(labels.flux).any((1, 2)))
    if not len(rows):
        raise ValueError(
            f"towers.nc holds no month of quality >= {job.windows.minimum_training_quality:g} at the {len(allowed)} "
            f"{' and '.join(roles)} towers; lower harmonise.minimum_training_quality or bring more towers"
        )
    here = places.take(rows)
    gpp, reco = terms_of(here, job.exchange)
    none, nothing = np.zeros_like(gpp), np.zeros_like(reco)
    of_flux = {"gpp": (gpp, nothing), "reco": (none, reco), "nee": (-gpp, reco)}
    terms = np.stack([np.concatenate(of_flux[name], -1) for name in job.exchange.names], 2)
    sums = normal(terms, labels.flux[rows].astype(float), labels.quality[rows].astype(float))
    classes = here.classes["igbp"].to_numpy().astype(str)
    strength, errors = best_strength(sums, classes, here.classes["cluster"].to_numpy(), job.seed)
    found = fitted(sums, classes, strength)
    arrays: dict[str, NDArray] = {
        "common": found.common,
        "classes": encoded(list(found.classes)),
        "of_class": found.of_class,
    }
    return arrays | {"strength": np.array([strength])}, errors
