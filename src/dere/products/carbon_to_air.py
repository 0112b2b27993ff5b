"""Carbon that goes to the air as carbon dioxide and as methane, of cells that are partly wetland.

Methane is no part of RECO or NEE and is never added to them: the sum is a quantity of its own. Its sign is that of the
fluxes, positive to the atmosphere; the net ecosystem carbon balance has the opposite one by convention.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from dere.exchange import get
from dere.variables import CH4_PER_CARBON, FLUX_UNIT, convert

CO2_PER_CARBON = 3.664
"""Mass of carbon dioxide per mass of its carbon (44.009 / 12.011)."""
GWP_100 = 27.0
"""Warming by a pulse of methane over 100 years relative to the same mass of carbon dioxide: AR6 WG1 table 7.15,
non-fossil methane."""
_TOLERANCE = 1e-6


def methane_per_cell(methane: xr.DataArray, wetland: xr.DataArray, source: str) -> xr.DataArray:
    """Methane per area of cell from methane per area of wetland.

    Parameters
    ----------
    methane
        (cell, time), any unit per area of wetland.
    wetland
        (cell) or (cell, time), share of the cell that is wetland, 0 to 1; NaN = unknown, and so is the flux.
    source
        Map and year of ``wetland``, which the result states.

    Raises
    ------
    ValueError
        When shares lie outside 0 to 1, or the source is not named.
    """
    low, high = float(wetland.min()), float(wetland.max())
    if low < 0.0 or high > 1.0 + _TOLERANCE:
        raise ValueError(
            f"wetland fraction runs from {low:g} to {high:g}, but a share of 0 to 1 is expected; divide percent by 100"
        )
    if not source:
        raise ValueError("source of the wetland fraction is empty, but map and year are expected; name them")
    # a cell without wetland emits nothing, also where nobody predicted its methane
    flux = xr.where(wetland == 0.0, 0.0, methane * wetland).transpose(*methane.dims)
    attrs = {
        "long_name": "methane flux as carbon per area of cell (positive to the atmosphere)",
        "units": methane.attrs.get("units", FLUX_UNIT),
        "wetland_fraction_source": source,
    }
    return flux.assign_attrs(attrs)


def carbon_to_air(nee: xr.DataArray, methane: xr.DataArray) -> xr.Dataset:
    """Net carbon to the air, and the CO2-equivalent of a pulse.

    Parameters
    ----------
    nee
        NEE per area of cell, carbon of carbon dioxide.
    methane
        Methane per area of the same cell, as carbon (`methane_per_cell`), in the same unit.

    Returns
    -------
    Dataset
        ``net_carbon_to_air`` in the unit given, NEE plus methane, both as carbon; ``co2_equivalent`` in mass of CO2 per
        area and time, 3.664 NEE + 27.0 x 1.336 CH4 (AR6, 100 years, non-fossil).

    Raises
    ------
    ValueError
        When units are absent or differ.

    Examples
    --------
    An undrained bog that takes up 0.1 and emits 0.02 gC m-2 d-1 gains carbon and warms the air by 0.35 gCO2e m-2 d-1.
    """
    units = [values.attrs.get("units") for values in (nee, methane)]
    if None in units or len(set(units)) > 1:
        raise ValueError(
            f"NEE is in {units[0]} and methane in {units[1]}, but one stated unit is expected; convert one of them"
        )
    unit = str(units[0])
    of_gas = unit.replace("gC", "gCO2e", 1) if "gC" in unit else unit.replace("kg", "kgCO2e", 1)
    equivalent = CO2_PER_CARBON * nee + GWP_100 * CH4_PER_CARBON * methane
    return xr.Dataset(
        {
            "net_carbon_to_air": (nee + methane).assign_attrs(
                long_name="carbon to the air as carbon dioxide and methane (NEE + CH4)",
                units=unit,
                comment="Mass of carbon. Positive numbers enter the atmosphere. Fire, harvest and rivers are left out.",
            ),
            "co2_equivalent": equivalent.assign_attrs(
                long_name="CO2-equivalent of a pulse of NEE and CH4 over 100 years",
                units=of_gas,
                comment=f"Mass of CO2: {CO2_PER_CARBON} NEE + {GWP_100} x {CH4_PER_CARBON:.3f} CH4, both as carbon; "
                "global warming potential of AR6 for non-fossil methane over 100 years.",
            ),
        }
    )


def in_public_unit(methane: xr.DataArray) -> xr.DataArray:
    """Methane (gC m-2 d-1) in the unit of the public files, kg m-2 s-1 of carbon."""
    flux = get("ch4").flux("ch4")
    values = convert(np.asarray(methane.values), flux.unit, flux.public_unit, flux.name)
    return methane.copy(data=values).assign_attrs(units=flux.public_unit)
