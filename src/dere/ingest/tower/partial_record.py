"""Records of formats that bring only some of a record's columns, from months or from finer steps.

The formats of this kind (ABCflux, CarbonSense, the Zarr store, FLUXNET-CH4, daily tables of single studies) have no
reanalysis columns and often no drivers at all. What a format lacks stays NaN. ``dere.harmonise.gaps`` then drops the
site with a sentence where the driver set is the towers' own (monthly8), and takes those of the covering cell where it
is carbonglobe136. Their ranks are negative, so that a monthly file of the ONEFlux family always comes first; among
themselves the one with the most complete drivers and a known quality is the larger.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dere.config.towers import TowerSource
from dere.ingest.possible import COUNT
from dere.ingest.quantities import FURTHER, SHARES
from dere.ingest.source import Product
from dere.ingest.tower.aggregate import full_steps, monthly_means
from dere.ingest.tower.canonical import check
from dere.ingest.tower.fluxnet_columns import FLUX_NAMES
from dere.ingest.tower.record import RECORD_VARIABLES, SiteRecord
from dere.ingest.tower.site_ids import resolved
from dere.ingest.tower.steps import Steps
from dere.ingest.tower.variants import partitionings

log = logging.getLogger(__name__)


class Origin(NamedTuple):
    """Where a record comes from: see :class:`dere.ingest.tower.record.SiteRecord`."""

    product: Product
    processing: str
    network: str
    source: str
    preference: int = 0


def rank_of(origin: Origin) -> tuple[int, ...]:
    """Rank of a record: that of its product, then the origin's own preference."""
    return (origin.product.rank, origin.preference, 0, 0, 0)


def partial_record(
    site: str,
    months: NDArray[np.int64],
    given: Mapping[str, NDArray[np.float64]],
    origin: Origin,
    place: tuple[float, float, str] = (float("nan"), float("nan"), ""),
    counts: Mapping[str, int] | None = None,
    config: TowerSource | None = None,
    diurnal: Mapping[str, NDArray[np.float64]] | None = None,
    utc_offset: float = float("nan"),
) -> SiteRecord:
    """Build and check a record from the columns that a format has.

    Parameters
    ----------
    site
        Site id; aliases are resolved here.
    months
        Month numbers, strictly increasing, shape (month,).
    given
        Values by name of ``RECORD_VARIABLES``, ``quantities.SHARES`` or ``quantities.FURTHER`` in canonical units,
        shape (month,); names of the first that are absent become NaN.
    origin
        Product, processing, network and file.
    place
        Latitude, longitude, IGBP class as far as the format says; NaN and empty otherwise.
    counts
        Oddities counted on reading.
    config
        Whose partitioning becomes the label; defaults when None.
    diurnal
        Mean diurnal cycles by name of ``record.DIURNAL_VARIABLES``, shape (month, 24).
    utc_offset
        Hours by which their clock is ahead of UTC, as far as the format says.

    Raises
    ------
    ValueError
        A unit that cannot be right by a column's median, or a quality outside 0 to 1.
    """
    unknown = set(given) - set(RECORD_VARIABLES) - set(SHARES) - set(FURTHER)
    assert not unknown, f"no record variables: {sorted(unknown)}"
    values = {name: np.full(len(months), np.nan) for name in RECORD_VARIABLES} | dict(given)
    breaches = check(given, origin.source, site=site)
    lat, lon, igbp = place
    return SiteRecord(
        site=resolved(site),
        months=months,
        values=values,
        product=origin.product.key,
        processing=origin.processing,
        rank=rank_of(origin),
        network=origin.network,
        source=origin.source,
        lat=lat,
        lon=lon,
        igbp=igbp,
        counts={**(counts or {}), "range_breaches": sum(breaches.values())},
        breaches=breaches,
        diurnal=dict(diurnal or {}),
        variant="",
        partitioning=label_partitioning(values, config or TowerSource()),
        utc_offset=utc_offset,
    )


def label_partitioning(values: Mapping[str, NDArray[np.float64]], config: TowerSource) -> str:
    """Partitioning of the label, "nt" or "dt": the wanted one, else (with ``fallback: all``) one that has months."""
    for name in partitionings(config):
        if (np.isfinite(values["nee"]) & np.isfinite(values[f"gpp_{name}"])).any():
            return name
    return config.partitioning


def monthly_columns(
    steps: Steps,
    columns: Mapping[str, NDArray[np.float64]],
    minimum_coverage: float,
    shares: Sequence[str] = (),
) -> tuple[NDArray[np.int64], dict[str, NDArray[np.float64]]]:
    """Monthly means of columns of finer steps.

    Parameters
    ----------
    steps
        Month of each step.
    columns
        Values by name, shape (step,), NaN missing; means are taken over the finite steps of a month.
    minimum_coverage
        Months with a smaller share of finite steps are NaN.
    shares
        Names whose values are 1 (good), 0 or NaN: their monthly value is the sum over all steps that the complete month
        has, so that a missing step counts as not good.

    Returns
    -------
    tuple
        Distinct months ascending, and the means by name, each of shape (month,).
    """
    distinct = np.unique(steps.month)
    full = full_steps(distinct, steps.per_day)
    means: dict[str, NDArray[np.float64]] = {}
    for name, values in columns.items():
        if name in shares:
            _, mean, coverage = monthly_means(steps.month, values, full, 0.0)
            means[name] = np.where(coverage > 0, np.nan_to_num(mean) * coverage, 0.0)
        else:
            _, means[name], _ = monthly_means(steps.month, values, full, minimum_coverage)
    return distinct, means


def in_record(
    months: NDArray[np.int64], means: Mapping[str, NDArray[np.float64]], needed: Sequence[str] = FLUX_NAMES
) -> tuple[NDArray[np.int64], dict[str, NDArray[np.float64]]]:
    """Cut leading and trailing months without any flux; months missing in between stay."""
    present = np.any([np.isfinite(means[name]) for name in needed if name in means], axis=0)
    if not present.any():
        return months[:0], {name: values[:0] for name, values in means.items()}
    first, last = np.flatnonzero(present)[[0, -1]]
    chosen = slice(first, last + 1)
    return months[chosen], {name: values[chosen] for name, values in means.items()}


def warn_counts(counts: Mapping[str, int], source: str) -> None:
    """Log what was found odd in one file, one line; impossible values have lines of their own."""
    odd = {name: number for name, number in counts.items() if number and not name.startswith(COUNT)}
    if odd:
        log.warning("%s: %s", source, ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in odd.items()))
