"""A fault of one site costs that site: its sentence is kept, the others are read."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

from dere.ingest.limits import BeyondLimit
from dere.ingest.tower.site_ids import codes_in, resolved
from dere.raised import raised_by_package

log = logging.getLogger(__name__)

T = TypeVar("T")
_SITES_OF_ALL = "AA-"
"""Country of the names of tables that speak of all sites ("FLX_AA-Flx_BIF_...")."""


class SiteFault(NamedTuple):
    """Why a site, or a file of it, cannot be used.

    Parameters
    ----------
    site
        Its id; empty where the file does not say.
    sentence
        What is wrong, with file, value, expectation and remedy.
    """

    site: str
    sentence: str


@contextmanager
def fault_of(site: str, faults: list[SiteFault]) -> Iterator[None]:
    """Keep the sentence that ends the block as a fault of a site; limits and errors of other packages pass."""
    try:
        yield
    except BeyondLimit:
        raise
    except (ValueError, FileNotFoundError) as error:
        if not raised_by_package(error.__traceback__):
            raise
        faults.append(SiteFault(site, str(error)))


def each_site(sites: Iterable[str], read: Callable[[str], Sequence[T]]) -> list[T | SiteFault]:
    """Read the sites of one file; a site whose reading ends in a sentence is a fault.

    Raises
    ------
    ValueError
        When every site is at fault: it is the file, then, and the first sentence says what is wrong.
    """
    found: list[T | SiteFault] = []
    faults: list[SiteFault] = []
    for site in sites:
        with fault_of(resolved(site), faults):
            found += read(site)
    if faults and not found:
        raise ValueError(faults[0].sentence)
    return found + faults


def site_of(name: str) -> str:
    """Site that a file's name speaks of; empty where it names none, several or all."""
    named = set(codes_in(name))
    if len(named) != 1 or (code := named.pop()).startswith(_SITES_OF_ALL):
        return ""
    return resolved(code)


def warn_dropped(dropped: Mapping[str, str], lost: Sequence[SiteFault], sites: int) -> None:
    """Log every fault, and how many of ``sites`` it costs.

    Parameters
    ----------
    dropped
        Site to the sentence that says why it is dropped.
    lost
        Faults of files whose site has others, or is not known.
    sites
        Sites that any file names.
    """
    for fault in lost:
        log.warning("%s; the file is dropped", fault.sentence)
    for site, sentence in dropped.items():
        log.warning("%s; site %s is dropped", sentence, site)
    if dropped:
        log.warning("%d of %d sites are dropped for faults: %s", len(dropped), sites, ", ".join(dropped))


def no_site_left(sentences: Sequence[str]) -> str:
    """Sentence of a run that no site is left to: that of the only fault, or the first of all."""
    rest = len(sentences) - 1
    if not rest:
        return sentences[0]
    return f"{sentences[0]}; no site is left, {rest} more {'fault is' if rest == 1 else 'faults are'} listed above"
