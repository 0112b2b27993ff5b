"""Invented years of places, each of another climate."""

from dataclasses import replace

import numpy as np

from dere.knowledge.inputs import Inputs

PLACES = ("temperate", "polar", "arid", "southern", "tropical")
POLAR, ARID, SOUTHERN = 1, 2, 3


def make_inputs(months=48, leaves=True, seed=0) -> Inputs:
    rng = np.random.default_rng(seed)
    month = np.arange(months) % 12
    mean = np.array([9.0, -18.0, 22.0, 14.0, 26.0])[:, None]
    swing = np.array([11.0, 17.0, 9.0, -6.0, 1.0])[:, None]
    season = -np.cos(2 * np.pi * month / 12)[None]
    noise = rng.normal(size=(len(PLACES), months))
    light = np.array([140.0, 80.0, 250.0, 180.0, 200.0])[:, None] + 7 * swing * season
    rain = np.array([2.0, 0.6, 0.1, 2.5, 6.0])[:, None] * rng.uniform(0, 2, noise.shape)
    rain[ARID] = 0.0
    light[POLAR, (month < 2) | (month > 9)] = 0.0
    green = 0.5 + 0.4 * np.sign(swing) * season
    series = {
        "temperature": mean + swing * season + noise,
        "precipitation": rain,
        "shortwave": light,
        "vpd": np.maximum(6.0 + 5.0 * np.sign(swing) * season + noise, 0.0),
        "pressure": np.full(noise.shape, 99.0),
        "co2": np.full(noise.shape, 380.0),
    }
    seen = {"lai": 4.0 * green, "evi": 0.1 + 0.5 * green} if leaves else {}
    record = np.ones(noise.shape, bool)
    return climatological(Inputs(ids=np.array(PLACES), month=month, record=record, climatology={}, **series, **seen))


def climatological(inputs: Inputs) -> Inputs:
    """The inputs with the plain climatology of their records."""
    names = [name for name in ("temperature", "shortwave", "lai", "evi") if getattr(inputs, name) is not None]
    means = {}
    for name in names:
        values = np.where(inputs.record, getattr(inputs, name), np.nan)
        means[name] = np.stack([np.nanmean(values[:, inputs.month == calendar], axis=1) for calendar in range(12)], 1)
    return replace(inputs, climatology=means)
