"""A checkout, an environment and a folder of data may lie where names hold spaces."""

import subprocess

import pytest


@pytest.fixture
def realdata(tmp_path):
    """Return a folder as that of real data, with a space in its name."""
    folder = tmp_path / "real data" / "fluxnet2015-monthly"
    folder.mkdir(parents=True)
    (folder / "XX-Any_MM.csv").write_text("")
    return folder.parent


def make(checkout, *words):
    """Call make with the environment inside the checkout."""
    command = ["make", "--no-print-directory", "-o", ".venv/.runtime", "PYTHON=.venv/bin/python", "CORES=1", "GPU=0"]
    return subprocess.run([*command, *words], cwd=checkout.folder, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_run_in_a_folder_with_spaces(spaced):
    made = make(spaced, "demo", "CONFIG=config/tiny.yaml", "ARGS=--until build_world")
    assert made.returncode == 0, (made.stdout + made.stderr)[-3000:]
    assert (spaced.folder / "results" / "tiny" / "raw" / "truth").is_dir()


def test_real_data_in_a_folder_with_spaces(spaced, realdata):
    checked = make(spaced, "check", f"DERE_REALDATA={realdata}")
    assert "make towers197 finds 1 tower files" in checked.stdout
    planned = make(spaced, "towers", f"DERE_REALDATA={realdata}", "ARGS=-n --quiet")
    assert planned.returncode == 0, (planned.stdout + planned.stderr)[-3000:]
