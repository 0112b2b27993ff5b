"""What each leaf of a configuration means, and what it is by default, as plain values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel


def described(
    config: Mapping[str, Any], model: type[BaseModel], default: Mapping[str, Any] | None = None
) -> dict[str, dict[str, Any]]:
    """Return the meaning of every leaf of a configuration and, where it has one, the default.

    Parameters
    ----------
    config
        A resolved configuration.
    model
        Its model.
    default
        The configuration by default; None = as the model has it.

    Returns
    -------
    dict
        Dotted path to ``meaning`` and ``default``, in the order of `leaves`.
    """
    defaults = dict(leaves(model().model_dump(mode="json") if default is None else default))
    meanings = dict(_meanings(model))
    return {
        path: {"meaning": meanings.get(path, ""), **({"default": defaults[path]} if path in defaults else {})}
        for path, _ in leaves(config)
    }


def leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield dotted path and value of every leaf; plain ones first, so that they stand above sub-sections."""
    for key, value in sorted(tree.items(), key=lambda item: isinstance(item[1], Mapping)):
        path = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{path}.")
        else:
            yield path, value


def _meanings(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, field in model.model_fields.items():
        path = f"{prefix}{key}"
        yield path, field.description or ""
        for part in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from _meanings(part, f"{path}.")
