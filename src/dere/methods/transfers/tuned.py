"""Fine-tuning and prediction after a pre-training that differs from that of ``kgml``; all else is as there."""

from __future__ import annotations

from collections.abc import Mapping

from dere.methods import single_stages
from dere.training.fitted import Fitted, Prediction, Support
from dere.training.job import Job
from dere.training.places import Places


def fit_adversarial(job: Job) -> Fitted:
    """Fine-tune on towers what was pre-trained against a discriminator."""
    return single_stages.fit_towers(job, pretrained="kgml_aligned")


def fit_reweight(job: Job) -> Fitted:
    """Fine-tune on towers what was pre-trained on weighted series."""
    return single_stages.fit_towers(job, pretrained="kgml_weighted")


def predict_adversarial(
    fitted: Mapping[str, Fitted], places: Places, support: Support | None = None, *, unseen: bool = False, gpu: int = 0
) -> Prediction:
    """Predict places."""
    return single_stages.predict(fitted["kgml_adversarial"], places, per_age=True, unseen=unseen, gpu=gpu)


def predict_reweight(
    fitted: Mapping[str, Fitted], places: Places, support: Support | None = None, *, unseen: bool = False, gpu: int = 0
) -> Prediction:
    """Predict places."""
    return single_stages.predict(fitted["kgml_reweight"], places, per_age=True, unseen=unseen, gpu=gpu)
