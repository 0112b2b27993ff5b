"""Optimal interpolation on trees: trees say the month, the error model of `dere.intervals` what is known of the error.

The kernel over time is fitted to residuals of training towers at trees that never saw them. Given the months of a tower
that are known, errors of all others follow in closed form (`dere.intervals.site_calibration`), and members are drawn
from them jointly in GPP and RECO, so that NEE closes. Members are labels as a tower would report them, noise included
and negative where labels may be, for that is what the diffusion makes too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dere.exchange.co2 import EXCHANGE as CO2
from dere.imputation.series import COMPONENTS, Series, with_gpp
from dere.imputation.stretches import Request, site_seed
from dere.imputation.trees import WITHOUT, fit_trees, inputs_of, predict_trees
from dere.intervals.calibrator import Calibrator, read_calibrator
from dere.intervals.fitting import fit_calibrator
from dere.intervals.site_calibration import condition, errors_of
from dere.intervals.site_members import members_of
from dere.variables import FLUXES

TREES, ERRORS = "trees_", "errors_"
"""Beginnings of names under which trees and error model are kept."""
FREE = [FLUXES.index(name) for name in COMPONENTS]


class Interpolation(NamedTuple):
    """Trees by name (LightGBM's text), and the error model of what they say of towers that they never saw."""

    trees: Mapping[str, NDArray[np.uint8]]
    errors: Calibrator

    def predict(self, series: Series, group: NDArray[np.int64]) -> NDArray[np.float64]:
        """NEE and RECO (S, T, 2) in gC m-2 d-1 that nothing of the sites' own months has entered."""
        return predict_trees(self.trees, inputs_of(series), group)


def is_text(name: str) -> bool:
    """Tell whether an array of `arrays_of` is the text of trees."""
    return name.startswith(TREES)


def arrays_of(model: Interpolation) -> dict[str, NDArray]:
    """Return all that `read_interpolation` needs, by name."""
    errors = {f"{ERRORS}{name}": np.asarray(value, np.float64) for name, value in model.errors.arrays().items()}
    return {f"{TREES}{name}": text for name, text in model.trees.items()} | errors


def read_interpolation(arrays: Mapping[str, NDArray]) -> Interpolation:
    """Return what `arrays_of` was given."""
    errors = {name.removeprefix(ERRORS): value for name, value in arrays.items() if not is_text(name)}
    trees = {name.removeprefix(TREES): value for name, value in arrays.items() if is_text(name)}
    return Interpolation(trees, read_calibrator(errors, CO2))


def fit_interpolation(training: Series, group: NDArray[np.int64], groups: int, seed: int) -> Interpolation:
    """Fit trees and error model to the training towers of a fold.

    Raises
    ------
    ValueError
        When a flux has too few labelled months, or all of them in one group.
    """
    inputs = inputs_of(training)
    trees = fit_trees(training, inputs, group, groups, seed)
    left_out = with_gpp(predict_trees(trees, inputs, group))
    left_out[~training.span] = np.nan
    try:
        errors = fit_calibrator(left_out, with_gpp(training.flux), training.clusters.astype(str), CO2)
    except ValueError as error:
        raise ValueError(f"imputation: {error}; or {WITHOUT}") from None
    return Interpolation(trees, errors)


def interpolate(
    model: Interpolation,
    series: Series,
    guess: NDArray[np.float64],
    requests: Sequence[Request],
    samples: int,
    seed: int,
    salt: str = "",
) -> list[NDArray[np.float64]]:
    """Members of NEE and RECO in gC m-2 d-1, per request (samples, months, 2); what is known keeps its value.

    Parameters
    ----------
    guess
        (S, T, 2) from ``Interpolation.predict``.
    """
    mean = with_gpp(guess)
    scale = model.errors.scale(mean)
    made = []
    for request in requests:
        s = request.stretch
        at = s.site, slice(s.start, s.stop)
        flux = np.where(request.known, series.flux[at], np.nan)
        place = condition(mean[at], errors_of(scale[at], model.errors), with_gpp(flux))
        rng = np.random.default_rng(site_seed(seed, str(series.sites[s.site]), f"{salt}i"))
        value = members_of(place, rng, samples, of="label")[..., FREE]
        made.append(np.where(request.known[None], flux[None], value))
    return made
