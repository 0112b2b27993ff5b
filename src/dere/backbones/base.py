"""The interface of a sequence network: encode a site once, decode it many times."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn


class Backbone(nn.Module, ABC):
    """Encodes drivers once per site; decodes with any number of conditions that share this memory.

    ``branches`` decoders share the encoder; DERE's pure network has one branch per plant type.
    """

    width: int

    @abstractmethod
    def encode(self, drivers: Tensor, static: Tensor) -> Tensor:
        """Encode ``drivers`` (B, W, D) and ``static`` (B, S) to a memory whose first axis is B."""

    @abstractmethod
    def decode(self, memory: Tensor, condition: Tensor, dynamic: Tensor | None = None, branch: int = 0) -> Tensor:
        """Decode to (B·k, W, width).

        Parameters
        ----------
        memory
            From `encode`, for B samples.
        condition
            (B·k, C), sample-major: rows b·k … b·k + k - 1 belong to sample b.
        dynamic
            (B·k, W, Q) or None.
        branch
            Which decoder.
        """
