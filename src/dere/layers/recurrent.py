"""Recurrent cells as plain tensor operations, which can be mapped over the stacked weights of members.

``torch.nn.LSTM`` cannot: it has no batching rule. What does not depend on the state before (the inputs' part of the
gates) is one product for all months; both directions are one batch of the loop over months. A step of training of eight
members together costs less than eight of torch's one after the other (docs/method.md).

- ``lstm``: Hochreiter and Schmidhuber 1997 with the forget gate of Gers and others 2000, gates in the order i, f, g, o;
- ``ea``: Kratzert and others 2019, eq. 8-13: the input gate follows from static attributes alone; f, g, o;
- ``gru``: Cho and others 2014 with the reset gate after the product, as in torch; r, z, n.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

GATES = {"lstm": 4, "ea": 3, "gru": 3}
FORGET = {"lstm": 1, "ea": 0}
"""Place of the forget gate, whose bias starts at one, so that a year is not forgotten before anything is learned."""


class Recurrent(nn.Module):
    """One recurrent layer, in one direction or both.

    Parameters
    ----------
    inputs
        Width of a month's input.
    width
        Width of the state of a direction.
    cell
        ``lstm``, ``ea`` or ``gru``.
    both
        Also read from the last month to the first.
    static
        Number of static attributes; of ``ea`` only.
    """

    def __init__(self, inputs: int, width: int, cell: str, both: bool = False, static: int = 0) -> None:
        super().__init__()
        self.width, self.cell, self.directions = width, cell, 1 + both
        gates, bound = GATES[cell] * width, 1 / math.sqrt(width)

        def uniform(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.empty(self.directions, *shape).uniform_(-bound, bound))

        self.input_weight = uniform(inputs, gates)
        self.state_weight = uniform(width, gates)
        self.bias = uniform(1, gates)
        # of the candidate, inside the product with the reset gate
        self.state_bias = uniform(1, width) if cell == "gru" else None
        self.gate = nn.Linear(static, self.directions * width) if cell == "ea" else None
        if cell in FORGET:
            with torch.no_grad():
                self.bias[..., FORGET[cell] * width :][..., :width] = 1.0

    def gates(self, x: Tensor) -> Tensor:
        """Inputs' part of the gates, (directions, B, W, gates), of ``x`` (B, W, inputs); without the bias."""
        found: Tensor = torch.matmul(x.flatten(0, 1), self.input_weight).unflatten(1, x.shape[:2])
        return found

    def forward(self, x: Tensor, static: Tensor | None = None, valid: Tensor | None = None) -> Tensor:
        """States (B, W, directions * width) of ``x`` (B, W, inputs), from zero at the start of each direction.

        Parameters
        ----------
        static
            (B, attribute); of ``ea``.
        valid
            (B, W), false where a month is padding, which must stand at the end; None = all are valid.
        """
        start = x.new_zeros(self.directions, len(x), self.width)
        return self.states(self.gates(x), (start, start), static, valid)

    def states(
        self,
        gates: Tensor,
        start: tuple[Tensor, ...],
        static: Tensor | None = None,
        valid: Tensor | None = None,
    ) -> Tensor:
        """States (B, W, directions * width) from the inputs' part of the gates.

        Parameters
        ----------
        gates
            As from `gates`.
        start
            State before the first month that a direction reads, (directions, B, width) each: hidden, and cell where
            there is one.
        static, valid
            As in `forward`.
        """
        let_in = None
        if self.gate is not None and static is not None:
            let_in = torch.sigmoid(self.gate(static)).unflatten(-1, (self.directions, -1)).movedim(-2, 0)
        hidden, cell = start[0], start[-1]
        found = []
        keeps = (
            None if valid is None else self._turned(valid.to(gates.dtype)[None, :, :, None].expand_as(gates[..., :1]))
        )
        months = self._turned(gates + self.bias[:, :, None]).unbind(2)
        for number, month in enumerate(months):
            hidden, cell = self._step(month, hidden, cell, let_in)
            if keeps is not None:
                # a direction that begins in the padding begins at its end, from zero
                hidden, cell = hidden * keeps[:, :, number], cell * keeps[:, :, number]
            found.append(hidden)
        return torch.cat(self._turned(torch.stack(found, 2)).unbind(0), dim=-1)

    def _turned(self, values: Tensor) -> Tensor:
        """Turn the months of the second direction of (directions, B, W, …) around."""
        return torch.stack([values[0], values[1].flip(1)]) if self.directions > 1 else values

    def _step(self, month: Tensor, hidden: Tensor, cell: Tensor, let_in: Tensor | None) -> tuple[Tensor, Tensor]:
        """Hidden and cell state (directions, B, width) after a month."""
        width = self.width
        if self.state_bias is not None:
            own = torch.bmm(hidden, self.state_weight)
            reset, keep = torch.sigmoid((month + own)[..., : 2 * width]).unflatten(-1, (2, width)).unbind(-2)
            new = torch.tanh(month[..., 2 * width :] + reset * (own[..., 2 * width :] + self.state_bias))
            hidden = new + keep * (hidden - new)
            return hidden, hidden
        parts = torch.baddbmm(month, hidden, self.state_weight).unflatten(-1, (-1, width)).unbind(-2)
        if let_in is None:
            let_in, parts = torch.sigmoid(parts[0]), parts[1:]
        forget, new, out = parts
        cell = torch.sigmoid(forget) * cell + let_in * torch.tanh(new)
        return torch.sigmoid(out) * torch.tanh(cell), cell
