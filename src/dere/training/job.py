"""What a stage needs to be fitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from dere.config.network import NetworkConfig
from dere.config.windows import WindowConfig
from dere.exchange import Exchange
from dere.training.fitted import Fitted


@dataclass(frozen=True)
class Network:
    """A sequence network: its name and its size."""

    name: str
    size: NetworkConfig


@dataclass(frozen=True)
class Job:
    """One stage of one fold and seed.

    Parameters
    ----------
    stage
        Name of the stage.
    exchange
        What is predicted.
    files
        Canonical files by name, as far as the stage reads them: drivers, simulation, cover, towers, splits,
        statistics, labels.
    roles
        Split table with the role of each member in this fold.
    split
        Hash of the split table.
    parents
        What earlier stages left behind, by stage.
    section
        Settings of the stage, a configuration section of its own type; None where it has none.
    windows
        How places are cut into windows, which channels they have, and which months are labels.
    network
        Sequence network; None for a stage without one.
    fold, seed
        Fold and seed.
    members
        How many networks or trees it is fitted as; more than one leave out some of the towers each
        (`dere.training.membership`).
    gpu
        Granted devices; 0 = compute on the CPU.
    scratch
        Folder for the state of an unfinished run, and for what does not fit the memory.
    memory
        Bytes that the job may use; None = everything fits. It changes no result.
    identity
        Hash of everything that must be equal for an unfinished run to be continued.
    recorded
        What the checkpoint says of where it comes from: parameters, parents.
    """

    stage: str
    exchange: Exchange
    files: Mapping[str, Path]
    roles: pd.DataFrame
    split: str
    parents: Mapping[str, Fitted]
    section: Any
    windows: WindowConfig
    network: Network | None
    fold: int
    seed: int
    members: int = 1
    gpu: int = 0
    scratch: Path = Path()
    memory: int | None = None
    identity: str = ""
    recorded: Mapping[str, Any] = field(default_factory=dict)

    def allowed(self, *roles: str) -> list[str]:
        """Ids of the sites in one of ``roles``: whose labels the stage may use."""
        chosen = (self.roles["kind"] == "site") & self.roles["role"].isin(list(roles))
        return self.roles.loc[chosen, "id"].astype(str).tolist()
