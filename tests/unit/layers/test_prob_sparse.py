"""Prob-sparse attention against full attention and against a loop over queries."""

import math

import torch

from dere.layers.attention import Attention
from dere.layers.prob_sparse import ProbSparseAttention


def pair(factor, width=8, heads=2):
    torch.manual_seed(0)
    sparse = ProbSparseAttention(width, heads, factor)
    full = Attention(width, heads)
    full.load_state_dict(sparse.state_dict())
    return sparse.eval(), full.eval()


def test_equals_full_attention_when_every_query_is_active():
    sparse, full = pair(factor=20)
    x = torch.randn(3, 24, 8)
    for causal in (False, True):
        torch.testing.assert_close(sparse(x, x, causal=causal), full(x, x, causal=causal))
    sparse.train()
    torch.testing.assert_close(sparse(x, x), full(x, x))


def test_only_the_least_uniform_queries_attend():
    sparse, _ = pair(factor=2)
    x = torch.randn(2, 24, 8)
    active = 2 * math.ceil(math.log(24))
    q, k, v = (sparse._split(f(x)) for f in (sparse.query, sparse.key, sparse.value))
    expected = torch.empty_like(v)
    for b in range(2):
        for h in range(2):
            scores = q[b, h] @ k[b, h].T
            spread = scores.max(1).values - scores.mean(1)
            chosen = set(spread.topk(active).indices.tolist())
            for month in range(24):
                weights = torch.softmax(scores[month] / math.sqrt(4), 0)
                expected[b, h, month] = weights @ v[b, h] if month in chosen else v[b, h].mean(0)
    torch.testing.assert_close(sparse.mixture(q, k, v, False, None), expected)


def test_causal_output_depends_on_the_past_only():
    sparse, _ = pair(factor=20)
    x = torch.randn(1, 24, 8)
    y = x.clone()
    y[:, 15:] += 1
    torch.testing.assert_close(sparse(x, x, causal=True)[:, :15], sparse(y, y, causal=True)[:, :15])
