"""Parameters of the process model, and the structural differences that only the world's nature uses.

Where a source is named, it gives the form or the order of magnitude; the values are rounded and not fitted to
observations. ``light_use``, respiration, mortality, decay, water stress, the thresholds of tree cover and
``interference`` were set by hand until eight synthetic climates and the built-in world gave plausible totals, stocks
and dominance. ``interference`` in particular was raised until competition explained more than a tenth of the variance
of mixture fluxes; its strength is a property of this world, not a measurement. Plant-type tuples are ordered BL
(broadleaf trees), NL (needleleaf trees), GS (grass and shrub).
"""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

ByType = tuple[float, float, float]
"""Values for the plant types BL, NL, GS."""


@dataclass(frozen=True)
class Parameters:
    """Constants of the process model; per-type tuples are ordered BL, NL, GS."""

    # --- photosynthesis (P-model: Prentice et al. 2014; Wang et al. 2017; Stocker et al. 2020)
    light_use: ByType = (0.81, 0.70, 0.64)
    """Realised share of the P-model's light-use efficiency: nutrients, leaf age, canopy clumping. Trees: 0.9 of the
    values set by hand while the daylight was taken for 2.4 K too hot, which brings mean GPP at 166 real towers within
    0.1 gC m-2 d-1 of the observed."""
    ppfd_per_shortwave: float = 2.04
    """Photon flux per short-wave radiation (umol J-1; Meek et al. 1984)."""
    frost_limit: float = 0.0
    """Monthly mean temperature at and below which nothing photosynthesises (degC)."""
    cold_ramp: float = 5.0
    """Width above the frost limit over which photosynthesis recovers (K; Maekelae et al. 2008)."""
    co2_reference: float = 371.0
    """CO2 from which the response is counted (ppm): that of 2001, the first year of the world (Mauna Loa 371.3), so
    that what nutrients leave of it, and nature's stronger response, act on all that rises afterwards."""
    co2_realised: float = 0.55
    """Share of the CO2 response that nutrients allow (FACE: Norby & Zak 2011)."""
    c4_midpoint: float = 0.05
    """Relative annual advantage of C4 at which half of the grass is C4."""
    c4_slope: float = 15.0
    """Steepness of the C4 share in that advantage (after Lavergne et al. 2024)."""

    # --- water (Priestley & Taylor 1972; one bucket in two layers)
    priestley_taylor: float = 1.0
    """Evaporation over its equilibrium in humid air. 1.26 is that of wet surfaces; dry forest canopies stay mostly
    below 1 (Komatsu 2005, 67 forests), and intercepted rain brings some of it back."""
    albedo: float = 0.17
    snow_albedo: float = 0.5
    available_water: float = 0.17
    """Plant-available water (m3 m-3)."""
    upper_depth: float = 300.0
    """Depth of the upper layer, at most half of the soil (mm)."""
    root_depth: float = 2000.0
    """Deepest soil that roots reach (mm)."""
    upper_roots: ByType = (0.4, 0.45, 0.8)
    """Share of water uptake from the upper layer (Jackson et al. 1996)."""
    critical_wetness: ByType = (0.42, 0.44, 0.35)
    """Wetness below which uptake and photosynthesis fall linearly (Feddes et al. 1978)."""
    soil_evaporation: float = 0.9
    dry_air: float = 0.08
    """Increase of evaporative demand per hPa of VPD above ``dry_air_from``."""
    dry_air_from: float = 12.0
    """Monthly VPD (hPa) above which the drying by the air is more than the coefficient holds: summers of humid climates
    stay below."""
    dry_air_most: float = 1.74
    """Largest factor: that of arid climates (Jensen et al. 1990)."""
    co2_thrift: float = -0.15
    """Exponent of CO2 in transpiration."""
    melt: float = 2.5
    """Degree-day factor (mm K-1 d-1; Hock 2003)."""

    # --- leaves
    extinction: float = 0.5
    """Beer extinction coefficient of photosynthetic radiation."""
    specific_leaf_area: ByType = (0.024, 0.010, 0.022)
    """m2 gC-1 (Kattge et al. 2020)."""
    leaf_cost: ByType = (13.0, 14.0, 20.0)
    """Carbon cost of leaf area (mol m-2 yr-1; 12.2 in Zhu et al. 2023) that sets the leaf area worth having."""
    leaf_memory: float = 36.0
    """Months over which plants average the pay-back of leaves."""
    leaf_longevity: ByType = (1.2, 4.0, 1.0)
    """Years (Wright et al. 2004); deciduous shedding comes on top."""
    leaf_start: ByType = (0.05, 0.05, 1.0)
    """Share of the full leaf area that a plant without stem carries."""
    canopy_stem: float = 550.0
    """Stem carbon per cover over which trees close their canopy (gC m-2)."""
    deciduous_cold: tuple[tuple[float, float], tuple[float, float], tuple[float, float]] = (
        (4.0, 12.0),
        (-42.0, -28.0),
        (60.0, 70.0),
    )
    """Coldest-month mean (degC): fully deciduous below the first, evergreen above the second (NL: larch)."""
    deciduous_share: ByType = (1.0, 0.7, 0.85)
    """Share of leaves that a deciduous canopy sheds."""
    flush: tuple[tuple[float, float], tuple[float, float], tuple[float, float]] = (
        (8.0, 16.0),
        (3.0, 10.0),
        (0.0, 9.0),
    )
    """Monthly mean (degC; of trees lagged in spring) at which deciduous leaves begin and complete flushing. Deciduous
    forests of the temperate zone have hardly any GPP in an April of 10 degC and most of it in a May of 17 degC."""
    shedding: float = 0.9
    """Share of leaves beyond what the season allows that falls within a month."""
    drought_shedding: ByType = (0.4, 0.1, 0.8)
    """Share of leaves shed in a fully dry soil."""

    # --- respiration (Q10 2 with acclimation: Atkin & Tjoelker 2003; Vanderwel et al. 2015)
    leaf_respiration: ByType = (0.0050, 0.0028, 0.0055)
    """gC gC-1 d-1 at 20 degC; the P-model's own dark respiration is not subtracted anywhere."""
    root_respiration: ByType = (0.0035, 0.0030, 0.0040)
    stem_respiration: ByType = (0.00028, 0.00020, 0.00030)
    """gC per gC of sapwood per day at 20 degC."""
    sapwood: float = 3000.0
    """Sapwood carbon per cover that large trees approach (gC m-2)."""
    q10: float = 2.0
    acclimation: float = 0.012
    """Decrease of the logarithm (base 10) of respiration per K of growth temperature."""
    growth_respiration: float = 0.22
    """Share of carbon spent on growth that is respired (Penning de Vries 1975)."""

    # --- allocation and turnover
    root_per_leaf: ByType = (0.9, 0.8, 1.3)
    root_longevity: ByType = (1.3, 1.6, 1.2)
    reserve_per_leaf: ByType = (1.2, 0.8, 0.8)
    """Reserve kept before anything goes to stems, per carbon of the full canopy."""
    stem_share: ByType = (0.85, 0.85, 0.15)
    """Share of surplus carbon that becomes stem; the rest is reproduction and exudates, at once litter."""
    growth_rate: float = 0.6
    """Share of surplus used per warm month."""
    above_ground: float = 0.75
    """Above-ground share of stems."""
    mortality: ByType = (0.030, 0.023, 0.08)
    """Background loss of plants (yr-1; Galbraith et al. 2013 for tropical residence times)."""
    stress_mortality: float = 0.10
    """Additional loss outside the climatic range (yr-1)."""
    starvation_mortality: float = 0.04
    """Loss per month when maintenance cannot be paid at all."""
    height_max: ByType = (40.0, 38.0, 1.0)
    """m."""
    height_rate: ByType = (0.30, 0.24, 1.2)
    """Coefficient of height in above-ground biomass per cover (kgC m-2)**0.6."""
    seed_reserve: ByType = (15.0, 15.0, 20.0)
    """Reserve of seedlings on bare ground (gC m-2)."""
    seed_import: float = 0.1
    """Seeds that arrive from outside (gC m-2 of cover per month), so that a stand killed by drought can return."""
    cold_limit: ByType = (-19.0, -45.0, -80.0)
    """Coldest-month mean (degC) of half viability (Sitch et al. 2003)."""
    heat_limit: ByType = (60.0, 16.0, 60.0)
    """Coldest-month mean (degC) above which the type fails (no winter chilling)."""
    summer_limit: ByType = (10.5, 9.0, -10.0)
    """Warmest-month mean (degC) of half viability: the tree line."""

    # --- soil (three pools after CENTURY, Parton et al. 1987; temperature after Lloyd & Taylor 1994)
    decay: tuple[float, float, float, float] = (1.2, 0.09, 0.10, 0.0025)
    """Turnover of fine litter, coarse debris, fast and slow soil carbon at 10 degC and good moisture (yr-1)."""
    decay_activation: float = 250.0
    """Temperature sensitivity of decay (K). Lloyd & Taylor (1994) give 308.56 for soil respiration over the year, which
    contains the season of its substrate; the Q10 of 1.4 of ecosystem respiration freed of it (Mahecha et al. 2010)
    would be 124. Substrate has its own season here, so the value is between; Q10 is 2.0 from 10 to 20 degC."""
    litter_to_fast: float = 0.32
    debris_to_fast: float = 0.28
    fast_to_slow: float = 0.07
    frozen_decay: float = 0.5
    """Factor on decay where the soil is frozen."""
    debris_left: float = 0.55
    """Share of the stems killed by the disturbance at age 0 that stays as debris."""

    # --- mixtures
    canopy_mixing: float = 0.85
    """0: plant types stand in separate patches, 1: crowns fully interleaved in height order."""
    height_scale: float = 1.0
    """Height difference over which one crown stands above another (m)."""
    interference: tuple[tuple[float, float, float], ...] = ((1.0, 0.35, 1.9), (0.35, 1.0, 1.9), (2.6, 2.6, 1.0))
    """Effect of the cover of each type (columns) on the nutrition of each type (rows), relative to its own."""
    establishment: float = 0.13
    """Rate at which viable trees take over grass (yr-1)."""
    seed_rain: float = 0.01
    """Cover-equivalent of seeds arriving from outside."""
    cover_mortality: float = 0.03
    """Tree cover that falls back to grass where trees are viable (yr-1); more where not."""
    cover_failure: float = 0.10
    """Additional loss of cover of trees that are not viable (yr-1)."""
    exchange: float = 0.35
    """Rate of replacement between tree types per relative advantage (yr-1)."""
    tree_minimum: ByType = (450.0, 280.0, 0.0)
    """Annual potential photosynthesis at which a tree type is half viable (gC m-2 yr-1)."""
    tree_minimum_width: float = 130.0
    initial_trees: float = 0.04
    """Cover of each tree type on bare ground."""


@dataclass(frozen=True)
class Structure:
    """Structural differences, all neutral by default.

    Parameters
    ----------
    nutrient
        Factor on photosynthesis, scalar or (member,).
    water_table
        Wetness (0-1) below which groundwater keeps the deep soil from falling, scalar or (member,).
    drought_legacy
        Share of productivity lost after an extreme drought, fading over the following 12 to 24 months.
    disturbance
        Additional mortality of all plants (yr-1), scalar or (member,).
    harvest
        Share of grass and shrub growth that is removed, scalar or (member,).
    co2_sensitivity
        Factor on the departure of CO2 from its reference in photosynthesis.
    """

    nutrient: ArrayLike = 1.0
    water_table: ArrayLike = 0.0
    drought_legacy: float = 0.0
    disturbance: ArrayLike = 0.0
    harvest: ArrayLike = 0.0
    co2_sensitivity: float = 1.0


DEFAULT = Parameters()
