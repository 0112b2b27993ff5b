"""Methods and sequence networks that are declared while Python runs, in a notebook for example."""

from __future__ import annotations

from collections.abc import Sequence

from dere import backbones, methods, plugins
from dere.backbones import BackboneRoom
from dere.methods import Method, Stage


def register_method(method: Method, stages: Sequence[Stage] = ()) -> None:
    """Make a method known to this Python process; one of its name that was registered before is replaced.

    It can be fitted, predicts and is judged like those of the package, and the configuration knows its settings. A run
    of the pipeline does not see it: there a file named under ``plugins`` brings it in (``docs/library.md``).

    Parameters
    ----------
    method
        Its declaration. Functions are named as text, ``module:function``; those of a notebook or script are
        ``__main__:function``.
    stages
        Declarations of its stages, those of other methods apart.

    Raises
    ------
    ValueError
        When there is a method or stage of that name, a stage is declared nowhere, or a function cannot be found.
    """
    plugins.register(methods.__name__, getattr(method, "name", "method"), METHODS=(method,), STAGES=stages)


def register_backbone(name: str, room: BackboneRoom) -> None:
    """Make a sequence network known to this Python process; `register_method` says what that means.

    Parameters
    ----------
    name
        As ``backbones`` and ``networks`` of the configuration name it.
    room
        Its declaration; the network is named as text, ``module:class``.

    Raises
    ------
    ValueError
        When there is a backbone of that name.
    """
    plugins.register(backbones.__name__, name, BACKBONE=room)
