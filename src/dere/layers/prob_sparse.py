"""Prob-sparse self-attention: only queries whose scores are far from uniform attend.

Zhou and others 2021 (Informer, arXiv 2012.07436): eq. 3 is the attention, eq. 2 the measurement that it approximates,
eq. 4 the largest minus the mean score that is used.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from dere.layers.attention import Attention


class ProbSparseAttention(Attention):
    """Self-attention in which lazy queries take the mean value.

    The number of active queries is ``factor * ceil(ln L)``. Which queries are active follows from the largest minus
    the mean score over sampled keys, as published, while training; over all keys in evaluation, so that a prediction
    is deterministic and a padded window gives what the window itself gives. The choice looks at all months also where
    the attention is causal, as published; what a query then takes does not.

    Parameters
    ----------
    width, heads, mix
        As in `Attention`.
    factor
        Active queries and sampled keys per logarithm of the length.
    """

    def __init__(self, width: int, heads: int, factor: int, mix: bool = False) -> None:
        super().__init__(width, heads, mix)
        self.factor = factor

    def mixture(self, q: Tensor, k: Tensor, v: Tensor, causal: bool, valid: Tensor | None) -> Tensor:
        """See `Attention.mixture`; the sequences are of equal length, as in self-attention."""
        batch, _, length, _ = q.shape
        lengths = torch.full((batch,), length, device=q.device) if valid is None else valid.sum(1)
        active = (self.factor * lengths.clamp_min(2).log().ceil()).minimum(lengths.float()).long()
        most = int(active.max())
        scores_measured = self._measure(q, k, valid)  # (B, heads, L)
        order = scores_measured.topk(most, dim=-1).indices
        chosen = q.gather(2, order[..., None].expand(-1, -1, -1, q.shape[-1]))
        mask = self._mask(order, k.shape[2], causal, valid)
        attended = torch.nn.functional.scaled_dot_product_attention(chosen, k, v, attn_mask=mask)
        if (active < most).any():
            rank = torch.arange(most, device=q.device)
            keep = (rank[None] < active[:, None])[:, None, :, None]
            lazy = self._lazy(v, causal, valid).gather(2, order[..., None].expand_as(attended))
            attended = torch.where(keep, attended, lazy)
        return self._lazy(v, causal, valid).scatter(2, order[..., None].expand_as(attended), attended)

    def _measure(self, q: Tensor, k: Tensor, valid: Tensor | None) -> Tensor:
        """Sparsity of each query (B, heads, L): largest minus mean score; minus infinity where it is padding."""
        length = k.shape[2]
        if self.training and valid is None:
            sampled = min(length, self.factor * math.ceil(math.log(max(length, 2))))
            # each query sees its own sample of keys
            index = torch.randint(length, (q.shape[2], sampled), device=q.device)
            scores = torch.einsum("bhle,bhlse->bhls", q, k[:, :, index])
            return scores.amax(-1) - scores.sum(-1) / length
        scores = q @ k.transpose(-2, -1)
        if valid is None:
            return scores.amax(-1) - scores.mean(-1)
        keys = valid[:, None, None, :]
        largest = scores.masked_fill(~keys, -torch.inf).amax(-1)
        mean = (scores * keys).sum(-1) / keys.sum(-1)
        return (largest - mean).masked_fill(~valid[:, None], -torch.inf)

    @staticmethod
    def _mask(order: Tensor, length: int, causal: bool, valid: Tensor | None) -> Tensor | None:
        """Which keys each chosen query may see, (B, heads, chosen, L) or broadcastable; None = all."""
        mask = None
        if causal:
            mask = torch.arange(length, device=order.device) <= order[..., None]
        if valid is not None:
            mask = valid[:, None, None, :] if mask is None else mask & valid[:, None, None, :]
        return mask

    @staticmethod
    def _lazy(v: Tensor, causal: bool, valid: Tensor | None) -> Tensor:
        """What lazy queries take, (B, heads, L, E): the mean value, or the sum up to their month where causal."""
        if valid is not None:
            v = v * valid[:, None, :, None]
        if causal:
            return v.cumsum(2)
        count = v.shape[2] if valid is None else valid.sum(1)[:, None, None, None]
        return (v.sum(2, keepdim=True) / count).expand_as(v)
