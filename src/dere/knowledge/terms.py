"""The table of the knowledge channels, and all of them from the inputs of places."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dere.knowledge.dryness import dryness
from dere.knowledge.inputs import Inputs
from dere.knowledge.light_use import light_use
from dere.knowledge.phenology import phenology
from dere.knowledge.temperature import temperature
from dere.knowledge.water import water


@dataclass(frozen=True)
class Term:
    """One channel.

    Parameters
    ----------
    name, long_name, unit, group
        As variable of ``drivers.nc`` and ``towers.nc``, for people, and in which group it stands.
    source
        Equation or reference.
    needs_satellites
        Whether it is made of LAI or EVI.
    looks_ahead
        Whether it depends on months after its own: the next month, the record as a whole, a spin-up over all of it.
    of_place
        Whether it is one number of a place, not a series.
    """

    name: str
    long_name: str
    unit: str
    group: str
    source: str
    needs_satellites: bool = False
    looks_ahead: bool = False
    of_place: bool = False

    @property
    def attrs(self) -> dict[str, str]:
        """NetCDF attributes of the variable."""
        return {"long_name": self.long_name, "units": self.unit}

    @property
    def dims(self) -> tuple[str, ...]:
        """Dimensions after that of the places."""
        return () if self.of_place else ("time",)


_LIGHT, _WATER, _WARMTH = "light use", "water", "temperature"
_LEAVES, _DRY = "phenology", "dryness"
_GPP = "gC m-2 d-1"
_SEEN = {"needs_satellites": True}
_AHEAD = {"looks_ahead": True}
_PLACE = {"looks_ahead": True, "of_place": True}
_NEXT = "following month; after the last month of the record its calendar month's climatology"
_RANGE = "(x - min) / (max - min) over the record"

TERMS: tuple[Term, ...] = (
    Term("light_use_efficiency", "light-use efficiency of the P-model", "gC mol-1", _LIGHT,
         "Stocker et al. 2020, temperature-dependent yield"),
    Term("absorbed_light_lai", "absorbed photons, by LAI", "mol m-2 d-1", _LIGHT,
         "0.1763 SW (1 - exp(-0.5 LAI))", **_SEEN),
    Term("absorbed_light_evi", "absorbed photons, by EVI", "mol m-2 d-1", _LIGHT,
         "0.1763 SW times 1.2 (EVI - 0.05) within 0..1", **_SEEN),
    Term("potential_gpp_lai", "potential GPP, by LAI", _GPP, _LIGHT, "efficiency times absorbed light", **_SEEN),
    Term("potential_gpp_evi", "potential GPP, by EVI", _GPP, _LIGHT, "efficiency times absorbed light", **_SEEN),
    Term("potential_gpp_lai_mean3", "potential GPP of 3 months, by LAI", _GPP, _LIGHT, "running mean", **_SEEN),
    Term("potential_gpp_evi_mean3", "potential GPP of 3 months, by EVI", _GPP, _LIGHT, "running mean", **_SEEN),
    Term("potential_gpp_lai_mean12", "potential GPP of 12 months, by LAI", _GPP, _LIGHT, "running mean", **_SEEN),
    Term("potential_gpp_evi_mean12", "potential GPP of 12 months, by EVI", _GPP, _LIGHT, "running mean", **_SEEN),
    Term("potential_evaporation", "potential evaporation (PET)", "mm d-1", _WATER, "Makkink 1957"),
    Term("potential_evaporation_mean12", "potential evaporation of 12 months", "mm d-1", _WATER, "running mean"),
    Term("moisture_index", "moisture index", "1", _WATER, "P / (PET + 0.3)"),
    Term("moisture_index_mean3", "moisture index of 3 months", "1", _WATER, "ratio of the running means"),
    Term("moisture_index_mean12", "moisture index of 12 months", "1", _WATER, "ratio of the running means"),
    Term("wetness_shallow", "filling of a 75 mm soil-water store", "1", _WATER, "bucket with snow", **_AHEAD),
    Term("wetness_deep", "filling of a 250 mm soil-water store", "1", _WATER, "bucket with snow", **_AHEAD),
    Term("wetness_shallow_driest", "filling of the 75 mm store in the driest sixth of the months", "1", _WATER,
         "mean of the lowest sixth of the record", **_PLACE),
    Term("lloyd_taylor", "respiration relative to 10 degC", "1", _WARMTH,
         "Lloyd & Taylor 1994: exp(308.56 (1/56.02 - 1/(T + 46.02))), T at least -30"),
    Term("lloyd_taylor_wet", "respiration relative to 10 degC times wetness", "1", _WARMTH,
         "lloyd_taylor times wetness_shallow", **_AHEAD),
    Term("degree_days", "fading degree days above 5 degC", "degC d", _WARMTH,
         "30.4 (T - 5) + 0.9 of the month before while T > 5, else 0.3 of it"),
    Term("temperature_departure", "air temperature minus its 12-month mean", "degC", _WARMTH, "T - running mean"),
    Term("temperature_warmest", "mean air temperature of the warmest twelfth of the months", "degC", _WARMTH,
         "mean of the highest twelfth of the record", **_PLACE),
    Term("temperature_coldest", "mean air temperature of the coldest twelfth of the months", "degC", _WARMTH,
         "mean of the lowest twelfth of the record", **_PLACE),
    Term("growing_share", "share of months above 5 degC", "1", _WARMTH, "over the record", **_PLACE),
    Term("temperature_in_range", "air temperature within the range of the place", "1", _LEAVES, _RANGE, **_AHEAD),
    Term("shortwave_in_range", "shortwave within the range of the place", "1", _LEAVES, _RANGE, **_AHEAD),
    Term("lai_in_range", "LAI within the range of the place", "1", _LEAVES, _RANGE, **_SEEN, **_AHEAD),
    Term("evi_in_range", "EVI within the range of the place", "1", _LEAVES, _RANGE, **_SEEN, **_AHEAD),
    Term("lai_maximum", "largest LAI of the place", "m2 m-2", _LEAVES, "over the record", **_SEEN, **_PLACE),
    Term("lai_minimum", "smallest LAI of the place", "m2 m-2", _LEAVES, "over the record", **_SEEN, **_PLACE),
    Term("evi_maximum", "largest EVI of the place", "1", _LEAVES, "over the record", **_SEEN, **_PLACE),
    Term("evi_minimum", "smallest EVI of the place", "1", _LEAVES, "over the record", **_SEEN, **_PLACE),
    Term("lai_change", "LAI minus that of the month before", "m2 m-2", _LEAVES, "difference", **_SEEN),
    Term("evi_change", "EVI minus that of the month before", "1", _LEAVES, "difference", **_SEEN),
    Term("lai_next", "LAI of the next month", "m2 m-2", _LEAVES, _NEXT, **_SEEN, **_AHEAD),
    Term("evi_next", "EVI of the next month", "1", _LEAVES, _NEXT, **_SEEN, **_AHEAD),
    Term("temperature_next", "air temperature of the next month", "degC", _LEAVES, _NEXT, **_AHEAD),
    Term("shortwave_next", "shortwave of the next month", "W m-2", _LEAVES, _NEXT, **_AHEAD),
    Term("evi_per_lai", "greenness per leaf area", "m2 m-2", _LEAVES, "EVI / (LAI + 0.3)", **_SEEN),
    Term("dry_share", "share of months below 0.5 mm d-1", "1", _DRY, "over the record", **_PLACE),
    Term("vpd_highest", "mean VPD of the sixth of the months with the highest", "hPa", _DRY,
         "mean of the highest sixth of the record", **_PLACE),
)  # fmt: skip
"""All channels, in the order in which they are stacked."""

NAMES = frozenset(term.name for term in TERMS)


def terms(channels: str, satellites: bool) -> tuple[Term, ...]:
    """Channels of a run.

    Parameters
    ----------
    channels
        ``none``, ``knowledge`` (all) or ``causal`` (those that do not look ahead).
    satellites
        Whether there are LAI and EVI; without them, the channels that need none.

    Raises
    ------
    ValueError
        When ``channels`` is another word.
    """
    if channels not in ("none", "knowledge", "causal"):
        raise ValueError(
            f"channels is '{channels}', expected 'none', 'knowledge' or 'causal'; correct harmonise.channels"
        )
    return tuple(
        term
        for term in TERMS
        if channels != "none"
        and (satellites or not term.needs_satellites)
        and not (channels == "causal" and term.looks_ahead)
    )


def computed(inputs: Inputs) -> dict[str, NDArray[np.float32]]:
    """Every channel that the inputs allow, (member, time), or (member,) where it is one number of a place."""
    made = light_use(inputs) | water(inputs)
    made |= temperature(inputs, made["wetness_shallow"]) | phenology(inputs) | dryness(inputs)
    return {name: values.astype(np.float32) for name, values in made.items()}
