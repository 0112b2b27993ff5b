"""What every rule script does around its work: log it, and see that it is of what it was planned with."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dere.workflow.script import logged
from dere.workflow.unchanged import watch_of


@contextmanager
def running(snakemake: Any) -> Iterator[logging.Logger]:
    """Run a rule's job inside the block; see `dere.workflow.script.logged` and `dere.workflow.unchanged`.

    Raises
    ------
    SystemExit
        Status 1, after any exception inside the block.
    """
    watch = watch_of(snakemake)
    with logged(snakemake.log[0], watch.code) as logger:
        watch.start()
        logger.info("code %s and its inputs are as planned", watch.code or "unknown")
        yield logger
        watch.end()
