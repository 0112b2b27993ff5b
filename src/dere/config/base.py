"""The base of every configuration model: what is unknown, infinite or no number rejected, values frozen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

LARGEST = 2**31
"""No count, size or seed reaches it, and libraries behind the pipeline keep some of them in 32 bits."""


class Section(BaseModel):
    """One sub-tree of ``config.yaml``; a rule gets it whole, as one dict param."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _numbers(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse true and false where numbers are expected, which Python counts as 1 and 0, and endless numbers."""
        types = set(_types(cls.model_fields[str(info.field_name)].annotation))
        if not types & {int, float}:
            return value
        for part in _parts(value):
            if isinstance(part, bool) and bool not in types:
                raise ValueError("a number is expected, but YAML reads yes, no, on and off as true and false")
            if isinstance(part, int) and abs(part) >= LARGEST:
                raise ValueError(f"a number below {LARGEST} is expected")
        return value


def _types(annotation: Any) -> Iterator[Any]:
    """Yield the types that an annotation is made of."""
    yield annotation
    for part in get_args(annotation):
        yield from _types(part)


def _parts(value: Any) -> Iterator[Any]:
    """Yield the values in a list or section, else the value."""
    if isinstance(value, (list, tuple, Mapping)):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _parts(part)
    else:
        yield value
