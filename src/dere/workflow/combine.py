"""Predictions of a method over methods, from the prediction files of its parts."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere import exchange as exchanges
from dere import plugins
from dere.cell_files import part_of, state_of, write_in_blocks
from dere.exchange import Exchange
from dere.harmonise.site_roles import COORDINATE, SEEN
from dere.ingest.alignment import require_same_axes
from dere.intervals.calibrator import Calibrator
from dere.intervals.driver_distance import DISTANCE, INDEX, read_learned
from dere.intervals.fitting import fitted as fitted_errors
from dere.intervals.neighbours import regions_of
from dere.intervals.spread import Of, of_places
from dere.intervals.stated import read_stated, stated
from dere.invented import invented_sources, marked
from dere.io import file_sha256, read_netcdf, write_netcdf
from dere.methods.base import Method, found_in, resolved
from dere.training.prediction import HELD_OUT, MEMBERS, prediction_dataset
from dere.training.read_places import label_uncertainty, site_labels
from dere.workflow.members import read_roles
from dere.workflow.rule_job import RuleJob

log = logging.getLogger(__name__)

Parts = Mapping[str, xr.Dataset]
PART = "part_"
"""Beginning of the name of the input that holds the predictions of a part."""
DIMS = ("time", "flux")
SAME = ("split", "fold", "seed")
"""Attributes in which the files of all parts agree."""


@dataclass(frozen=True)
class Combination:
    """A method over methods, and what its prediction files say of themselves.

    Parameters
    ----------
    method, exchange, backbone
        What combines what, on which sequence network (``none`` where no part has one).
    split, fold, seed
        Of the parts.
    """

    method: Method
    exchange: Exchange
    backbone: str
    split: str
    fold: int
    seed: int

    def sites(self, parts: Parts, towers: xr.Dataset, cluster: NDArray[np.str_], minimum_quality: float) -> xr.Dataset:
        """Combine predictions at sites; the spread comes from towers that no part saw when it predicted them.

        A part without such predictions (a single tree model, which brings intervals of its own) is not in the mean
        whose errors make the spread; fewer parts err rather more.

        Parameters
        ----------
        parts
            Prediction files of the same fold and seed, by method.
        towers
            ``data/towers.nc``; only labels of towers that the parts may learn from are looked at.
        cluster
            (site,) cluster of each site of the parts' files.
        minimum_quality
            Labels of lower quality do not count.

        Raises
        ------
        ValueError
            When the files do not belong together, no part has such predictions, or there are too few labelled months
            for a spread.
        """
        self.require_alike(parts, "site")
        held_out = self._held_out(parts)
        first = next(iter(parts.values()))
        ids = first["site"].values.astype(str)
        towers = towers.sel(site=ids)
        uncertainty = label_uncertainty(towers, self.exchange)
        labels = _labels_where(held_out, ids, towers, minimum_quality, self.exchange)
        judged = first[COORDINATE].values.astype(str) != SEEN
        errors = fitted_errors(
            held_out,
            labels,
            uncertainty,
            cluster,
            _distance(parts),
            self._members(parts, judged),
            self.exchange,
            regions_of(towers, "site"),
        )
        made = self._dataset(parts, "site", ids, errors, _distance(parts), "label", held_out)
        learned = read_learned(first)
        made = made if learned is None else made.assign(learned.variables())
        return made.assign_coords({COORDINATE: first[COORDINATE]})

    def cells(self, parts: Parts, sites: Mapping[str, Any]) -> xr.Dataset:
        """Combine predictions in cells; ``sites`` are the attributes of the file at sites, its error model."""
        self.require_alike(parts, "cell")
        ids = next(iter(parts.values()))["cell"].values
        return self._dataset(parts, "cell", ids, read_stated(sites, self.exchange), _distance(parts), "cell")

    def places(
        self,
        parts: Parts,
        sites: Mapping[str, Any] | None = None,
        distance: NDArray[np.float64] | None = None,
        kind: str = "site",
        index: NDArray[np.float64] | None = None,
    ) -> xr.Dataset:
        """Combine predictions at places of one's own; ``sites`` as in `cells`, None = without a spread."""
        self.require_alike(parts, kind)
        errors = None if sites is None else read_stated(sites, self.exchange)
        ids = next(iter(parts.values()))[kind].values
        return self._dataset(parts, kind, ids, errors, distance, "truth" if kind == "site" else "cell", index=index)

    def _members(self, parts: Parts, judged: NDArray[np.bool_]) -> NDArray[np.float64] | None:
        """(member, site, time, flux) at the sites that no part has seen: members of the parts by their number."""
        known = {name: part for name, part in parts.items() if HELD_OUT in part}
        if not all(MEMBERS in part for part in known.values()) or not judged.any():
            return None
        fewest = min(part.sizes["member"] for part in known.values())
        some = {name: part[[MEMBERS]].isel(site=judged) for name, part in known.items()}
        each = ({name: part.isel(member=number) for name, part in some.items()} for number in range(fewest))
        return np.stack([self._mean(one, "site", MEMBERS) for one in each])

    def _held_out(self, parts: Parts) -> NDArray[np.float64]:
        """(site, time, flux); NaN where any part that has such predictions at all has none."""
        known = {name: part for name, part in parts.items() if HELD_OUT in part}
        if not known:
            raise ValueError(
                f"{self.method.name}: none of {', '.join(parts)} predicts towers that it learned from without them "
                f"({HELD_OUT}), so that its spread is unknown; add a part that does, for example a network method"
            )
        return self._mean(known, "site", HELD_OUT)

    def _mean(self, parts: Parts, place: str, variable: str = "prediction") -> NDArray[np.float64]:
        """(place, time, flux) of the whole; NaN where any part has none."""
        flux = list(self.exchange.names)
        values = {
            name: part[variable].sel(flux=flux).transpose(place, *DIMS).values.astype(np.float64)
            for name, part in parts.items()
        }
        combined: NDArray[np.float64] = resolved(self.method.combine)(values, self.exchange)
        return combined

    def _dataset(
        self,
        parts: Parts,
        place: str,
        ids: NDArray[Any],
        errors: Calibrator | None,
        distance: NDArray[np.float64] | None,
        of: Of,
        held_out: NDArray[np.float64] | None = None,
        index: NDArray[np.float64] | None = None,
    ) -> xr.Dataset:
        mean = self._mean(parts, place)
        first = next(iter(parts.values()))
        attrs = {
            "method": self.method.name,
            "backbone": self.backbone,
            "fold": self.fold,
            "seed": self.seed,
            "split": self.split,
            "parts": list(parts),
            **(stated(errors) if errors else {}),
        }
        # of cells: the same for all parts, which have learned from the same towers
        index = next((part[INDEX].values for part in parts.values() if INDEX in part), index)
        extras = of_places(mean, errors, place, of, distance, index)
        record = np.asarray(np.isfinite(mean).all(-1))
        axes = (place, ids, first["time"].values, record)
        made = prediction_dataset(mean, extras, self.exchange, *axes, attrs, held_out=held_out)
        log.info("%s: %s, %d places", self.method.name, ", ".join(parts), len(ids))
        return made.assign_attrs(marked(invented_sources(part.attrs for part in parts.values())))

    def require_alike(self, parts: Parts, place: str) -> None:
        """Refuse files of parts that do not belong together; ``place`` is their dimension."""
        require_same_axes({f"predictions of {name}": part for name, part in parts.items()}, (place, *DIMS))
        own = {name: getattr(self, name) for name in SAME}
        for name, part in parts.items():
            for key, wanted in own.items():
                if str(part.attrs.get(key)) != str(wanted):
                    raise ValueError(
                        f"predictions of {name}: {key} is {part.attrs.get(key)}, but {self.method.name} combines "
                        f"predictions of {key} {wanted}; predict by {name} again"
                    )


def _labels_where(
    held_out: NDArray[np.float64], ids: NDArray[np.str_], towers: xr.Dataset, quality: float, exchange: Exchange
) -> NDArray[np.floating]:
    """Labels (site, time, flux) of the sites that have held-out predictions; NaN elsewhere."""
    known = np.isfinite(held_out).all(-1).any(-1)
    labels = site_labels(towers, ids[known].tolist(), quality, exchange).flux
    return np.where(np.isfinite(held_out), labels, np.nan)


def _distance(parts: Parts) -> NDArray[np.float64] | None:
    """Distance of places in driver space, the same for all parts; None where none knows it."""
    known = (part[DISTANCE].values for part in parts.values() if DISTANCE in part)
    return next(known, None)


def combine_sites(rule: RuleJob) -> None:
    """Write the combination at sites for the job of a rule."""
    parts = _parts(rule)
    cluster = clusters_of(read_roles(rule.files["splits"], rule.fold), next(iter(parts.values())))
    towers, quality = read_netcdf(rule.files["towers"]), float(rule.params["quality"])
    write_netcdf(_combination(rule).sites(parts, towers, cluster, quality), rule.output)


def clusters_of(members: pd.DataFrame, file: xr.Dataset) -> NDArray[np.str_]:
    """Cluster (site,) of the sites of a prediction file, by the split table."""
    own = members[members["kind"] == "site"].drop_duplicates("id").set_index("id")["cluster"]
    return own.reindex(file["site"].values.astype(str)).fillna("").to_numpy(str)


def combine_cells(rule: RuleJob) -> None:
    """Write the combination in cells for the job of a rule, block by block; the spread is that of its ``sites``."""
    with read_netcdf(rule.files["sites"], load=False) as sites:
        stated_there = sites.attrs
    own, parts = _combination(rule), _parts(rule, load=False)
    own.require_alike(parts, "cell")
    identity = [rule.name, rule.exchange, rule.params, rule.code, own.split, state_of(rule.files.values())]
    cells = next(iter(parts.values())).sizes["cell"]
    write_in_blocks(rule.output, cells, lambda rows: own.cells(part_of(parts, rows), stated_there), identity)


def _combination(rule: RuleJob) -> Combination:
    plugins.load(rule.plugins)
    return Combination(
        method=found_in(rule.room, "METHODS", rule.name),
        exchange=exchanges.get(rule.exchange),
        backbone=str(rule.params["backbone_name"]),
        split=file_sha256(rule.files["splits"]),
        fold=rule.fold,
        seed=rule.seed,
    )


def _parts(rule: RuleJob, load: bool = True) -> dict[str, xr.Dataset]:
    """Prediction files by part, in the order of the configuration."""
    files: Mapping[str, Path] = rule.files
    return {name: read_netcdf(files[f"{PART}{name}"], load=load) for name in rule.params["parts"]}
