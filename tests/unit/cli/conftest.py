"""The command line, called in this process."""

import pytest
from click.testing import CliRunner

from dere.cli import main


@pytest.fixture
def dere():
    """Return what calls ``dere`` with some words and gives status, output and errors."""
    return lambda *words: CliRunner().invoke(main, words)
