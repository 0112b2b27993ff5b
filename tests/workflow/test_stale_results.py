"""No result is of other inputs or other code than the run has on record, whatever dates files state."""

import json
import os
import re
import shutil
import threading
import time
from contextlib import contextmanager

import pytest
import yaml

from dere.workflow.plan import PLAN
from edits import edited, statement

INGEST = {"towers", "cover", "simulation"}
FILES = {
    "towers/FLX_XT-Bo0_FLUXNET2015_FULLSET_MM_2001-2003_1-4.csv": {"ingest_towers"},
    "towers/FLX_AA-Flx_BIF_MM_20260101.csv": {"ingest_towers"},
    "towers/site_plant_types.csv": {"ingest_towers"},
    "cover/ESACCI-LC-L4-PFT-Map-300m-P1Y-aggregated-2002-v2.0.8.nc": {"ingest_cover"},
    "cover/lat_lon_age_weights.csv": {"ingest_cover"},
    "simulation/glob_Y020.npy": {"ingest_simulation"},
    "simulation/meta.json": {"ingest_simulation"},
    "simulation/satellites.nc": {"ingest_simulation"},
}
"""A file of each kind that a run is given, and the rule where the change begins; the others follow it."""


class Given:
    """A run of given files up to the canonical set, in a copy of the finished tiny run."""

    def __init__(self, checkout, target):
        self.checkout, self.target = checkout, target

    def make(self, *arguments):
        return self.checkout.snakemake(*arguments, "--cores", "1", self.target, "given.yaml")

    def invalidated(self):
        return self.checkout.invalidated("--cores", "1", self.target, "given.yaml")


@pytest.fixture(scope="module")
def given(continued):
    """Return the run; its files are those of the built-in world, taken out of the run that wrote them."""
    for name in INGEST:
        shutil.copytree(continued.folder / "results" / "tiny" / "raw" / name, continued.folder / "given" / name)
    ages = yaml.safe_load((continued.folder / "config" / "tiny.yaml").read_text())["world"]["ages"]
    sources = {"simulation": {"path": "given/simulation", "ages": ages}, "cover": {"path": "given/cover"}}
    sources["towers"] = {"paths": ["given/towers"]}
    continued.configured("given.yaml", {"run": "given", "world": None, "sources": sources})
    run = Given(continued, "results/given/data/splits.csv")
    made = run.make()
    assert made.returncode == 0, made.stdout[-4000:]
    return run


@contextmanager
def changed_keeping_its_date(path):
    """Change one byte of a file and let it state the date of before."""
    content, before = path.read_bytes(), path.stat()
    path.write_bytes(content[:-1] + (b" " if content.endswith(b"\n") else bytes([content[-1] ^ 1])))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    try:
        yield
    finally:
        path.write_bytes(content)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("name", FILES)
def test_a_changed_byte_reruns_what_reads_the_file_whatever_its_date(given, name):
    with changed_keeping_its_date(given.checkout.folder / "given" / name):
        assert given.invalidated() == FILES[name]


def test_a_touch_or_a_copy_of_the_inputs_reruns_nothing(given):
    folder = given.checkout.folder
    shutil.move(folder / "given", folder / "before")
    shutil.copytree(folder / "before", folder / "given", copy_function=shutil.copy)
    assert given.invalidated() == set()


def test_a_copied_and_moved_run_reruns_nothing(given, tiny, tmp_path):
    """Every file has another date, and not in the order in which they were made."""
    moved = tmp_path / "elsewhere" / "checkout"
    shutil.copytree(tiny.folder, moved, copy_function=shutil.copy)
    files = sorted(path for path in (moved / "results").rglob("*") if path.is_file())
    for number, path in enumerate(files):
        os.utime(path, (1.7e9 - number, 1.7e9 - number))
    assert type(tiny)(moved).pending() == {}


@contextmanager
def when(log, act, said="as planned"):
    """Call ``act`` as soon as the job with this log says something."""
    log.unlink(missing_ok=True)
    done, stop = [], threading.Event()

    def wait():
        while not stop.is_set():
            if log.exists() and said in log.read_text():
                done.append(act())
                return
            time.sleep(0.005)

    thread = threading.Thread(target=wait)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert done, f"{log} was not written"


def test_code_that_changes_between_plan_and_start_stops_the_job(given):
    """Even if it is changed back afterwards: nothing of other code is on record."""
    folder = given.checkout.folder
    module = folder / "src" / "dere" / "harmonise" / "gaps.py"
    before = module.read_text()
    with when(folder / "results/given/logs/ingest_towers.log", lambda: module.write_text(statement(before))):
        made = given.make("--forcerun", "ingest_towers")
    assert made.returncode == 1
    assert "gaps.py changed after this run was planned" in (folder / "results/given/logs/harmonise.log").read_text()
    module.write_text(before)
    assert given.make().returncode == 0 and given.invalidated() == set()


def test_a_job_that_plans_again_on_its_node_is_held_to_the_plan_of_the_call(given, tmp_path, monkeypatch):
    """As an executor for clusters starts it: Snakemake again, with the environment of the call."""
    folder = given.checkout.folder
    monkeypatch.setenv(PLAN, str(tmp_path))
    on_node = ("--mode", "remote", "--target-jobs", "harmonise:", "--allowed-rules", "harmonise", "--force", "--nolock")
    planned = given.checkout.snakemake(*on_node, "--cores", "1", "--dry-run", "given.yaml")
    assert planned.returncode == 0 and len(list(tmp_path.iterdir())) > 3, planned.stdout[-2000:]
    about = folder / "results/given/data/splits.json"
    before = json.loads(about.read_text())["configuration_hash"]
    settings = yaml.safe_load((folder / "given.yaml").read_text())
    # edited for the next run while this one still waits in the queue
    given.checkout.configured("given.yaml", settings | {"splits": {"cluster_km": 11}})
    assert given.checkout.snakemake(*on_node, "--cores", "1", "given.yaml").returncode == 0
    assert json.loads(about.read_text())["configuration_hash"] == before
    given.checkout.configured("given.yaml", settings)
    with edited(given.checkout, {"src/dere/harmonise/gaps.py": statement}):
        assert given.checkout.snakemake(*on_node, "--cores", "1", "given.yaml").returncode == 1
    assert "gaps.py changed after this run was planned" in (folder / "results/given/logs/harmonise.log").read_text()
    assert given.make().returncode == 0


def test_code_that_changes_while_a_job_runs_reruns_it_and_changed_back_does_not(given):
    """What a job runs is loaded at its start, so that its result is of the code it was planned with."""
    folder = given.checkout.folder
    module = folder / "src" / "dere" / "harmonise" / "gaps.py"
    before = module.read_text()
    with when(folder / "results/given/logs/harmonise.log", lambda: module.write_text(statement(before))):
        made = given.make("--forcerun", "harmonise")
    assert made.returncode == 0, made.stdout[-3000:]
    assert given.invalidated() == {"harmonise"}
    module.write_text(before)
    assert given.invalidated() == set()


def test_an_input_that_changes_while_a_job_reads_it_makes_it_run_again(given):
    """Even if it is changed back: the job may have read either."""
    folder = given.checkout.folder
    tower = folder / "given" / next(iter(FILES))

    def edit():
        with changed_keeping_its_date(tower):
            pass

    with when(folder / "results/given/logs/ingest_towers.log", edit):
        made = given.make("--forcerun", "ingest_towers")
    assert made.returncode == 0, made.stdout[-3000:]
    assert "changed while this was made" in (folder / "results/given/logs/ingest_towers.log").read_text()
    assert given.invalidated() == {"ingest_towers"}
    assert given.make().returncode == 0 and given.invalidated() == set()


def test_other_versions_rerun_what_the_configuration_asks_and_are_said(given):
    """A note is altered, as if the job had run with an older package."""
    notes = given.checkout.folder / ".snakemake" / "dere" / "jobs"
    note = next(path for path in notes.iterdir() if '"given harmonise"' in path.read_text())
    before = note.read_text()
    record = json.loads(before)
    record["used"]["numpy"] = "1.26.4"
    note.write_text(json.dumps(record))
    folder = given.checkout
    for policy, expected in (("warn", set()), ("major", {"harmonise"}), ("any", {"harmonise"})):
        name = folder.configured(f"{policy}.yaml", {"rerun_on_versions": policy})
        assert folder.invalidated("--cores", "1", given.target, "given.yaml", name) == expected, policy
    said = folder.snakemake("--cores", "1", "-n", given.target, "given.yaml").stdout
    assert re.search(
        r"made with other versions: 1 with numpy 1\.26\.4 \(now [\d.]+\)\. .*rerun_on_versions: warn; 1 of", said
    )
    note.write_text(before)
    for policy in ("major", "any"):
        assert folder.invalidated("--cores", "1", given.target, "given.yaml", f"{policy}.yaml") == set()
