"""Golden comparison: the tiny run of one commit must give the numbers of another.

    python benchmarks/golden.py BASE HEAD [--keep FOLDER] [--rename old=new] [--expect FILE]

Both commits run in checkouts of their own with this Python; then every table, NetCDF file and checkpoint is compared
bit for bit. One line per difference, grouped by file; exit status 1 where a difference is not expected. A file of
expected differences has lines ``path[:column or variable]  # reason``, both parts as in the shell (``*``, ``?``).
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from differences import Difference, compare

ROOT = Path(__file__).parents[1]
RESULTS = Path("results") / "tiny"
COMMAND = ("-m", "snakemake", "--cores", "2", "--resources", "gpu=0", "--configfile", "config/tiny.yaml")
logger = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is not yet run, compare, report; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", help="commit whose numbers count")
    parser.add_argument("head", help="commit that should give the same")
    parser.add_argument(
        "--keep", type=Path, help="folder for finished runs, one per commit; those there are not run again"
    )
    parser.add_argument("--rename", action="append", default=[], metavar="OLD=NEW", help="a file or folder that moved")
    parser.add_argument("--expect", type=Path, help="file of expected differences")
    given = parser.parse_args(arguments)
    expected = read_expected(given.expect.read_text(encoding="utf-8")) if given.expect else {}
    renames = read_renames(given.rename)
    with tempfile.TemporaryDirectory(prefix="golden-") as place:
        keep = given.keep or Path(place)
        base, head = (finished_run(commit_hash(name), keep) for name in (given.base, given.head))
        found, equal = compare(base, head, renames)
    return report(found, equal, expected)


def commit_hash(name: str) -> str:
    """Return the hash of the commit that a name stands for.

    Raises
    ------
    ValueError
        When there is none.
    """
    shown = git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    if shown.returncode:
        raise ValueError(f"{name} is no commit of this repository; name a branch, a tag or a hash")
    return shown.stdout.strip()


def finished_run(commit: str, keep: Path) -> Path:
    """Return the folder with the results of a commit's tiny run, made in a checkout of its own unless it is there.

    Raises
    ------
    ChildProcessError
        When the run fails; names its log.
    """
    kept = keep / commit
    if kept.is_dir():
        logger.info("%s: run found in %s", commit[:7], kept)
        return kept
    keep.mkdir(parents=True, exist_ok=True)
    log = keep / f"{commit}.log"
    with tempfile.TemporaryDirectory(prefix="golden-") as place:
        checkout = Path(place) / "checkout"
        added = git("worktree", "add", "--detach", str(checkout), commit)
        if added.returncode:
            raise ChildProcessError(f"{commit}: no checkout could be made ({added.stderr.strip()}); see git worktree")
        try:
            logger.info("%s: running python %s, log in %s", commit[:7], " ".join(COMMAND), log)
            with log.open("w", encoding="utf-8") as output:
                environment = {**os.environ, "PYTHONPATH": "", "OMP_NUM_THREADS": "1"}
                command = [sys.executable, *COMMAND]
                made = subprocess.run(
                    command, cwd=checkout, env=environment, stdout=output, stderr=subprocess.STDOUT, check=False
                )
            if made.returncode:
                raise ChildProcessError(f"the tiny run of {commit} failed; {log} says why")
            # Renamed when complete, so that a killed copy is not taken for a run.
            partial = keep / f"{commit}.partial"
            shutil.rmtree(partial, ignore_errors=True)
            shutil.copytree(checkout / RESULTS, partial)
            partial.rename(kept)
        finally:
            git("worktree", "remove", "--force", str(checkout))
    return kept


def git(*words: str) -> subprocess.CompletedProcess[str]:
    """Call git in this repository."""
    return subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False)


def read_renames(given: Iterable[str]) -> dict[str, str]:
    """Return old to new path of files and folders from ``old=new``.

    Raises
    ------
    ValueError
        When one has another form.
    """
    pairs = {}
    for text in given:
        old, equals, new = text.partition("=")
        if not (old and equals and new):
            raise ValueError(f"--rename {text}: it must be OLD=NEW, two paths below the run's folder")
        pairs[old] = new
    return pairs


def read_expected(text: str) -> dict[str, str]:
    """Return pattern to reason from the lines of a file of expected differences; empty lines and headings are skipped.

    Raises
    ------
    ValueError
        When a line gives no reason.
    """
    reasons = {}
    for line in text.splitlines():
        pattern, _, reason = (part.strip() for part in line.partition("#"))
        if pattern and not reason:
            raise ValueError(f"{pattern}: an expected difference needs a reason; write it behind a #")
        if pattern:
            reasons[pattern] = reason
    return reasons


def reason_of(difference: Difference, expected: Mapping[str, str]) -> str:
    """Return why a difference is expected; empty where it is not."""
    named = (difference.file, f"{difference.file}:{difference.part}")
    return next((why for pattern, why in expected.items() if any(fnmatchcase(name, pattern) for name in named)), "")


def report(found: Sequence[Difference], equal: Mapping[str, int], expected: Mapping[str, str]) -> int:
    """Log every difference, grouped by file, and counts; return 1 where one is not expected."""
    reasons = [reason_of(difference, expected) for difference in found]
    file = ""
    for difference, reason in zip(found, reasons, strict=True):
        if difference.file != file:
            file = difference.file
            logger.info("%s", file)
        logger.info("    %s%s", difference, f"  (expected: {reason})" if reason else "")
    unused = [pattern for pattern in expected if not any(reason_of(difference, {pattern: "x"}) for difference in found)]
    for pattern in unused:
        logger.info("expected, but not found: %s", pattern)
    counts = ", ".join(f"{number} {kind}" for kind, number in equal.items())
    unexpected = sum(not reason for reason in reasons)
    logger.info("equal: %s; differences: %d unexpected, %d expected", counts, unexpected, len(found) - unexpected)
    return int(unexpected > 0)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout, force=True)
    try:
        sys.exit(main())
    except (ValueError, ChildProcessError, FileNotFoundError) as error:
        sys.exit(str(error))
