"""The first thing every rule script does: log to the rule's log file, and end in a sentence when the input is wrong."""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dere.io import unwritable
from dere.raised import raised_by_package
from dere.workflow.job_log import FAULT, FORMAT, INTERRUPTED, RULE, SCREEN, LogFile, job_of
from dere.workflow.loaded import check_modules

SENTENCES = (ValueError, FileNotFoundError, FloatingPointError, ChildProcessError)
"""Wrong input, a missing file, a training that came to NaN, a process of a training that was killed."""


@contextmanager
def logged(log: str | Path, code: str = "") -> Iterator[logging.Logger]:
    """Log everything inside the block to ``log``; exit with status 1 and one sentence on a user's error.

    Ctrl-C ends it with a word and status 130.

    An error of `SENTENCES` that this package raised itself is a sentence for the user and is logged as such, and so is
    a full disk or a missing right; any other exception is a fault of the program and is logged with its traceback.

    Raises
    ------
    SystemExit
        Status 1, after any exception inside the block.
    """
    path = Path(log)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = LogFile(path, mode="w", encoding="utf-8")
    except OSError as error:
        sys.exit(unwritable(error) or f"{path} cannot be written ({error.strerror}); correct its folder")
    handler.setFormatter(logging.Formatter(FORMAT))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)
    logger = logging.getLogger(RULE)
    began = time.perf_counter()
    on_ctrl_c = signal.signal(signal.SIGINT, signal.default_int_handler)
    logger.info("started")
    try:
        yield logger
        check_modules(code)
        logger.info("finished in %.1f s", time.perf_counter() - began)
        say(f"{job_of(path)}: {time.perf_counter() - began:.1f} s")
    except SENTENCES as error:
        if not raised_by_package(error.__traceback__):
            logger.exception(FAULT)
        else:
            logger.error("%s", error)
        sys.exit(1)
    except OSError as error:
        if sentence := unwritable(error):
            logger.error("%s", sentence)
        else:
            logger.exception(FAULT)
        sys.exit(1)
    except Exception:
        logger.exception(FAULT)
        sys.exit(1)
    except KeyboardInterrupt:
        logger.info(INTERRUPTED)
        sys.exit(130)
    finally:
        signal.signal(signal.SIGINT, on_ctrl_c)
        root.removeHandler(handler)
        handler.close()


def say(text: str) -> None:
    """Write one line to the console unless it is a terminal, where Snakemake's logger shows a live table."""
    if not sys.stderr.isatty():
        sys.stderr.write(text + "\n")


def announce(text: str) -> None:
    """Let the run say a line when the job has ended, on every screen; it stands in the log too."""
    logging.getLogger(SCREEN).info("%s", text)


def named_files(snakemake: Any) -> dict[str, Any]:
    """Return the named inputs of a rule, as a path or, for several files, a list of paths; sums are not for the job."""
    return {
        name: Path(files) if isinstance(files, str) else [Path(file) for file in files]
        for name, files in snakemake.input.items()
        if not name.endswith("sums")
    }


def memory_of(snakemake: Any) -> int | None:
    """Return the memory of a job in bytes, from its resource ``mem_mb``; None where the rule states none."""
    megabytes = getattr(snakemake.resources, "mem_mb", None)
    return None if megabytes is None else int(megabytes) * 1_000_000
