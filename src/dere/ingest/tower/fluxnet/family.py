"""Files of the FLUXNET family become records, whatever their step (names: ``names``)."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pandas as pd

from dere.config.towers import TowerSource
from dere.ingest.archives import TableFile, beside, label
from dere.ingest.tables import month_numbers, read_table
from dere.ingest.tower.canonical import possible_columns
from dere.ingest.tower.diurnal import diurnal_cycles
from dere.ingest.tower.fluxnet.finer import HOURLY_STEPS, measured_share, to_months
from dere.ingest.tower.fluxnet.names import FileName, parse_name
from dere.ingest.tower.fluxnet_columns import driver_columns, flux_columns, methane_columns, of_steps, satellite_columns
from dere.ingest.tower.record import SiteRecord, parse_columns
from dere.ingest.tower.steps import check_span, check_years, parse_steps
from dere.ingest.tower.variants import (
    choose_variant,
    member_columns,
    parse_members,
    variant_columns,
    variants,
)

log = logging.getLogger(__name__)

_STAMPS = frozenset(("TIMESTAMP", "TIMESTAMP_START"))


def parse(table: pd.DataFrame, name: FileName, source: str, config: TowerSource | None = None) -> SiteRecord:
    """Turn a monthly table of the FLUXNET family into a record.

    Parameters
    ----------
    table
        Columns by their names in the product; sets and order differ between sites.
    name
        What the file name says.
    source
        File name for messages and provenance.
    config
        Wanted variants; defaults when None.

    Raises
    ------
    ValueError
        See :func:`dere.ingest.tower.record.parse_columns` and :func:`dere.ingest.tables.month_numbers`; also when the
        months do not span the years of the file name.
    """
    config = config or TowerSource()
    months = month_numbers(table, source)
    check_span(months, name.years, source)
    variant, partitioning = choose_variant(table, config, source)
    columns = (*flux_columns(variant), *driver_columns(), *satellite_columns(), *methane_columns())
    values, counts, breaches = parse_columns(table, source, columns)
    wanted = variants(config)[0]
    if (variant, partitioning) != (wanted, config.partitioning):
        log.warning(
            "%s has no month with NEE and GPP of %s, %s; %s, %s is taken for the whole record",
            source, wanted, config.partitioning, variant, partitioning,
        )  # fmt: skip
        counts["fallback"] = 1
    return SiteRecord(
        site=name.site,
        months=months,
        values=values,
        product=name.product,
        processing=name.processing,
        rank=name.rank,
        network=name.network,
        source=source,
        counts=counts,
        breaches=breaches,
        members=parse_members(table, variant, partitioning, source) if config.members else {},
        variant=variant,
        partitioning=partitioning,
    )


def parse_finer(table: pd.DataFrame, name: FileName, source: str, config: TowerSource | None = None) -> SiteRecord:
    """Turn a half-hourly, hourly or daily table into a monthly record, with diurnal cycles where it has hours.

    Parameters
    ----------
    table, name, source, config
        As in :func:`parse`; ``config.minimum_coverage`` is the share of a month's steps that its mean needs.

    Raises
    ------
    ValueError
        As :func:`parse` and :func:`dere.ingest.tower.steps.parse_steps`.
    """
    config = config or TowerSource()
    steps = parse_steps(table, name.step, source)
    check_years(steps, name.years, source)
    hourly = name.step in HOURLY_STEPS
    variant, partitioning = choose_variant(table, config, source)
    columns = (*flux_columns(variant), *driver_columns())
    if config.members:
        columns += member_columns(variant.split("_")[0], (partitioning,))
    if hourly:
        columns = of_steps(columns)
    counts: dict[str, int] = {}
    # before anything is averaged, by whatever looks at the table
    table = possible_columns(table, columns, source, counts, steps.per_day)
    monthly = to_months(table, steps, columns, config.minimum_coverage, source)
    record = parse(monthly, replace(name, years=None), source, config)
    shares = measured_share(table, steps, variant, source)
    cycles = diurnal_cycles(table, steps, config.minimum_coverage, source) if hourly else {}
    return replace(record, values=record.values | shares, diurnal=cycles, counts=record.counts | counts)


def read_family(file: TableFile, config: TowerSource) -> list[SiteRecord]:
    """Read one file of the family; with ``config.diurnal_cycles`` also the half hours beside a coarser one.

    Raises
    ------
    FileNotFoundError
        When the file is missing.
    ValueError
        When its name fits no pattern or its content fails a check.
    """
    name = parse_name(file.name)
    if name is None or not name.readable:
        raise ValueError(
            f"{file.name} is not named like a FULLSET, SUBSET or FLUXMET file of the FLUXNET family in steps of "
            "half hours, hours, days or months; keep the product's own file name"
        )
    record = _read(file, name, config)
    if config.diurnal_cycles and name.step not in HOURLY_STEPS:
        for step in HOURLY_STEPS:
            finer = beside(file, file.name.removesuffix(".gz").replace(f"_{name.step}_", f"_{step}_"))
            if finer is not None:
                return [_with_cycles(record, _read(finer, replace(name, step=step), config))]
    return [record]


def _read(file: TableFile, name: FileName, config: TowerSource) -> SiteRecord:
    columns = [*driver_columns(), *((*satellite_columns(), *methane_columns()) if name.step == "MM" else ())]
    table = read_table(file, {*_STAMPS, *(column.name for column in columns), *variant_columns(config)})
    return (parse if name.step == "MM" else parse_finer)(table, name, label(file), config)


def _with_cycles(record: SiteRecord, finer: SiteRecord) -> SiteRecord:
    """Add diurnal cycles and the measured share of a finer file of the same processing."""
    position = np.searchsorted(finer.months, record.months)
    known = np.isin(record.months, finer.months)
    position = np.where(known, np.minimum(position, len(finer.months) - 1), 0)
    cycles = {name: np.where(known[:, None], cycle[position], np.nan) for name, cycle in finer.diurnal.items()}
    share = np.where(known, finer.values["nee_measured_share"][position], np.nan)
    return replace(record, diurnal=cycles, values=record.values | {"nee_measured_share": share})
