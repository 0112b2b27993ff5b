"""FluxCourse (``obs_{SITE}_daily.csv``): NEE_VUT_REF, GPP_NT_VUT_REF, RECO_NT_VUT_REF of the shuttle product.

The columns say gC m-2 d-1, but the compiler multiplied values that already were gC m-2 d-1 by 1.0368
(12e-6 x 86400): divided by it, every value has at most the six significant digits that ONEFlux writes, undivided only
one in five hundred has; and US-MMS is 1.037 times its FLUXNET2015 daily file. The factor is found in the digits and
undone, so that a corrected copy is read as it is. Quality is not stated, so its months never train.
"""

from __future__ import annotations

import logging
import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.config.towers import TowerSource
from dere.ingest.archives import TableFile, label
from dere.ingest.tables import numbers, read_table, require_columns
from dere.ingest.tower.daily_fluxes import daily_record
from dere.ingest.tower.fluxcourse import COLUMNS, NAME, PRODUCT
from dere.ingest.tower.partial_record import Origin
from dere.ingest.tower.record import SiteRecord
from dere.ingest.tower.stamps import steps_of, text_times

log = logging.getLogger(__name__)

_WRONG_FACTOR = 12e-6 * 86400
_DIGITS = 6
# 1 of 500 values has six digits by chance; a file of one kind or the other has none or all
_CERTAIN = 0.9


def parse_fluxcourse(table: pd.DataFrame, site: str, source: str, config: TowerSource) -> list[SiteRecord]:
    """Record of a FluxCourse table.

    Raises
    ------
    ValueError
        Missing columns, a date not written YYYY-MM-DD, disordered or doubled days, text in a number column, a unit that
        cannot be right.
    """
    require_columns(table, ["date", *(column.name for column in COLUMNS)], source)
    times = text_times(table["date"], "%Y-%m-%d", source, "date")
    steps = steps_of(times, 1, source, "date")
    table, counts = table.copy(), {"values_scaled_twice": 0}
    for column in (column.name for column in COLUMNS):
        values = numbers(table, column, source)
        if scaled_twice(values):
            table[column] = values / _WRONG_FACTOR
            counts["values_scaled_twice"] += int(np.isfinite(values).sum())
    if counts["values_scaled_twice"]:
        log.warning("%s: fluxes are %.4f times gC m-2 d-1 and are divided by it", source, _WRONG_FACTOR)
    origin = Origin(PRODUCT, "FluxCourse of FLUXNET shuttle v1.3", "fluxcourse", source)
    return daily_record(site, steps, table, COLUMNS, origin, config, counts)


def scaled_twice(values: NDArray[np.float64]) -> bool:
    """Whether values have six significant digits once divided by 1.0368, and have not as they are."""
    finite = values[np.isfinite(values) & (values != 0)]
    if not finite.size:
        return False
    return _share_short(finite / _WRONG_FACTOR) > _CERTAIN > _share_short(finite)


def _share_short(values: NDArray[np.float64]) -> float:
    """Share of values that six significant digits write exactly."""
    scale = 10.0 ** (np.floor(np.log10(np.abs(values))) - _DIGITS + 1)
    whole = np.abs(values) / scale
    return float((np.abs(whole - np.round(whole)) < 1e-4).mean())


def read_fluxcourse(file: TableFile, config: TowerSource) -> list[SiteRecord]:
    """Read one FluxCourse table; its site is that of the file name (see :func:`parse_fluxcourse`).

    Raises
    ------
    ValueError
        When the name is not ``obs_{SITE}_daily.csv``.
    """
    name = re.fullmatch(NAME, file.name)
    if name is None:
        raise ValueError(f"{file.name} is not named obs_{{SITE}}_daily.csv; keep the source's own file name")
    return parse_fluxcourse(read_table(file), name["site"], label(file), config)
