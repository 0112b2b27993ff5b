"""Fit one stage of a method and write its checkpoint."""

from __future__ import annotations

import os

from dere import exchange as exchanges
from dere import plugins
from dere.backbones import declaration
from dere.config.windows import WindowConfig
from dere.io import content_hash, file_sha256
from dere.methods.base import Stage, found_in, resolved
from dere.training import checkpoint
from dere.training.job import Job, Network
from dere.training.unfinished import discard
from dere.workflow.members import read_roles
from dere.workflow.rule_job import RuleJob


def train(rule: RuleJob) -> None:
    """Write ``model.safetensors``, ``history.csv`` and ``manifest.json`` into ``rule.output``.

    Of several processes that train together only the first writes.

    Raises
    ------
    ValueError
        When a parent belongs to another split, fold or exchange, or the stage cannot be fitted.
    """
    stage = stage_of(rule)
    job = stage_job(rule, stage)
    fitted = resolved(stage.fit)(job)
    if os.environ.get("RANK", "0") == "0":
        checkpoint.save(rule.output, fitted, job.exchange)
        discard(rule.output)


def stage_of(rule: RuleJob) -> Stage:
    """The declaration of a rule's stage; its plug-ins are loaded."""
    plugins.load(rule.plugins)
    stage: Stage = found_in(rule.room, "STAGES", rule.name)
    return stage


def stage_job(rule: RuleJob, stage: Stage) -> Job:
    """Read what a stage needs beside its canonical files: roles, parents, and its settings as sections."""
    exchange = exchanges.get(rule.exchange)
    split = file_sha256(rule.files["splits"])
    expect = {"split": split, "fold": rule.fold}
    parents = {name: checkpoint.read(folder, exchange, expect) for name, folder in rule.parents.items()}
    recorded = {
        "stage": stage.name,
        "exchange": exchange.name,
        "fold": rule.fold,
        "seed": rule.seed,
        "split": split,
        "params": dict(rule.params),
        "parents": {name: fitted.facts["sha256"] for name, fitted in parents.items()},
    }
    inputs = {name: file_sha256(path) for name, path in sorted(rule.files.items())}
    network = None
    if stage.per_backbone:
        name = str(rule.params["backbone_name"])
        network = Network(name, declaration(name).section(**rule.params["backbone"]))
    section = None
    if stage.section is not None:
        threads = {stage.threads: rule.threads} if stage.threads else {}
        section = type(stage.section)(**rule.params["stage"], **threads)
    return Job(
        stage=stage.name,
        exchange=exchange,
        files=rule.files,
        roles=read_roles(rule.files["splits"], rule.fold),
        split=split,
        parents=parents,
        section=section,
        windows=WindowConfig(**rule.params["harmonise"]),
        network=network,
        fold=rule.fold,
        seed=rule.seed,
        members=int(rule.params.get("members", 1)),
        gpu=rule.gpu,
        scratch=rule.output,
        memory=rule.memory,
        identity=content_hash([recorded, inputs, rule.code, checkpoint.variables_hash(exchange)]),
        recorded=recorded,
    )
