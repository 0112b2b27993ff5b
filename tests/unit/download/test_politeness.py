"""Waiting, and giving up."""

import email.utils

import pytest

from dere.download.politeness import DownloadError, Passing, Politeness, persistently, retry_after_seconds


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, None), ("", None), ("12", 12.0), ("soon", None), ("-3", None), (email.utils.formatdate(1060), 60.0)]
    + [(email.utils.formatdate(900), 0.0)],
)
def test_retry_after(header, seconds):
    assert retry_after_seconds(header, now=1000.0) == seconds


def test_waits_double_up_to_the_longest():
    politeness = Politeness(first_wait=2, longest_wait=10)
    assert [politeness.wait(n, None, 0) for n in (1, 2, 3, 4, 9)] == [2, 4, 8, 10, 10]
    assert politeness.wait(1, "0", 0) == 2 and politeness.wait(1, "9", 0) == 9
    with pytest.raises(DownloadError, match="asks to come back in 11 s, at most 10 s are waited"):
        politeness.wait(1, "11", 0)


def test_progress_starts_the_count_anew():
    """Ten cuts with progress between them do not end a download that allows two attempts; two without progress do."""
    have, calls = [0], []

    def attempt():
        calls.append(1)
        if len(calls) <= 10:
            have[0] += 100
        raise Passing("cut")

    politeness = Politeness(attempts=2, progress_bytes=100)
    with pytest.raises(DownloadError, match="file: cut after 2 attempts; call again later"):
        persistently(attempt, "file", politeness, lambda: have[0], lambda seconds: None)
    assert len(calls) == 11


def test_slow_drops_are_no_progress():
    have = [0]

    def attempt():
        have[0] += 1
        raise Passing("cut")

    with pytest.raises(DownloadError, match="after 3 attempts"):
        persistently(attempt, "file", Politeness(attempts=3), lambda: have[0], lambda seconds: None)
    assert have[0] == 3


def test_a_success_is_given_back():
    answers = iter([Passing("busy"), "done"])

    def attempt():
        answer = next(answers)
        if isinstance(answer, Passing):
            raise answer
        return answer

    assert persistently(attempt, "file", Politeness(), sleep=lambda seconds: None) == "done"
