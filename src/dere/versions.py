"""Versions of Python and of the packages whose numbers results are made of."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, version

COUNTED = {
    "lightgbm": "lightgbm",
    "numpy": "numpy",
    "pandas": "pandas",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "torch": "torch",
    "xarray": "xarray",
}
"""Packages that compute, by the name they are imported as; the others read, write or draw."""


def installed(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of Python and of those of ``packages`` that are installed, by distribution.

    Parameters
    ----------
    packages
        Distributions.
    """
    found = {"python": platform.python_version()}
    for name in sorted(set(packages) - {"python"}):
        if number := _installed(name):
            found[name] = number
    return found


@cache
def _installed(name: str) -> str:
    # a process goes on with the packages it began with; reading what pip wrote of them costs milliseconds each time
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def here() -> dict[str, str]:
    """Return the versions of Python and of the counted packages that are installed."""
    return installed(COUNTED.values())


def counted(imports: Iterable[str]) -> list[str]:
    """Return the distributions of those imported packages that count."""
    return sorted({COUNTED[name] for name in imports if name in COUNTED})
