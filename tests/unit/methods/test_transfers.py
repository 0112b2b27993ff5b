"""Transfers on the tiny set: what each trains, keeps and reports."""

import numpy as np
import pytest

from dere.exchange.co2 import EXCHANGE
from dere.methods import methods, stages
from dere.training import checkpoint
from dere.workflow.train import train
from dataclasses import replace
from stage_jobs import at_cells, at_sites, make_job, with_settings

NAMES = ("kgml_residual", "kgml_stack", "kgml_adversarial", "kgml_reweight")


@pytest.fixture(scope="module")
def root(canonical, tmp_path_factory):
    """Checkpoints of all transfers as ensembles of two."""
    folder = tmp_path_factory.mktemp("transfers")
    for name in dict.fromkeys(stage for method in NAMES for stage in methods()[method].stages):
        job = make_job(name, canonical, folder, "lags")
        if stages()[name].members:
            job = replace(job, params=job.params | {"members": 2})
        train(job)
    return folder


def test_reported(root):
    for name in ("kgml_residual","kgml_stack","kgml_aligned","kgml_weighted"):
        f = checkpoint.read(root / name, EXCHANGE)
        print(name, f.facts["reported"], f.members, f.facts["parameters"])
    assert 0
