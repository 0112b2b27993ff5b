"""Feature-wise modulation by a condition vector (FiLM, Perez and others 2018)."""

from __future__ import annotations

from torch import Tensor, nn


class Modulation(nn.Module):
    """Scale and shift of a hidden sequence; starts as the identity.

    Parameters
    ----------
    condition
        Width of the condition vector.
    width
        Width of the hidden sequence.
    """

    def __init__(self, condition: int, width: int) -> None:
        super().__init__()
        self.to_scale_shift = nn.Linear(condition, 2 * width)
        nn.init.zeros_(self.to_scale_shift.weight)
        nn.init.zeros_(self.to_scale_shift.bias)

    def forward(self, hidden: Tensor, condition: Tensor) -> Tensor:
        """Modulate ``hidden`` (N, L, width) by ``condition`` (N, condition)."""
        scale, shift = self.to_scale_shift(condition)[:, None].chunk(2, dim=-1)
        return hidden * (1 + scale) + shift
