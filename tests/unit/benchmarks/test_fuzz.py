"""The fuzz finds planted faults, tells no sound answer for a fault, and draws the same cases from the same seed."""

import logging
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
sys.path.insert(0, str(Path(__file__).parents[1] / "ingest"))

import fuzz
import fuzz_cases
import fuzz_tables
from fuzz_answers import answer_of, compare
from fuzz_changes import Change, Damage
from fuzz_processes import run
from fuzz_readers import Reader, Target
from fuzz_verdict import of_answer, of_error

from dere.ingest.tables import numeric, read_table

COLUMNS = fuzz_tables.Table(("gpp",), stamp="month", missing="-9999")
MONTHS = [f"2001{month:02d}" for month in range(1, 13)]


def write_months(folder, seed):
    pd.DataFrame({"month": MONTHS, "gpp": np.arange(12) + 0.5}).to_csv(folder / "a.csv", index=False)


def read_months(folder, shift=0):
    table = read_table(folder / "a.csv")
    order = np.argsort(table["month"].to_numpy())
    stamps = pd.to_datetime(table["month"].astype(str), format="%Y%m").to_numpy()[order]
    values = np.roll(numeric(table, "gpp", "a.csv")[order], shift)
    return xr.Dataset({"gpp": ("time", values)}, {"time": stamps})


def reader(read=read_months, **target):
    return Reader("months", write_months, read, (Target("a.csv", "table", COLUMNS, **target),))


def words(reader, tmp_path, count=12, damages=None):
    if damages is not None:
        every = {found.name for group in fuzz_cases.fitting(reader.targets[0]) for found in group}
        target = replace(reader.targets[0], without=tuple(every - damages))
        reader = Reader(reader.name, reader.build, reader.read, (target,), reader.names)
    return [found for found in run(7, range(count), [reader], tmp_path, 5.0, 1, None)]


def test_a_right_reader_has_no_fault_under_harmless_damage(tmp_path):
    harmless = {"columns in another order", "extra columns", "numbers written otherwise", "byte order mark"}
    found = words(reader(), tmp_path, damages=harmless)
    assert {one.word for one in found} == {"OK_EQUAL"}


def test_a_month_shifted_by_the_order_of_the_columns_is_silent(tmp_path):
    def shifting(folder):
        header = (folder / "a.csv").read_text().splitlines()[0]
        return read_months(folder, shift=int(header.startswith("gpp")))

    found = words(reader(shifting), tmp_path, damages={"columns in another order"})
    assert {one.word for one in found} == {"OK_EQUAL", "SILENT"}
    assert "became" in next(one.why for one in found if one.word == "SILENT")


def test_errors_of_other_kinds_and_deaths_are_told_from_sentences(tmp_path):
    def failing(folder):
        if "x" in (folder / "a.csv").read_text().splitlines()[0]:
            raise KeyError("gpp")
        return read_months(folder)

    found = words(reader(failing), tmp_path, damages={"column renamed"})
    assert {"TRACEBACK"} <= {one.word for one in found} <= {"TRACEBACK", "OK_REFUSED", "OK_EQUAL"}
    assert any("KeyError" in one.why for one in found)


def test_limits_of_memory_and_time_and_a_killed_process_cost_one_case(tmp_path):
    def hungry(folder):
        if (folder.parent / "plan").exists():
            np.ones(1 << 28).sum()

    def dying(folder):
        if (folder.parent / "plan").exists():
            import os

            os.kill(os.getpid(), 9)

    assert {one.word for one in words(reader(hungry), tmp_path, 2)} == {"MEMORY"}
    assert [one.word for one in words(reader(dying), tmp_path, 3)] == ["DIED"] * 3


def test_equal_seeds_give_equal_cases():
    readers = fuzz.every_reader()
    first, again, other = ([str(fuzz_cases.plan(seed, n, 0, readers)[0]) for n in range(80)] for seed in (1, 1, 2))
    assert first == again != other
    assert len({reader.name for reader in readers}) == len(readers) >= 30


def test_every_source_of_towers_has_a_reader():
    from dere.ingest.source import sources

    targets = [target.file.split("/")[0] for reader in fuzz.every_reader() for target in reader.targets]
    known = [source for source in sources() if source.kind == "tower"]
    lacking = [s.name for s in known if not any(s.matches(f"towers/{file}") for file in targets if not s.folder)]
    # the package's files are read by the readers of what they are made of, and their bytes are tested as they are
    assert set(lacking) <= {source.name for source in known if source.folder or source.shipped}


def answer(values, months=MONTHS):
    return answer_of(xr.Dataset({"gpp": ("time", np.asarray(values, float))}, {"time": months}))


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ([1, 2, 3], "OK_EQUAL"),
        ([1, 2 + 1e-7, np.nan], "OK_EQUAL"),
        ([1, np.nan, 3], "LOST"),
        ([2, 1, 3], "SILENT"),
        ([1, 2, np.inf], "SILENT"),
    ],
)
def test_values_are_judged_by_their_coordinates(values, word):
    sound, repaired = answer([1, 2, 3], MONTHS[:3]), answer([1, 2, np.nan], MONTHS[:3])
    assert of_answer(answer(values, MONTHS[:3]), sound, repaired, [], ["a.csv"]).word == word
    turned = answer(values[::-1], MONTHS[2::-1])
    assert of_answer(turned, sound, repaired, [], ["a.csv"]).word == word


def test_a_warning_counts_where_it_names_the_file_and_never_for_another_number():
    sound, lost, other = answer([1, 2], MONTHS[:2]), answer([1, np.nan], MONTHS[:2]), answer([1, 9], MONTHS[:2])
    assert of_answer(lost, sound, None, ["a.csv: 1 value is missing"], ["a.csv"]).word == "OK_DROPPED"
    assert of_answer(lost, sound, None, ["something happened"], ["a.csv"]).word == "LOST"
    assert of_answer(other, sound, None, ["a.csv: out of range"], ["a.csv"]).word == "SILENT"
    assert of_answer(other, sound, None, ["a.csv: the first row counts"], ["a.csv"], excused=True).word == "OK_DROPPED"


def test_values_at_new_places_are_wrong():
    assert compare(answer([1, 2, 3], MONTHS[:3]), answer([1, 2], MONTHS[:2]), None).wrong == 1
    assert compare(answer([1, 1, 2], [MONTHS[0], *MONTHS[:2]]), answer([1, 2], MONTHS[:2]), None).wrong


def test_a_sentence_names_the_file_and_is_our_own(tmp_path):
    with pytest.raises(FileNotFoundError) as own:
        read_table(tmp_path / "a.csv")
    assert of_error(own.value, ["a.csv"]).word == "OK_REFUSED"
    assert of_error(own.value, ["b.csv"]).word == "VAGUE"
    with pytest.raises(ValueError) as foreign:
        float("a.csv")
    assert of_error(foreign.value, ["a.csv"]).word == "TRACEBACK"


def test_a_bad_verdict_is_kept_and_ends_in_status_1(tmp_path, monkeypatch, caplog):
    def broken(folder):
        raise KeyError(folder.name)

    monkeypatch.setattr(fuzz, "every_reader", lambda: (reader(),))
    caplog.set_level(logging.INFO)
    assert fuzz.main(["--variants", "3", "--keep", str(tmp_path)]) in (0, 1)
    monkeypatch.setattr(fuzz_cases, "sound_answer", lambda *_: (answer([1], MONTHS[:1]), []))
    monkeypatch.setattr(fuzz, "every_reader", lambda: (reader(broken),))
    assert fuzz.main(["--variants", "2", "--keep", str(tmp_path)]) == 1
    (kept, *_) = sorted(tmp_path.glob("*TRACEBACK*"))
    assert "--seed 1 --case 0" in (kept / "README").read_text()
    with pytest.raises(ValueError, match="no reader has that name; choose from months"):
        fuzz.main(["--only", "nobody"])


def test_a_damage_that_fits_nothing_is_a_fault_of_the_harness(tmp_path, monkeypatch):
    never = Damage("never", "hostile", lambda *_: None)
    monkeypatch.setattr(fuzz_cases, "fitting", lambda target: ((never,), ()))
    assert [one.word for one in run(1, [0], [reader()], tmp_path, 5.0, 1, None)] == ["HARNESS"]
    assert Change(None).repaired is None
