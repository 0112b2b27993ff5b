"""LSTM (Hochreiter and Schmidhuber 1997), EA-LSTM (Kratzert and others 2019) and GRU (Cho and others 2014)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dere.backbones.declaration import BackboneRoom
from dere.config.network import NetworkConfig


class LSTMConfig(NetworkConfig):
    """LSTM: recurrent passes over the months, in one direction or both."""

    dropout: float = Field(0.2, ge=0, lt=1)
    """Dropout share of each layer's output and of the decoder's."""
    cell: Literal["lstm", "ea", "gru"] = "lstm"
    """lstm, gru = attributes stand beside each month's drivers; ea = they set the encoder's input gate."""
    encoder_layers: int = Field(1, ge=1)
    """Encoder layers."""
    bidirectional: bool = True
    """Read the months in both directions; false = the network never looks ahead."""


BACKBONE = BackboneRoom(
    label="LSTM",
    section=LSTMConfig,
    network="dere.backbones.lstm.network:LSTM",
    references=(
        "Hochreiter and Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735",
        "Kratzert and others 2019, https://doi.org/10.5194/hess-23-5089-2019",
        "Cho and others 2014, arXiv 1406.1078",
    ),
    vectorised=True,
    rank=25,
)
