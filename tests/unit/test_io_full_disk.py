"""A full disk, a file beyond the limit or a missing right ends in a sentence, and nothing half-written stays."""

import errno
import os
import resource
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dere import io

LIMITED = """
import resource, sys
from pathlib import Path
import numpy as np, pandas as pd, xarray as xr
from dere import io
path = Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
large = np.random.default_rng(0).normal(size=200_000)
try:
    if path.suffix == ".nc":
        io.write_netcdf(xr.Dataset({"x": ("n", large)}), path)
    elif path.suffix == ".csv":
        io.write_table(pd.DataFrame({"x": large}), path)
    elif path.suffix == ".pt":
        import torch
        io.write_atomically(path, lambda temporary: torch.save(torch.tensor(large), temporary))
    else:
        import torch
        from safetensors.torch import save_file
        io.write_atomically(path, lambda temporary: save_file({"x": torch.tensor(large)}, temporary))
except ValueError as error:
    print(error)
    sys.exit(7)
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="no limit of file sizes here")
@pytest.mark.parametrize("suffix", ["nc", "csv", "pt", "safetensors"])
def test_no_room_for_a_file_is_a_sentence(tmp_path, suffix):
    """The limit of file sizes stands in for a full disk: libraries report both as errors of their own."""
    path = tmp_path / f"large.{suffix}"
    done = subprocess.run([sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 7, done.stderr
    assert done.stdout.startswith(f"{path} cannot be written (File too large)") and "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_the_sentence_names_path_and_reason(tmp_path, number):
    path = tmp_path / "table.csv"
    path.write_text("before")

    def write(temporary):
        temporary.write_text("half")
        raise OSError(number, os.strerror(number), str(temporary))

    with pytest.raises(ValueError, match=rf"table\.csv cannot be written \({os.strerror(number)}\).*start again"):
        io.write_atomically(path, write)
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_made(tmp_path, monkeypatch):
    def refuse(*arguments, **options):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), "results")

    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    with pytest.raises(ValueError, match=r"a\.csv cannot be written \(Read-only file system\)"):
        io.write_table(pd.DataFrame({"a": [1]}), tmp_path / "new" / "a.csv")


def test_other_errors_stay_what_they_are(tmp_path):
    def write(temporary):
        temporary.write_text("half")
        raise RuntimeError("a fault of the program")

    with pytest.raises(RuntimeError, match="a fault of the program"):
        io.write_atomically(tmp_path / "a.csv", write)
    assert list(tmp_path.iterdir()) == []
    path = io.write_netcdf(xr.Dataset({"x": ("n", np.zeros(3))}), tmp_path / "a.nc")
    assert io.read_netcdf(path)["x"].size == 3
    assert io.unwritable(OSError(errno.EIO, "broken")) is None
