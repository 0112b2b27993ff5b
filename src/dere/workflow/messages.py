"""What Snakemake says of a run: of a failed step the step's own sentence, in place of exceptions and stack frames.

A filter on Snakemake's logger rewrites its records, so that every way to start it (`dere run`, make, snakemake itself),
its plain messages, the live table of a terminal and its own log say the same. With ``--verbose`` nothing is left out.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from textwrap import indent

from snakemake.logging import LogEvent

from dere.workflow.job_log import job_of, read, reason, shown, was_interrupted

AGAIN = "Correct it and call again: what is done is kept."
GO_ON = "Interrupted. Call again to go on: what is done is kept."
WAIT = "Interrupted; waiting for the running steps to end."
_FAILED_COMMAND = "CalledProcessError"
_OVER = ("At least one job did not complete successfully.", "Exiting because a job execution failed.")
_SIGNAL = re.compile(r"died with <Signals\.(SIG\w+)|exit status (\d+)")
_BY_CTRL_C = ("SIGINT", "130")
_KILLED = ("SIGKILL", "137")
_FULL = 1_000_000
_LOGS_NAMED = 3


class Messages(logging.Filter):
    """Rewrites the records of one run.

    Parameters
    ----------
    logger
        Snakemake's.
    """

    def __init__(self, logger: logging.Logger) -> None:
        super().__init__()
        self.logger = logger
        self.logs: dict[int, list[str]] = {}
        self.failures: dict[int, tuple[str, str]] = {}
        self.told: set[int] = set()
        self.ending = ""
        self.interrupted = False

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite a record where it is about a failed or finished job, and tell whether it is to be shown."""
        try:
            return self.rewritten(record)
        except Exception:
            # a fault here must not end the run; the record is shown as Snakemake made it
            self.logger.debug("a message could not be rewritten", exc_info=True)
            return True

    def rewritten(self, record: logging.LogRecord) -> bool:
        """Rewrite a record by what it is about."""
        event = getattr(record, "event", None)
        if event == LogEvent.JOB_INFO:
            self.started(vars(record)["jobid"], vars(record)["log"] or [])
        elif event == LogEvent.JOB_FINISHED:
            self.finished(vars(record)["job_id"])
        elif event == LogEvent.JOB_ERROR:
            return self.failed(record, [vars(record)])
        elif event == LogEvent.GROUP_ERROR:
            return self.failed(record, vars(record)["job_error_info"])
        elif event == LogEvent.ERROR:
            return self.error(record)
        return self.plain(record)

    def plain(self, record: logging.LogRecord) -> bool:
        """Handle a record that is about no job."""
        text = str(record.msg)
        if text.startswith("Terminating processes on user request"):
            self.interrupted = True
            record.msg = WAIT
        over = bool(self.failures) or self.interrupted
        noise = text.startswith(_OVER) or (over and text.startswith(("Complete log", "Shutting down")))
        return not noise or self.everything

    @property
    def everything(self) -> bool:
        """Whether ``--verbose`` asks for all that Snakemake says."""
        return self.logger.isEnabledFor(logging.DEBUG)

    def started(self, job: int, logs: Sequence[str]) -> None:
        """Note the logs of a job; how it failed before it was started again is forgotten."""
        self.logs[job] = list(logs)
        self.failures.pop(job, None)
        self.told.discard(job)

    def finished(self, job: int) -> None:
        """Say what a job dropped, filled or replaced, and its warnings."""
        for log in self.logs.get(job, []):
            for line in shown(read(Path(log)), Path(log)):
                self.logger.warning("%s", f"{job_of(Path(log))}: {line}")

    def failed(self, record: logging.LogRecord, jobs: Sequence[dict[str, object]]) -> bool:
        """Turn the error of a job, or of a group of jobs, into the sentence of what failed."""
        told, unknown = [], []
        for job in jobs:
            number, logs = int(str(job["jobid"])), [str(log) for log in job["log"] or []]  # type: ignore[attr-defined]
            if number in self.told:
                continue
            self.told.add(number)
            texts = [read(Path(log)) for log in logs]
            sentence = next(filter(None, map(reason, texts)), None)
            if any(map(was_interrupted, texts)) or (sentence is None and self.ending in _BY_CTRL_C):
                self.interrupted = True
            elif sentence is not None:
                self.failures[number] = sentence, logs[0]
                told.append(number)
            else:
                unknown.append((number, str(job["rule_name"]), logs))
        # of a group, those that had not begun have nothing to say
        if not told and not self.interrupted:
            for number, rule, logs in unknown:
                name = job_of(Path(logs[0])) if logs else rule
                self.failures[number] = why(name, logs, self.ending), " ".join(logs) or "without a log"
                told.append(number)
        record.msg, record.args = "\n".join(stated([self.failures[number] for number in told])), ()
        vars(record)["event"] = LogEvent.ERROR
        return bool(told)

    def error(self, record: logging.LogRecord) -> bool:
        """Handle an exception that Snakemake reports."""
        text, kind = str(record.msg), vars(record).get("exception", "")
        if _FAILED_COMMAND in text:
            found = _SIGNAL.search(text)
            self.ending = (found[1] or found[2]) if found else ""
            return self.everything
        over = text.rstrip().endswith(_OVER[0])
        if over and self.failures:
            record.msg = "\n".join(closing(list(self.failures.values())))
        elif kind == "KeyboardInterrupt" or (over and self.interrupted):
            record.msg = GO_ON
        elif kind == "WorkflowError" and "\n" in text.strip():
            record.msg = without_places(text)
        return True


def without_places(text: str) -> str:
    """Return what an error of the workflow says without its place in the rule files, where the mistake is not."""
    head, *rest = text.splitlines()
    told = [line for line in rest if not line.startswith('  File "')]
    return "\n".join(told).strip() if head.startswith("WorkflowError") else text


def why(job: str, logs: Sequence[str], ending: str) -> str:
    """Return a sentence for a job that could not say why it ended.

    Parameters
    ----------
    job
        Rule and wildcards.
    logs
        Paths of its logs.
    ending
        Signal or exit status of the command, as far as it is known.
    """
    folder = next((path for log in logs for path in Path(log).parents if path.is_dir()), Path())
    if shutil.disk_usage(folder).free < _FULL:
        return f"{job} could not write, because the disk of {folder} is full; free some space"
    if logs and not os.access(folder, os.W_OK | os.X_OK):
        return f"{job} could not write to {folder}; change its rights"
    if ending in _KILLED:
        return f"{job} was killed, most often because the memory was full; give it more memory, or use fewer cores"
    how = f" ({ending if ending.startswith('SIG') else f'exit status {ending}'})" if ending else ""
    return f"{job} ended without saying why{how}; what stands above or in its log may tell"


def stated(failures: Sequence[tuple[str, str]]) -> list[str]:
    """Return lines that state failures, each sentence once: it comes first, then the step and its log.

    Parameters
    ----------
    failures
        Sentence and path of the log of each.
    """
    logs: dict[str, list[str]] = {}
    for sentence, log in failures:
        logs.setdefault(sentence, []).append(log)
    lines = []
    for sentence, paths in logs.items():
        more = f" and {len(paths) - _LOGS_NAMED} more" if len(paths) > _LOGS_NAMED else ""
        lines += [sentence, f"    log: {', '.join(paths[:_LOGS_NAMED])}{more}"]
    return lines


def closing(failures: Sequence[tuple[str, str]]) -> list[str]:
    """Return the last lines of a run that failed: every sentence again, and what to do."""
    count = f"{len(failures)} step{'' if len(failures) == 1 else 's'} failed:"
    return [count, *(indent(line, "  ") for line in stated(failures)), AGAIN]


def rewrite(logger: logging.Logger) -> Messages:
    """Put the filter on Snakemake's logger, in place of that of an earlier run of the same process."""
    for other in [known for known in logger.filters if isinstance(known, Messages)]:
        logger.removeFilter(other)
    messages = Messages(logger)
    logger.addFilter(messages)
    return messages
