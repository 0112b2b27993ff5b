"""What a stage's settings need of other parts of a configuration."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import Any

from dere.methods import Stage, stages


def require_stages(config: Any, used: Iterable[Stage]) -> None:
    """Check the stages of a run.

    Parameters
    ----------
    config
        The whole configuration.
    used
        Stages that the run fits.

    Raises
    ------
    ValueError
        When a stage reads the knowledge channels and the run has none, or differs from a stage that it continues in a
        setting that makes the network.
    """
    for stage in used:
        key, section = ".".join(stage.path), section_of(config, stage)
        if getattr(section, "reads_channels", False) and config.harmonise.channels == "none":
            raise ValueError(
                f"{key}.head: it is {section.head}, which needs the knowledge channels, but harmonise.channels "
                "is none; set that to knowledge, or the head to stands"
            )
        for parent in (stages()[name] for name in stage.parents if stage.agrees):
            other = section_of(config, parent)
            for leaf in stage.agrees:
                if hasattr(other, leaf) and getattr(other, leaf) != getattr(section, leaf):
                    raise ValueError(
                        f"{key}.{leaf}: it is {getattr(section, leaf)}, but this stage continues "
                        f"{'.'.join(parent.path)}, where {leaf} is {getattr(other, leaf)}; give both the same"
                    )


def section_of(config: Any, stage: Stage) -> Any:
    """Return the settings of a stage, or None."""
    return None if stage.section is None else reduce(getattr, stage.path, config)
