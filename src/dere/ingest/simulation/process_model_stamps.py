"""Whether stamps without bounds at first instants are starts or ends, decided by the sun or by other files.

Drivers: shortwave must follow the sun, which tells a shift of one month. The model: in one reading GPP must have the
very months of the drivers and grow with their sunlight and warmth; growth alone tells no month for certain. What has
the same months as a file that is settled is settled with it. All else is refused.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dere.ingest.months import MONTHS
from dere.ingest.simulation.process_model_files import Quantity
from dere.ingest.simulation.process_model_time import Steps
from dere.ingest.sun_season import (
    GROWTH,
    check_sun_season,
    in_belt,
    mean_year,
    months_behind_sun,
    months_behind_warmth,
)

log = logging.getLogger(__name__)

# the sun decides within so many months of a whole one
_CLEAR = 0.4
_ROWS, _MONTHS = 6, 60
AUTO = "auto"


def settled_model(
    quantities: Mapping[str, Quantity], drivers: Mapping[str, Quantity], stated: str, key: str
) -> dict[str, Quantity]:
    """Variables of the model whose axes are all decided, GPP by the drivers, and the others with it.

    Parameters
    ----------
    quantities
        By canonical name.
    drivers
        Of the same run, settled.
    stated
        ``start``, ``end`` or ``auto`` (``key`` of the configuration).
    key
        Key of the configuration for messages.

    Raises
    ------
    ValueError
        When an axis stays open.
    """
    found = dict(quantities)
    if found["gpp"].steps.undecided and stated == AUTO:
        found["gpp"] = _by_drivers(found["gpp"], drivers, key)
    return _settled(found, "gpp", stated, key)


def settled_drivers(drivers: Mapping[str, Quantity], stated: str, key: str) -> dict[str, Quantity]:
    """Drivers whose axes are all decided, shortwave by the sun, and the others with it.

    Parameters
    ----------
    drivers
        By canonical name.
    stated, key
        As for :func:`settled_model`.

    Raises
    ------
    ValueError
        When an axis stays open, or shortwave contradicts the sun.
    """
    found = dict(drivers)
    shortwave = found["shortwave"]
    if shortwave.steps.undecided and stated == AUTO:
        found["shortwave"] = _by_sun(shortwave, key)
    found = _settled(found, "shortwave", stated, key)
    (cycle,), lat = _cycles([found["shortwave"]])
    check_sun_season(
        cycle,
        lat,
        found["shortwave"].name,
        f"correct its time axis or latitudes, or {key} where stamps have no bounds",
    )
    return found


def _settled(quantities: Mapping[str, Quantity], reference: str, stated: str, key: str) -> dict[str, Quantity]:
    """All as the configuration states, or as the reference tells."""
    if stated != AUTO:
        return {name: _as(quantity, stated, key) for name, quantity in quantities.items()}
    return {name: _like(quantity, quantities[reference], key) for name, quantity in quantities.items()}


def _by_sun(shortwave: Quantity, key: str) -> Quantity:
    """Shortwave whose stamps are starts where it follows the sun, ends where it is a month behind it."""
    (cycle,), lat = _cycles([shortwave])
    behind = months_behind_sun(cycle, lat)
    if behind is None:
        raise _open(shortwave, key, "no cell between 30 and 66 degrees with whole years tells which")
    late = round(behind)
    if late not in (0, 1) or abs(behind - late) > _CLEAR:
        raise _open(
            shortwave, key, f"shortwave read as starts is {behind:.1f} months behind the sun, which tells neither"
        )
    log.warning(
        "%s: its stamps at first instants without bounds are taken for %s of months, because shortwave read as starts "
        "is %.2f months behind the sun; set %s if this is wrong",
        shortwave.name,
        ("starts", "ends")[late],
        behind,
        key,
    )
    return replace(shortwave, steps=shortwave.steps.ending() if late else shortwave.steps.starting())


def _by_drivers(gpp: Quantity, drivers: Mapping[str, Quantity], key: str) -> Quantity:
    """GPP with the months of the drivers, where one reading has them and its seasons fit theirs."""
    shortwave, temperature = drivers["shortwave"], drivers["air_temperature"]
    for steps in (gpp.steps.starting(), gpp.steps.ending()):
        if steps.annual or not np.array_equal(steps.numbers, shortwave.steps.numbers):
            continue
        read = replace(gpp, steps=steps)
        cycles, lat = _cycles([read, shortwave, temperature])
        behind = months_behind_warmth(cycles[0], cycles[1], cycles[2], lat)
        if behind is None:
            raise _open(gpp, key, "no cell poleward of 40 degrees with cold winters and whole years tells which")
        if not GROWTH[0] <= behind <= GROWTH[1]:
            raise _open(gpp, key, f"with the months of the drivers GPP is {behind:.1f} months behind sun and warmth")
        log.warning(
            "%s: its stamps at first instants without bounds are taken for %s, the months of the drivers, where GPP is "
            "%.2f months behind sun and warmth; set %s if this is wrong",
            gpp.name,
            steps.text(),
            behind,
            key,
        )
        return read
    raise _open(gpp, key, f"neither reading has the months of the drivers ({shortwave.steps.text()})")


def _as(quantity: Quantity, stated: str, key: str) -> Quantity:
    """An open axis as the configuration states it."""
    if not quantity.steps.undecided:
        return quantity
    steps = quantity.steps.ending() if stated == "end" else quantity.steps.starting()
    log.info("%s: %s, its stamps being the %ss of steps (%s)", quantity.name, steps.text(), stated, key)
    return replace(quantity, steps=steps)


def _like(quantity: Quantity, base: Quantity, key: str) -> Quantity:
    """An open axis settled by the months of another file, which it must have as starts or as ends."""
    if not quantity.steps.undecided:
        return quantity
    wanted = base.steps.numbers
    if quantity.steps.annual and not base.steps.annual:
        wanted = np.unique(wanted // 12)
    for steps in (quantity.steps.starting(), quantity.steps.ending()):
        if np.array_equal(steps.numbers, wanted) and quantity.steps.annual >= base.steps.annual:
            log.warning(
                "%s: its stamps without bounds are taken for %s, the months of %s",
                quantity.name,
                steps.text(),
                base.name,
            )
            return replace(quantity, steps=steps)
    raise _open(quantity, key, f"neither reading has the months of {base.name} ({base.steps.text()})")


def _open(quantity: Quantity, key: str, why: str) -> ValueError:
    """The sentence about an axis that nothing decides."""
    steps: Steps = quantity.steps
    unit = "year" if steps.annual else "month"
    return ValueError(
        f"{quantity.name}: {len(steps.numbers)} stamps lie at first instants without time bounds, so that they may be "
        f"the starts ({steps.starting().text()}) or the ends ({steps.ending().text()}) of the {unit}s that they stand "
        f"for, and {why}; set {key} to start or end, add time bounds, or stamp the middle"
    )


def _cycles(quantities: Sequence[Quantity]) -> tuple[list[NDArray[np.float64]], NDArray[np.float64]]:
    """Mean years (cell, 12) of each, on some rows of the grid, and latitudes (cell,), under the axes as they are."""
    first = quantities[0].lattice
    rows, columns = first.row, first.column
    for quantity in quantities[1:]:
        rows, columns = np.intersect1d(rows, quantity.lattice.row), np.intersect1d(columns, quantity.lattice.column)
    lat = 90.0 - first.degrees * (rows + 0.5)
    rows, lat = rows[in_belt(lat)], lat[in_belt(lat)]
    chosen = np.unique(np.linspace(0, max(len(rows) - 1, 0), _ROWS).astype(int))[: len(rows)]
    cycles: list[list[NDArray]] = [[np.empty((0, MONTHS))] for _ in quantities]
    # a row at a time: all rows between the first and the last are read otherwise
    for row in rows[chosen]:
        for quantity, parts in zip(quantities, cycles, strict=True):
            months = quantity.steps.numbers[:_MONTHS]
            values = quantity.rows(months, np.full(len(columns), row), columns)
            if values.ndim == 3:
                known = np.isfinite(values).any(-1)
                values = np.where(known, np.nansum(values, -1), np.nan)
            parts.append(mean_year(values, months))
    return [np.concatenate(parts) for parts in cycles], np.repeat(lat[chosen], len(columns))
