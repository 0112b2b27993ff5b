"""The model of a run put together from the declarations of backbones and methods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import Field, create_model

from dere import backbones as rooms
from dere import methods as declared
from dere import plugins
from dere.config.base import Section
from dere.rooms import remembered
from dere.run_config.run import RunConfig
from dere.run_config.stages import stages_section

STAGES = "stages"


def compose(backbones: Iterable[str] | None = None, methods: Iterable[str] | None = None) -> type[RunConfig]:
    """Return the model of a run with the sections of some backbones and methods.

    Parameters
    ----------
    backbones, methods
        Their names; None = all that there are.
    """
    stages = declared.stages_of(declared.methods() if methods is None else methods)
    sections = {
        "networks": networks_section(backbones),
        STAGES: stages_section({s.name: (s.section, s.about) for s in stages if s.path[0] == STAGES and s.section}),
    }
    fields: dict[str, Any] = {
        name: (section, Field(section(), description=RunConfig.model_fields[name].description))
        for name, section in sections.items()
    }
    own = {s.path[0]: s.section for s in stages if s.section and s.path[0] != STAGES}
    known = declared.methods()
    chosen = [known[name] for name in (known if methods is None else methods)]
    own |= {method.name: method.section for method in chosen if method.section}
    fields |= {
        name: (type(shipped), Field(shipped, description=type(shipped).__doc__)) for name, shipped in own.items()
    }
    return create_model("Config", __base__=RunConfig, __doc__="A run.", **fields)


@remembered
def composed() -> type[RunConfig]:
    """Return the model of a run with the sections of every backbone and method there is, those of plug-ins too."""
    return compose()


def networks_section(backbones: Iterable[str] | None) -> type[Section]:
    """Return the model of ``networks`` with the sizes of each backbone."""
    names = rooms.names() if backbones is None else backbones
    sections = {name: rooms.declaration(name).section for name in names}
    fields: dict[str, Any] = {
        name: (section, Field(section(), description=section.__doc__)) for name, section in sections.items()
    }
    return create_model("NetworksConfig", __base__=Section, __doc__="Size of each backbone.", **fields)


def of_run(complete: Mapping[str, Any]) -> dict[str, Any]:
    """Return a complete configuration without what the run does not use, and with its open choices made.

    Left out are the sections of backbones and stages that are not in use, and plug-ins that bring none that is. Where
    ``products.method`` or a method of the figures is null, the run's own methods decide: the last by rank that is not
    over others, and those that declare themselves.
    """
    known = declared.methods()
    used = [known[name] for name in known if name in complete["methods"]]
    stages = declared.stages_of(complete["methods"])
    training = {"defaults", *(stage.path[1] for stage in stages if stage.path[0] == STAGES)}
    unused = {stage.path[0] for stage in declared.stages().values()} - {stage.path[0] for stage in stages} - {STAGES}
    unused |= {method.name for method in known.values() if method.section and method not in used}
    best = declared.foremost(used).name
    reference = next((method.name for method in used if method.reference), used[0].name)
    of_methods, of_stages = declared.rooms()
    own = {name for name in known if of_methods[name] not in plugins.modules()} | {*complete["methods"]}
    compared = [method.name for method in known.values() if method.compared and method.name in own]
    figures, products = complete["figures"], complete["products"]
    modules = [
        *(of_methods[name] for name in complete["methods"]),
        *(of_stages[stage.name] for stage in stages),
        *(rooms.module_of(name) for name in complete["backbones"]),
    ]
    return {
        **{name: section for name, section in complete.items() if name not in unused},
        "plugins": plugins.used(complete["plugins"], modules),
        "networks": {name: sizes for name, sizes in complete["networks"].items() if name in complete["backbones"]},
        STAGES: {name: section for name, section in complete[STAGES].items() if name in training},
        "products": {**products, "method": products["method"] or best},
        "figures": {
            **figures,
            "method": figures["method"] or best,
            "reference": figures["reference"] or reference,
            "compared": figures["compared"] if figures["compared"] is not None else compared,
        },
    }
