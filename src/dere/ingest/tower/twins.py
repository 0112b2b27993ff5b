"""One tower under two site codes: told by place and months, kept under the code of its newest processing.

A station that changes its code lies at one place, and the months that both codes report agree. Distance alone says
nothing: many sites have several masts within a kilometre. Two codes without enough common months (an old record until
one year, a new one from another) cannot be told from two masts that followed each other, and stay two sites with a
warning; neighbours share a fold, so nothing of one is tested by the other.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dere.ingest.distance import distance_km
from dere.ingest.tower.placement import Metadata
from dere.ingest.tower.record import SiteRecord

log = logging.getLogger(__name__)

NEAR_KM = 1.0
COMMON_MONTHS = 12
CORRELATION = 0.995
RMSE = 0.1
_LISTED = 10


class Agreement(NamedTuple):
    """How well NEE of two records agrees: common months, correlation (NaN where undefined), RMSE in gC m-2 d-1."""

    months: int
    correlation: float
    rmse: float

    @property
    def same(self) -> bool:
        """Whether both are records of one tower."""
        return self.months >= COMMON_MONTHS and self.correlation > CORRELATION and self.rmse < RMSE

    def __str__(self) -> str:
        """Words for messages and tables."""
        if not self.months:
            return "no common month"
        return f"{self.months} common months, correlation {self.correlation:.3f}, RMSE {self.rmse:.2f} gC m-2 d-1"


@dataclass(frozen=True)
class Twins:
    """Codes of one tower.

    Parameters
    ----------
    kept
        Other code to the one that the tower is kept under.
    reasons
        Other code to what shows that it is the same tower.
    """

    kept: Mapping[str, str]
    reasons: Mapping[str, str]

    def under_kept_code(self, record: SiteRecord) -> SiteRecord:
        """Record under the code of its tower; ``code`` is then what its file says."""
        return replace(record, site=self.kept[record.site], code=record.site) if record.site in self.kept else record

    def others(self, site: str) -> list[str]:
        """Other codes of a tower."""
        return sorted(other for other, kept in self.kept.items() if kept == site)

    def codes(self, record: SiteRecord) -> list[str]:
        """Codes of a record's tower, that of its file first."""
        own = record.code or record.site
        return [own, *(code for code in (record.site, *self.others(record.site)) if code != own)]


def agreement(one: SiteRecord, other: SiteRecord) -> Agreement:
    """Compare NEE of two records in the months that both report."""
    _, first, second = np.intersect1d(one.months, other.months, return_indices=True)
    a, b = _nee(one)[first], _nee(other)[second]
    both = np.isfinite(a) & np.isfinite(b)
    a, b = a[both], b[both]
    if not len(a):
        return Agreement(0, np.nan, np.nan)
    a_around, b_around = a - a.mean(), b - b.mean()
    spread = np.sqrt((a_around**2).sum() * (b_around**2).sum())
    correlation = float((a_around * b_around).sum() / spread) if spread > 0 else np.nan
    return Agreement(len(a), correlation, float(np.sqrt(((a - b) ** 2).mean())))


def find_twins(
    records: Sequence[SiteRecord], chosen: Mapping[str, SiteRecord], placed: Mapping[str, Metadata]
) -> Twins:
    """Codes whose places are within ``NEAR_KM`` and whose common months agree, and a line for those that do not.

    Parameters
    ----------
    records
        All records; of two codes any two records that agree show that they are one tower.
    chosen
        Newest processing of each code.
    placed
        Where each code is; others are left out.

    Returns
    -------
    Twins
        A tower keeps the code of its newest processing (of two alike the one that ends later, then has more months).
    """
    sites = sorted(placed)
    by_site = {site: [record for record in records if record.site == site] for site in sites}
    lat, lon = (np.array([getattr(placed[site], name) for site in sites]) for name in ("lat", "lon"))
    groups = {site: {site} for site in sites}
    same: dict[tuple[str, str], Agreement] = {}
    differ: list[str] = []
    unknown: list[str] = []
    for first, second in np.argwhere(np.triu(distance_km(lat, lon) <= NEAR_KM, 1)).tolist():
        a, b = sites[first], sites[second]
        found = [agreement(one, other) for one in by_site[a] for other in by_site[b]]
        best = min(found, key=lambda each: (not each.same, -each.months))
        if not best.same:
            (differ if best.months >= COMMON_MONTHS else unknown).append(f"{a} and {b} ({best})")
            continue
        same[a, b] = best
        together = groups[a] | groups[b]
        groups |= dict.fromkeys(together, together)
    kept: dict[str, str] = {}
    reasons: dict[str, str] = {}
    for site, group in groups.items():
        newest = max(group, key=lambda code: _newest(chosen[code]))
        if site != newest:
            kept[site] = newest
            reasons[site] = next(str(found) for pair, found in same.items() if site in pair)
    _report(kept, reasons, differ, unknown)
    return Twins(kept, reasons)


def _report(kept: Mapping[str, str], reasons: Mapping[str, str], differ: Sequence[str], unknown: Sequence[str]) -> None:
    """Log what was merged, what lies at one place and differs, and what cannot be told."""
    if kept:
        merged = [f"{other} is {code} ({reasons[other]})" for other, code in kept.items()]
        log.warning("%d site codes are other codes of one tower and merged with it: %s", len(kept), _some(merged))
    if differ:
        log.info("%d pairs of sites lie within %g km, but their months differ: %s", len(differ), NEAR_KM, _some(differ))
    if unknown:
        log.warning(
            "%d pairs of sites lie within %g km and have fewer than %d common months of NEE, so that nothing shows "
            "whether each is one tower under two codes; they stay apart, leave out the files of one code if it is: %s",
            len(unknown),
            NEAR_KM,
            COMMON_MONTHS,
            _some(unknown),
        )


def joined(site: str, placed: Mapping[str, Metadata], twins: Twins) -> Metadata:
    """Metadata of a tower: of the code it is kept under, what that lacks from its other codes."""
    about = placed[site]
    for other in twins.others(site):
        stated = placed[other]._asdict()
        about = about._replace(**{name: stated[name] for name, value in about._asdict().items() if _empty(value)})
    return about


def _empty(value: object) -> bool:
    """Whether a field of the metadata says nothing."""
    return value == "" or (isinstance(value, float) and np.isnan(value))


def _nee(record: SiteRecord) -> NDArray[np.float64]:
    """NEE of a record, (month,); NaN where it has none."""
    return record.values.get("nee", np.full(len(record.months), np.nan))


def _newest(record: SiteRecord) -> tuple[tuple[int, ...], int, int, str]:
    """Order of the codes of one tower."""
    return record.rank, int(record.months[-1]), int(np.isfinite(_nee(record)).sum()), record.site


def _some(pairs: Sequence[str]) -> str:
    """Name the first of a list."""
    rest = len(pairs) - _LISTED
    return "; ".join(pairs[:_LISTED]) + (f" and {rest} more" if rest > 0 else "")
