"""``blend``: the plain mean of several methods; good methods err differently, so that their mean errs less."""

from __future__ import annotations

from dere.methods.base import Method
from dere.methods.blend.settings import BlendConfig

SHIPPED = BlendConfig()
METHODS = (
    Method(
        name="blend",
        label="mean of methods",
        colour="#332288",
        rank=200,
        combine="dere.methods.blend.mean:combine",
        parts=SHIPPED.methods,
        section=SHIPPED,
        references=("Hagedorn and others 2005, Tellus A 57, 219-233, https://doi.org/10.3402/tellusa.v57i3.14657",),
        marker="*",
        line=(0, (6, 1.5, 1.5, 1.5)),
        env="data",
        memory=3000,
    ),
)
