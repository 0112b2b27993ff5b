"""What a flux tower reports of the truth: measured NEE, partitioned GPP and RECO with correlated error, uncertainty.

The partitioning error sits in RECO and goes over into GPP = RECO - NEE, as in the night-time method; so cold months
have negative GPP. Weather columns are the tower's own and a debiased reanalysis.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dere.variables import FLUXES
from dere.world.climate import Climate

Array = NDArray[np.float64]

PERCENTILES = ("05", "16", "25", "50", "75", "84", "95")
_NORMAL = dict(zip(PERCENTILES, (-1.645, -0.994, -0.674, 0.0, 0.674, 0.994, 1.645), strict=True))


def _walk(rng: np.random.Generator, shape: tuple[int, int], memory: float) -> Array:
    """(site, time) unit-variance first-order autoregression."""
    shock = rng.normal(size=shape)
    out = np.empty(shape)
    out[:, 0] = shock[:, 0]
    for step in range(1, shape[1]):
        out[:, step] = memory * out[:, step - 1] + np.sqrt(1 - memory**2) * shock[:, step]
    return out


def observe(truth: Array, quality: Array, nothing: NDArray[np.bool_], rng: np.random.Generator) -> dict[str, Array]:
    """Flux columns of towers.

    Parameters
    ----------
    truth
        (site, time, flux) true fluxes, gC m-2 d-1.
    quality
        (site, time) share of measured or well-filled data.
    nothing
        (site, time) months without any value.
    rng
        Source of randomness.

    Returns
    -------
    dict
        FULLSET column name to (site, time), NaN = missing, gC m-2 d-1 (``_NIGHT``, ``_DAY``: umolCO2 m-2 s-1).
    """
    gpp, reco, nee = (truth[..., FLUXES.index(name)] for name in ("gpp", "reco", "nee"))
    shape = gpp.shape
    size = np.abs(gpp) + np.abs(reco)
    random = 0.02 + 0.008 * size
    system = (0.02 + 0.025 * size) * np.exp(0.5 * rng.normal(size=(shape[0], 1)))
    bias = 0.12 * rng.normal(size=(shape[0], 1)) * np.sqrt(np.abs(reco) + 0.05)
    measured = nee + bias + random * rng.normal(size=shape) + system * _walk(rng, shape, 0.4)
    partition = (0.05 + 0.07 * reco) * _walk(rng, shape, 0.5) + 0.06 * reco * rng.normal(size=(shape[0], 1))
    night = np.where(reco + bias + partition > 0, reco + bias + partition, 0.3 * np.abs(partition))
    night_gpp = night - measured

    # The day-time method fits a light response: its GPP is never negative, its triple closes worse.
    site = rng.normal(size=(2, shape[0], 1))
    day_gpp = np.maximum(gpp * (1 + 0.05 * site[0]) + (0.02 + 0.07 * gpp) * _walk(rng, shape, 0.4), 0)
    day_reco = np.maximum(reco * (0.97 + 0.08 * site[1] + 0.1 * _walk(rng, shape, 0.4)), 0.01)

    # Poorly filled months fall back to a seasonal mean and drift off.
    poor = np.clip((0.5 - quality) / 0.5, 0, 1)
    for values, spread in ((measured, 0.7), (night, 0.5), (night_gpp, 0.0), (day_gpp, 0.3), (day_reco, 0.3)):
        values[:] = _fill(values, quality, poor, spread, rng)
    night_gpp[:] = night - measured

    columns: dict[str, Array] = {}
    width = 0.45 * system * np.exp(0.3 * rng.normal(size=shape))
    for cut, factor in (("VUT", 1.0), ("CUT", 1.15)):
        shift = 0.0 if cut == "VUT" else 0.3 * system * rng.normal(size=shape)
        mismatch = _mismatch(rng, shape)
        _members(columns, f"NEE_{cut}", measured + shift, width * factor, rng)
        _members(columns, f"RECO_NT_{cut}", night + shift + mismatch, 1.3 * width * factor, rng)
        _members(columns, f"GPP_NT_{cut}", night_gpp, 1.4 * width * factor, rng)
        _members(columns, f"RECO_DT_{cut}", day_reco, 1.3 * width * factor, rng)
        _members(columns, f"GPP_DT_{cut}", day_gpp, 1.4 * width * factor, rng)
        noise = random * np.exp(0.3 * rng.normal(size=shape))
        half = (columns[f"NEE_{cut}_84"] - columns[f"NEE_{cut}_16"]) / 2
        for member in ("REF", "USTAR50"):
            columns[f"NEE_{cut}_{member}_RANDUNC"] = np.where(quality > 0.02, noise, np.nan)
            columns[f"NEE_{cut}_{member}_JOINTUNC"] = np.sqrt(columns[f"NEE_{cut}_{member}_RANDUNC"] ** 2 + half**2)
        for member in ("REF", "USTAR50", "MEAN", *PERCENTILES):
            columns[f"NEE_{cut}_{member}_QC"] = np.array(quality)
    columns["NEE_VUT_REF_NIGHT"] = night / 1.03775
    columns["NEE_VUT_REF_DAY"] = (2 * measured - night) / 1.03775
    for name, values in columns.items():
        columns[name] = np.where(nothing & (not name.endswith("_QC")), np.nan, values)
    return columns


def _fill(values: Array, quality: Array, poor: Array, spread: float, rng: np.random.Generator) -> Array:
    """Draw poorly filled months towards the mean season of the record, plus an error."""
    months = values.reshape(values.shape[0], -1, 12)
    weight = np.nan_to_num(quality).reshape(months.shape) + 0.02
    season = np.tile((months * weight).sum(axis=1) / weight.sum(axis=1), months.shape[1])
    error = spread * _walk(rng, values.shape, 0.6) * (0.15 + 0.3 * np.abs(season))
    filled = season * rng.uniform(0.5, 1.4, (values.shape[0], 1)) + error
    return (1 - poor) * values + poor * filled


def _mismatch(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    """Difference of RECO and NEE + GPP because each REF is another threshold's member: small, rarely large."""
    size = np.minimum(0.02 * np.exp(1.65 * rng.normal(size=shape)), 8.6)
    return size * rng.choice([-1.0, 1.0], size=shape)


def _members(columns: dict[str, Array], stem: str, reference: Array, spread: Array, rng: np.random.Generator) -> None:
    """Add percentile members in ascending order, REF, USTAR50, MEAN and SE."""
    centre = reference + 0.25 * spread * rng.normal(size=reference.shape)
    for name in PERCENTILES:
        columns[f"{stem}_{name}"] = centre + _NORMAL[name] * spread
    columns[f"{stem}_REF"] = reference
    columns[f"{stem}_USTAR50"] = centre
    columns[f"{stem}_MEAN"] = centre + 0.05 * spread
    columns[f"{stem}_SE"] = spread / np.sqrt(40.0)


def weather(climate: Climate, top_of_atmosphere: Array, rng: np.random.Generator) -> dict[str, Array]:
    """Weather columns: gap-free F columns with quality, reanalysis columns, potential radiation.

    Parameters
    ----------
    climate
        The sites' own climate.
    top_of_atmosphere
        (site, time) W m-2.
    rng
        Source of randomness.
    """
    monthly = climate.monthly
    shape = monthly["air_temperature"].shape

    def n(size: float) -> Array:
        return size * rng.normal(size=shape)

    def factor(size: float) -> Array:
        return np.exp(size * rng.normal(size=shape) - size**2 / 2)

    sun = monthly["shortwave"]
    columns: dict[str, Array] = {}
    own = {
        "TA": monthly["air_temperature"] + n(0.15),
        "SW_IN": np.minimum(sun * factor(0.02), 0.92 * top_of_atmosphere),
        "LW_IN": monthly["longwave"] + n(2.5),
        "VPD": np.maximum(monthly["vpd"] * factor(0.03), 0),
        "PA": monthly["pressure"] + n(0.03),
        "P": monthly["precipitation"] * factor(0.12),
        "WS": monthly["wind"] * factor(0.06),
    }
    era = {
        "TA": monthly["air_temperature"] + n(0.45),
        "SW_IN": np.minimum(sun * factor(0.05), 0.92 * top_of_atmosphere),
        "LW_IN": monthly["longwave"] + n(4.0),
        "VPD": np.maximum(monthly["vpd"] * factor(0.09), 0),
        "PA": monthly["pressure"] + n(0.05),
        "P": monthly["precipitation"] * factor(0.25),
        "WS": monthly["wind"] * factor(0.10),
    }
    columns["SW_IN_POT"] = top_of_atmosphere
    for name in own:
        share = np.clip(1 - rng.gamma(1.0, 0.05, shape), 0, 1)
        lost = rng.uniform(size=shape) < 0.06
        share = np.where(lost, rng.uniform(0, 0.4, shape), share)
        columns[f"{name}_F"] = np.where(lost, era[name], own[name])
        columns[f"{name}_F_QC"] = share
        columns[f"{name}_ERA"] = era[name]
        if name in ("TA", "SW_IN", "LW_IN", "VPD"):
            columns[f"{name}_F_MDS"] = np.where(lost, np.nan, own[name])
            columns[f"{name}_F_MDS_QC"] = np.where(lost, np.nan, share)
    respired = 6 * np.clip(monthly["air_temperature"] / 20, 0, 1)
    air = monthly["co2"] + respired + n(2.5)
    odd = rng.uniform(size=shape)
    air = np.where(odd < 0.11, np.nan, np.where(odd < 0.112, 0.0, air))
    columns["CO2_F_MDS"] = air
    columns["CO2_F_MDS_QC"] = np.where(np.isnan(air), np.nan, np.clip(1 - rng.gamma(1.0, 0.1, shape), 0, 1))
    columns["TS_F_MDS_1"] = climate.soil_temperature[..., 0] + n(0.4)
    columns["TS_F_MDS_1_QC"] = np.clip(1 - rng.gamma(1.0, 0.08, shape), 0, 1)
    columns["USTAR"] = 0.09 * monthly["wind"] * factor(0.05) + 0.05
    columns["USTAR_QC"] = np.clip(1 - rng.gamma(1.0, 0.05, shape), 0, 1)
    return columns


def flux_columns() -> list[str]:
    """Names of the flux columns that ``observe`` makes, for files of sites without fluxes."""
    one = np.ones((1, 12, len(FLUXES)))
    return list(observe(one, one[..., 0], np.zeros((1, 12), dtype=bool), np.random.default_rng(0)))
