"""Multi-head attention whose keys and values are computed once and shared by many queries."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Attention(nn.Module):
    """Scaled dot-product attention (Vaswani and others 2017, eq. 1).

    Parameters
    ----------
    width
        Model width.
    heads
        Heads; must divide ``width``.
    mix
        Read heads and positions in exchanged order before the output projection, as Informer's code does; a change
        of one position then reaches all.

    Raises
    ------
    ValueError
        When ``heads`` does not divide ``width``.
    """

    def __init__(self, width: int, heads: int, mix: bool = False) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"networks.*.width is {width}, which {heads} heads do not divide; change one of them")
        self.heads = heads
        self.mix = mix
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def _split(self, x: Tensor) -> Tensor:
        """(B, L, width) to (B, heads, L, width / heads)."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(self, queries: Tensor, memory: Tensor, causal: bool = False, valid: Tensor | None = None) -> Tensor:
        """Attend.

        Parameters
        ----------
        queries
            (B·k, L, width): k query sequences per memory, sample-major.
        memory
            (B, M, width).
        causal
            Forbid looking ahead; needs k = 1 and L = M.
        valid
            (B, M), false where a memory position is padding; None = all are valid.

        Returns
        -------
        Tensor
            (B·k, L, width).
        """
        batch, length = memory.shape[0], queries.shape[1]
        q = self.query(queries)
        # the k sequences of one sample become one long query, so that keys and values are never copied
        q = self._split(q.reshape(batch, -1, q.shape[-1]))
        k, v = self._split(self.key(memory)), self._split(self.value(memory))
        mixed = self.mixture(q, k, v, causal, valid)
        if not self.mix:
            mixed = mixed.transpose(1, 2)
        return self.out(mixed.reshape(-1, length, self.heads * q.shape[-1]))

    def mixture(self, q: Tensor, k: Tensor, v: Tensor, causal: bool, valid: Tensor | None) -> Tensor:
        """Weighted values of ``q`` (B, heads, L, E), ``k`` and ``v`` (B, heads, M, E)."""
        mask = None if valid is None else valid[:, None, None, :].expand(-1, 1, q.shape[2], -1)
        if causal and mask is not None:
            mask, causal = mask & torch.ones(q.shape[2], k.shape[2], dtype=torch.bool, device=q.device).tril(), False
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)


class FeedForward(nn.Module):
    """Point-wise feed-forward layer with GELU."""

    def __init__(self, width: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, width))

    def forward(self, x: Tensor) -> Tensor:
        """(…, width) to (…, width)."""
        return self.layers(x)


def sinusoid(length: int, width: int, device: torch.device | None = None) -> Tensor:
    """Sinusoidal position code (Vaswani and others 2017, section 3.5), shape (length, width)."""
    position = torch.arange(length, device=device, dtype=torch.float32)[:, None]
    rate = torch.exp(torch.arange(0, width, 2, device=device, dtype=torch.float32) * (-math.log(10_000) / width))
    code = torch.zeros(length, width, device=device)
    code[:, 0::2] = torch.sin(position * rate)
    code[:, 1::2] = torch.cos(position * rate[: width // 2])
    return code
