"""What a rule hands to a training or a prediction: files and plain values, before anything is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dere.exchange import DEFAULT
from dere.workflow.script import memory_of, named_files


@dataclass(frozen=True)
class RuleJob:
    """Files, settings and place of one run of a rule.

    Parameters
    ----------
    files
        Input files by name.
    parents
        Folders of the checkpoints it starts from, by stage.
    output
        Folder of its checkpoint, or the file it writes.
    params
        The rule's sub-tree of the configuration.
    fold, seed
        Fold and seed.
    name, room
        Stage or method, and the module that declares it.
    exchange
        What is predicted.
    plugins
        Plug-ins that declare the room or the network; loaded before either is looked up.
    gpu, threads
        The rule's resource and threads.
    memory
        Bytes that it may use; None = everything fits.
    code
        Digest of the rule's code; an unfinished run of other code is not continued.
    """

    files: Mapping[str, Path]
    parents: Mapping[str, Path]
    output: Path
    params: Mapping[str, Any]
    fold: int
    seed: int
    name: str = ""
    room: str = ""
    exchange: str = DEFAULT
    plugins: tuple[str, ...] = ()
    gpu: int = 0
    threads: int = 1
    memory: int | None = None
    code: str = field(default="", repr=False)


def rule_job(snakemake: Any) -> RuleJob:
    """Return the job of a rule.

    Inputs called ``parent_<stage>`` are checkpoints and become ``parents`` (folders by stage name); all other named
    inputs become ``files``. ``output`` is the folder of a rule with several outputs beside its cost, else the file.
    """
    named = named_files(snakemake)
    outputs = [Path(file) for name, file in snakemake.output.items() if name != "measured"]
    parents = {name.removeprefix("parent_"): files for name, files in named.items() if name.startswith("parent_")}
    return RuleJob(
        files={name: file for name, file in named.items() if not name.startswith("parent_")},
        parents={stage: files[0].parent for stage, files in parents.items()},
        output=outputs[0].parent if len(outputs) > 1 else outputs[0],
        params=dict(snakemake.params.config),
        fold=int(snakemake.wildcards.fold),
        seed=int(snakemake.wildcards.seed),
        name=snakemake.params.get("name", ""),
        room=snakemake.params.get("room", ""),
        exchange=snakemake.params.get("exchange", DEFAULT),
        plugins=tuple(snakemake.params.get("plugins", ())),
        gpu=int(getattr(snakemake.resources, "gpu", 0)),
        threads=int(snakemake.threads),
        memory=memory_of(snakemake),
        code=snakemake.params.code,
    )
