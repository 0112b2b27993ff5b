"""Months of the methane towers of the package as rows of predictors and labels, and what predicts them unseen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestRegressor

from dere.ingest.tower.bundled_methane import SITES, TABLE
from dere.knowledge.earlier_months import YEAR, lagged, running_mean
from dere.resources import METHANE

Array = NDArray[np.float64]
LAGGED = ("TA_F", "P_F", "SW_IN_F")
LAGS = (1, 2, 3)
BY_EMISSION = ("drained", "wet tundra", "bog", "fen", "swamp")
"""Wetland classes from those that ecology expects to emit little to those that emit much, so that one split tells the
poor from the rich. The order is ours and not fitted; marshes and rice are not among the towers."""


@dataclass(frozen=True)
class Rows:
    """Labelled months.

    Parameters
    ----------
    site, cluster
        (row,) tower, and the group that is left out together.
    calendar
        (row,) month 0 to 11, shifted by half a year in the south.
    temperature
        (row,) degC.
    features, names
        (row, feature) predictors of the forest.
    label
        (row,) methane, nmol m-2 s-1, mean of measured days.
    """

    site: NDArray[np.str_]
    cluster: NDArray[np.str_]
    calendar: NDArray[np.int64]
    temperature: Array
    features: Array
    names: tuple[str, ...]
    label: Array

    def weights(self, some: NDArray[np.bool_]) -> Array:
        """One over the number of a tower's months among ``some``: towers count alike. Shape (some,)."""
        _, member, count = np.unique(self.site[some], return_inverse=True, return_counts=True)
        return 1.0 / count[member]


Model = Callable[[Rows, NDArray[np.bool_], NDArray[np.bool_], int], Array]
"""Takes rows, which of them to learn from and which to predict, and a seed; gives the predictions in nmol m-2 s-1."""


def read_rows() -> Rows:
    """Labelled months of all towers of the package, with the predictors of methane.md: weather and its past, class."""
    months = pd.read_csv(METHANE / TABLE)
    sites = pd.read_csv(METHANE / SITES).set_index("site_id")
    parts = []
    for site, own in months.groupby("Site", sort=True):
        part = pd.DataFrame(dict(_of_site(own, float(sites["lat"][site]))))
        part["wetland"] = float(BY_EMISSION.index(sites["wetland"][site]))
        part["site"], part["cluster"], part["label"] = site, sites["cluster"][site], own["FCH4"].to_numpy()
        parts.append(part)
    table = pd.concat(parts, ignore_index=True).dropna(subset="label")
    about = ["site", "cluster", "label", "calendar"]
    names = tuple(str(name) for name in table if name not in about)
    return Rows(
        site=table["site"].to_numpy().astype(str),
        cluster=table["cluster"].to_numpy().astype(str),
        calendar=table["calendar"].to_numpy(int),
        temperature=table["TA_F"].to_numpy(float),
        features=table[list(names)].to_numpy(float),
        names=names,
        label=table["label"].to_numpy(float),
    )


def _of_site(months: pd.DataFrame, lat: float) -> Iterator[tuple[str, Array]]:
    """Predictors of one tower by name, (month,)."""
    for name in LAGGED:
        series = months[name].to_numpy(float)[None]
        yield name, series[0]
        for lag in LAGS:
            yield f"{name}_lag{lag}", lagged(series, lag)[0]
        yield f"{name}_mean{YEAR}", running_mean(series, YEAR)[0]
    yield "VPD_F", months["VPD_F"].to_numpy(float)
    calendar = (months["TIMESTAMP"].to_numpy(int) % 100 - 1 + (YEAR // 2 if lat < 0 else 0)) % YEAR
    yield "calendar", calendar
    yield "season_sin", np.sin(2 * np.pi * calendar / YEAR)
    yield "season_cos", np.cos(2 * np.pi * calendar / YEAR)
    for name, mean in (("mean_temperature", "TA_F"), ("mean_precipitation", "P_F")):
        yield name, np.full(len(months), months[mean].mean())
    yield "latitude", np.full(len(months), abs(lat))


def seasonal_mean(rows: Rows, learn: NDArray[np.bool_], test: NDArray[np.bool_], seed: int) -> Array:
    """Mean of the other towers' labels in the same month of the year, towers alike."""
    weight = rows.weights(learn)
    total = np.bincount(rows.calendar[learn], weight * rows.label[learn], YEAR)
    count = np.bincount(rows.calendar[learn], weight, YEAR)
    return (total / count)[rows.calendar[test]]


def warming_line(rows: Rows, learn: NDArray[np.bool_], test: NDArray[np.bool_], seed: int) -> Array:
    """One Q10: a line of the logarithm on air temperature, put back with its mean ratio to the labels."""
    weight = rows.weights(learn)
    log = np.log(np.maximum(rows.label[learn], 1.0))
    slope, level = np.polyfit(rows.temperature[learn], log, 1, w=np.sqrt(weight))
    fitted = np.exp(level + slope * rows.temperature[learn])
    smearing = (weight * rows.label[learn]).sum() / (weight * fitted).sum()
    return smearing * np.exp(level + slope * rows.temperature[test])


def forest(rows: Rows, learn: NDArray[np.bool_], test: NDArray[np.bool_], seed: int, trees: int = 300) -> Array:
    """Random forest of the labels as they are: on asinh(label / 5) it aims at the median and loses the level."""
    model = RandomForestRegressor(trees, min_samples_leaf=3, max_features=1 / 3, random_state=seed, n_jobs=1)
    model.fit(rows.features[learn], rows.label[learn], rows.weights(learn))
    return model.predict(rows.features[test])


def boosted(rows: Rows, learn: NDArray[np.bool_], test: NDArray[np.bool_], seed: int) -> Array:
    """Gradient boosting (LightGBM) of the labels as they are."""
    settings = {"num_leaves": 8, "learning_rate": 0.05, "min_data_in_leaf": 10, "feature_fraction": 0.5,
                "bagging_fraction": 0.7, "bagging_freq": 1, "verbosity": -1, "num_threads": 1, "seed": seed,
                "deterministic": True}  # fmt: skip
    data = lgb.Dataset(rows.features[learn], rows.label[learn], weight=rows.weights(learn))
    return np.asarray(lgb.train(settings, data, 150).predict(rows.features[test]))


MODELS: dict[str, Model] = {
    "seasonal mean": seasonal_mean,
    "Q10 line": warming_line,
    "boosted trees": boosted,
    "forest": forest,
}


def unseen(rows: Rows, model: Model, seed: int) -> Array:
    """Predictions of every row by a model that saw no tower of its cluster, (row,)."""
    found = np.full(len(rows.label), np.nan)
    for cluster in np.unique(rows.cluster):
        test = rows.cluster == cluster
        found[test] = model(rows, ~test, test, seed)
    return found
