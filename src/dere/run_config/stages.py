"""Settings of the stages: common ones once, under ``stages.defaults``, and what is a stage's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationError, create_model, model_validator

from dere.config.base import Section
from dere.config.training import TrainingConfig

COMMON = frozenset(TrainingConfig.model_fields)
"""Settings that every stage takes from ``stages.defaults`` unless it states its own."""


class StagesBase(Section):
    """Training of the stages; below a stage stands only what differs from ``defaults``.

    What counts is the stage's own value in any file, then its shipped difference, then ``defaults``. It is looked up
    after all files are merged, so that a default of a later file does not beat a stage's own value of an earlier one.
    """

    defaults: TrainingConfig = TrainingConfig()
    """Settings of every stage that states none of its own; null in a stage takes the value from here."""

    @model_validator(mode="before")
    @classmethod
    def _complete_stages(cls, given: Any) -> Any:
        """Give every stage all its settings."""
        if not isinstance(given, Mapping):
            return given
        common = valid_defaults(given.get("defaults", {}))
        stages = {name: field.default for name, field in cls.model_fields.items() if name != "defaults"}
        own = {name: given.get(name, {}) for name in stages}
        completed = {
            name: complete(stages[name], values, common) for name, values in own.items() if isinstance(values, Mapping)
        }
        return {**given, **completed}


def valid_defaults(given: Any) -> dict[str, Any]:
    """Return the common settings; wrong ones are reported once, where they stand, and not at every stage."""
    try:
        return TrainingConfig.model_validate(given).model_dump()
    except ValidationError:
        return TrainingConfig().model_dump()


def own_settings(shipped: Section) -> dict[str, Any]:
    """Return what a stage states itself as it is shipped: its differences, and leaves that only some stages have."""
    common = COMMON if isinstance(shipped, TrainingConfig) else frozenset()
    return {
        name: value
        for name, value in shipped.model_dump(mode="json").items()
        if name not in common or name in shipped.model_fields_set
    }


def complete(shipped: Section, given: Mapping[str, Any], common: Mapping[str, Any]) -> dict[str, Any]:
    """Return all settings of a stage.

    Parameters
    ----------
    shipped
        Its section as shipped.
    given
        What the files say of it; null in a common setting is the value of ``common``. Lists replace lists.
    common
        Settings of every stage.
    """
    own = {**own_settings(shipped), **given}
    if not isinstance(shipped, TrainingConfig):
        return own
    return {**common, **{name: value for name, value in own.items() if value is not None or name not in COMMON}}


def stages_section(stages: Mapping[str, tuple[Section, str]]) -> type[StagesBase]:
    """Compose the model of ``stages``.

    Parameters
    ----------
    stages
        Stage to its section as shipped, whose stated settings are its differences, and what it is in words.
    """
    fields: dict[str, Any] = {
        name: (type(shipped), Field(shipped, description=meaning)) for name, (shipped, meaning) in stages.items()
    }
    return create_model("StagesConfig", __base__=StagesBase, __doc__=StagesBase.__doc__, **fields)
