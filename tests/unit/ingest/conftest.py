"""Fixtures of the ingest tests; real data through DERE_REALDATA."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest
from ingest_samples import synthetic_monthly, write_simulation


@pytest.fixture
def realdata() -> Path:
    folder = os.environ.get("DERE_REALDATA", "")
    if not folder:
        pytest.skip("DERE_REALDATA is not set")
    return Path(folder)


@pytest.fixture
def monthly_table() -> pd.DataFrame:
    return synthetic_monthly()


@pytest.fixture
def simulation_folder(tmp_path: Path) -> Path:
    write_simulation(tmp_path)
    return tmp_path
