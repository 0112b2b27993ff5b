"""What a method over methods may combine."""

from __future__ import annotations

from collections.abc import Sequence

from dere import exchange
from dere.methods import methods


def require_parts(name: str, parts: Sequence[str], of_run: Sequence[str]) -> None:
    """Check the parts of a method over methods.

    A part is not added to the run by itself: what is trained stands in one list.

    Parameters
    ----------
    name
        The method.
    parts
        Those that its settings name.
    of_run
        Methods of the run.

    Raises
    ------
    ValueError
        When there are fewer than two, one is no method, is over methods itself, stands twice or is not among the run's,
        or when no exchange is served by all.
    """
    known, key = methods(), f"{name}.methods"
    simple = [each for each, method in known.items() if not method.parts]
    for part in parts:
        if part not in known:
            raise ValueError(f"{key}: {part} is no method; choose from {', '.join(simple)}")
        if known[part].parts:
            raise ValueError(f"{key}: {part} is over methods itself; name its parts instead ({', '.join(simple)})")
        if part not in of_run:
            raise ValueError(
                f"{key}: {part} is not among the run's methods ({', '.join(of_run)}); add it to methods, leave it out "
                f"of {key}, or leave {name} out of methods"
            )
    if len(set(parts)) < max(len(parts), 2):
        raise ValueError(f"{key}: {list(parts)} holds a method twice or fewer than two; name at least two, each once")
    if not [each for each in exchange.names() if all(known[part].serves(each) for part in parts)]:
        serves = "; ".join(f"{part}: {', '.join(known[part].exchanges) or 'all'}" for part in parts)
        raise ValueError(f"{key}: no exchange is predicted by all of them ({serves}); name methods that share one")
