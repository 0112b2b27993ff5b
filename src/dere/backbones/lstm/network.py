"""Recurrent encoder and decoder; see `dere.backbones.lstm` for the papers.

The encoder reads a site's months once: ``lstm`` and ``gru`` with the static attributes beside every month's drivers,
``ea`` with an input gate that the attributes set. The decoder is one pass forward for every condition, from a state
that the condition sets; the encoder's part of its gates is worked out once per site. Its states are modulated by the
condition at the end. Under ``ea`` the decoder has the cell of ``lstm``: attributes have spoken in the encoder.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dere.backbones.base import Backbone
from dere.backbones.declaration import Sizes
from dere.backbones.decoder import ConditionCode, require_dynamic
from dere.backbones.lstm import LSTMConfig
from dere.layers.conditioning import Modulation
from dere.layers.recurrent import Recurrent


class LSTM(Backbone):
    """Recurrent passes over the months.

    Parameters
    ----------
    sizes
        Widths of the inputs; windows of any length.
    config
        Width, cell, layers, directions.
    branches
        Decoders that share the encoder.
    """

    def __init__(self, sizes: Sizes, config: LSTMConfig, branches: int = 1) -> None:
        super().__init__()
        self.width = config.width
        self.layers = nn.ModuleList(Layer(sizes, config, first=number == 0) for number in range(config.encoder_layers))
        self.decoders = nn.ModuleList(RecurrentDecoder(sizes, config) for _ in range(branches))

    def encode(self, drivers: Tensor, static: Tensor, valid: Tensor | None = None) -> Tensor:
        """See `Backbone.encode`; memory is (B, W, width).

        ``valid`` (B, W) is false where a month is padding, which must stand at the end; None = all are valid.
        """
        memory = drivers if valid is None else drivers * valid[..., None]
        for layer in self.layers:
            memory = layer(memory, static, valid)
        return memory

    def decode(
        self,
        memory: Tensor,
        condition: Tensor,
        dynamic: Tensor | None = None,
        branch: int = 0,
        valid: Tensor | None = None,
    ) -> Tensor:
        """See `Backbone.decode`; padding stands behind all months, so nothing that is read forward sees it."""
        decoded: Tensor = self.decoders[branch](memory, condition, dynamic)
        return decoded


class Layer(nn.Module):
    """A recurrent layer of the encoder; two directions are joined to the model width.

    Parameters
    ----------
    sizes, config
        As for `LSTM`.
    first
        Its input are drivers, with ``lstm`` and ``gru`` beside the attributes; else a layer's output.
    """

    def __init__(self, sizes: Sizes, config: LSTMConfig, first: bool) -> None:
        super().__init__()
        width, both = config.width, config.bidirectional
        embedded = first and config.cell != "ea"
        # half of the input for each: there are about as many attributes as drivers
        self.drivers = nn.Linear(sizes.drivers, width - width // 2) if embedded else None
        self.static = nn.Linear(sizes.static, width // 2) if embedded else None
        inputs = sizes.drivers if first and not embedded else width
        self.recurrent = Recurrent(inputs, width, config.cell, both, sizes.static)
        self.join = nn.Linear(2 * width, width) if both else nn.Identity()
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, static: Tensor, valid: Tensor | None) -> Tensor:
        """(B, W, inputs) and (B, S) to (B, W, width); ``valid`` as in `LSTM.encode`."""
        if self.drivers is not None and self.static is not None:
            beside = self.static(static)[:, None].expand(-1, x.shape[1], -1)
            x = torch.cat([self.drivers(x), beside], dim=-1)
        joined: Tensor = self.dropout(self.join(self.recurrent(x, static, valid)))
        return joined


class RecurrentDecoder(nn.Module):
    """One pass forward from the state that the condition sets."""

    def __init__(self, sizes: Sizes, config: LSTMConfig) -> None:
        super().__init__()
        cell = "gru" if config.cell == "gru" else "lstm"
        self.condition = ConditionCode(sizes.condition, config.width)
        self.dynamic = nn.Linear(sizes.dynamic, config.width) if sizes.dynamic else None
        # hidden, and cell where there is one
        self.start = nn.ModuleList(nn.Linear(config.width, config.width) for _ in range(1 if cell == "gru" else 2))
        self.recurrent = Recurrent(config.width, config.width, cell)
        self.dropout = nn.Dropout(config.dropout)
        self.modulation = Modulation(config.width, config.width)

    def forward(self, memory: Tensor, condition: Tensor, dynamic: Tensor | None) -> Tensor:
        """(B, W, width), (B·k, C) and (B·k, W, Q) or None to (B·k, W, width)."""
        code = self.condition(condition)
        gates = self.recurrent.gates(memory).repeat_interleave(len(code) // len(memory), dim=1)
        if self.dynamic is not None:
            gates = gates + self.recurrent.gates(self.dynamic(require_dynamic(dynamic)))
        states = self.recurrent.states(gates, tuple(start(code)[None] for start in self.start))
        return self.modulation(self.dropout(states), code)
