"""Stand ages of map cells from whichever file there is: a table of weights, GFAD, or the MPI-BGC map.

Imports nothing heavy, because the workflow asks before any job which source a run reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dere.config.cover import AgeSource
from dere.ingest.source import Source, sources

AGES = "ages"
"""Role of the sources of stand ages."""


def find_ages(config: AgeSource, maps: Path | None, among: Sequence[Source] | None = None) -> tuple[str, Path]:
    """Format and file of the stand ages.

    Parameters
    ----------
    config
        Format and path.
    maps
        Folder of the plant-type maps, the place to look where no path is given.
    among
        Sources that may read them; every one when None.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ValueError
        When there are several, or a file's format cannot be told from its name.
    """
    place = Path(config.path) if config.path else maps
    if place is None or not place.exists():
        raise FileNotFoundError(f"{place} does not exist, but stand ages are needed; correct sources.cover.age.path")
    known = {s.name: s for s in (sources() if among is None else among) if s.role == AGES}
    wanted = list(known) if config.format == "auto" else [config.format]
    if place.is_file():
        fitting = [name for name in wanted if known[name].matches(place.name)]
        if config.format == "auto" and len(fitting) != 1:
            raise ValueError(
                f"{place.name} is not named like stand ages ({', '.join(s.files for s in known.values())}); set "
                "sources.cover.age.format"
            )
        return (fitting or wanted)[0], place
    found = [(name, path) for name in wanted for path in sorted(place.iterdir()) if known[name].matches(path.name)]
    if len(found) > 1:
        raise ValueError(
            f"{place} holds {' and '.join(path.name for _, path in found)}, but one file of stand ages is expected; "
            "set sources.cover.age.format or its path"
        )
    if not found:
        packed = any(place.glob("GFAD*.zip"))
        raise FileNotFoundError(
            f"{place} holds no stand ages ({', '.join(known[name].files for name in wanted)}); "
            + ("unpack GFAD_V1-1.zip" if packed else "put one there or set sources.cover.age.path")
        )
    return found[0]
