"""Drawing trajectories of whole stretches of months given those that are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from dere.imputation.batches import assemble
from dere.imputation.bundle import Imputer, draw_trajectories
from dere.imputation.series import Series
from dere.imputation.stretches import Request, site_seed


def trajectories(
    imputer: Imputer,
    series: Series,
    point: NDArray[np.float64],
    requests: Sequence[Request],
    samples: int,
    seed: int,
    device: str = "cpu",
    salt: str = "",
    batch_sites: int = 4,
) -> list[NDArray[np.float64]]:
    """Trajectories of (NEE, RECO) in gC m-2 d-1, per request (samples, months, 2); what is known keeps its value.

    Requests of equal padded length share a batch, so that a site's trajectories do not depend on its company.
    """
    imputer.eval()
    out: list[NDArray[np.float64]] = [np.empty(0)] * len(requests)
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
) -> list[NDArray[np.float64]]:
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
    middle = drawn.mean(1, keepdims=True)
    drawn = middle + float(imputer.spread[0]) * (drawn - middle)
    flux = inputs.moments.mean[:, None] + inputs.moments.std[:, None] * drawn
    result = []
    for row, request in enumerate(requests):
        s = request.stretch
        value = flux[row, :, : s.stop - s.start]
        observed = series.flux[s.site, s.start : s.stop]
        result.append(np.where(request.known[None], observed[None], value))
    return result
