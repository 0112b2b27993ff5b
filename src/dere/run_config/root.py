"""The whole configuration: every section known, unknown keys rejected, values normalised once."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from dere import plugins
from dere.run_config.compose import compose, composed, of_run
from dere.run_config.paths import wrong_paths
from dere.run_config.refusals import READ_AS, place_of, refusal
from dere.run_config.run import RunConfig

VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

Config: type[RunConfig] = compose()
"""A run with the sections of every backbone and method of the package; `composed` also has those of plug-ins."""


def expand(tree: Any, environment: Mapping[str, str], path: str = "") -> Any:
    """Replace ``${NAME}`` in every text of a configuration tree by the environment variable of that name.

    Raises
    ------
    ValueError
        When a variable is not set, or a key is no text.
    """
    if isinstance(tree, Mapping):
        for key in tree:
            if not isinstance(key, str):
                where = f"{path}.{key}".lstrip(".")
                raise ValueError(
                    f"{where}: the key {key!r} is read as {READ_AS.get(type(key), 'no text')}, but keys are text; "
                    f'correct it, or put it in quotes ("{key}")'
                )
        return {key: expand(value, environment, f"{path}.{key}".lstrip(".")) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [expand(value, environment, path) for value in tree]
    if not isinstance(tree, str):
        return tree
    for name in VARIABLE.findall(tree):
        if not environment.get(name):
            raise ValueError(
                f"{path}: it needs the environment variable {name}, which is not set; set it to the folder it "
                f"stands for, for example {name}=/path/to/folder"
            )
    return VARIABLE.sub(lambda match: environment[match[1]], tree)


def keys_at(model: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    """Names of the fields of the section at ``path`` below ``model``."""
    for part in path:
        if not isinstance(part, str) or part not in model.model_fields:
            return []
        found = section_of(model.model_fields[part].annotation)
        if found is None:
            return []
        model = found
    return list(model.model_fields)


def section_of(annotation: Any) -> type[BaseModel] | None:
    """Return the section behind a field's annotation (``X`` or ``X | None``), or None for a leaf."""
    candidates = (annotation, *getattr(annotation, "__args__", ()))
    return next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)


def sentence(error: ValidationError) -> str:
    """Say in one sentence per problem which key is wrong, what it holds and what is expected."""
    lines = []
    found: dict[tuple[str | int, ...], list[Any]] = {}
    for problem in error.errors():
        found.setdefault(place_of(problem["loc"]), []).append(problem)
    for place, problems in found.items():
        # A wrong item of a list is reported again for the list.
        if any(other[:-1] == place != other for other in found if place):
            continue
        first = problems[0]
        if first["type"] == "extra_forbidden":
            known = keys_at(composed(), place[:-1])
            close = difflib.get_close_matches(str(place[-1]), known, n=1)
            remedy = f"did you mean {close[0]}?" if close else f"known keys there are {', '.join(known)}"
            lines.append(f"{'.'.join(map(str, place))} is not a known configuration key; {remedy}")
        elif first["type"] == "value_error" and not place:
            lines.append(str(first["ctx"]["error"]))
        else:
            lines.append(refusal(place, problems, keys_at(composed(), place)))
    return "\n".join(lines)


def normalise(
    raw: Mapping[str, Any], environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> dict[str, Any]:
    """Load the plug-ins of a raw configuration, validate it, and return it complete, plain values in a fixed order.

    Sections of backbones and methods that the run does not use are validated and left out.

    Equal settings give equal trees however they were written (key order, ``5`` or ``5.0``, ``1e-1`` or ``0.1``),
    so that Snakemake sees a changed parameter only when a value changed.

    Parameters
    ----------
    raw
        Tree as read from YAML.
    environment
        Variables for ``${NAME}`` in texts; the process environment by default.
    folder
        Where paths of plug-ins begin; None = the working directory.

    Raises
    ------
    ValueError
        One sentence per unknown key, wrong value, unset variable or plug-in that cannot be loaded.
    """
    try:
        tree = expand(raw, os.environ if environment is None else environment)
    except RecursionError:
        raise ValueError("the configuration holds an alias (*name) of itself; write the value out") from None
    given = tree.get("plugins")
    if isinstance(given, (list, tuple)) and all(isinstance(text, str) for text in given):
        plugins.load_checked(given, folder)
    try:
        config = composed()(**tree)
    except ValidationError as error:
        raise ValueError(sentence(error)) from None
    complete = config.model_dump(mode="json")
    if wrong := list(wrong_paths(complete)):
        raise ValueError("\n".join(wrong))
    return of_run(complete)


def default_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run's configuration as it would be by default, choices left open made by the run's own methods."""
    plain = composed()().model_dump(mode="json")
    members = ("methods", "backbones", "plugins")
    return of_run({**plain, **{name: config[name] for name in members}}) | {name: plain[name] for name in members}
