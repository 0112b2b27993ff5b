"""What Snakemake was given is refused by the Snakefile too: it has loaded the files before, without a word."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dere.workflow.source_folder import folder_files

ROOT = Path(__file__).parents[3]
FILES = {
    "twice": (
        "run: twice\nstages: {pure: {epochs: 2}}\nstages: {towers: {epochs: 3}}\n",
        "the key stages stands in line 2 and again in line 3",
    ),
    "aliases": (
        "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12)),
        "more than 100000 keys and values",
    ),
    "number": ("run: 2024\n", "run: 2024 is refused; YAML reads it as a number"),
    "brace": ("sources: {cover: {path: '/data/{year}'}}\n", "sources.cover.path: /data/{year} holds a brace"),
    "fine": ("run: fine\n", ""),
}
LOAD = """
import json, sys
from pathlib import Path
from snakemake.api import SnakemakeApi
from snakemake.exceptions import WorkflowError
from snakemake.settings.types import ConfigSettings, OutputSettings, ResourceSettings

said = {}
for file in map(Path, sys.argv[1:]):
    try:
        with SnakemakeApi(OutputSettings()) as api:
            settings = ConfigSettings(configfiles=[file])
            api.workflow(ResourceSettings(), settings, snakefile=Path("Snakefile").absolute())._workflow
        said[file.stem] = ""
    except WorkflowError as error:
        said[file.stem] = str(error)
json.dump(said, sys.stdout)
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What the Snakefile says about each file; in a process of its own, because a refused workflow leaves traces."""
    folder = tmp_path_factory.mktemp("given")
    files = [folder / f"{name}.yaml" for name in FILES]
    for file in files:
        file.write_text(FILES[file.stem][0])
    done = subprocess.run(
        [sys.executable, "-c", LOAD, *map(str, files)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-1500:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_refused_before_any_rule_is_known(said, name):
    sentence = FILES[name][1]
    assert sentence in said[name] and bool(sentence) == bool(said[name])


def test_files_of_a_source_are_regular_and_hold_no_braces(tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "a.csv").write_text("")
    (tmp_path / "b.csv").write_text("")
    os.mkfifo(tmp_path / "pipe.csv")
    assert folder_files(str(tmp_path)) == [str(tmp_path / "b.csv"), str(tmp_path / "below" / "a.csv")]
    (tmp_path / "{site}.csv").write_text("")
    with pytest.raises(ValueError, match=r"\{site\}\.csv holds a brace, which Snakemake would read as a wildcard"):
        folder_files(str(tmp_path))
    for path in (tmp_path / "nowhere", tmp_path / "b.csv"):
        with pytest.raises(ValueError, match="this source folder does not exist or is empty"):
            folder_files(str(path))
