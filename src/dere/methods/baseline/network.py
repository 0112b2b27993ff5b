"""The network on towers alone: one decoding of the age-weighted state."""

from __future__ import annotations

from collections.abc import Mapping

from dere.methods import single_stages
from dere.training.fitted import Fitted, Prediction, Support
from dere.training.job import Job
from dere.training.places import Places


def fit(job: Job) -> Fitted:
    """Train from scratch."""
    return single_stages.fit_towers(job, pretrained=None)


def predict(
    fitted: Mapping[str, Fitted], places: Places, support: Support | None = None, *, unseen: bool = False, gpu: int = 0
) -> Prediction:
    """Predict places."""
    return single_stages.predict(fitted["baseline"], places, per_age=False, unseen=unseen, gpu=gpu)
