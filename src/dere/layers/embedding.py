"""How inputs become tokens: one per month, or one per variate."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class MonthTokens(nn.Module):
    """Convolution of kernel 3 over time, one token per month (Informer, Zhou and others 2021).

    Parameters
    ----------
    drivers
        Channels.
    width
        Model width.
    circular
        Join the last month to the first, as published; otherwise the ends are padded with zeros.
    bias
        Whether the convolution has a bias.
    """

    def __init__(self, drivers: int, width: int, circular: bool = False, bias: bool = True) -> None:
        super().__init__()
        self.circular = circular
        self.convolution = nn.Conv1d(drivers, width, kernel_size=3, bias=bias)

    def forward(self, drivers: Tensor, valid: Tensor | None = None) -> Tensor:
        """(B, W, D) to (B, W, width); months that are not ``valid`` (B, W) count as zeros.

        Raises
        ------
        ValueError
            When padding and circular convolution are asked for together.
        """
        if valid is not None:
            if self.circular:
                raise ValueError("padded windows and networks.*.circular exclude each other; set circular to false")
            drivers = drivers * valid[..., None]
        x = F.pad(drivers.transpose(1, 2), (1, 1), mode="circular" if self.circular else "constant")
        return self.convolution(x).transpose(1, 2)


class VariateTokens(nn.Module):
    """The whole window of a variate is one token (Liu and others 2024, eq. 1); the order of variates has no code.

    Parameters
    ----------
    window
        Months.
    width
        Model width.
    """

    def __init__(self, window: int, width: int) -> None:
        super().__init__()
        self.window = window
        self.linear = nn.Linear(window, width)

    def forward(self, series: Tensor) -> Tensor:
        """(B, W, D) to (B, D, width).

        Raises
        ------
        ValueError
            When the window has another length than the network was built for.
        """
        if series.shape[1] != self.window:
            raise ValueError(
                f"the window has {series.shape[1]} months, this network was built for {self.window}; variate tokens "
                "need windows of one length"
            )
        return self.linear(series.transpose(1, 2))

    def start_only(self, values: Tensor) -> Tensor:
        """Tokens (N, C, width) of series that hold ``values`` (N, C) in the first month and zeros after it."""
        return values[..., None] * self.linear.weight[:, 0] + self.linear.bias


def with_static(tokens: Tensor, static: Tensor) -> Tensor:
    """Append one token (B, width) of static attributes to tokens (B, D, width)."""
    return torch.cat([tokens, static[:, None]], dim=1)
