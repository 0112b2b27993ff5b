"""One month with lags through two hidden layers; what is linear in the drivers is worked out once per site.

The first layer is linear in drivers, static attributes, condition and what varies in time, so that its part of drivers
and attributes is the memory that all decodings share; the nonlinear rest is small. Channels that are made of others
(knowledge channels) say themselves what they know of other months, so they have no lags, as in the trees.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dere.backbones.base import Backbone
from dere.backbones.declaration import Sizes
from dere.backbones.decoder import require_dynamic
from dere.backbones.lags import LagsConfig

YEAR = 12


class Lags(Backbone):
    """Feed-forward network of a month and the months before it.

    Parameters
    ----------
    sizes
        Widths of the inputs; windows of any length of at least a year.
    config
        Width, dropout, lags, running means.
    branches
        Decoders that share the driver part of the first layer.
    """

    def __init__(self, sizes: Sizes, config: LagsConfig, branches: int = 1) -> None:
        super().__init__()
        self.width, self.lags, self.means, self.clip = config.width, config.lags, config.means, config.clip
        self.raw = sizes.drivers if sizes.raw is None else sizes.raw
        copies = len(config.lags) + len(config.means)
        self.drivers = nn.Linear(sizes.drivers + copies * self.raw, config.width)
        self.static = nn.Linear(sizes.static, config.width, bias=False)
        self.decoders = nn.ModuleList(MonthDecoder(sizes, config) for _ in range(branches))

    def encode(self, drivers: Tensor, static: Tensor) -> Tensor:
        """See `Backbone.encode`; memory is (B, W, width), the sites' part of the first layer before its activation."""
        drivers = drivers.clamp(-self.clip, self.clip)
        months = torch.cat([drivers, earlier_months(drivers[..., : self.raw], self.lags, self.means)], dim=-1)
        return self.drivers(months) + self.static(static.clamp(-self.clip, self.clip))[:, None]

    def decode(self, memory: Tensor, condition: Tensor, dynamic: Tensor | None = None, branch: int = 0) -> Tensor:
        """See `Backbone.decode`."""
        decoded: Tensor = self.decoders[branch](memory, condition, dynamic)
        return decoded


class MonthDecoder(nn.Module):
    """The rest of the first layer, its activation, and the second layer."""

    def __init__(self, sizes: Sizes, config: LagsConfig) -> None:
        super().__init__()
        self.condition = nn.Linear(sizes.condition, config.width)
        self.dynamic = nn.Linear(sizes.dynamic, config.width, bias=False) if sizes.dynamic else None
        self.second = nn.Linear(config.width, config.width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, memory: Tensor, condition: Tensor, dynamic: Tensor | None) -> Tensor:
        """(B, W, width), (B·k, C) and (B·k, W, Q) or None to (B·k, W, width)."""
        code = self.condition(condition)
        copies = len(code) // len(memory)
        x = (memory if copies == 1 else memory.repeat_interleave(copies, dim=0)) + code[:, None]
        if self.dynamic is not None:
            x = x + self.dynamic(require_dynamic(dynamic))
        x = self.dropout(F.silu(x))
        return self.dropout(F.silu(self.second(x)))


def earlier_months(drivers: Tensor, lags: tuple[int, ...], means: tuple[int, ...]) -> Tensor:
    """What each month knows of the months before it: lagged values and running means.

    Before the window, the same calendar months of its first year stand in, as for trees
    (`dere.methods.tree_features`).

    Parameters
    ----------
    drivers
        (B, W, D), W at least 12.
    lags, means
        At most 12 months each.

    Returns
    -------
    Tensor
        (B, W, D times (lags + means)).

    Raises
    ------
    ValueError
        When the window is shorter than a year.
    """
    window = drivers.shape[1]
    if window < YEAR:
        raise ValueError(f"the window has {window} months, at least {YEAR} are needed for lags and means")
    extended = torch.cat([drivers[:, :YEAR], drivers], dim=1)
    total = F.pad(extended, (0, 0, 1, 0)).cumsum(1)
    end = YEAR + window
    shifted = [extended[:, YEAR - lag : end - lag] for lag in lags]
    averaged = [(total[:, YEAR + 1 :] - total[:, YEAR + 1 - n : end + 1 - n]) / n for n in means]
    return torch.cat([*shifted, *averaged], dim=-1)
