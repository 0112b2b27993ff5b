"""Fourier blocks and the separation of trend and season (Zhou and others 2022, eq. 3-6)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Trend(nn.Module):
    """Moving average with repeated ends.

    Parameters
    ----------
    months
        Width of the average; an even one is lengthened by a month, so that it stays centred.
    """

    def __init__(self, months: int) -> None:
        super().__init__()
        self.reach = months // 2

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Season and trend of ``x`` (B, L, d)."""
        padded = F.pad(x.transpose(1, 2), (self.reach, self.reach), mode="replicate")
        trend = F.avg_pool1d(padded, kernel_size=2 * self.reach + 1, stride=1).transpose(1, 2)
        return x - trend, trend


def draw_modes(length: int, modes: int) -> Tensor:
    """Draw ``modes`` of the frequencies below the Nyquist frequency, sorted, at random."""
    count = max(1, length // 2)
    return torch.randperm(count)[: min(modes, count)].sort().values


class FourierBlock(nn.Module):
    """Complex weights on some frequencies of every head; the others are dropped (frequency-enhanced block).

    The frequencies are drawn once and saved with the weights, so that a loaded network uses those it was trained with
    (defect 33). They keep their place in the spectrum.

    Parameters
    ----------
    width, heads
        Model width and heads.
    length
        Length that the frequencies are drawn for.
    modes
        Frequencies kept.
    """

    def __init__(self, width: int, heads: int, length: int, modes: int) -> None:
        super().__init__()
        self.heads = heads
        self.register_buffer("modes", draw_modes(length, modes))
        self.modes: Tensor
        each = width // heads
        # real and imaginary part apart: weight files and averages know no complex numbers
        self.weight = nn.Parameter(torch.rand(heads, each, each, len(self.modes), 2) / each)

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, width) to the same."""
        length = x.shape[1]
        values = x.unflatten(-1, (self.heads, -1)).permute(0, 2, 3, 1)  # (B, heads, E, L)
        spectrum = torch.fft.rfft(values, dim=-1, norm="ortho")
        weighted = torch.einsum("bhix,hiox->bhox", spectrum[..., self.modes], torch.view_as_complex(self.weight))
        full = torch.zeros_like(spectrum).index_copy(-1, self.modes, weighted)
        return torch.fft.irfft(full, n=length, dim=-1, norm="ortho").permute(0, 3, 1, 2).flatten(2)


class FourierCrossBlock(nn.Module):
    """Attention between the frequencies of queries and memory (frequency-enhanced attention).

    Keys and values are transformed once for the k decodings that share a memory. Parameters as `FourierBlock`.
    """

    def __init__(self, width: int, heads: int, length: int, modes: int) -> None:
        super().__init__()
        self.heads = heads
        self.register_buffer("query_modes", draw_modes(length, modes))
        self.register_buffer("key_modes", draw_modes(length, modes))
        self.query_modes: Tensor
        self.key_modes: Tensor
        each = width // heads
        self.weight = nn.Parameter(torch.rand(heads, each, each, len(self.query_modes), 2) / each)

    def _spectrum(self, x: Tensor) -> Tensor:
        """(N, L, width) to (N, heads, E, frequencies)."""
        return torch.fft.rfft(x.unflatten(-1, (self.heads, -1)).permute(0, 2, 3, 1), dim=-1, norm="ortho")

    def forward(self, queries: Tensor, keys: Tensor) -> Tensor:
        """``queries`` (B·k, L, width), ``keys`` (B, M, width), which are also the values; returns (B·k, L, width)."""
        q = self._spectrum(queries)
        grouped = q[..., self.query_modes].unflatten(0, (keys.shape[0], -1))  # (B, k, heads, E, x)
        k = self._spectrum(keys)[..., self.key_modes]  # (B, heads, E, y)
        scores = torch.einsum("bkhex,bhey->bkhxy", grouped, k)
        scores = torch.complex(scores.real.tanh(), scores.imag.tanh())
        mixed = torch.einsum("bkhxy,bhey->bkhex", scores, k).flatten(0, 1) / self.key_modes.numel()
        weighted = torch.einsum("bhix,hiox->bhox", mixed, torch.view_as_complex(self.weight))
        full = torch.zeros_like(q).index_copy(-1, self.query_modes, weighted)
        result = torch.fft.irfft(full, n=queries.shape[1], dim=-1, norm="ortho")
        return result.permute(0, 3, 1, 2).flatten(2)
