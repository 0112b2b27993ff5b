"""What make does around Snakemake: whose report, which configuration, one run at a time, locks of a killed run."""

import os
import subprocess
import sys

import pytest

TINY = "CONFIG=config/tiny.yaml"


@pytest.fixture
def mine(checkout):
    """Return the name of an overlay that only names a run."""
    path = checkout.folder / "mine.yaml"
    path.write_text("run: mine\nsources: {cover: {provider: igbp}}\n")
    yield path.name
    path.unlink()


@pytest.mark.slow
def test_a_look_at_the_plan_is_that_of_the_users_file_and_ends_there(checkout, mine):
    planned = checkout.make("demo", f"CONFIG=config/tiny.yaml {mine}", "ARGS=--summary")
    assert planned.returncode == 0, planned.stdout[-3000:]
    assert "results/mine/raw/simulation" in planned.stdout and "results/tiny/" not in planned.stdout
    assert "Writing" not in planned.stdout and "Median NSE" not in planned.stdout


@pytest.mark.slow
def test_the_users_file_stands_after_the_targets_own(checkout, mine):
    planned = checkout.make("towers", f"CONFIG={mine}", "ARGS=--summary")
    assert planned.returncode == 0, planned.stdout[-3000:]
    assert "results/mine/" in planned.stdout and "raw/simulation" not in planned.stdout


def test_a_configuration_file_among_the_arguments_is_refused(checkout, mine):
    refused = checkout.make("demo", f"ARGS=--cores 1 --configfile {mine}")
    assert refused.returncode != 0
    assert f"--configfile {mine} among the words for Snakemake would take the place of every other" in refused.stdout


def test_a_missing_file_and_an_unknown_data_set_end_in_a_sentence(checkout):
    assert (
        "nowhere.yaml is no file, but it is given as a configuration file"
        in checkout.make("demo", "CONFIG=nowhere.yaml").stdout
    )
    refused = checkout.make("download", "SOURCE=foo")
    assert refused.returncode != 0 and "foo is not a published data set; choose from" in refused.stdout
    assert "Traceback" not in refused.stdout


@pytest.mark.slow
def test_locks_of_a_killed_run_are_removed(checkout):
    locks = checkout.folder / ".snakemake" / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    (locks / "0.output.lock").write_text("results/killed/raw/simulation\n")
    words = ["--config", "run=killed", "--until", "build_world"]
    left = checkout.snakemake("--cores", "1", *words)
    assert "LockException" in left.stdout and left.returncode != 0
    made = checkout.make("demo", TINY, f"ARGS={' '.join(words)}")
    assert made.returncode == 0, made.stdout[-3000:]
    assert "An earlier run was killed" in made.stdout
    assert (checkout.folder / "results" / "killed" / "raw" / "truth").is_dir()


def test_a_second_make_of_the_same_run_is_refused(checkout):
    source = "import sys, time; from pathlib import Path; from dere.workflow.one_run import held\n"
    source += "with held(Path(), 'tiny', print): print('held', flush=True); time.sleep(60)"
    environment = {**os.environ, "PYTHONPATH": "src"}
    command = [sys.executable, "-c", source]
    first = subprocess.Popen(command, cwd=checkout.folder, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert first.stdout.readline() == "held\n"
        second = checkout.make("demo", TINY)
        assert second.returncode != 0 and "tiny is being made by another make; wait until" in second.stdout
        assert "Traceback" not in second.stdout
    finally:
        first.kill()
        first.wait()
