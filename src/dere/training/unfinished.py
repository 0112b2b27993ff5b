"""Names of what a training writes while it is under way; importable without torch."""

from __future__ import annotations

from pathlib import Path

LAST = "last*.pt"
"""State after the last complete epoch; a candidate and the refit have one each."""
BROKEN = "nan_batch.pt"
"""The batch that made a loss or gradient NaN."""


def discard(folder: Path) -> None:
    """Remove what was needed only until the checkpoint was complete, and the broken batch of an earlier attempt."""
    for file in [*folder.glob(LAST), folder / BROKEN]:
        file.unlink(missing_ok=True)
