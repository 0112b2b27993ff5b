"""Trained bundles: the folder of a run in small, with the checksum of every file, that predicts sites anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dere.api.run import Run, open_run
from dere.io import file_sha256, read_json
from dere.resources import TRAINED

MANIFEST = "bundle.json"
"""What a bundle is, and its files with their checksums."""
FORMAT = 1
"""Number of the arrangement of a bundle's files."""
AGAIN = "install dere again, or pack the bundle again (dere pack)"


def bundles() -> tuple[str, ...]:
    """Return the names of the bundles that come with the package."""
    return tuple(sorted(path.parent.name for path in TRAINED.glob(f"*/{MANIFEST}")))


def open_trained(bundle: str | Path) -> Run:
    """Open a trained bundle, as the run that it was packed from; only what predicts is in it.

    Parameters
    ----------
    bundle
        Name of one that comes with the package, or the folder of one that ``dere pack`` made.

    Returns
    -------
    Run
        For `dere.predict_sites`.

    Raises
    ------
    FileNotFoundError
        When there is none, or a file of it is missing.
    ValueError
        When a file is not the one that was packed, or another version packed it in a way that this one does not read.

    Examples
    --------
    >>> found = dere.predict_sites(dere.open_trained("real-towers"), "mine.csv")  # doctest: +SKIP
    """
    folder = folder_of(bundle)
    verified(folder)
    return open_run(folder)


def folder_of(bundle: str | Path) -> Path:
    """Return the folder of a bundle.

    Raises
    ------
    FileNotFoundError
        When neither the package nor the path has one.
    """
    if str(bundle) in bundles():
        return TRAINED / str(bundle)
    if (Path(bundle) / MANIFEST).is_file():
        return Path(bundle)
    shipped = ", ".join(bundles()) or "none"
    raise FileNotFoundError(
        f"{bundle} is no trained bundle: those that come with dere are {shipped}, and a folder of one holds "
        f"{MANIFEST}; choose one of them, or make one with dere pack"
    )


def verified(folder: Path) -> dict[str, Any]:
    """Return what a bundle says of itself, once every file is found to be as it was packed.

    Raises
    ------
    FileNotFoundError
        When a file is missing.
    ValueError
        When one is not as it was, or the arrangement is another.
    """
    about = read_json(folder / MANIFEST)
    if about.get("format") != FORMAT:
        raise ValueError(
            f"{folder / MANIFEST}: format is {about.get('format')!r}, but this version of dere reads {FORMAT}; take a "
            "bundle of this version, or another version of dere"
        )
    for name, stated in about["files"].items():
        path = folder / name
        if not path.is_file():
            raise FileNotFoundError(f"{path} does not exist, but {MANIFEST} beside it names it; {AGAIN}")
        if file_sha256(path) != stated["sha256"]:
            raise ValueError(
                f"{path} has another checksum than {MANIFEST} states, so it is damaged or changed; {AGAIN}"
            )
    return about
