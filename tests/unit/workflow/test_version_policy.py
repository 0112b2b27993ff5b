"""Other versions of packages: what stays, what is made again, what is said."""

import pytest

from dere import versions
from dere.workflow.job_record import JobRecord, read_record
from dere.workflow.version_policy import NEVER, accepted, as_text, names_in, planned_versions, said

OLD = {"python": "3.11.9", "numpy": "2.4.6", "torch": "2.13.0"}


def now(**changed):
    return OLD | changed


@pytest.mark.parametrize(
    ("today", "refused_by"),
    [
        (now(), set()),
        (now(torch="2.13.1"), {"any"}),
        (now(torch="3.0.0"), {"major", "any"}),
        (now(python="3.11.10"), {"any"}),
        (now(python="3.12.0"), {"major", "any"}),
        (now(lightgbm="5.0"), set()),
    ],
)
def test_each_policy_refuses_what_it_says(today, refused_by):
    assert {policy for policy in ("warn", "major", "any", NEVER) if not accepted(OLD, today, policy)} == refused_by


def test_before_1_0_the_second_number_is_the_major_one():
    assert not accepted({"x": "0.35.0"}, {"x": "0.36.0"}, "major") and accepted(
        {"x": "0.35.0"}, {"x": "0.35.2"}, "major"
    )


def test_a_job_keeps_its_parameter_while_the_policy_accepts_its_versions():
    """A changed policy changes no parameter of its own."""
    record = JobRecord("demo train", as_text(OLD), OLD)
    assert {planned_versions(record, OLD, policy) for policy in ("warn", "major", "any")} == {as_text(OLD)}
    other = now(torch="3.0.0")
    assert planned_versions(record, other, "warn") == as_text(OLD)
    again = planned_versions(record, other, "any")
    assert again != as_text(OLD)
    made = JobRecord("demo train", again, other)
    assert {planned_versions(made, other, policy) for policy in ("warn", "major", "any")} == {again}


def test_versions_that_come_back_are_no_return_to_an_older_result():
    """A job that ran for another reason was planned with the old text, but ran with the new versions."""
    record = JobRecord("demo train", as_text(OLD), now(torch="3.0.0"))
    assert planned_versions(record, now(torch="3.0.0"), "any") == as_text(OLD)
    assert planned_versions(record, OLD, "any") != as_text(OLD)


def test_names_survive_the_text():
    assert names_in(as_text(OLD)) == ["numpy", "python", "torch"]
    assert (
        names_in(f"{as_text(OLD)} (before: torch 1.0, zarr 3)") == ["numpy", "python", "torch"] and names_in("") == []
    )


def test_what_was_made_with_others_is_said_once():
    records = [
        JobRecord("demo train", "", OLD),
        JobRecord("demo train", "", OLD),
        JobRecord("demo x", "", {"numpy": "2.4.6"}),
    ]
    text = said(records, now(torch="2.14.0"), "warn")
    assert "2 with torch 2.13.0 (now 2.14.0)" in text and "2 of them stay" in text and "rerun_on_versions: warn" in text
    assert "stay" not in said(records, now(torch="2.14.0"), "any")
    assert said(records, OLD, "any") == "" and said(records, now(torch="2.14.0"), NEVER) == ""


def test_installed_versions_are_those_of_the_packages_that_compute():
    assert set(versions.installed(["numpy", "no such package"])) == {"python", "numpy"}
    assert versions.counted({"sklearn", "numpy", "matplotlib"}) == ["numpy", "scikit-learn"]
    assert {"python", "numpy"} <= set(versions.here())


@pytest.mark.parametrize(
    "text", ["", "null", "[]", '{"job": 3, "versions": "", "used": {}}', '{"job": "a", "used": [1]}']
)
def test_a_note_that_cannot_be_one_is_none(tmp_path, text):
    """Whatever a full disk or an editor left there."""
    (tmp_path / "note.json").write_text(text)
    assert read_record(tmp_path / "note.json") is None
    used = '{"job": "a", "versions": "", "used": %s, "again": ""}'
    (tmp_path / "note.json").write_text(used % "[1]")
    assert read_record(tmp_path / "note.json") is None
    (tmp_path / "note.json").write_text(used % '{"numpy": "2.0"}')
    assert read_record(tmp_path / "note.json") == JobRecord("a", "", {"numpy": "2.0"})
