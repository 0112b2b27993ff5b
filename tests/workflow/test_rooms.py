"""A room can be taken away: what is left configures itself, can be planned, and runs to the end."""

import subprocess
import sys
from pathlib import Path

import pytest

from conftest import copied_to
from dere.rooms import members

ROOMS = [
    *members("dere.methods", "METHODS"),
    *members("dere.backbones", "BACKBONE"),
    *members("dere.evaluation.metrics", "METRIC"),
]
PLAN = """
import os, sys
from pathlib import Path
import pandas, pydantic, xarray
from snakemake.cli import main

for folder in map(Path, sys.argv[1:]):
    if process := os.fork():
        os.waitpid(process, 0)
        continue
    os.chdir(folder)
    out = os.open("plan.log", os.O_WRONLY | os.O_CREAT)
    os.dup2(out, 1), os.dup2(out, 2)
    sys.path.insert(0, str(folder / "src"))
    from dere.run_config import render
    render.main(Path("config.yaml"))
    main(["--dry-run", "--cores", "2", "--workflow-profile", "none"])
"""
"""Several checkouts planned by one process that has loaded Snakemake once, each with its own default configuration."""


def without(folder, *rooms):
    """Take rooms out of a checkout."""
    import shutil

    for room in rooms:
        path = folder / "src" / Path(*room.split("."))
        shutil.rmtree(path) if path.is_dir() else path.with_suffix(".py").unlink()


@pytest.fixture(scope="module")
def plans(tmp_path_factory):
    """Return what a dry run of the default configuration says without each of the rooms."""
    folders = {room: tmp_path_factory.mktemp(room) for room in ROOMS}
    for room, folder in folders.items():
        without(copied_to(folder).folder, room)
    subprocess.run([sys.executable, "-c", PLAN, *map(str, folders.values())], check=True)
    return {room: (folder / "plan.log").read_text() for room, folder in folders.items()}


@pytest.mark.parametrize("room", ROOMS)
def test_without_any_one_room_a_run_can_be_planned(plans, room):
    assert "This was a dry-run" in plans[room], plans[room][-3000:]
