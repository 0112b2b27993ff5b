"""Fit a method as the rules do, without Snakemake."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dere.api.arguments import require
from dere.api.configuration import working_directory
from dere.api.model import Model, over_parts, read_model
from dere.api.place import place_of
from dere.api.run import Run
from dere.api.threads import threads
from dere.methods import Method, rooms, stages, stages_of
from dere.run_config.root import normalise
from dere.workflow import parameters, targets
from dere.workflow.rule_job import RuleJob
from dere.workflow.train import train


def fit(
    method: str,
    run: Run,
    *,
    backbone: str | None = None,
    fold: int | None = None,
    seed: int | None = None,
    folder: str | Path | None = None,
    gpu: int = 0,
    **settings: Any,
) -> Model:
    """Fit all stages of a method on the canonical data of a run, by the functions that its rules call.

    Of a method over methods: those of its parts.

    Parameters
    ----------
    method
        Name of a method, of the run or any other.
    run
        Gives data and settings. Test towers of the fold are out of reach.
    backbone, fold, seed
        The first of the run by default.
    folder
        Where checkpoints are kept, one folder per stage; they are not kept by default. An unfinished training there is
        taken up again.
    gpu
        1 = train on the GPU.
    settings
        Settings of the stages in place of the run's, for example ``epochs=5``; each counts for every stage of the
        method that has it. ``members=1`` trains one network in place of an ensemble.

    Returns
    -------
    Model
        For `dere.predict`.

    Raises
    ------
    FileNotFoundError
        When a canonical file is missing; names the rule that makes it.
    ValueError
        When the method, the backbone, the fold or a setting is unknown, or a stage cannot be fitted.

    Examples
    --------
    >>> model = dere.fit("baseline", run, backbone="transformer", epochs=5)  # doctest: +SKIP
    """
    require("run", run, Run, "dere.open_run")
    declared = run.method(method)
    place = place_of(run.tree, declared, backbone, fold, seed)
    if declared.parts:
        if settings:
            raise ValueError(
                f"{next(iter(settings))} is not a setting of {method}, which is over {', '.join(declared.parts)}; set "
                "it in the run's configuration"
            )
        on = targets.parts_of(declared, str(place["backbone"]))
        parts = {
            part: fit(part, run, backbone=own, fold=fold, seed=seed, folder=folder, gpu=gpu) for part, own in on.items()
        }
        return over_parts(declared, run.exchange, place, parts)
    tree = settings_of(run, declared, str(place["backbone"]), settings)
    if folder is not None and Path(folder).exists() and not Path(folder).is_dir():
        raise ValueError(f"folder: {folder} is a file, but a folder for checkpoints is expected; give another path")
    kept = nullcontext(str(folder)) if folder is not None else TemporaryDirectory(prefix="dere-")
    with kept as name:
        root = Path(name)
        for job in jobs(run, declared, place, tree, root, gpu):
            with threads(job.threads, torch=stages()[job.name].env == "train"):
                train(job)
        folders = {stage: root / stage for stage in declared.predicts_from}
        return read_model(declared, run.exchange, place, tree, run.split, folders)


def jobs(
    run: Run, method: Method, place: Mapping[str, str | int], tree: Mapping[str, Any], root: Path, gpu: int
) -> list[RuleJob]:
    """Return the jobs of a method's stages, parents first, as its rules would get them."""
    _, room_of = rooms()
    fold, seed = int(place["fold"]), int(place["seed"])
    return [
        RuleJob(
            files={name: run.canonical(name, fold, seed) for name in ("splits", *stage.reads)},
            parents={parent: root / parent for parent in stage.parents},
            output=root / stage.name,
            params=parameters.of_stage(tree, stage, targets.backbone_of(stage, str(place["backbone"]))),
            fold=fold,
            seed=seed,
            name=stage.name,
            room=room_of[stage.name],
            exchange=run.exchange.name,
            gpu=min(gpu, stage.gpu),
            threads=parameters.threads_of(tree, stage),
        )
        for stage in stages_of([method.name])
    ]


def settings_of(run: Run, method: Method, backbone: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the complete configuration for one method on one backbone.

    Raises
    ------
    ValueError
        When a setting is one of no stage of the method, or has a wrong value.
    """
    own = stages_of([method.name])
    known_to = {stage.path: set(type(stage.section).model_fields) for stage in own if stage.section}
    if any(stage.members for stage in own):
        known_to[()] = {"members"}
    known = set().union(*known_to.values())
    unknown = [name for name in settings if name not in known]
    if unknown:
        raise ValueError(
            f"{unknown[0]} is not a setting of a stage of {method.name}; choose from {', '.join(sorted(known))}"
            if known
            else f"{unknown[0]} is not a setting of {method.name}, which has none; leave it out"
        )
    # what a later stage must have in common with a stage of the method follows it
    followers = {
        stage.path: set(stage.agrees)
        for stage in stages().values()
        if stage.agrees
        and stage.path not in known_to
        and any(stages()[name].path in known_to for name in stage.parents)
    }
    tree = {**run.tree, "methods": list(dict.fromkeys([*run.tree["methods"], method.name]))}
    if method.per_backbone:
        tree["backbones"] = [backbone]
    for path, names in (known_to | followers).items():
        tree = with_section(tree, path, {name: value for name, value in settings.items() if name in names})
    return normalise(tree, folder=working_directory(run.folder))


def with_section(tree: Mapping[str, Any], path: tuple[str, ...], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a tree with some leaves of the section at ``path`` changed."""
    if not path:
        return {**tree, **changes}
    return {**tree, path[0]: with_section(tree.get(path[0], {}), path[1:], changes)}
