"""Which errors are sentences for the user: those that this package raised itself."""

from __future__ import annotations

import traceback
from pathlib import Path
from types import TracebackType

PACKAGE_FOLDER = Path(__file__).parent


def raised_by_package(trace: TracebackType | None) -> bool:
    """Tell whether the innermost frame of a traceback is a file of this package."""
    frames = traceback.extract_tb(trace)
    return bool(frames) and PACKAGE_FOLDER in Path(frames[-1].filename).parents
