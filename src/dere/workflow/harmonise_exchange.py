"""Read the canonical towers and splits, write those of a further exchange."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from dere.config.harmonise import HarmoniseConfig
from dere.config.splits import SplitsConfig
from dere.exchange import get
from dere.harmonise.further_exchange import further_exchange
from dere.harmonise.given_states import given, given_simulation, with_given_states, without_cells
from dere.harmonise.origin import derived_attributes
from dere.harmonise.outcome import outcome
from dere.harmonise.own_states import own_simulation, with_own_states
from dere.io import content_hash, file_sha256, read_netcdf, write_json, write_netcdf, write_table
from dere.workflow.members import read_splits
from dere.workflow.script import announce


def harmonise_exchange_files(
    files: Mapping[str, Path], folder: Path, params: Mapping[str, Any], code: str = "", memory: int | None = None
) -> None:
    """Write ``towers.nc``, ``splits.csv``, ``splits.json`` and ``counts.csv`` of a further exchange.

    One that makes its states itself also gets ``simulation.nc``.

    Parameters
    ----------
    files
        ``towers`` and ``splits`` of the canonical set, ``interim`` towers; ``drivers`` and ``simulation`` of the
        canonical set where the exchange makes its states itself, and ``given`` where files bring them.
    folder
        Gets the files.
    params
        ``exchange`` by name; sub-trees ``harmonise`` and ``splits``.
    code
        Digest of the rule's code, which every file states.
    memory
        Bytes that the job may use; None = everything fits.

    Raises
    ------
    ValueError
        As `dere.exchange.get` and `dere.harmonise.further_exchange.further_exchange`.
    """
    exchange = get(params["exchange"])
    towers = read_netcdf(files["towers"])
    found = given(read_netcdf(files["given"]), exchange) if "given" in files else None
    states = partial(with_given_states, found) if found else with_own_states
    made = further_exchange(
        towers,
        read_netcdf(files["interim"]),
        read_splits(files["splits"]),
        exchange,
        HarmoniseConfig(**params["harmonise"]),
        SplitsConfig(**params["splits"]),
        states,
    )
    table = made.splits
    hashes = code, content_hash(params)

    def about(what: str) -> dict[str, str]:
        return derived_attributes(f"{what} of exchange {exchange.name}", "harmonise_exchange", *hashes, [towers.attrs])

    write_netcdf(made.towers.assign_attrs(about("Towers")), folder / "towers.nc")
    if exchange.simulate:
        drivers, simulation = (read_netcdf(files[name], memory=memory) for name in ("drivers", "simulation"))
        if found is None:
            own = own_simulation(drivers, simulation, exchange)
        else:
            own = given_simulation(drivers, simulation, found, exchange)
            table = without_cells(table, own)
        write_netcdf(own.assign_attrs(about("Simulation")), folder / "simulation.nc", compress=False)
    write_table(made.counts, folder / "counts.csv")
    splits = write_table(table, folder / "splits.csv")
    write_json({"file": "splits.csv", "sha256": file_sha256(splits), **about("Splits")}, folder / "splits.json")
    if line := outcome(made.counts, made.towers):
        announce(line)
