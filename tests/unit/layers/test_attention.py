"""Attention shares keys and values over many queries and changes nothing by it."""

import pytest
import torch

from dere.layers.attention import Attention, sinusoid


def naive(layer: Attention, queries, memory):
    """Explicit softmax, memory copied for every query: the obvious version."""
    memory = memory.repeat_interleave(len(queries) // len(memory), 0)
    q, k, v = (layer._split(x) for x in (layer.query(queries), layer.key(memory), layer.value(memory)))
    share = torch.softmax(q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5, -1)
    return layer.out((share @ v).transpose(1, 2).flatten(2))


def test_shared_memory_equals_the_naive_version():
    torch.manual_seed(0)
    layer = Attention(12, 3).double()
    queries, memory = torch.randn(2 * 5, 7, 12).double(), torch.randn(2, 9, 12).double()
    torch.testing.assert_close(layer(queries, memory), naive(layer, queries, memory))


def test_causal_attention_does_not_look_ahead():
    torch.manual_seed(0)
    layer = Attention(8, 2)
    x = torch.randn(1, 6, 8)
    y = x.clone()
    y[:, 4:] += 1.0
    torch.testing.assert_close(layer(x, x, causal=True)[:, :4], layer(y, y, causal=True)[:, :4])


def test_heads_must_divide_width():
    with pytest.raises(ValueError, match=r"networks\.\*\.width is 10, which 4 heads"):
        Attention(10, 4)


def test_sinusoid_odd_width():
    assert sinusoid(5, 7).shape == (5, 7)
