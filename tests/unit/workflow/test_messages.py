"""What a run says of failed and finished jobs: the step's own sentence, never exceptions and stack frames."""

import logging
from types import SimpleNamespace

import pytest
from snakemake.logging import LogEvent

from dere.workflow import messages
from dere.workflow.job_log import reason, records, shown, was_interrupted
from dere.workflow.messages import AGAIN, GO_ON, rewrite, stated, why, without_places
from dere.workflow.script import announce, logged

COMMAND = """RuleException:
CalledProcessError in file "/a/rules/ingest.smk", line 97:
Command 'set -euo pipefail;  python /a/.snakemake/scripts/tmp.py' {ending}."""
OVER = "WorkflowError:\nAt least one job did not complete successfully."


@pytest.fixture
def screen():
    """Return a logger with the filter, and what it shows."""
    logger = logging.Logger("snakemake", logging.INFO)
    lines = []

    class Shown(logging.Handler):
        def emit(self, record):
            lines.append((getattr(record, "event", None), record.getMessage()))

    logger.addHandler(Shown())
    rewrite(logger)
    return SimpleNamespace(logger=logger, lines=lines, texts=lambda: [text for _, text in lines])


def fail(logger, log, jobid=1, ending="returned non-zero exit status 1", rule="ingest_towers"):
    exception(logger, COMMAND.format(ending=ending), "RuleException")
    details = {"jobid": jobid, "rule_name": rule, "log": [str(log)] if log else []}
    logger.error("Error in rule", extra={"event": LogEvent.JOB_ERROR, **details})


def exception(logger, text, kind):
    logger.error(text, extra={"event": LogEvent.ERROR, "exception": kind})


def end(logger):
    logger.info("Shutting down, this might take some time.")
    logger.error("Exiting because a job execution failed. Look above for error messages")
    logger.info("Complete log(s): /a/b.log")
    exception(logger, OVER, "WorkflowError")


def log_of(folder, error, name="ingest_towers"):
    path = folder / "logs" / f"{name}.log"
    with pytest.raises(SystemExit), logged(path):
        raise error
    return path


def sentence(text="a.csv holds miles, kilometres are expected; convert it"):
    """Return an error as the package raises it."""
    try:
        without_package(text)
    except ValueError as error:
        return error


def without_package(text):
    code = compile(f"raise ValueError({text!r})", messages.__file__, "exec")
    exec(code)


def written(folder, text, name="ingest_towers"):
    path = folder / "logs" / f"{name}.log"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"2026-11-29 22:44:56,643 INFO dere.rule: started\n{text}")
    return path


ERROR = "2026-11-29 22:44:57,643 ERROR dere.rule: "


def test_the_sentence_of_a_failed_step_comes_first_and_last(screen, tmp_path):
    log = written(tmp_path, f"{ERROR}a.csv holds miles;\nconvert it\n")
    fail(screen.logger, log)
    assert screen.lines == [(LogEvent.ERROR, f"a.csv holds miles;\nconvert it\n    log: {log}")]
    end(screen.logger)
    last = screen.texts()[-1].splitlines()
    assert len(screen.lines) == 2
    assert last == ["1 step failed:", "  a.csv holds miles;", "  convert it", f"      log: {log}", AGAIN]


def test_several_failed_jobs_state_each_sentence_once(screen, tmp_path):
    names = [f"train_pure/{number}" for number in range(5)]
    (tmp_path / "logs" / "train_pure").mkdir(parents=True)
    for number, name in enumerate(names):
        fail(screen.logger, written(tmp_path, f"{ERROR}the same\n", name), jobid=number)
    fail(screen.logger, written(tmp_path, f"{ERROR}another\n", "other"), jobid=9)
    end(screen.logger)
    last = screen.texts()[-1]
    assert last.startswith("6 steps failed:\n") and last.count("the same") == 1 and last.count("another") == 1
    assert "2.log and 2 more" in last and "3.log" not in last


def test_a_job_that_succeeds_when_started_again_has_not_failed(screen, tmp_path):
    log = written(tmp_path, f"{ERROR}out of memory\n")
    job = {"event": LogEvent.JOB_INFO, "jobid": 3, "log": [str(log)]}
    for _ in range(2):
        screen.logger.info("job", extra=job)
        fail(screen.logger, log, jobid=3)
    assert screen.texts().count(f"out of memory\n    log: {log}") == 2
    screen.logger.info("job", extra=job)
    exception(screen.logger, OVER, "WorkflowError")
    assert AGAIN not in screen.texts()[-1]


def test_a_group_of_jobs_says_what_failed_in_it(screen, tmp_path):
    log = written(tmp_path, f"{ERROR}a.csv is empty; fetch it again\n")
    jobs = [{"jobid": 1, "rule_name": "a", "log": [str(log)]}, {"jobid": 2, "rule_name": "b", "log": ["logs/b.log"]}]
    screen.logger.error("group", extra={"event": LogEvent.GROUP_ERROR, "job_error_info": jobs})
    assert screen.texts() == [f"a.csv is empty; fetch it again\n    log: {log}"]
    for number in (1, 2):
        fail(screen.logger, log, jobid=number)
    assert len(screen.lines) == 1


@pytest.mark.parametrize(
    ("ending", "text"),
    [
        ("died with <Signals.SIGKILL: 9>", "train_pure was killed, most often because the memory was full"),
        ("returned non-zero exit status 137", "train_pure was killed, most often because the memory was full"),
        ("died with <Signals.SIGSEGV: 11>", r"train_pure ended without saying why (SIGSEGV)"),
    ],
)
def test_a_job_that_could_not_say_why_is_not_silent(screen, tmp_path, ending, text):
    fail(screen.logger, written(tmp_path, "", "train_pure"), ending=ending)
    assert screen.texts()[0].startswith(text)


def test_a_full_disk_and_missing_rights_are_told_where_the_log_could_not(tmp_path, monkeypatch):
    log = str(tmp_path / "logs" / "a.log")
    monkeypatch.setattr(messages.os, "access", lambda path, mode: False)
    assert why("a", [log], "1") == f"a could not write to {tmp_path}; change its rights"
    monkeypatch.setattr(messages.shutil, "disk_usage", lambda path: SimpleNamespace(free=0))
    assert f"because the disk of {tmp_path} is full" in why("a", [log], "1")


@pytest.mark.parametrize("ending", ["died with <Signals.SIGINT: 2>", "returned non-zero exit status 130"])
def test_ctrl_c_says_that_the_run_goes_on_when_called_again(screen, tmp_path, ending):
    screen.logger.info("Terminating processes on user request, this might take some time.")
    fail(screen.logger, written(tmp_path, ""), ending=ending)
    end(screen.logger)
    assert screen.texts() == [messages.WAIT, GO_ON]


def test_a_job_that_ends_before_the_interrupt_is_noticed_has_not_failed(screen, tmp_path):
    log = tmp_path / "rule.log"
    with pytest.raises(SystemExit) as ended, logged(log):
        raise KeyboardInterrupt
    assert ended.value.code == 130 and was_interrupted(log.read_text())
    fail(screen.logger, log)
    end(screen.logger)
    assert screen.texts() == [GO_ON]


def test_an_interrupt_while_rules_are_read_and_other_errors(screen):
    exception(screen.logger, "Cancelling snakemake on user request.", "KeyboardInterrupt")
    missing = 'MissingInputException in rule a in file "/a/b.smk", line 3:\nMissing input files'
    exception(screen.logger, missing, "MissingInputException")
    assert screen.texts() == [GO_ON, missing]


def test_a_wrong_value_is_told_without_the_place_in_the_rules():
    text = (
        'WorkflowError in file "/a/rules/common.smk", line 45:\ngrid is not a key\n  File "/a/S", line 13, in <module>'
    )
    assert without_places(text) == "grid is not a key"


def test_verbose_leaves_nothing_out(screen, tmp_path):
    screen.logger.setLevel(logging.DEBUG)
    fail(screen.logger, written(tmp_path, f"{ERROR}a\n"))
    assert any("CalledProcessError" in text for text in screen.texts())


def test_a_finished_job_says_its_own_lines_and_one_about_its_warnings(screen, tmp_path):
    log = tmp_path / "logs" / "harmonise.log"
    with logged(log):
        announce("dropped 3 sites")
        logging.getLogger("dere.harmonise").warning("XX-Bad lacks vpd; it is dropped")
        logging.getLogger("py.warnings").warning("a library is old")
        logging.getLogger("dere.harmonise").warning("XX-Worse has none")
    job = {"jobid": 4, "log": [str(log)]}
    screen.logger.info("job", extra={"event": LogEvent.JOB_INFO, **job})
    screen.logger.info("done", extra={"event": LogEvent.JOB_FINISHED, "job_id": 4})
    assert screen.texts()[1:-1] == [
        "harmonise: dropped 3 sites",
        f"harmonise: XX-Bad lacks vpd; it is dropped (and 1 more warnings in {log})",
    ]


def test_the_filter_of_an_earlier_run_is_gone(screen):
    screen.logger.addFilter(lambda record: True)
    rewrite(screen.logger)
    assert sum(isinstance(known, messages.Messages) for known in screen.logger.filters) == 1


def test_the_log_of_a_rule_is_read_as_it_is_written(tmp_path):
    told = reason(log_of(tmp_path, KeyError("x")).read_text())
    assert told.startswith("a fault of the program, not of the input: KeyError: 'x'; its traceback is in the log")
    text = log_of(tmp_path, sentence("two\nlines")).read_text()
    assert reason(text) == "two\nlines" and records(text)[-1].message == "two\nlines"
    quiet = tmp_path / "quiet.log"
    with logged(quiet):
        pass
    assert reason(quiet.read_text()) is None and shown(quiet.read_text(), quiet) == []


def test_a_log_on_a_full_disk_says_errors_on_the_console(capsys):
    """The file takes nothing: no traceback of the logging, and the sentence is not lost."""
    with pytest.raises(SystemExit), logged("/dev/full"):
        raise sentence()
    told = capsys.readouterr().err
    assert told == "a.csv holds miles, kilometres are expected; convert it\n"


def test_equal_sentences_are_stated_once():
    assert stated([("a", "1.log"), ("b", "2.log"), ("a", "3.log")]) == [
        "a", "    log: 1.log, 3.log", "b", "    log: 2.log",
    ]  # fmt: skip
