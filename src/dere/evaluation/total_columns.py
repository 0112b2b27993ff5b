"""Columns and units of annual totals, for maps and truth alike."""

from __future__ import annotations

import numpy as np

from dere.exchange.base import Exchange, Flux
from dere.variables import convert

KEY = ("flux", "region", "year")
_DAY = 86400.0
_KILOGRAMS = {"Pg": 1e12, "Tg": 1e9}


INTERVAL = ("std", "q05", "q95")
"""What a total of maps has beside its value: standard deviation, and the ends of its 90 % interval."""


def columns(exchange: Exchange) -> tuple[str, ...]:
    """Columns of the table: ``KEY``, the total, which names its unit (``total_pgc``), and its interval in that unit."""
    unit = total_unit(exchange).lower()
    return (*KEY, f"total_{unit}", *(f"{name}_{unit}" for name in INTERVAL))


def total_unit(exchange: Exchange) -> str:
    """Unit of the totals of an exchange."""
    return exchange.total_unit or exchange.fluxes[0].public_unit.split()[0]


def summable(exchange: Exchange) -> list[Flux]:
    """Fluxes whose public unit is per area and second: only these have a global total."""
    return [flux for flux in exchange.fluxes if flux.public_unit.endswith(" m-2 s-1")]


def public_units(flux: Flux, exchange: Exchange) -> float:
    """How much of what the public unit counts makes one unit of the total.

    Raises
    ------
    ValueError
        When the public unit does not add up to the unit of the totals.
    """
    counted, unit = flux.public_unit.removesuffix(" m-2 s-1"), total_unit(exchange)
    size = 1.0 if counted == unit else _KILOGRAMS.get(unit[:2])
    if size is None or counted not in ("kg", unit):
        raise ValueError(
            f"exchange {exchange.name}: {flux.name} has the public unit '{flux.public_unit}', which does not add up to "
            f"totals in {unit}; declare a public unit in kg and totals in Pg or Tg, or no unit of totals"
        )
    return size


def of_a_day(flux: Flux, exchange: Exchange) -> float:
    """Total that one unit of a flux makes on a square metre in a day."""
    return float(convert(np.ones(()), flux.unit, flux.public_unit)) * _DAY / public_units(flux, exchange)
