"""What of a source file can change a result: its syntax tree without what only people and type checkers read.

Left out are comments and layout (the tree has none), docstrings and other bare constants, ``pass``, what runs under
``if TYPE_CHECKING`` only, and the annotations of signatures and of names inside functions. Annotations in the bodies of
classes and modules stay, because pydantic and dataclasses read them, and so do those of functions with a decorator that
is not known to ignore them (`IGNORE_ANNOTATIONS`): a dispatcher or validator may choose by type.
"""

from __future__ import annotations

import ast
from typing import Any

IGNORE_ANNOTATIONS = frozenset(
    {"abstractmethod", "cache", "cached_property", "classmethod", "contextmanager", "lru_cache", "no_grad", "override"}
    | {"property", "remembered", "setter", "staticmethod", "wraps"}
)
"""Last part of the names of decorators that do not look at the annotations of what they decorate."""
UNREAD = frozenset({"ctx", "kind", "type_comment", "type_ignores"})
"""Fields of syntax nodes that follow from their place or change nothing."""


def meaning(tree: ast.Module) -> str:
    """Return a canonical text that is equal for two modules that do the same but for what this file leaves out.

    The text does not depend on the version of Python as long as its grammar gives the same tree: nodes are written by
    this function, empty fields (those that a later version adds) are not.
    """
    return _written(tree, "module")


def _written(node: Any, inside: str) -> str:
    """Write a node, a list of nodes or a plain value.

    ``inside`` is ``module``, ``class`` or ``function`` for what stands in such a body, and ``signature`` for the
    arguments of a function whose annotations nobody reads.
    """
    if isinstance(node, list):
        return f"[{','.join(_written(item, inside) for item in node if _acts(item, inside))}]"
    if not isinstance(node, ast.AST):
        # ascii: which characters repr escapes differs between versions
        return ascii(node)
    if isinstance(node, ast.AnnAssign) and node.value is not None and inside == "function":
        node = ast.Assign(targets=[node.target], value=node.value)
    unread = _unread(node, inside)
    fields = []
    for name in node._fields:
        value = getattr(node, name, None)
        if name in unread or ((value is None or value == []) and not isinstance(node, ast.Constant)):
            continue
        fields.append(f"{name}={_written(value, _place(node, name, inside))}")
    return f"{type(node).__name__}({','.join(fields)})"


def _acts(node: Any, inside: str) -> bool:
    """Tell whether an item of a list of nodes does anything; bare constants, ``pass`` and bare declarations do not."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return False
    if isinstance(node, ast.AnnAssign):
        return node.value is not None or inside != "function"
    if isinstance(node, ast.If) and only_for_types(node):
        return bool(node.orelse)
    return not isinstance(node, ast.Pass)


def _unread(node: ast.AST, inside: str) -> frozenset[str]:
    """Return the fields of a node that are not written."""
    if isinstance(node, ast.arg) and inside == "signature":
        return UNREAD | {"annotation"}
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and _annotations_unread(node):
        return UNREAD | {"returns", "type_params"}
    if isinstance(node, ast.If) and only_for_types(node):
        return UNREAD | {"body"}
    return UNREAD


def _place(node: ast.AST, field: str, inside: str) -> str:
    """Return where the field of a node stands."""
    if isinstance(node, ast.ClassDef):
        return "class"
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return "signature" if field == "args" and _annotations_unread(node) else "function"
    return inside


def _annotations_unread(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return all(_last_name(decorator) in IGNORE_ANNOTATIONS for decorator in function.decorator_list)


def _last_name(decorator: ast.expr) -> str:
    """Return ``c`` for ``a.b.c`` and ``a.b.c(...)``."""
    if isinstance(decorator, ast.Call):
        return _last_name(decorator.func)
    return decorator.attr if isinstance(decorator, ast.Attribute) else getattr(decorator, "id", "")


def only_for_types(branch: ast.If) -> bool:
    """Tell whether a branch is ``if TYPE_CHECKING``, whose body never runs."""
    return _last_name(branch.test) == "TYPE_CHECKING"
