"""A check for tests: what a job really loaded lies within the code that its digest was made of.

It is on where the environment variable `CHECK` names a folder. The workflow then notes there which modules each digest
covers, and every job looks itself up when it ends.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path

CHECK = "DERE_CHECK_MODULES"


def note_modules(digest: str, names: Iterable[str]) -> None:
    """Write the dotted names behind a digest, if the check is on."""
    if folder := os.environ.get(CHECK):
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{digest}.json").write_text(json.dumps(sorted(names)), encoding="utf-8")


def check_modules(digest: str) -> None:
    """Compare the modules of the package that this process has loaded with those of a digest, if the check is on.

    Raises
    ------
    AssertionError
        When a module is loaded that the digest does not cover: an edit of it would not rerun the rule.
    """
    if folder := os.environ.get(CHECK):
        noted = set(json.loads((Path(folder) / f"{digest}.json").read_text(encoding="utf-8")))
        more = sorted(name for name in sys.modules if name.startswith("dere.") and name not in noted)
        assert not more, f"the digest of this rule does not cover {', '.join(more)}; name them in code(...) of the rule"
