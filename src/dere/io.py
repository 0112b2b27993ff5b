"""Files: atomic writing, NetCDF, tables and JSON with clear errors, hashes."""

from __future__ import annotations

import errno
import gzip
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from glob import escape
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from dere.blocks import computing, fits, in_blocks, storage_chunks
from dere.netcdf_sizes import open_written
from dere.regular_file import require_regular

# A file gets its name only when it is complete and is never opened for writing after that, so readers need no lock;
# many shared file systems refuse locks. HDF5 reads this when it is loaded.
os.environ.setdefault("HDF5_USE_FILE_LOCKING", "BEST_EFFORT")

TIME_UNITS = "days since 1850-01-01"
UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM)
"""Full disk, used-up quota, a file beyond the limit, a read-only file system, missing rights."""
_PROBE = 1 << 16
_LARGEST_JSON = 64 << 20


def write_atomically(path: Path, write: Callable[[Path], object]) -> Path:
    """Call ``write`` with a temporary name beside ``path``, then rename; nothing half-written ever stays.

    The temporary name keeps the suffix, because writers choose the format from it. What a killed process left under
    such a name is removed.

    Raises
    ------
    ValueError
        When the disk is full or the folder may not be written to.
    """
    path = Path(path)
    temporary = path.with_name(f".{os.getpid()}.partial.{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(path)
        write(temporary)
        os.replace(temporary, path)
    except Exception as error:
        # asked while the half-written file still takes its space
        reason = _cannot_write(error, temporary)
        if reason is None:
            raise
        raise ValueError(
            f"{path} cannot be written ({reason}), but a folder with free space and the right to write is expected; "
            "free space or change the rights, and start again"
        ) from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return path


def _cannot_write(error: Exception, temporary: Path) -> str | None:
    """Why a file could not be written, where disk or rights are the reason; None for any other error.

    The libraries behind NetCDF and weights report a full disk as an error of their own, without its number; whether a
    few bytes more can be written tells.
    """
    if isinstance(error, OSError) and error.errno in UNWRITABLE:
        return os.strerror(error.errno)
    stated = re.search(r"\(os error (\d+)\)", str(error))  # of libraries in Rust, which remove their file at once
    if stated and int(stated[1]) in UNWRITABLE:
        return os.strerror(int(stated[1]))
    try:
        with temporary.open("ab") if temporary.exists() else temporary.open("wb") as stream:
            stream.write(bytes(_PROBE))
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as found:
        return os.strerror(found.errno) if found.errno in UNWRITABLE else None
    return None


def unwritable(error: OSError) -> str | None:
    """Sentence about a file or folder that may not be written or read, or for which there is no space; else None."""
    if error.errno not in UNWRITABLE:
        return None
    return (
        f"{error.filename or 'a file'} cannot be written or read ({os.strerror(error.errno)}), but free space and the "
        "right to do so are expected; free space or change the rights, and start again"
    )


def remove_leftovers(path: Path) -> None:
    """Remove temporary files and folders of ``path`` whose process is gone."""
    for leftover in path.parent.glob(f".*.partial.{escape(path.name)}"):
        match = re.match(r"\.(\d+)\.partial\.", leftover.name)
        if match and not Path("/proc", match[1]).exists() and Path("/proc/self").exists():
            if leftover.is_dir():
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                leftover.unlink(missing_ok=True)


def working_folder(folder: Path) -> Path:
    """Where this process works until ``folder`` has it: on the same disk, which a link or a mount may choose.

    Leftovers of processes that are gone are removed.

    Raises
    ------
    ValueError
        When the system refuses.
    """
    real = folder.resolve()
    with _refused(folder):
        inside = real.is_dir() and real.stat().st_dev != real.parent.stat().st_dev
        work = (real if inside else real.parent) / f".{os.getpid()}.partial.{real.name}"
        remove_leftovers(work.parent / real.name)
    return work


@contextmanager
def moved_at_once(work: Path, folder: Path) -> Iterator[Path]:
    """A folder for files, which go into ``folder`` when the block ends; nothing stays of a failure.

    Parameters
    ----------
    work
        From `working_folder`; what lies beside the files in it is removed.
    folder
        Files of the same name are replaced.

    Raises
    ------
    ValueError
        When ``folder`` cannot be written.
    """
    files = work / "files"
    try:
        with _refused(folder):
            files.mkdir(parents=True)
        yield files
        with _refused(folder):
            folder.mkdir(parents=True, exist_ok=True)
            for path in sorted(files.rglob("*")):
                if path.is_file():
                    target = folder / path.relative_to(files)
                    target.parent.mkdir(exist_ok=True)
                    os.replace(path, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextmanager
def _refused(folder: Path) -> Iterator[None]:
    """Say that a folder cannot be written where the system says so."""
    try:
        yield
    except OSError as error:
        raise ValueError(unwritable(error) or f"{folder} cannot be written ({error}); give another path") from None


def write_netcdf(dataset: xr.Dataset, path: Path, compress: bool = True) -> Path:
    """Write ``dataset`` as NetCDF-4 atomically.

    Numeric data variables are compressed at level 1 unless ``compress`` is false (large uncompressed arrays read
    and write several times faster); coordinates carry no fill value. Dask arrays are computed and written block by
    block and stored in chunks with the same edges.
    """
    encoding: dict[str, dict[str, Any]] = {}
    for name in dataset.variables:
        variable = dataset[name]
        if variable.dtype.kind == "M":
            encoding[str(name)] = {"units": TIME_UNITS, "calendar": "standard", "dtype": "float64", "_FillValue": None}
        elif name in dataset.coords:
            if variable.dtype.kind in "fiu":
                encoding[str(name)] = {"_FillValue": None}
        elif variable.dtype.kind == "f" and compress and variable.ndim > 0:
            encoding[str(name)] = {"zlib": True, "complevel": 1}
        chunks = storage_chunks(variable.variable)
        if chunks is not None:
            encoding[str(name)] = encoding.get(str(name), {}) | {"chunksizes": chunks}
    lazy = any(variable.chunks is not None for variable in dataset.variables.values())
    with computing() if lazy else nullcontext():
        return write_atomically(
            Path(path), lambda tmp: dataset.to_netcdf(tmp, engine="netcdf4", format="NETCDF4", encoding=encoding)
        )


def read_netcdf(path: Path, load: bool = True, memory: int | None = None, decode_times: bool = True) -> xr.Dataset:
    """Open a NetCDF file.

    Parameters
    ----------
    path
        File.
    load
        Read everything now and close the file.
    memory
        Bytes that the job may use. A dataset too large for them (``dere.blocks.fits``) stays on disk and comes as
        dask arrays in blocks along ``cell``, whatever ``load`` says.
    decode_times
        False = times stay numbers, for readers of calendars and units that xarray does not know.

    Raises
    ------
    FileNotFoundError
        When the file is missing.
    ValueError
        When it is truncated or not NetCDF, or states sizes that it does not hold.
    """
    path = Path(path)
    require_regular(path, "run the rule that makes it, or correct its path in the config")
    try:
        dataset = xr.open_dataset(open_written(path), decode_times=decode_times)
        if memory is not None and not fits(dataset.nbytes, memory) and "cell" in dataset.dims:
            return in_blocks(dataset, memory)
        if not load:
            return dataset
        with dataset:
            return dataset.load()
    except (OSError, RuntimeError) as error:
        raise ValueError(
            f"{path} ({path.stat().st_size} bytes) cannot be read as NetCDF ({error}); it is truncated or of "
            "another format: delete it and make or download it again"
        ) from None


def write_table(table: pd.DataFrame, path: Path, float_format: str | None = None) -> Path:
    """Write a tidy table as csv atomically, without index; compressed where the name ends with .gz."""
    if Path(path).suffix != ".gz":
        return write_atomically(Path(path), lambda tmp: table.to_csv(tmp, index=False, float_format=float_format))
    # without the time and the temporary name, with which pandas would make files of equal tables differ
    text = table.to_csv(index=False, float_format=float_format).encode()
    return write_atomically(Path(path), lambda tmp: tmp.write_bytes(gzip.compress(text, mtime=0)))


def write_json(content: Mapping[str, Any], path: Path) -> Path:
    """Write JSON, sorted and indented, atomically."""
    text = json.dumps(content, indent=2, sort_keys=True, default=str) + "\n"
    return write_atomically(Path(path), lambda tmp: tmp.write_text(text))


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises
    ------
    FileNotFoundError
        When the file is missing.
    ValueError
        When it is no regular file, larger than 64 MiB, no JSON, or something else than an object.
    """
    require_regular(Path(path), "make it again", _LARGEST_JSON)
    try:
        found: Any = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is no JSON ({error}); it is damaged: delete it and make it again") from None
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds {json.dumps(found)[:60]}, but keys and values in {{}} are expected; correct it")
    return found


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal text."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def content_hash(content: object) -> str:
    """Short hash of any JSON-like object; equal content gives equal hashes whatever the key order."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:16]
