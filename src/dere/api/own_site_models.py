"""What the models of a run say of sites of one's own: what is stored of sites that they know, new of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from dere.api.fits import Fit
from dere.api.model import Model
from dere.api.own_site_errors import with_errors
from dere.api.predicting import at_places
from dere.api.run import Run
from dere.config.windows import WindowConfig
from dere.evaluation.ensemble import ensemble
from dere.harmonise.driver_space import extrapolation_index
from dere.harmonise.own_states import with_states_of
from dere.harmonise.site_roles import COORDINATE, SEEN
from dere.intervals.spread import with_truth
from dere.methods import Method, methods
from dere.training.places import Places
from dere.training.read_places import site_places

NO_SPLIT = pd.DataFrame({"id": [], "kind": [], "cluster": []}, dtype=str)
"""Sites of one's own are in no split."""
TRAINED_BY = "trained_by"
"""Attribute: versions of the package that trained the models."""


def reads_simulation(method: Method) -> bool:
    """Tell whether a method starts from simulated states, as all networks do, or one of its parts does."""
    if method.parts:
        return any(reads_simulation(methods()[part]) for part in method.parts)
    return method.per_backbone or bool(method.reads_places)


def stored_predictions(
    run: Run, method: Method, fits: Sequence[Fit], named: Mapping[str, str]
) -> tuple[xr.Dataset | None, dict[str, str]]:
    """Read what the run has stored of sites that it knows.

    Parameters
    ----------
    run, method
        Whose predictions.
    fits
        Those that are joined, as the run joins its folds and seeds.
    named
        Site as it was given to the site of the run that it is.

    Returns
    -------
    tuple
        ``prediction``, ``std``, ``quantile_value``, ``record`` and an empty ``extrapolation_index`` under the names
        that were given, None where there is none; site to sentence where all of the models have seen its labels.

    Raises
    ------
    ValueError
        When the files are of another split than the models.
    """
    wanted = sorted(set(named.values()))
    files, of_labels = [], []
    for backbone, fold, seed in fits:
        with run.predictions(method.name, backbone, fold, seed) as file:
            if file.attrs.get("split") != run.split:
                raise ValueError(
                    f"predictions of {method.name}, fold {fold}, are of another split than the models; predict again"
                )
            kept = file[[name for name in ("prediction", "std", "quantile_value") if name in file]]
            of_labels.append(kept.sel(site=wanted).load())
            files.append(with_truth(of_labels[-1], run.exchange))
    made = with_errors(ensemble(files), of_labels, run.exchange)
    seen = set(made["site"].values[made[COORDINATE].values.astype(str) == SEEN].astype(str))
    lost = {
        site: f"site {site} is {code} of the run, and every model that is used has seen its labels, so that no "
        "prediction of it is one of an unseen site; test its fold too (folds), or leave it out"
        for site, code in named.items()
        if code in seen
    }
    chosen = {site: code for site, code in named.items() if code not in seen}
    if not chosen:
        return None, lost
    found = made.sel(site=list(chosen.values())).assign_coords(site=list(chosen))
    found["record"] = found["prediction"].notnull().all("flux")
    empty = np.full((found.sizes["site"], found.sizes["time"]), np.nan)
    found["extrapolation_index"] = (("site", "time"), empty)
    return found.drop_vars(["members", "fold"], errors="ignore"), lost


def predictions_at(
    run: Run,
    method: Method,
    fits: Sequence[Fit],
    towers: xr.Dataset,
    known: xr.Dataset,
    windows: WindowConfig,
    gpu: int,
) -> xr.Dataset:
    """Predict sites by some models, joined as the run joins those of a site that none of them has seen.

    Parameters
    ----------
    run, method, fits
        Whose models.
    towers
        Sites as ``data/towers.nc`` has its own (`dere.harmonise.own_sites`).
    known
        ``models/known_sites.nc``.
    windows
        Channels of the run.
    gpu
        1 = compute on the GPU.

    Returns
    -------
    Dataset
        As `stored_predictions`, with ``extrapolation_index``.
    """
    here = places_of(run, method, towers, windows)
    files = []
    trained: set[str] = set()
    for backbone, fold, seed in fits:
        model = run.fitted(method.name, backbone, fold, seed)
        trained |= _versions(model)
        with run.predictions(method.name, backbone, fold, seed) as file:
            files.append(at_places(model, here, file, gpu=gpu))
    made = with_errors(ensemble(files).drop_vars(["members", "fold"]), files, run.exchange)
    # the ensemble has the sites in order
    ordered = towers.sel(site=made["site"].values)
    record = ordered["record"].transpose("site", "time").values.astype(bool)
    index = np.where(record, extrapolation_index(ordered, known), np.nan)
    made = made.assign(record=(("site", "time"), record), extrapolation_index=(("site", "time"), index))
    return made.assign_attrs({TRAINED_BY: " ".join(sorted(trained))})


def places_of(run: Run, method: Method, towers: xr.Dataset, windows: WindowConfig) -> Places:
    """Return sites as a method of a run reads them; no split knows them.

    Raises
    ------
    ValueError
        When a network begins with simulated states that only the files of the run bring.
    """
    given = bool(run.exchange.simulate) and run.tree["sources"]["methane"]["provider"] != "builtin"
    if given and method.per_backbone:
        raise ValueError(
            f"sources.methane.provider: it is {run.tree['sources']['methane']['provider']}, whose simulated "
            f"{run.exchange.name} sites of your own do not have, but {method.name} begins with it; predict them by a "
            "method without a network (gbm, gp), or by a run with provider: builtin"
        )
    return site_places(
        towers.drop_vars(["simulated", "initial_state"], errors="ignore")
        if given
        else with_states_of(towers, run.exchange),
        NO_SPLIT,
        satellites=windows.satellites,
        channels=windows.channels,
        reads=_reads(method),
        exchange=run.exchange,
    )


def _reads(method: Method) -> tuple[str, ...]:
    """Return the series of places that a method, or any of its parts, reads."""
    own = [methods()[part] for part in method.parts] or [method]
    return tuple(dict.fromkeys(name for each in own for name in each.reads_places))


def _versions(model: Model) -> set[str]:
    """Versions of the package that trained a model."""
    stages = [fitted for part in (model, *model.parts.values()) for fitted in part.stages.values()]
    return {str(fitted.facts.get("code_version")) for fitted in stages}
