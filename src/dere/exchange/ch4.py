"""CH4: net methane exchange of wetlands, as towers measure it; outside the closure of carbon dioxide.

NEE = RECO - GPP stays a statement on the carbon of carbon dioxide: methane is no part of RECO and is never added to it.
The flux is per area of wetland, positive to the atmosphere, and its mass is that of carbon (12.011 of 16.043). Labels
are months of measured days (``dere.ingest.tower.fluxnet_ch4.methane``); a month of ten measured days has a quality of a
third, so a run that wants such months sets its least qualities (``harmonise``, ``evaluation``) below it. The
simulation is a wetland model of one layer on the run's weather and simulated respiration, as if every place were a
wetland (`dere.world.wetland`).
"""

from __future__ import annotations

from dere.exchange.base import Exchange, Flux, LabelRule
from dere.variables import FLUX_UNIT, VARIABLES, WETLAND_CLASSES

EXCHANGE = Exchange(
    name="ch4",
    fluxes=(
        Flux(
            name="ch4",
            long_name=VARIABLES["ch4"].long_name,
            unit=FLUX_UNIT,
            public_unit="kg m-2 s-1",
            valid=VARIABLES["ch4"].valid_range,
            possible=VARIABLES["ch4"].possible,
            comment=(
                "Mass of carbon in the methane, not of methane: times 1.336 for methane. Per area of wetland: a cell's "
                "emission is the flux times its wetland area. Positive numbers enter the atmosphere. Not part of reco "
                "or nee. Learned from towers on wetlands only; nothing is known of dry land, lakes and rice."
            ),
        ),
    ),
    free=("ch4",),
    basis=("ch4",),
    states=("ch4",),
    simulate="dere.harmonise.wetland_states:methane",
    simulated_from=("rh",),
    signed=("ch4",),
    labels=LabelRule(columns={"ch4": "ch4"}, quality="ch4_quality"),
    area="wetland_fraction",
    place_classes={"wetland_class": WETLAND_CLASSES},
    substance="carbon",
    total_unit="TgC",
)
