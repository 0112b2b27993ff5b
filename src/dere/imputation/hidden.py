"""Hidden months of validation towers, filled by the imputation and by what it must beat.

Validation towers chose the checkpoint and set the factors on the spread, no weight saw them; test towers stay
untouched. The imputation and its parts (`dere.imputation.sampling.ways`) stand beside strong baselines: the site prior
updated by the visible months (``prior``), the point model with a Gaussian of the prior's unconditional width
(``point``), the climatology of the vegetation class at training towers (``climatology``) and linear interpolation
(``interpolation``).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.config.imputation import ImputationConfig
from dere.imputation.bundle import Imputer
from dere.imputation.masks import gap_statistics
from dere.imputation.prior import basis, condition, sample_prior
from dere.imputation.sampling import ways
from dere.imputation.scores import Gap, gap_sums
from dere.imputation.series import Series, hidden_fluxes, select, series_of, site_ids, with_gpp
from dere.imputation.spread import hide
from dere.imputation.stretches import Request
from dere.ingest.months import MONTHS

Climatology = dict[tuple[str, int], tuple[NDArray, NDArray]]


def score_hidden(
    bundle: Imputer,
    towers: xr.Dataset,
    splits: pd.DataFrame,
    fold: int,
    config: ImputationConfig,
    seed: int,
    device: str = "cpu",
) -> pd.DataFrame:
    """Hide months of the validation towers, every kind of gap once, and add up the errors of all methods there.

    Where towers have months of NEE alone, RECO given NEE is scored too.

    Parameters
    ----------
    bundle
        From `dere.imputation.fit.train_imputation`; holds the fold's statistics.
    config
        ``scored_samples`` trajectories are drawn; margins, quality and window are those of labels and training.

    Returns
    -------
    DataFrame
        Rows of `dere.imputation.scores.gap_sums`.

    Raises
    ------
    ValueError
        When no validation tower has a usable month.
    """
    training, series = (
        series_of(select(towers, site_ids(splits, fold, role)), splits, bundle.statistics, config)
        for role in ("training", "validation")
    )
    alone = bool(any((part.observed & ~part.complete).any() for part in (training, series)))
    hidden = hide(series, gap_statistics(training.observed, training.span, training.phase), config, seed, alone)
    if not hidden:
        raise ValueError(
            f"imputation: fold {fold} has no validation tower with a usable month to score; lower minimum_quality or "
            "add towers"
        )
    bundle.to(device)
    point, requests = bundle.predict_point(series), [item.request for item in hidden]
    drawn = ways(bundle, series, point, requests, config.scored_samples, seed, device, salt="score")
    classes = _class_climatology(training)
    first_year = pd.Timestamp(towers["time"].values[0]).year
    gaps = []
    for number, item in enumerate(hidden):
        s = item.request.stretch
        flux = series.flux[s.site, s.start : s.stop]
        unseen = np.isfinite(flux) & ~item.request.known
        made = {name: values[number] for name, values in drawn.items()}
        made |= _baselines(bundle, series, point, item.request, classes, config.scored_samples, seed)
        gaps.append(
            Gap(
                site=str(series.sites[s.site]),
                kind=item.kind,
                year=first_year + (np.arange(s.start, s.stop) + int(series.month[0])) // MONTHS,
                flux=with_gpp(flux),
                hidden=hidden_fluxes(unseen, series.complete[s.site, s.start : s.stop]),
                drawn={method: with_gpp(samples) for method, samples in made.items()},
            )
        )
    return gap_sums(gaps)


def _class_climatology(training: Series) -> Climatology:
    """Mean and std (2,) of each class and local month; the key ("", month) holds all classes.

    A flux that a class never has in a month is that of all classes.
    """
    site, time = np.nonzero(training.observed)
    table = pd.DataFrame(training.flux[site, time], columns=["nee", "reco"])
    table["month"], table["group"] = training.phase[site, time], training.classes[site]
    table = pd.concat([table, table.assign(group="")])
    grouped = table.groupby(["group", "month"])[["nee", "reco"]]
    mean, std = grouped.mean(), grouped.std()
    overall = table[["nee", "reco"]].mean().to_numpy()

    def moments(group: str, month: int) -> tuple[NDArray, NDArray]:
        (own, general), stds = (part.loc[[(group, month), ("", month)]].to_numpy() for part in (mean, std))
        middle, spread = (np.where(np.isnan(own), other, one) for one, other in ((own, general), stds))
        return np.where(np.isfinite(middle), middle, overall), np.where(np.isfinite(spread), spread, 1.0)

    return {(group, month): moments(group, month) for group, month in mean.index}


def _baselines(
    bundle: Imputer,
    series: Series,
    point: NDArray,
    request: Request,
    classes: Climatology,
    samples: int,
    seed: int,
) -> dict[str, NDArray]:
    """Samples (sample, month, 2) of the other methods; interpolation only where both are visible in some month."""
    s = request.stretch
    at = slice(s.start, s.stop)
    guess, flux, phase = point[s.site, at], series.flux[s.site, at], series.phase[s.site, at]
    inside = np.ones(len(phase), bool)
    rng = np.random.default_rng([seed, s.site, s.start])
    known = condition(bundle.prior, guess, flux, phase, inside, request.known)
    blind = condition(bundle.prior, guess, flux, phase, inside, np.zeros_like(request.known))
    normal = rng.normal(size=(samples, len(phase), 2))
    moments = [
        classes.get((str(series.classes[s.site]), int(p)), classes.get(("", int(p)), (np.zeros(2), np.ones(2))))
        for p in phase
    ]
    made = {
        "prior": sample_prior(known, basis(guess, phase, inside), bundle.prior.persistence, samples, rng),
        "point": guess + blind.std * normal,
        "climatology": np.stack([m for m, _ in moments]) + np.stack([d for _, d in moments]) * normal,
    }
    if request.known.any(0).all():
        where = [np.flatnonzero(request.known[:, c]) for c in (0, 1)]
        line = [np.interp(np.arange(len(phase)), months, flux[months, c]) for c, months in enumerate(where)]
        made["interpolation"] = np.stack(line, -1)[None]
    return made
