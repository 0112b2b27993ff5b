"""The golden comparison sees every difference, and only differences."""

import logging
import shutil
import subprocess
import sys
from pathlib import Path

import netCDF4
import numpy as np
import pytest
from safetensors.numpy import save_file

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

from differences import compare

import golden

TABLE = "method,nse,seconds\ndere,0.5,3.2\ngbm,0.25,1.0\n"


def write_dataset(path, **changes):
    given = {"values": np.array([1.0, np.nan, -0.0], "f4"), "dim": "time", "units": "degC", "code": "c0de"} | changes
    with netCDF4.Dataset(path, "w") as data:
        data.setncatts({"title": "Towers", "code_hash": given["code"], "note": f"made from {'0f' * 16}"})
        data.createDimension(given["dim"], 3)
        data.createDimension("site", 2)
        data.createVariable("flux", given["values"].dtype, (given["dim"],), fill_value=False)[:] = given["values"]
        data["flux"].units = given["units"]
        data.createVariable("site", str, ("site",))[:] = np.array(given.get("sites", ["a", "b"]), object)


@pytest.fixture
def runs(tmp_path):
    """Return two equal runs."""
    base, head = tmp_path / "base", tmp_path / "head"
    for part in ("tables", "data", "models", "logs", "raw"):
        (base / part).mkdir(parents=True)
    (base / "tables" / "skill.csv").write_text(TABLE)
    (base / "tables" / "empty.csv").write_text("\n")
    write_dataset(base / "data" / "towers.nc")
    save_file({"weight": np.array([1.0, 2.0], "f4"), "bias": np.zeros(2)}, base / "models" / "model.safetensors")
    (base / "raw" / "latin.csv").write_bytes(b"a,b\n\xea,1,2\n")
    (base / "logs" / "a.log").write_text("3 s")
    (base / "notes.txt").write_text("a")
    shutil.copytree(base, head)
    return base, head


def found(runs, **renames):
    return [(one.file, one.part, one.text) for one in compare(*runs, renames)[0]]


def test_equal_runs_have_no_difference(runs):
    (runs[1] / "logs" / "a.log").write_text("4 s")
    (runs[1] / "logs" / "b.log").write_text("5 s")
    assert compare(*runs, {}) == ([], {"tables": 2, "NetCDF files": 1, "checkpoints": 1, "raw files": 1})


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (TABLE.replace("3.2", "9.9"), []),
        (TABLE.replace("0.25", "0.250"), [("nse", "1 of 2 rows differ, the first is row 1: 0.25 -> 0.250")]),
        (TABLE.replace("0.25", ""), [("nse", "1 of 2 rows differ, the first is row 1: 0.25 -> ")]),
        (TABLE.replace("nse", "r2"), [("nse", "only BASE has this column"), ("r2", "only HEAD has this column")]),
        ("nse,method,seconds\n0.5,dere,1\n0.25,gbm,1\n", [("", "the columns stand in another order")]),
        ("method,nse,seconds\ngbm,0.25,1\ndere,0.5,1\n", [("", "the same rows stand in another order")]),
        (TABLE + "kgml,0.3,1\n", [("+rows", "only HEAD has 1 of its rows, the first is kgml,0.3")]),
        ("method,nse,seconds\ndere,0.5,1\n", [("-rows", "only BASE has 1 of its rows, the first is gbm,0.25")]),
        (
            "method,nse,seconds\ndere,0.6,1\n",
            [
                ("-rows", "only BASE has 2 of its rows, the first is dere,0.5"),
                ("+rows", "only HEAD has 1 of its rows, the first is dere,0.6"),
            ],
        ),
    ],
)
def test_tables_are_compared_as_text_but_for_times(runs, table, expected):
    (runs[1] / "tables" / "skill.csv").write_text(table)
    assert found(runs) == [("tables/skill.csv", *one) for one in expected]


def test_rows_ordered_by_time_are_compared_in_an_order_of_their_own(runs):
    for run, rows in zip(runs, ("a,1.0\nb,0.5\n", "b,1.5\na,1.0\n"), strict=True):
        (run / "tables" / "cost.csv").write_text("rule,seconds\n" + rows)
    assert found(runs) == []
    (runs[1] / "tables" / "cost.csv").write_text("rule,seconds\na,1\nc,1\n")
    assert found(runs) == [("tables/cost.csv", "rule", "1 of 2 rows differ, the first is row 1: b -> c")]


def test_paths_in_tables_count_below_the_run(runs):
    for run, path in zip(runs, ("/tmp/x/results/tiny/data/old.nc", "results/tiny/data/new.nc"), strict=True):
        (run / "tables" / "closure.csv").write_text(f"file,maximum\n{path},0\n")
    assert found(runs) == [
        ("tables/closure.csv", "file", "1 of 1 rows differ, the first is row 0: data/old.nc -> data/new.nc")
    ]
    assert found(runs, **{"data/old.nc": "data/new.nc"}) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"code": "other"}, []),
        (
            {"values": np.array([1.0, np.nan, 0.0], "f4")},
            [("flux", "1 of 3 values differ, the largest difference is 0")],
        ),
        (
            {"values": np.array([1.5, 2.0, -0.0], "f4")},
            [("flux", "2 of 3 values differ, the largest difference is 0.5")],
        ),
        ({"values": np.array([1.0, np.nan, -0.0])}, [("flux", "float32[3] -> float64[3]")]),
        ({"units": "K"}, [("flux", "attribute units: 'degC' -> 'K'")]),
        ({"dim": "month"}, [("flux", "its dimensions are ('time',) and ('month',)")]),
        ({"sites": ["a", "c"]}, [("site", "1 of 2 values differ")]),
    ],
)
def test_datasets_are_compared_bit_by_bit_but_for_hashes(runs, changes, expected):
    write_dataset(runs[1] / "data" / "towers.nc", **changes)
    assert found(runs) == [("data/towers.nc", *one) for one in expected]


def test_variables_and_attributes_that_one_run_has_are_said(runs):
    with netCDF4.Dataset(runs[1] / "data" / "towers.nc", "a") as data:
        data.createVariable("extra", "f4", ("time",))
        data.title, data.note, data.licence = "Sites", f"made from {'1a' * 16}", "free"
    assert sorted(found(runs)) == [
        ("data/towers.nc", "", "attribute licence: nothing -> 'free'"),
        ("data/towers.nc", "", "attribute title: 'Towers' -> 'Sites'"),
        ("data/towers.nc", "extra", "only HEAD has this variable"),
    ]


def test_checkpoints_are_compared_tensor_by_tensor(runs):
    tensors = {"weight": np.array([1.0, 2.0 + 2e-7], "f4"), "scale": np.zeros(2)}
    save_file(tensors, runs[1] / "models" / "model.safetensors")
    assert found(runs) == [
        ("models/model.safetensors", "bias", "only BASE has this tensor"),
        ("models/model.safetensors", "scale", "only HEAD has this tensor"),
        ("models/model.safetensors", "weight", "1 of 2 values differ, the largest difference is 2.38e-07"),
    ]


def test_raw_files_are_compared_as_bytes(runs):
    (runs[1] / "raw" / "latin.csv").write_bytes(b"a,b\n\xeb,1,2\n")
    assert found(runs) == [("raw/latin.csv", "", "its bytes differ")]


def test_files_that_one_run_has_are_said_and_moved_ones_are_followed(runs):
    (runs[1] / "models").rename(runs[1] / "networks")
    (runs[1] / "notes.txt").unlink()
    assert found(runs) == [
        ("models/model.safetensors", "", "only BASE has this file"),
        ("networks/model.safetensors", "", "only HEAD has this file"),
        ("notes.txt", "", "only BASE has this file"),
    ]
    assert found(runs, models="networks") == [("notes.txt", "", "only BASE has this file")]


def test_a_folder_without_results_is_a_sentence(runs, tmp_path):
    (tmp_path / "nothing").mkdir()
    with pytest.raises(FileNotFoundError, match="holds no results; give the folder of a finished run"):
        compare(runs[0], tmp_path / "nothing", {})


def test_expected_differences_are_listed_and_do_not_fail(runs, caplog):
    (runs[1] / "tables" / "skill.csv").write_text(TABLE.replace("0.25", "0.3"))
    (runs[1] / "notes.txt").unlink()
    differences, equal = compare(*runs, {})
    caplog.set_level(logging.INFO)
    assert golden.report(differences, equal, golden.read_expected("tables/*:nse  # rounding\n\n# a heading\n")) == 1
    assert "nse: 1 of 2 rows differ, the first is row 1: 0.25 -> 0.3  (expected: rounding)" in caplog.text
    assert "differences: 1 unexpected, 1 expected" in caplog.text
    expected = golden.read_expected("notes.txt # gone\ntables/skill.csv # rounding\ndata/* # moved\n")
    assert golden.report(differences, equal, expected) == 0
    assert "equal: 1 tables, 1 NetCDF files, 1 checkpoints, 1 raw files" in caplog.text
    assert "expected, but not found: data/*" in caplog.text
    assert golden.report([], equal, {}) == 0


def test_a_part_is_expected_without_its_neighbours(runs):
    (runs[1] / "tables" / "skill.csv").write_text(TABLE.replace("0.25", "0.3").replace("gbm", "trees"))
    differences, equal = compare(*runs, {})
    assert golden.report(differences, equal, {"tables/skill.csv:nse": "rounding"}) == 1


def test_wrong_options_are_sentences():
    with pytest.raises(ValueError, match=r"tables/a\.csv: an expected difference needs a reason"):
        golden.read_expected("tables/a.csv")
    with pytest.raises(ValueError, match="--rename a: it must be OLD=NEW"):
        golden.read_renames(["a"])
    assert golden.read_renames(["a=b", "c/d=e"]) == {"a": "b", "c/d": "e"}
    with pytest.raises(ValueError, match="nowhere is no commit of this repository"):
        golden.commit_hash("nowhere")


def test_kept_runs_are_compared_without_running_anything(runs, tmp_path, monkeypatch, caplog):
    keep = tmp_path / "keep"
    monkeypatch.setattr(golden, "commit_hash", lambda name: name * 7)
    for run, name in zip(runs, "ab", strict=True):
        shutil.copytree(run, keep / (name * 7))
    monkeypatch.setattr(subprocess, "run", None)
    caplog.set_level(logging.INFO)
    assert golden.main(["a", "b", "--keep", str(keep)]) == 0
    (keep / "bbbbbbb" / "tables" / "skill.csv").write_text(TABLE.replace("0.25", "0.3"))
    assert golden.main(["a", "b", "--keep", str(keep)]) == 1
    assert [one.getMessage() for one in caplog.records[-3:-1]] == [
        "tables/skill.csv",
        "    nse: 1 of 2 rows differ, the first is row 1: 0.25 -> 0.3",
    ]


@pytest.mark.parametrize("succeeds", [True, False])
def test_a_commit_runs_in_a_checkout_that_goes_away(tmp_path, monkeypatch, succeeds):
    """With a command in place of the tiny run that writes a result and, if it shall, fails."""
    program = (
        f"import os; os.makedirs('results/tiny'); open('results/tiny/a.csv', 'w').write('x'); exit({not succeeds:d})"
    )
    monkeypatch.setattr(golden, "COMMAND", ("-c", program))
    places = []
    call = golden.git

    def git(*words):
        if words[0] == "worktree":
            places.append(words)
            folder = Path(words[-2] if words[1] == "add" else words[-1])
            folder.mkdir() if words[1] == "add" else shutil.rmtree(folder)
            return subprocess.CompletedProcess(words, 0)
        return call(*words)

    monkeypatch.setattr(golden, "git", git)
    if succeeds:
        assert (golden.finished_run("c0ffee", tmp_path / "keep") / "a.csv").read_text() == "x"
    else:
        with pytest.raises(ChildProcessError, match=r"the tiny run of c0ffee failed; .* says why"):
            golden.finished_run("c0ffee", tmp_path / "keep")
        assert not (tmp_path / "keep" / "c0ffee").exists()
    assert [words[1] for words in places] == ["add", "remove"] and not Path(places[1][-1]).exists()
