"""The model of a run put together from the declarations of backbones and stages."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from pydantic import Field, create_model

from dere.config.base import Section
from dere.config.run import RunConfig
from dere.config.stages import STAGES, stages_section


def compose(backbones: Iterable[str] | None = None, stages: Iterable[str] | None = None) -> type[RunConfig]:
    """Return the model of a run with the sections of some backbones and stages.

    Declarations of others are not loaded, so that a page about a run depends on those of the run alone.

    Parameters
    ----------
    backbones, stages
        Their names; None = all that there are.
    """
    sections = {
        "networks": networks_section(backbones),
        "stages": stages_section({name: STAGES[name] for name in (STAGES if stages is None else stages)}),
    }
    fields: dict[str, Any] = {
        name: (section, Field(section(), description=RunConfig.model_fields[name].description))
        for name, section in sections.items()
    }
    return create_model("Config", __base__=RunConfig, __doc__="A run.", **fields)


def networks_section(backbones: Iterable[str] | None) -> type[Section]:
    """Return the model of ``networks`` with the sizes of each backbone."""
    # named, not imported: the configuration stands below the networks
    rooms = import_module("dere.backbones")
    sections = {name: rooms.declaration(name).section for name in (rooms.names() if backbones is None else backbones)}
    fields: dict[str, Any] = {
        name: (section, Field(section(), description=section.__doc__)) for name, section in sections.items()
    }
    return create_model("NetworksConfig", __base__=Section, __doc__="Size of each backbone.", **fields)
