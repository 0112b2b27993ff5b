"""Fuzz every reader: each answer to a damaged file is the right numbers, a sentence, or a counted loss.

Run: python benchmarks/fuzz.py [--variants 500] [--seed 1] [--minutes 5] [--only READER] [--case N] [--keep DIR]
     [--verbose]

A case takes a small sound input that the harness writes, does one or two damages to it that follow from the seed, reads
it as a run does, and lays the answer over that to the sound input by coordinates. Harmless damages (another order,
calendar, unit of time, code of a missing value that is stated) leave every number as it was; hostile ones are things
that a reader can see: what nothing could tell from sound data is not among them. Verdicts:

OK_EQUAL     read; every number is that of the sound file, and only what was spoiled is missing
OK_REFUSED   one sentence of the package's own that names the file or the key
OK_DROPPED   a site or a value is left out, and a warning names it
TRACEBACK    any other exception
VAGUE        a sentence that names neither file nor key, or is no sentence
SILENT       another number; a warning does not excuse one that cannot be
LOST         values are gone, and no warning names them
MEMORY       more than 1 GB beside what the process had
TIME         more CPU seconds than a small file may take, or waiting for what never comes
DIED         the process was killed
HARNESS      a fault of the harness itself

Cases run in processes of their own with limits of memory and time. Exit status 1 when a verdict is bad or the budget
ended before the last case.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "fixtures"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "unit" / "ingest"))

import fuzz_covers
import fuzz_predictions
import fuzz_settings
import fuzz_simulations
import fuzz_sites
import fuzz_towers
from fuzz_processes import Outcome, run
from fuzz_readers import Reader
from fuzz_verdict import BAD, GOOD

log = logging.getLogger("fuzz")


def every_reader() -> tuple[Reader, ...]:
    """All readers, in the order in which cases take turns."""
    modules = (fuzz_towers, fuzz_sites, fuzz_simulations, fuzz_covers, fuzz_settings, fuzz_predictions)
    return tuple(reader for module in modules for reader in module.readers())


def numbers_of(variants: int, only: str, case: int | None, readers: tuple[Reader, ...]) -> list[int]:
    """Numbers of the cases to run.

    Raises
    ------
    ValueError
        When no reader has that name.
    """
    if case is not None:
        return [case]
    names = [reader.name for reader in readers]
    if only and only not in names:
        raise ValueError(f"--only {only}: no reader has that name; choose from {', '.join(names)}")
    first, step = (names.index(only), len(names)) if only else (0, 1)
    return [first + step * number for number in range(variants)]


def table_of(outcomes: list[Outcome], readers: tuple[Reader, ...]) -> str:
    """Counts by reader and verdict."""
    words = [word for word in (*GOOD, *BAD) if word in GOOD or any(found.word == word for found in outcomes)]
    counts = {
        reader.name: Counter(found.word for found in outcomes if found.reader == reader.name) for reader in readers
    }
    shown = {name: count for name, count in counts.items() if count}
    shown["all"] = Counter(found.word for found in outcomes)
    wide = max(map(len, shown)) + 2
    lines = ["".ljust(wide) + "".join(word.rjust(12) for word in words)]
    lines += [
        name.ljust(wide) + "".join(str(count[word] or "").rjust(12) for word in words) for name, count in shown.items()
    ]
    return "\n".join(lines)


def keep(outcome: Outcome, seed: int, folder: Path, target: Path) -> None:
    """Keep the input of a bad verdict, with a line how to repeat it."""
    place = target / f"{outcome.number:05d}-{outcome.word}-{outcome.reader}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            (place / path.relative_to(folder)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place / path.relative_to(folder))
    again = f"python benchmarks/fuzz.py --seed {seed} --case {outcome.number}"
    (place / "README").write_text(f"{again}\n{outcome.what}\n{outcome.word}: {outcome.why}\n")


def main(words: list[str] | None = None) -> int:
    """Run the cases that the command line asks for; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variants", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=5.0, help="CPU minutes of all cases together")
    parser.add_argument("--seconds", type=float, default=10.0, help="CPU seconds of one case")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--only", default="", metavar="READER")
    parser.add_argument("--case", type=int, help="run one case again")
    parser.add_argument("--verbose", action="store_true", help="say every verdict, not only bad ones")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the inputs of bad verdicts")
    options = parser.parse_args(words)
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    readers = every_reader()
    numbers = numbers_of(options.variants, options.only, options.case, readers)
    outcomes: list[Outcome] = []
    spent = 0.0
    with tempfile.TemporaryDirectory(prefix="fuzz-") as scratch:
        kept = None if options.keep is None else lambda found, folder: keep(found, options.seed, folder, options.keep)
        for found in run(options.seed, numbers, readers, Path(scratch), options.seconds, options.processes, kept):
            outcomes.append(found)
            spent += found.cpu
            if found.word in BAD or options.verbose or options.case is not None:
                log.info("%d %s %s\n    %s", found.number, found.word, found.what, found.why)
            if spent > 60 * options.minutes:
                break
    log.info("%s", table_of(outcomes, readers))
    bad = sum(found.word in BAD for found in outcomes)
    log.info("%d of %d cases, %d bad, %.0f CPU seconds, seed %d", len(outcomes), len(numbers), bad, spent, options.seed)
    if len(outcomes) < len(numbers):
        log.info("the budget of %g CPU minutes ended before the last case; raise --minutes", options.minutes)
    return int(bool(bad) or len(outcomes) < len(numbers))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
