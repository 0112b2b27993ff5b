"""Drawing trajectories of whole stretches of months given those that are known: by the diffusion, trees, or both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from dere.imputation.batches import assemble
from dere.imputation.bundle import Imputer, draw_trajectories
from dere.imputation.gap_kinds import gap_kinds
from dere.imputation.interpolation import interpolate
from dere.imputation.series import Series
from dere.imputation.stretches import WAYS, Request, site_seed

Trajectories = list[NDArray[np.float64]]
"""Per request (sample, month, 2)."""


def trajectories(
    imputer: Imputer,
    series: Series,
    point: NDArray[np.float64],
    requests: Sequence[Request],
    samples: int,
    seed: int,
    device: str = "cpu",
    salt: str = "",
) -> Trajectories:
    """Trajectories of (NEE, RECO) in gC m-2 d-1, per request (samples, months, 2); what is known keeps its value.

    They come from what the imputer's ``filled_by`` names, their spread as calibrated.
    """
    name = imputer.config.filled_by
    return ways(imputer, series, point, requests, samples, seed, device, salt, (name,))[name]


def ways(
    imputer: Imputer,
    series: Series,
    point: NDArray[np.float64],
    requests: Sequence[Request],
    samples: int,
    seed: int,
    device: str = "cpu",
    salt: str = "",
    names: Sequence[str] | None = None,
) -> dict[str, Trajectories]:
    """Trajectories of several of `WAYS`, each as from `trajectories`; by default of all that the imputer has.

    The way that the imputer's ``filled_by`` names stands first; only it has its spread calibrated.

    Raises
    ------
    ValueError
        When a way needs trees and the imputer has none.
    """
    model = imputer.interpolation
    chosen = imputer.config.filled_by
    wanted = names or (sorted(WAYS, key=lambda name: name != chosen) if model else ("diffusion",))
    half = samples // 2
    calls = max(samples - half if name == "mix" else samples if name == "diffusion" else 0 for name in wanted)
    diffusion = diffused(imputer, series, point, requests, calls, seed, device, salt) if calls else []
    made = {"diffusion": diffusion} if "diffusion" in wanted else {}
    for name in wanted:
        if name == "diffusion":
            continue
        if model is None:
            raise ValueError(f"imputation was trained without trees, which {name} needs; train the imputation again")
        guess = model.predict(series, imputer.groups_of(series))
        asked = [replace(r, known=np.zeros_like(r.known)) for r in requests] if name == "trees" else requests
        # a mix of a few trajectories still needs two for a spread
        drawn = interpolate(model, series, guess, asked, max(half, 2) if name == "mix" else samples, seed, salt)
        if name == "mix":
            pairs = zip(diffusion, drawn, strict=True)
            drawn = [np.concatenate([some[: samples - half], others[:half]]) for some, others in pairs]
        made[name] = drawn
    if chosen in made:
        factors = imputer.spread.cpu().numpy()
        made[chosen] = [scaled(v, r.known, factors) for v, r in zip(made[chosen], requests, strict=True)]
    return {name: made[name] for name in wanted}


def scaled(drawn: NDArray[np.float64], known: NDArray[np.bool_], factors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Trajectories (sample, month, 2) with the spread around their mean times the factor of each month's kind of gap.

    Parameters
    ----------
    known
        (month, 2).
    factors
        In the order of `GAPS`; one for all fluxes, so that GPP and RECO go together as they did.
    """
    factor = np.where(known, 1.0, factors[gap_kinds(known)][:, None])
    middle = drawn.mean(0)
    return np.where(known, drawn, middle + factor * (drawn - middle))


def diffused(
    imputer: Imputer,
    series: Series,
    point: NDArray[np.float64],
    requests: Sequence[Request],
    samples: int,
    seed: int,
    device: str = "cpu",
    salt: str = "",
    batch_sites: int = 4,
) -> Trajectories:
    """Trajectories of the diffusion alone, as from `trajectories` but for the calibration of their spread.

    Requests of equal padded length share a batch, so that a site's trajectories do not depend on its company.
    """
    imputer.eval()
    out: Trajectories = [np.empty(0)] * len(requests)
    lengths = [-(-(r.stretch.stop - r.stretch.start) // 12) * 12 for r in requests]
    for length in sorted(set(lengths)):
        members = [i for i, value in enumerate(lengths) if value == length]
        for begin in range(0, len(members), batch_sites):
            chunk = members[begin : begin + batch_sites]
            for i, value in zip(
                chunk,
                _chunk(imputer, series, point, [requests[i] for i in chunk], samples, seed, device, salt),
                strict=True,
            ):
                out[i] = value
    return out


def _chunk(
    imputer: Imputer,
    series: Series,
    point: NDArray[np.float64],
    requests: list[Request],
    samples: int,
    seed: int,
    device: str,
    salt: str,
) -> Trajectories:
    inputs = assemble(
        series,
        point,
        imputer.prior,
        [r.stretch for r in requests],
        [r.known for r in requests],
        [~r.known for r in requests],
        device,
    )
    length = inputs.monthly.shape[1]
    generators = [
        torch.Generator().manual_seed(site_seed(seed, str(series.sites[r.stretch.site]), salt)) for r in requests
    ]
    start = torch.stack([torch.randn((samples, length, 2), generator=g) for g in generators]).to(device)
    with torch.no_grad():
        side = imputer.denoiser.encode(inputs.monthly, inputs.static, inputs.carries, inputs.target)
        drawn = draw_trajectories(imputer, side, start, generator=generators[0]).double().cpu().numpy()
    flux = inputs.moments.mean[:, None] + inputs.moments.std[:, None] * drawn
    result = []
    for row, request in enumerate(requests):
        s = request.stretch
        value = flux[row, :, : s.stop - s.start]
        observed = series.flux[s.site, s.start : s.stop]
        result.append(np.where(request.known[None], observed[None], value))
    return result
