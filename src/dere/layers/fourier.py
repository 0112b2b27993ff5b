"""Fourier blocks and the separation of trend and season (FEDformer, Zhou and others 2022, arXiv 2201.12740).

Equations 3-4 are the block, 6-7 the attention between frequencies; the moving average is one of the filters of eq. 10.
The published code differs from its equations in three habits, which ``published`` restores for parity; they are
listed in `dere.backbones.fedformer.network`.
"""

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


def inputs_of(width: int, heads: int, published: bool) -> int:
    """Divisor of a block's first weights: the features of a head that they sum; ``published`` = the squared width.

    With the squared width a block starts with almost no output (rms 1e-5 of its input at width 512).
    """
    return width**2 if published else width // heads


class FourierBlock(nn.Module):
    """Complex weights on some frequencies of every head; the others are dropped (frequency-enhanced block).

    The frequencies are drawn once and saved with the weights, so that a loaded network uses those it was trained with
    (docs/deviations.md#fedformers-frequencies). They keep their place in the spectrum.

    Parameters
    ----------
    width, heads
        Model width and heads.
    length
        Length that the frequencies are drawn for.
    modes
        Frequencies kept.
    published
        Put the weighted frequencies on the lowest places of the spectrum, and read the result, which is
        (heads, features, months) in memory, as (months, heads, features), and start with smaller weights
        (`inputs_of`): what the published code does.
    """

    def __init__(self, width: int, heads: int, length: int, modes: int, published: bool = False) -> None:
        super().__init__()
        self.heads, self.published = heads, published
        self.register_buffer("modes", draw_modes(length, modes))
        self.modes: Tensor
        each = width // heads
        # real and imaginary part apart: weight files and averages know no complex numbers
        self.weight = nn.Parameter(
            torch.rand(heads, each, each, len(self.modes), 2) / inputs_of(width, heads, published)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, width) to the same."""
        length = x.shape[1]
        values = x.unflatten(-1, (self.heads, -1)).permute(0, 2, 3, 1)  # (B, heads, E, L)
        spectrum = torch.fft.rfft(values, dim=-1, norm="ortho")
        weighted = torch.einsum("bhix,hiox->bhox", spectrum[..., self.modes], torch.view_as_complex(self.weight))
        places = torch.arange(len(self.modes), device=x.device) if self.published else self.modes
        full = torch.zeros_like(spectrum).index_copy(-1, places, weighted)
        return in_months(torch.fft.irfft(full, n=length, dim=-1, norm="ortho"), self.published)


def in_months(series: Tensor, published: bool) -> Tensor:
    """(N, heads, E, L) to (N, L, heads · E); ``published`` reads the memory in the new order without moving it."""
    if published:
        return series.reshape(len(series), series.shape[-1], -1)
    return series.permute(0, 3, 1, 2).flatten(2)


class FourierCrossBlock(nn.Module):
    """Attention between the frequencies of queries and memory (frequency-enhanced attention).

    Keys and values are transformed once for the k decodings that share a memory. Scores are products of orthonormal
    spectra, so that the tanh does not saturate with the length of the window, and the result is the mean over the
    key's frequencies.

    Parameters
    ----------
    width, heads, length, modes
        As `FourierBlock`.
    published
        Scores of spectra that are not normalised, the result divided by the squared width, months and features read
        in exchanged order as in `FourierBlock`: what the published code does. Frequencies keep their place.
    softmax
        Softmax of the scores' magnitudes in place of tanh of their real and imaginary parts; the paper has both.
    """

    def __init__(
        self, width: int, heads: int, length: int, modes: int, published: bool = False, softmax: bool = False
    ) -> None:
        super().__init__()
        self.heads, self.published, self.softmax = heads, published, softmax
        self.register_buffer("query_modes", draw_modes(length, modes))
        self.register_buffer("key_modes", draw_modes(length, modes))
        self.query_modes: Tensor
        self.key_modes: Tensor
        each, inputs = width // heads, inputs_of(width, heads, published)
        self.weight = nn.Parameter(torch.rand(heads, each, each, len(self.query_modes), 2) / inputs)

    def _spectrum(self, x: Tensor) -> Tensor:
        """(N, L, width) to (N, heads, E, frequencies)."""
        values = x.unflatten(-1, (self.heads, -1)).permute(0, 2, 3, 1)
        return torch.fft.rfft(values, dim=-1, norm=self.norm)

    def _share(self, width: int) -> int:
        """Divisor of the sum over the key's frequencies: a softmax is a mean already."""
        if self.published:
            return width**2
        return 1 if self.softmax else self.key_modes.numel()

    @property
    def norm(self) -> str:
        """Norm of the transforms, in numpy's words."""
        return "backward" if self.published else "ortho"

    def forward(self, queries: Tensor, keys: Tensor) -> Tensor:
        """``queries`` (B·k, L, width), ``keys`` (B, M, width), which are also the values; returns (B·k, L, width)."""
        q = self._spectrum(queries)
        grouped = q[..., self.query_modes].unflatten(0, (keys.shape[0], -1))  # (B, k, heads, E, x)
        k = self._spectrum(keys)[..., self.key_modes]  # (B, heads, E, y)
        scores = torch.einsum("bkhex,bhey->bkhxy", grouped, k)
        if self.softmax:
            scores = scores.abs().softmax(-1).to(scores.dtype)
        else:
            # of the parts, because the complex tanh has poles
            scores = torch.complex(scores.real.tanh(), scores.imag.tanh())
        share = self._share(queries.shape[-1])
        mixed = torch.einsum("bkhxy,bhey->bkhex", scores, k).flatten(0, 1) / share
        weighted = torch.einsum("bhix,hiox->bhox", mixed, torch.view_as_complex(self.weight))
        full = torch.zeros_like(q).index_copy(-1, self.query_modes, weighted)
        return in_months(torch.fft.irfft(full, n=queries.shape[1], dim=-1, norm=self.norm), self.published)
