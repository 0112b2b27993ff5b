"""A run that lies in a folder: its configuration, canonical data, predictions and scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from dere import exchange as exchanges
from dere.api.configuration import read_configuration
from dere.api.files import require_this_version
from dere.api.known import read_known_sites
from dere.api.model import Model, over_parts, read_model
from dere.api.overview import overview
from dere.api.place import place_of
from dere.api.tables import Tables
from dere.exchange import DEFAULT, Exchange
from dere.io import file_sha256, read_netcdf
from dere.methods import Method, in_run, methods, stages
from dere.run_config.compose import composed
from dere.run_config.run import RunConfig
from dere.workflow import layout, targets
from dere.workflow.members import read_splits


def open_run(path: str | Path, exchange: str = DEFAULT) -> Run:
    """Open the folder of a run; nothing but its configuration is read before it is asked for.

    Parameters
    ----------
    path
        ``results/<run>``, as the pipeline makes it. What a run needs is its ``config.yaml``; a folder with
        ``data/`` and a file that states only what differs from the defaults will do.
    exchange
        What is predicted; the files of another than ``co2`` lie in a folder of its own there.

    Returns
    -------
    Run
        Canonical data and predictions as xarray, tables as pandas.

    Raises
    ------
    FileNotFoundError
        When the folder or its configuration does not exist.
    ValueError
        One sentence per wrong key or value of the configuration; an exchange that the run lacks.

    Examples
    --------
    >>> run = dere.open_run("results/demo")  # doctest: +SKIP
    >>> run.skill.query("method == 'dere' and scale == 'monthly'")  # doctest: +SKIP
    """
    folder = Path(path)
    tree = read_configuration(folder)
    if exchange not in tree["exchanges"]:
        raise ValueError(
            f"{folder / layout.CONFIGURATION} has the exchanges {', '.join(tree['exchanges'])}, but {exchange} is "
            "asked for; choose one of them, or add it to the run"
        )
    return Run(folder, tree, exchanges.get(exchange))


@dataclass(frozen=True)
class Run:
    """A run; see `open_run`.

    Parameters
    ----------
    folder
        ``results/<run>``.
    tree
        Complete configuration as plain values.
    exchange
        What is predicted.
    """

    folder: Path
    tree: Mapping[str, Any]
    exchange: Exchange

    @cached_property
    def config(self) -> RunConfig:
        """The configuration, validated: ``run.config.stages.baseline.epochs``."""
        return composed()(**self.tree)

    @property
    def name(self) -> str:
        """Name of the run."""
        return str(self.tree["run"])

    @property
    def methods(self) -> tuple[str, ...]:
        """Methods of the run that predict the exchange."""
        return tuple(method.name for method in targets.methods_of(self.tree, self.exchange.name))

    @property
    def drivers(self) -> xr.Dataset:
        """Canonical drivers of all cells, lazily; dimensions cell, time and more (``docs/data.md``)."""
        return self._open("drivers")

    @property
    def simulation(self) -> xr.Dataset:
        """Simulated states (cell, stand, age, time, target), lazily."""
        return self._open("simulation")

    @property
    def cover(self) -> xr.Dataset:
        """Observed plant types and stand ages of all cells, lazily."""
        return self._open("cover")

    @property
    def towers(self) -> xr.Dataset:
        """Towers with fluxes, labels, drivers and attributes, lazily."""
        return self._open("towers")

    @property
    def splits(self) -> pd.DataFrame:
        """Cluster and fold of every site and cell."""
        return read_splits(self.canonical("splits"))

    @property
    def split(self) -> str:
        """Hash of the split table: predictions of another one are not compared with this run's."""
        known = self.folder / layout.KNOWN_SITES
        if self.exchange.name == DEFAULT and known.exists() and not (self.folder / self._splits).exists():
            # a copy without the data
            return str(self.known_sites.attrs["split"])
        return file_sha256(self.canonical("splits"))

    @property
    def _splits(self) -> str:
        return layout.canonical(self.exchange.name)["splits"]

    @cached_property
    def known_sites(self) -> xr.Dataset:
        """What goes with the models: the sites that they know, and the drivers that they have learned from.

        Of a run that an older version made, it is made from the data.

        Raises
        ------
        FileNotFoundError
            When neither it nor the data are there.
        """
        return read_known_sites(self)

    @property
    def truth(self) -> xr.Dataset | None:
        """True fluxes of the built-in world; None in a run without."""
        path = self.folder / layout.TRUTH
        return read_netcdf(path, load=False) if self.exchange.name == DEFAULT and path.exists() else None

    @property
    def skill(self) -> pd.DataFrame:
        """``skill.csv``: scores over towers, by method, flux, scale and group."""
        return self.tables["skill"]

    @property
    def site_skill(self) -> pd.DataFrame:
        """``site_skill.csv``: scores of every tower."""
        return self.tables["site_skill"]

    @cached_property
    def tables(self) -> Tables:
        """Every table of the run by name, read when it is asked for."""
        return Tables(self.folder / Path(layout.table(self.exchange.name, "skill")).parent)

    def predictions(
        self,
        method: str,
        backbone: str | None = None,
        fold: int | None = None,
        seed: int | None = None,
        *,
        cells: bool = False,
    ) -> xr.Dataset:
        """Return what a method predicts at every site, with the ``role`` of each, or in all cells, lazily.

        Parameters
        ----------
        method
            Name of the method.
        backbone, fold, seed
            The first of the run by default; a method without a network has none.
        cells
            Maps in place of sites.

        Returns
        -------
        Dataset
            ``prediction(site, time, flux)``, ``std`` and ``quantile_value``.
        """
        place = place_of(self.tree, self.method(method), backbone, fold, seed)
        path = layout.predictions(self.exchange.name, method, cells).format(**place)
        return read_netcdf(self.made(path, f"{'map' if cells else 'predict'}_{method}"), load=False)

    def ensemble(self, method: str, backbone: str | None = None) -> xr.Dataset:
        """Return the mean prediction of a method over folds and seeds at sites, lazily."""
        place = place_of(self.tree, self.method(method), backbone)
        path = layout.ensemble(self.exchange.name, f"{method}/{place['backbone']}")
        return read_netcdf(self.made(path, "ensemble"), load=False)

    def fitted(
        self, method: str, backbone: str | None = None, fold: int | None = None, seed: int | None = None
    ) -> Model:
        """Return what the pipeline has fitted, for `dere.predict`; `predictions` explains the parameters.

        Raises
        ------
        FileNotFoundError
            When a stage was not fitted; names the rule that does it.
        ValueError
            When a checkpoint is damaged, or belongs to another split.
        """
        declared = self.method(method)
        place = place_of(self.tree, declared, backbone, fold, seed)
        if declared.parts:
            on = targets.parts_of(declared, str(place["backbone"]))
            parts = {part: self.fitted(part, own, fold, seed) for part, own in on.items()}
            return over_parts(declared, self.exchange, place, parts)
        folders = {}
        for stage in (stages()[name] for name in declared.predicts_from):
            of_stage = {**place, "backbone": targets.backbone_of(stage, str(place["backbone"]))}
            path = layout.checkpoint(self.exchange.name, stage.name).format(**of_stage)
            folders[stage.name] = self.made(f"{path}/{layout.CHECKPOINT['manifest']}", f"train_{stage.name}").parent
        return read_model(declared, self.exchange, place, self.tree, self.split, folders)

    def method(self, name: str) -> Method:
        """Return the declaration of a method.

        Raises
        ------
        ValueError
            When there is none of that name, or it does not predict the run's exchange.
        """
        all_of_them = [in_run(each, self.tree) for each in methods()]
        known = {method.name: method for method in all_of_them if method.serves(self.exchange.name)}
        if name not in known:
            raise ValueError(
                f"{name} is no method that predicts {self.exchange.name}; choose from {', '.join(known)}, or bring it "
                "in by plugins or dere.register_method"
            )
        return known[name]

    def canonical(self, name: str, fold: int = 0, seed: int = 0) -> Path:
        """Return a canonical file (``drivers``, ``towers``, ``splits``, ``statistics``, ``labels`` ...).

        Raises
        ------
        FileNotFoundError
            When it does not exist; names the rule that makes it.
        ValueError
            When there is none of that name, or another version of the package wrote the towers.
        """
        known = layout.canonical(self.exchange.name)
        if name not in known:
            raise ValueError(f"{name} is no canonical file; choose from {', '.join(known)}")
        path = known[name].format(fold=fold, seed=seed)
        rule = {"statistics": "statistics", "labels": "impute_labels"}.get(name, "harmonise")
        found = self.made(path, rule, DEFAULT if name in layout.SHARED else None)
        if name == "towers":
            require_this_version(found)
        return found

    def made(self, path: str, rule: str, exchange: str | None = None) -> Path:
        """Return a file of the run, made by ``rule`` of an exchange (None = the opened one).

        Raises
        ------
        FileNotFoundError
            When it does not exist; names the rule that makes it.
        """
        found = self.folder / path
        if not found.exists():
            rule += targets.suffix(exchange or self.exchange.name)
            raise FileNotFoundError(
                f"{found} does not exist; rule {rule} makes it: snakemake {found}, with the --configfile of the run"
            )
        return found

    def __getstate__(self) -> dict[str, Any]:
        # what is remembered is made anew: the model of a configuration has no module that could be pickled
        return {name: vars(self)[name] for name in ("folder", "tree", "exchange")}

    def _open(self, name: str) -> xr.Dataset:
        return read_netcdf(self.canonical(name), load=False)

    def __repr__(self) -> str:
        return overview(self)
