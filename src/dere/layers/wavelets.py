"""Stationary wavelet transform with learnable filters (SimpleTM, Chen and others 2025, its first and third module)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

HAAR = 2**-0.5


class StationaryWavelet(nn.Module):
    """Undecimated transform of every token along its features, one pair of filters per token.

    The filters start as the Haar wavelet (db1) and are learned. With them as they start, reconstruction is exact.

    Parameters
    ----------
    tokens
        Tokens.
    levels
        Levels; the dilation doubles with each.
    """

    def __init__(self, tokens: int, levels: int) -> None:
        super().__init__()
        self.levels = levels
        low, high = torch.tensor([HAAR, HAAR]), torch.tensor([HAAR, -HAAR])
        self.low = nn.Parameter(low.repeat(tokens, 1, 1))
        self.high = nn.Parameter(high.repeat(tokens, 1, 1))
        self.low_back = nn.Parameter(low.repeat(tokens, 1, 1))
        self.high_back = nn.Parameter(-high.repeat(tokens, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, d) to coefficients (B, N, levels + 1, d): approximation, then details from coarse to fine."""
        details = []
        for level in range(self.levels):
            dilation = 2**level
            # circular along the features, which have no ends
            padded = F.pad(x, (0, dilation), mode="circular")
            details.append(F.conv1d(padded, self.high, dilation=dilation, groups=x.shape[1]))
            x = F.conv1d(padded, self.low, dilation=dilation, groups=x.shape[1])
        return torch.stack([x, *reversed(details)], dim=2)

    def inverse(self, coefficients: Tensor) -> Tensor:
        """(B, N, levels + 1, d) to (B, N, d)."""
        x = coefficients[:, :, 0]
        for number, level in enumerate(reversed(range(self.levels))):
            dilation = 2**level
            low = F.pad(x, (dilation, 0), mode="circular")
            high = F.pad(coefficients[:, :, number + 1], (dilation, 0), mode="circular")
            x = F.conv1d(low, self.low_back, dilation=dilation, groups=x.shape[1])
            x = (x + F.conv1d(high, self.high_back, dilation=dilation, groups=high.shape[1])) / 2
        return x
