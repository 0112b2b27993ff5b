"""Fused attention on shared keys and values, against an explicit softmax and keys copied for every age.

Run: python benchmarks/attention.py [--device cuda --sites 16]. Self-attention of an encoder layer and cross-attention
of 18 decodings to one memory, forward and backward, at the published width. The naive way writes the scores
(batch, heads, queries, keys) out and takes their softmax; in cross-attention it repeats the memory for every age
before keys and values are made. Outputs and gradients must agree. Peak memory is that of a process per way.
"""

from __future__ import annotations

import json
import logging
import math
import subprocess
import sys
from collections.abc import Callable

import torch
from measuring import Measured, added_peak, in_turns, parser, same, start, table, time_table
from published_size import PUBLISHED, TINY, Size
from torch import Tensor

from dere.backbones.transformer import TransformerConfig
from dere.layers.attention import Attention

log = logging.getLogger(__name__)

KINDS = ("self-attention", "cross-attention of all ages")
WAYS = ("explicit softmax", "fused")


def explicit(layer: Attention, queries: Tensor, memory: Tensor) -> Tensor:
    """As `Attention.forward`: one memory per query sequence, scores and weights written out."""
    memory = memory.repeat_interleave(len(queries) // len(memory), dim=0)
    q, k, v = (
        part(x).unflatten(-1, (layer.heads, -1)).transpose(1, 2)
        for part, x in ((layer.query, queries), (layer.key, memory), (layer.value, memory))
    )
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    weights = torch.exp(scores - scores.max(-1, keepdim=True).values)
    weights = weights / weights.sum(-1, keepdim=True)
    return layer.out((weights @ v).transpose(1, 2).flatten(-2))


def steps(size: Size, kind: str, sites: int, device: str) -> dict[str, Callable[[], tuple[Tensor, ...]]]:
    """Forward and backward in both ways; each returns output and gradients."""
    if not isinstance(size.network, TransformerConfig):
        raise TypeError(f"attention is measured for a transformer, not for {size.backbone}")
    layer = Attention(size.network.width, size.network.heads).to(device)
    memory = torch.randn(sites, size.window, size.network.width, device=device)
    copies = len(size.ages) if kind != KINDS[0] else 1
    queries = memory.repeat_interleave(copies, dim=0) + 0.1 * torch.randn(
        sites * copies, size.window, size.network.width, device=device
    )
    wanted = torch.randn_like(queries)

    def step(way: Callable[[Tensor, Tensor], Tensor]) -> tuple[Tensor, ...]:
        q, m = queries.clone().requires_grad_(), memory.clone().requires_grad_()
        layer.zero_grad()
        out = way(q, m)
        (out * wanted).sum().backward()
        assert q.grad is not None and m.grad is not None
        weights = [p.grad.clone() for name, p in layer.named_parameters() if name != "key.bias" and p.grad is not None]
        return out.detach(), q.grad, m.grad, *weights

    return {WAYS[0]: lambda: step(lambda q, m: explicit(layer, q, m)), WAYS[1]: lambda: step(layer)}


def measure(size: Size, kind: str, sites: int, repeats: int, device: str = "cpu") -> dict[str, Measured]:
    """Time both ways and check that they agree; the gradient of the keys' bias is zero but for rounding, so not it."""
    measured = in_turns(steps(size, kind, sites, device), repeats, device)
    difference = same({name: one.result for name, one in measured.items()})
    log.info("%s: outputs and gradients agree to %.0e", kind, difference)
    return measured


def peak(size: Size, kind: str, way: str, sites: int, device: str) -> float:
    """Memory (MB) that one way adds to what its inputs need."""
    return added_peak(steps(size, kind, sites, device)[way], device)


def main(given: list[str] | None = None) -> None:
    options = parser(__doc__, 5)
    options.add_argument("--sites", type=int, default=2)
    options.add_argument("--peak", nargs=2, metavar=("KIND", "WAY"), help="print the peak memory (MB) of one way")
    arguments = options.parse_args(given)
    size = TINY if arguments.tiny else PUBLISHED
    if arguments.peak:
        torch.set_num_threads(arguments.threads)
        kind, way = arguments.peak
        print(json.dumps(peak(size, kind, way, arguments.sites, arguments.device)))
        return
    start(arguments)
    for kind in KINDS:
        measured = measure(size, kind, arguments.sites, arguments.repeats, arguments.device)
        log.info("\n%s", time_table(f"{kind}, {arguments.sites} sites", measured))
        own = sys.argv[1:] if given is None else given
        rows = []
        for way in WAYS:
            command = [sys.executable, __file__, *own, "--peak", kind, way]
            rows.append([way, f"{json.loads(subprocess.run(command, check=True, capture_output=True).stdout):.0f}"])
        log.info("\n%s", table([kind, "peak memory above the inputs (MB)"], rows))


if __name__ == "__main__":
    main()
