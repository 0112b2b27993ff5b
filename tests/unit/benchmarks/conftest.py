"""Benchmarks set up logging for themselves; what they change is put back, so that no other test sees it."""

import logging

import pytest


@pytest.fixture(autouse=True)
def logging_as_it_was():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
