"""KGML on one network: every age decoded, then the age-weighted sum."""

from __future__ import annotations

from collections.abc import Mapping

from dere.methods import single_stages
from dere.training.fitted import Fitted, Prediction, Support
from dere.training.job import Job
from dere.training.places import Places


def fit_simulation(job: Job) -> Fitted:
    """Pre-train on simulated mixtures of every age."""
    return single_stages.fit_simulation(job)


def fit_towers(job: Job) -> Fitted:
    """Fine-tune on towers."""
    return single_stages.fit_towers(job, pretrained="kgml_simulation")


def predict(
    fitted: Mapping[str, Fitted], places: Places, support: Support | None = None, *, unseen: bool = False, gpu: int = 0
) -> Prediction:
    """Predict places."""
    return single_stages.predict(fitted["kgml_towers"], places, per_age=True, unseen=unseen, gpu=gpu)
