"""Networks and invented inputs of the published sizes (336 months, 136 drivers, 18 ages, width 512) and of ours."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from dere import exchange as exchanges
from dere.backbones.lags import LagsConfig
from dere.backbones.transformer import TransformerConfig
from dere.config.imputation import ImputationConfig
from dere.config.training import TrainingConfig
from dere.harmonise.drivers import driver_names
from dere.layers.blueprint import Blueprint
from dere.layers.inputs import Statistics
from dere.methods.dere.networks.competition import CompetitionNetwork
from dere.methods.dere.networks.dere import DereNetwork
from dere.methods.dere.networks.pure import PureNetwork
from dere.methods.single_network import SingleNetwork
from dere.training.windows import Simulated, Windows
from dere.variables import STANDS

EXCHANGE = exchanges.get(exchanges.DEFAULT)

YEARS_OF_AGE = (1, 5, 10, 20, 30, 40, 50, 70, 100, 130, 160, 200, 250, 300, 350, 400, 450, 500)

OF_DEFAULT_RUN = ImputationConfig()


@dataclass(frozen=True)
class Size:
    """Sizes of inputs and network; dropout is off, so that two ways can be compared."""

    network: TransformerConfig | LagsConfig
    window: int = 336
    drivers: int = len(driver_names("carbonglobe136"))
    static: int = 20
    ages: tuple[int, ...] = YEARS_OF_AGE
    imputation: ImputationConfig = OF_DEFAULT_RUN
    backbone: str = "transformer"

    @property
    def blueprint(self) -> Blueprint:
        """Statistics that leave drivers and statics as they are, and states of order one."""
        zeros, ones = torch.zeros, torch.ones
        outputs, fluxes = len(EXCHANGE.outputs), len(EXCHANGE.names)
        statistics = Statistics(
            zeros(self.drivers), ones(self.drivers), zeros(self.static), ones(self.static), ones(outputs),
            ones(outputs), ones(fluxes), ones(fluxes),
        )  # fmt: skip
        return Blueprint(self.backbone, self.network, self.window, statistics, EXCHANGE)

    def pure(self) -> PureNetwork:
        """Untrained pure stands."""
        return PureNetwork(self.blueprint).eval()

    def competition(self) -> CompetitionNetwork:
        """Untrained competition; its output layer is random, so that the network matters."""
        network = CompetitionNetwork(self.blueprint)
        torch.nn.init.normal_(network.out.weight, std=0.02)
        return network

    def dere(self) -> DereNetwork:
        """Untrained network of the tower stages, its output layers random."""
        network = DereNetwork(self.blueprint)
        for part in (network.competition, network.plant_types):
            torch.nn.init.normal_(part.out.weight, std=0.02)
        return network.eval()

    def single(self) -> SingleNetwork:
        """Untrained network of the comparison methods."""
        return SingleNetwork(self.blueprint).eval()

    def windows(self, count: int, seed: int = 0) -> Windows:
        """``count`` cells with one window each."""
        draw = torch.Generator().manual_seed(seed)
        ages, years = len(self.ages), self.window // 12

        def fractions(*shape: int) -> Tensor:
            return torch.softmax(torch.randn(*shape, 3, generator=draw), -1)

        free = 0.1 + torch.rand(count, len(STANDS), ages, self.window + 1, len(EXCHANGE.free), generator=draw)
        state = EXCHANGE.complete(free)
        return Windows(
            ids=np.arange(count).astype(str),
            place=torch.arange(count),
            start=torch.zeros(count, dtype=torch.long),
            length=self.window,
            drivers=torch.randn(count, self.window, self.drivers, generator=draw),
            static=torch.randn(count, self.static, generator=draw),
            ages=torch.tensor(self.ages, dtype=torch.float32),
            age_weight=torch.softmax(torch.randn(count, ages, generator=draw), -1),
            fractions=fractions(count, years + 1),
            years=torch.arange(years + 1).expand(count, -1),
            simulated=Simulated(
                state[:, :, :, 1:].contiguous(), state[:, :, :, 0].contiguous(), fractions(count, ages, years + 1)
            ),
        )


_WIDTH_512 = {"width": 512, "heads": 8, "encoder_layers": 2, "decoder_layers": 1, "feedforward": 2048, "dropout": 0}

_DIFFUSION = ImputationConfig(channels=64, layers=4, heads=8, training=TrainingConfig(batch=8))

PUBLISHED = Size(
    TransformerConfig(**_WIDTH_512, decoder_self_attention=True, circular=True, distil=True, mix=True, norms="after"),
    imputation=_DIFFUSION,
)
"""The published block: distilling, self-attention in the decoder."""

WIDE = Size(TransformerConfig(**_WIDTH_512), imputation=_DIFFUSION)
"""Our block at the published width."""

DEFAULT = Size(TransformerConfig(dropout=0), window=120, drivers=len(driver_names("monthly8", True)))
"""The transformer of the default run."""

LAGS = replace(DEFAULT, network=LagsConfig(dropout=0), backbone="lags")
"""The default backbone of the default run."""

TINY = Size(
    TransformerConfig(width=8, heads=2, encoder_layers=2, feedforward=8, dropout=0, decoder_self_attention=True,
                      distil=True), window=24, drivers=5, static=3, ages=(1, 20, 200),
    imputation=ImputationConfig(channels=8, training=TrainingConfig(batch=2)),
)  # fmt: skip
"""For tests."""
