"""Whether functions of the library get what they ask for; in a notebook the arguments are easily exchanged."""

from __future__ import annotations


def require(name: str, value: object, kind: type, source: str) -> None:
    """Check the type of an argument.

    Parameters
    ----------
    name, value
        The argument.
    kind
        What it must be.
    source
        What gives one, for the message.

    Raises
    ------
    ValueError
        When it is something else.
    """
    if not isinstance(value, kind):
        raise ValueError(
            f"{name}: a {type(value).__name__} is given, but a {kind.__name__} ({source}) is expected; correct the "
            "order or the call"
        )
