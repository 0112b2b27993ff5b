"""How errors of places go together: towers of one cluster, of one region, of one climate, and all of them.

The error of a tower is a sum of what it has in common with all others, with those of its climate, of its region, with
its neighbours, and what is its own alone. The shares follow from mean products of standardised mean residuals of pairs
of towers. Two things that single towers do not need depend on them. A grid cell is a mean over many places, in which
what each has of its own averages out, so that its error is smaller than a tower's. And errors of a sum over cells do
not average out: what is common stays, at least as much as the mean error of the towers of a climate is uncertain, which
is one over the number of their clusters.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.climates import main_climates
from dere.harmonise.axis import month_number, monthly_climatology

Array = NDArray[np.float64]

ZONES = ("A", "B", "C", "D", "E", "")
"""Main climates (Koeppen), and unknown."""
CLIMATE = ("air_temperature", "precipitation")
"""Drivers that tell climates apart."""
DAYS = 30.4
"""Days of a month."""
BLOCK_DEGREES = (10.0, 20.0)
"""Height and width of a region in latitude and longitude."""
EXPECTED = (0.5, 0.15, 0.05, 0.0)
"""Correlations that few pairs are drawn to: neighbours, region, climate, everywhere."""
EXPECTED_PAIRS = (10.0, 30.0, 100.0, 100.0)
"""Pairs of clusters that these count as."""
FURTHEST = 3.0
"""Standard deviations that a tower counts as at most."""


class Neighbours(NamedTuple):
    """Correlations of the errors of two places.

    Parameters
    ----------
    same
        (4,) neighbours, same region, same climate, any; falling.
    clusters
        (zone,) clusters of towers in each of ``ZONES``.
    """

    same: Array
    clusters: Array

    @property
    def of_cell(self) -> float:
        """Share of a tower's variance that a cell has."""
        return float(self.same[0])

    def shared(self) -> tuple[Array, Array, float]:
        """Correlations of two cells: of one region (zone,), of one climate (zone,), of any climates.

        None is smaller than the uncertainty of the mean error of the towers that say so.
        """
        floor = 1.0 / np.maximum(self.clusters, 1.0)
        anywhere = max(float(self.same[3]), 1.0 / max(float(self.clusters.sum()), 1.0))
        zone = np.maximum(np.maximum(self.same[2], anywhere), floor)
        block = np.maximum(self.same[1], zone)
        found = (np.minimum(values / max(self.of_cell, 1e-6), 1.0) for values in (block, zone, np.array([anywhere])))
        block, zone, every = found
        return block, zone, float(every[0])


class Regions(NamedTuple):
    """Where places lie.

    Parameters
    ----------
    zone
        (place,) from `zone_codes`.
    block
        (place,) from `blocks`.
    """

    zone: NDArray[np.int64]
    block: NDArray[np.int64]

    def take(self, rows: NDArray[np.bool_]) -> Regions:
        """Return some places."""
        return Regions(self.zone[rows], self.block[rows])


ALONE = Neighbours(np.array(EXPECTED), np.zeros(len(ZONES)))
"""Where nothing is known of places."""


def zone_codes(main: NDArray[np.str_]) -> NDArray[np.int64]:
    """Positions in ``ZONES`` of main climates."""
    return np.array([ZONES.index(name) for name in np.asarray(main).astype(str).tolist()], dtype=np.int64)


def blocks(lat: Array, lon: Array) -> NDArray[np.int64]:
    """Number of the region that holds each place."""
    rows = np.floor((np.asarray(lat) + 90.0) / BLOCK_DEGREES[0]).astype(np.int64)
    columns = np.floor((np.asarray(lon) % 360.0) / BLOCK_DEGREES[1]).astype(np.int64)
    return rows * 1000 + columns


def regions(
    temperature: NDArray[np.floating], precipitation: NDArray[np.floating], month: NDArray, lat: Array, lon: Array
) -> Regions:
    """Climates and regions of places.

    Parameters
    ----------
    temperature, precipitation
        (place, time) degC and mm d-1; NaN where there is none.
    month
        (time,) calendar month, 0-11.
    lat, lon
        (place,) degrees.
    """
    cycle, rain = monthly_climatology(temperature, month), monthly_climatology(precipitation, month) * DAYS
    return Regions(zone_codes(main_climates(cycle, rain, np.asarray(lat))), blocks(lat, lon))


def regions_of(dataset: xr.Dataset, place: str) -> Regions:
    """Climates and regions of the sites or cells of a dataset; of unknown climate without temperature and rain."""
    lat, lon = dataset["lat"].values, dataset["lon"].values
    if not all(name in dataset for name in CLIMATE):
        return Regions(zone_codes(np.full(len(lat), "")), blocks(lat, lon))
    temperature, precipitation = (dataset[name].transpose(place, "time").values for name in CLIMATE)
    return regions(temperature, precipitation, month_number(dataset["time"].values) % 12, lat, lon)


def fit_neighbours(
    standard: Array, cluster: NDArray[np.str_], zone: NDArray[np.int64], block: NDArray[np.int64]
) -> Neighbours:
    """Fit to the mean standardised residuals of towers, each predicted without its cluster.

    Parameters
    ----------
    standard
        (tower, flux) mean over months of the standardised residuals; NaN where there is none.
    cluster
        (tower,) names.
    zone
        (tower,) from `zone_codes`.
    block
        (tower,) from `blocks`.
    """
    _, code = np.unique(cluster, return_inverse=True)
    known = np.isfinite(standard)
    root = np.sqrt((np.where(known, standard, 0.0) ** 2).sum(0) / np.maximum(known.sum(0), 1))
    values = np.clip(np.where(known, standard, 0.0) / np.where(root > 0, root, 1.0), -FURTHEST, FURTHEST)
    together = np.einsum("if,jf->ij", values, values)
    count = np.einsum("if,jf->ij", known.astype(float), known.astype(float))
    # all pairs of towers of two clusters count as one; a cluster of n towers has n - 1 pairs of neighbours to tell of
    size = np.bincount(code)[code].astype(float)
    one = code[:, None] == code
    pair = np.where(one, 2.0 / size, 1.0 / np.outer(size, size)) * (count > 0)
    product = together / np.maximum(count, 1.0)
    near, alike = block[:, None] == block, zone[:, None] == zone
    other = ~np.eye(len(code), dtype=bool)
    masks = (one & other, ~one & near, ~one & ~near & alike, ~one & ~near & ~alike)
    same = []
    for mask, expected, pairs in zip(masks, EXPECTED, EXPECTED_PAIRS, strict=True):
        heed = pair * mask
        total = heed.sum() / 2
        same.append((float((heed * product).sum()) / 2 + pairs * expected) / (total + pairs))
    clusters = np.array([len(np.unique(code[zone == number])) for number in range(len(ZONES))], float)
    rising = np.maximum.accumulate(np.clip(same[::-1], 0.0, 1.0))
    return Neighbours(rising[::-1].copy(), clusters)
