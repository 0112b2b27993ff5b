"""Everything that imputing needs, as one module whose state fits one safetensors file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor, nn

from dere.config.imputation import ImputationConfig
from dere.imputation import schedule as diffusion
from dere.imputation.denoiser import Denoiser
from dere.imputation.gap_kinds import GAPS
from dere.imputation.interpolation import Interpolation, arrays_of, is_text, read_interpolation
from dere.imputation.point import PointModel, features
from dere.imputation.prior import EFFECTS, VARIANCE_TERMS, SitePrior
from dere.imputation.series import Series

AXES = ("driver", "attribute", "flux")
STATISTICS = {
    f"{axis}_{kind}": dim
    for axis, dim in (("driver", "driver"), ("static", "attribute"), ("flux", "flux"))
    for kind in ("mean", "std")
}
EXTRA_CHANNELS = 13
"""Monthly side channels beside the drivers, see `dere.imputation.batches.assemble`."""


class Imputer(nn.Module):
    """Point model, site prior, denoiser and optimal interpolation of one fold and seed.

    Parameters
    ----------
    config
        Network sizes.
    channels
        Driver channel names of the denoiser; towers with others are refused.
    statistics
        Means and standard deviations of drivers, statics and fluxes; kept, so that labels need no other file.
    point_inputs
        Width of the point model's inputs.
    groups
        Group of each training site; sites not listed count as outside training.
    group_count
        Number of groups.
    interpolation
        Size of each array of the optimal interpolation; empty = there is none.
    """

    effects: Tensor
    stability: Tensor
    spread: Tensor

    def __init__(
        self,
        config: ImputationConfig,
        channels: tuple[str, ...],
        statistics: xr.Dataset,
        point_inputs: int,
        groups: Mapping[str, int],
        group_count: int,
        interpolation: Mapping[str, list[int]] | None = None,
    ):
        super().__init__()
        self.config, self.channels, self.groups = config, tuple(channels), dict(groups)
        self.sizes = {"point_inputs": point_inputs, "group_count": group_count}
        self.labels = {axis: [str(v) for v in statistics[axis].values] for axis in AXES}
        for name, axis in STATISTICS.items():
            value = statistics[name].transpose(axis).values.astype(float)
            self.register_buffer(name, torch.from_numpy(value.copy()))
        statics = statistics.sizes["attribute"]
        p = config.point
        self.point = PointModel(point_inputs, group_count, p.members, p.width, p.dropout, p.input_noise)
        self.denoiser = Denoiser(
            len(channels) + EXTRA_CHANNELS, statics, config.channels, config.layers, config.heads, config.dropout
        )
        self.schedule = diffusion.quadratic(config.diffusion_steps)
        for name, shape in (
            ("effects", (2, EFFECTS, EFFECTS)),
            ("variance", (2, VARIANCE_TERMS)),
            ("persistence", (2,)),
            ("stability", (1,)),
        ):
            self.register_buffer(name, torch.ones(shape, dtype=torch.float64))
        self.register_buffer("spread", torch.ones(len(GAPS), dtype=torch.float64))
        self.kept = nn.Module()
        for name, size in (interpolation or {}).items():
            self.kept.register_buffer(name, torch.zeros(size, dtype=torch.uint8 if is_text(name) else torch.float64))

    @property
    def statistics(self) -> xr.Dataset:
        """The statistics of training."""
        variables = {name: (axis, getattr(self, name).cpu().numpy()) for name, axis in STATISTICS.items()}
        return xr.Dataset(variables, coords=self.labels)

    @property
    def prior(self) -> SitePrior:
        """The site prior held in the buffers."""
        value = {name: getattr(self, name).cpu().numpy() for name in ("effects", "variance", "persistence")}
        return SitePrior(**value, stability=float(self.stability[0]))

    def set_prior(self, prior: SitePrior) -> None:
        """Store a fitted prior."""
        for name in ("effects", "variance", "persistence"):
            getattr(self, name).copy_(torch.from_numpy(getattr(prior, name)))
        self.stability.fill_(prior.stability)

    @property
    def interpolation(self) -> Interpolation | None:
        """The optimal interpolation held in the buffers; None = there is none."""
        kept = {name: value.cpu().numpy() for name, value in self.kept.named_buffers()}
        return read_interpolation(kept) if kept else None

    def set_interpolation(self, model: Interpolation) -> None:
        """Store a fitted optimal interpolation."""
        for name, value in arrays_of(model).items():
            self.kept.register_buffer(name, torch.from_numpy(value))

    def groups_of(self, series: Series) -> NDArray[np.int64]:
        """Group of each site; sites outside training get the networks of all training towers."""
        return np.array([self.groups.get(str(site), self.point.groups) for site in series.sites], np.int64)

    def predict_point(self, series: Series) -> NDArray[np.float64]:
        """Point prediction (S, T, 2) in gC m-2 d-1.

        Raises
        ------
        ValueError
            When the driver channels are not those of training.
        """
        if series.channels != self.channels:
            raise ValueError(
                f"imputation was trained on drivers {list(self.channels)}, the towers have {list(series.channels)}; "
                "train the imputation again"
            )
        return self.point.predict(features(series), self.groups_of(series))

    def manifest(self) -> dict[str, Any]:
        """What `from_manifest` needs to build an empty copy."""
        return {
            "stage": "imputation",
            "config": self.config.model_dump(mode="json"),
            "channels": list(self.channels),
            "groups": self.groups,
            "labels": self.labels,
            "interpolation": {name: list(value.shape) for name, value in self.kept.named_buffers()},
            **self.sizes,
        }


def from_manifest(manifest: Mapping[str, Any]) -> Imputer:
    """An untrained module of the shape that ``manifest`` describes, for loading weights into.

    Raises
    ------
    ValueError
        When an entry is missing.
    """
    try:
        return Imputer(
            ImputationConfig(**manifest["config"]),
            tuple(manifest["channels"]),
            _empty_statistics(manifest["labels"]),
            int(manifest["point_inputs"]),
            manifest["groups"],
            int(manifest["group_count"]),
            manifest["interpolation"],
        )
    except KeyError as error:
        raise ValueError(f"imputation manifest lacks {error}; train the imputation again") from None


def _empty_statistics(labels: Mapping[str, list[str]]) -> xr.Dataset:
    return xr.Dataset({name: (axis, np.ones(len(labels[axis]))) for name, axis in STATISTICS.items()}, coords=labels)


def draw_trajectories(
    imputer: Imputer,
    side: Any,
    noise: Tensor,
    calls: int | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Standardised trajectories.

    Parameters
    ----------
    side
        Side information from ``imputer.denoiser.encode``, encoded once.
    noise
        Standard normal start, (B, k, L, 2).
    calls
        Network calls; default from the configuration.
    """
    config = imputer.config

    def velocity(x: Tensor, step: int) -> Tensor:
        return imputer.denoiser(side, x, torch.full((1, 1), step, device=x.device))

    return diffusion.sample(
        imputer.schedule,
        velocity,
        noise,
        calls or config.sampling_steps,
        sampler=config.sampler,
        eta=config.eta,
        generator=generator,
    )
