"""What a data set says of itself: which files are its, what their columns mean, whose they are, and what reads them.

A file or folder of a room (``ROOMS``) that assigns ``SOURCES`` is found. Declarations are read before any job, so they
import nothing heavy and name their reader as text. Which of them a run needs follows from the names of its files
(``dere.ingest.tower.discovery.wanted``); the others are no part of its code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from itertools import combinations
from typing import Any, Literal, NamedTuple

from dere.ingest.quantities import quantity
from dere.rooms import declared

ROOMS = ("dere.ingest.tower", "dere.ingest.simulation", "dere.ingest.cover", "dere.ingest.arrays")
"""Packages whose members are data sets."""
MARKER = "SOURCES"
Kind = Literal["tower", "metadata", "simulation", "cover", "methane"]
KINDS: tuple[Kind, ...] = ("tower", "metadata", "simulation", "cover", "methane")
"""Kinds in the order in which a file is asked about."""


@dataclass(frozen=True)
class Product:
    """A data product.

    Parameters
    ----------
    key
        Name within the package; no other product has it.
    title
        Name for people.
    licence
        Terms of use, as far as they are known.
    citation
        What a user must cite.
    version
        Version, where the product has one for all files; else each file's own stands in its row.
    url
        DOI or address of the product; empty where it is not known.
    rank
        Of tower records: a site that several products bring is taken whole from the one of the largest rank, the
        newest processing. Those with drivers and qualities of their own are positive, collections negative.
    satellites
        Its records bring LAI and EVI, which a site takes from there whatever the product of its fluxes.
    """

    key: str
    title: str
    licence: str
    citation: str
    version: str = ""
    url: str = ""
    rank: int = 0
    satellites: bool = False


@dataclass(frozen=True)
class Column:
    """A column of a table, or an array of a store, and what it becomes.

    Parameters
    ----------
    name
        As the file writes it.
    variable
        Canonical name, whose unit stands in ``dere.variables`` (see ``dere.ingest.quantities.quantity``).
    unit
        Unit in the file; the one ``dere.variables.convert`` knows, or a sum over a month ("gC m-2 month-1") or over a
        step of the record ("mm step-1"), which becomes one per day.
    sign
        -1 where the file counts the quantity the other way round.
    missing
        Possible numbers that mean "no value"; the usual marks and impossible numbers need no mention.
    counted
        Name under which these are counted in the provenance; empty = they are not.
    largest
        Magnitude, in the file's unit, beyond which a number is a failed fit: missing, and counted as
        ``runaway_fluxes``. None = no number is.
    """

    name: str
    variable: str
    unit: str
    sign: int = 1
    missing: tuple[float, ...] = ()
    counted: str = ""
    largest: float | None = None

    def __post_init__(self) -> None:
        try:
            quantity(self.variable)
        except ValueError as error:
            raise ValueError(f"column {self.name}: {error}") from None
        if self.sign not in (1, -1):
            raise ValueError(f"column {self.name}: sign is {self.sign!r}, but 1 or -1 is expected; correct it")


class PassedOver(NamedTuple):
    """Why a file of a site's processing is not read."""

    site: str
    processing: str
    reason: str


@dataclass(frozen=True)
class Source:
    """A data set that a run may read.

    Parameters
    ----------
    name
        Words for messages; of a simulation and of ages their ``format``, of methane ``sources.methane.provider``.
    kind
        What it brings.
    files
        Its file names in words, for people.
    matches
        Whether a file is read by it, by its path from the source folder on ("fluxnet/FLX_..._MM_....csv", the source
        folder's own name first); inside an archive by the archive's path and the name there.
    read
        ``module:function``, loaded where files are read. Towers: ``read(file, config)`` gives a list of
        ``dere.ingest.tower.record.SiteRecord``, and of ``dere.ingest.tower.faults.SiteFault`` for sites of the file
        that cannot be used; metadata: ``read(file)`` a table by site; ``file`` is a path, or an
        ``archives.Member`` where ``in_archives``. The other kinds: see their folders.
    products
        Whose the files are.
    columns
        What the generic reader takes, as far as the same of all files.
    options
        Leaves of its section of the configuration that its reader asks for, beside those that every run reads
        (``dere.workflow.source_leaves``).
    folder
        It is a folder ("store.zarr"), which is then not searched; ``matches`` is asked about folders only.
    in_archives
        Files inside zip archives are offered too.
    without
        Key of a product to the names of its files that hold nothing of the kind: listed in the provenance, not read.
    known
        File names that belong to it and are not read: nothing to warn about.
    select
        Takes all its files and the configuration, and gives those not to read.
    joins
        Takes the same, and gives those that are read with another one, by that one: ``read(file, config, *joined)``.
    order
        Metadata: smaller ones are asked first; two sources of one kind and order may not both know a file.
    role
        Metadata: what its table is for (``dere.ingest.tower.towers``).
    shipped
        It comes with the package: nobody has to name its files.
    dated
        Metadata: its statements have dates; ``read(file, ends)`` also takes the last day of each site's data, YYYYMMDD.
    """

    name: str
    kind: Kind
    files: str
    matches: Callable[[str], bool]
    read: str
    products: tuple[Product, ...]
    columns: tuple[Column, ...] = ()
    options: tuple[str, ...] = ()
    folder: bool = False
    in_archives: bool = False
    without: Mapping[str, Callable[[str], bool]] = field(default_factory=dict)
    known: Callable[[str], bool] | None = None
    select: Callable[[Sequence[Any], Any], Mapping[Any, PassedOver]] | None = None
    joins: Callable[[Sequence[Any], Any], Mapping[Any, tuple[Any, ...]]] | None = None
    order: int = 0
    role: str = ""
    dated: bool = False
    shipped: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(
                f"source {self.name}: kind is '{self.kind}', but one of {', '.join(KINDS)} is expected; correct it"
            )
        module, _, function = self.read.partition(":")
        if not all(part.isidentifier() for part in (*module.split("."), function)):
            raise ValueError(
                f"source {self.name}: read is '{self.read}', but module:function is expected; name the function that "
                "reads its files"
            )

    @property
    def module(self) -> str:
        """Module that reads it."""
        return self.read.partition(":")[0]

    def reader(self) -> Callable[..., Any]:
        """Load what reads its files."""
        return function_of(self.read)

    def product(self, key: str) -> Product:
        """Return one of its products.

        Raises
        ------
        ValueError
            When it declares none of that key.
        """
        for product in self.products:
            if product.key == key:
                return product
        keys = sorted(product.key for product in self.products)
        raise ValueError(f"product '{key}' of {self.name} has no licence on record; expected one of {keys}: add it")


def function_of(text: str) -> Callable[..., Any]:
    """Load the function that a text such as ``module:function`` names."""
    module, _, name = text.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found


def named(*patterns: str, flags: int = 0) -> Callable[[str], bool]:
    """Return the test whether the last part of a path fits one of some patterns."""
    compiled = [re.compile(pattern, flags) for pattern in patterns]
    return lambda path: any(pattern.fullmatch(path.rsplit("/", 1)[-1]) for pattern in compiled)


@cache
def declarations() -> dict[str, tuple[Source, ...]]:
    """What each module of the rooms declares, checked.

    Raises
    ------
    ValueError
        When two sources of one kind have one name, two products have one key, or two products of towers one rank.
    """
    # a name made at run time: only what a rule needs is part of its code
    found = {module: group for room in ROOMS for module, group in declared(room, MARKER).items()}
    check(source for group in found.values() for source in group)
    return found


def check(declared_sources: Iterable[Source]) -> None:
    """Check that sources can stand beside each other.

    Raises
    ------
    ValueError
        As `declarations`.
    """
    found = list(declared_sources)
    for left, right in combinations(found, 2):
        if (left.kind, left.name) == (right.kind, right.name):
            raise ValueError(f"two sources of kind {left.kind} are called '{left.name}'; rename one")
    # two sources may share a product
    products = list({product: source for source in found for product in source.products}.items())
    for (one, first), (other, second) in combinations(products, 2):
        if one.key == other.key:
            raise ValueError(
                f"product '{one.key}' is declared by {first.name} and otherwise by {second.name}; rename one"
            )
        if one.rank == other.rank and first.kind == second.kind == "tower":
            raise ValueError(
                f"products '{one.key}' and '{other.key}' both have rank {one.rank}, but a site is taken from the "
                "larger one; give one another rank"
            )


@cache
def sources() -> tuple[Source, ...]:
    """Every data set that the package can read: by kind, then as asked about files, the newest product first."""
    found = [source for group in declarations().values() for source in group]
    return tuple(sorted(found, key=_place))


def of_modules(modules: Iterable[str]) -> tuple[Source, ...]:
    """Return the sources of some modules only, in the order of `sources`; no other is loaded."""
    found = [source for module in modules for source in getattr(import_module(module), MARKER)]
    return tuple(sorted(found, key=_place))


def source_called(kind: Kind, name: str, among: Iterable[Source] | None = None) -> Source:
    """Return the source of a kind and name.

    Raises
    ------
    ValueError
        When there is none; lists those of the kind.
    """
    of_kind = {source.name: source for source in (sources() if among is None else among) if source.kind == kind}
    if name not in of_kind:
        raise ValueError(f"no source of kind {kind} is called '{name}'; choose from {', '.join(of_kind)}")
    return of_kind[name]


def _place(source: Source) -> tuple[Any, ...]:
    newest = max((product.rank for product in source.products), default=0)
    return KINDS.index(source.kind), source.order, -newest, source.name
