"""Whether stamps without bounds at first instants are starts or ends, decided by the sun or by other files.

Drivers: shortwave must follow the sun, which tells a shift of one month. What has the same months as a file that is
settled is settled with it. Fluxes and states follow no law that would tell a month for certain, so that the files of
the model are refused where neither bounds, stamps within months, nor the configuration tell.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from dere.ingest.simulation.process_model_files import Quantity
from dere.ingest.simulation.process_model_time import Steps
from dere.ingest.sun_season import check_sun_season, in_belt, mean_year, months_behind_sun

log = logging.getLogger(__name__)

# the sun decides within so many months of a whole one
_CLEAR = 0.4
_ROWS, _MONTHS = 6, 60
AUTO = "auto"


def settled(quantities: Mapping[str, Quantity], reference: str, stated: str, key: str) -> dict[str, Quantity]:
    """Quantities whose axes are all decided.

    Parameters
    ----------
    quantities
        By canonical name.
    reference
        Name of the one that tells for the others.
    stated
        ``start``, ``end`` or ``auto`` (``key`` of the configuration).
    key
        Key of the configuration for messages.

    Raises
    ------
    ValueError
        When an axis stays open.
    """
    if stated != AUTO:
        return {name: _as(quantity, stated, key) for name, quantity in quantities.items()}
    base = quantities[reference]
    if base.steps.undecided:
        raise _open(base, key, "nothing here tells which")
    return {name: _like(quantity, base, key) for name, quantity in quantities.items()}


def settled_drivers(drivers: Mapping[str, Quantity], stated: str, key: str) -> dict[str, Quantity]:
    """Drivers whose axes are all decided, shortwave by the sun, and the others with it.

    Parameters
    ----------
    drivers, stated, key
        As for :func:`settled`.

    Raises
    ------
    ValueError
        When an axis stays open, or shortwave contradicts the sun.
    """
    found = dict(drivers)
    shortwave = found["shortwave"]
    if shortwave.steps.undecided and stated == AUTO:
        found["shortwave"] = _by_sun(shortwave, key)
    found = settled(found, "shortwave", stated, key)
    check_sun_season(
        *_cycles(found["shortwave"]),
        found["shortwave"].name,
        f"correct its time axis or latitudes, or {key} where stamps have no bounds",
    )
    return found


def _by_sun(shortwave: Quantity, key: str) -> Quantity:
    """Shortwave whose stamps are starts where it follows the sun, ends where it is a month behind it."""
    behind = months_behind_sun(*_cycles(shortwave))
    if behind is None:
        raise _open(shortwave, key, "no cell between 30 and 66 degrees with whole years tells which")
    late = round(behind)
    if late not in (0, 1) or abs(behind - late) > _CLEAR:
        raise _open(shortwave, key, f"shortwave read as starts is {behind:.1f} months behind the sun, which tells neither")
    log.warning(
        "%s: its stamps at first instants without bounds are taken for %s of months, because shortwave read as starts "
        "is %.2f months behind the sun; set %s if this is wrong",
        shortwave.name,
        ("starts", "ends")[late],
        behind,
        key,
    )
    return replace(shortwave, steps=shortwave.steps.ending() if late else shortwave.steps.starting())


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
                "%s: its stamps without bounds are taken for %s, the months of %s", quantity.name, steps.text(), base.name
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


def _cycles(shortwave: Quantity) -> tuple[np.ndarray, np.ndarray]:
    """Mean years (cell, 12) of some rows of the grid, and latitudes (cell,), under the axis as it is."""
    lattice, months = shortwave.lattice, shortwave.steps.numbers[:_MONTHS]
    lat = 90.0 - lattice.degrees * (lattice.row + 0.5)
    rows = np.flatnonzero(in_belt(lat))
    rows = rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), _ROWS)).astype(int))] if len(rows) else rows
    cycles, places = [np.empty((0, 12))], [np.empty(0)]
    # a row at a time: all rows between the first and the last are read otherwise
    for row in rows:
        where = np.full(len(lattice.column), lattice.row[row])
        cycles.append(mean_year(shortwave.rows(months, where, lattice.column), months))
        places.append(np.full(len(where), lat[row]))
    return np.concatenate(cycles), np.concatenate(places)
