"""``tamrl``: a network that the description of a site modulates, with its own months where it has some.

After TAM-RL (arXiv 2310.04727 and 2603.09974; docs/deviations.md#tam-rl says where it differs). Any exchange.
"""

from __future__ import annotations

from dere.config.tower_training import BUDGET
from dere.methods.base import Method, Stage
from dere.methods.tamrl.settings import TamrlConfig

STAGES = (
    Stage(
        name="tamrl_pretrain",
        about="TAM-RL: the network without any description of the site.",
        fit="dere.methods.tamrl.training:fit_plain",
        reads=("towers", "statistics"),
        section=TamrlConfig(**BUDGET),
        members=True,
    ),
    Stage(
        name="tamrl",
        about="TAM-RL: the same network, modulated by the description of the site and by months of its own.",
        fit="dere.methods.tamrl.training:fit_modulated",
        reads=("towers", "statistics"),
        parents=("tamrl_pretrain",),
        agrees=("code",),
        section=TamrlConfig(**BUDGET),
        members=True,
    ),
)
METHODS = (
    Method(
        name="tamrl",
        label="TAM-RL",
        colour="#aa4499",
        rank=55,
        predict="dere.methods.tamrl.predicting:predict",
        stages=("tamrl_pretrain", "tamrl"),
        predicts_from=("tamrl",),
        by_name=True,
        references=("arXiv 2310.04727", "arXiv 2603.09974"),
        marker="P",
    ),
)
