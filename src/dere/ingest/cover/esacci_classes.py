"""From percent of the fourteen ESA CCI layers to plant fractions (docs/data.md#plant-types-and-stand-ages).

The class table follows from the class names and the plant types of the process model: broadleaved trees BL,
needleleaved trees NL, shrubs and grass GS, managed grass (crops) GS by switch; bare, built, water, snow and ice are no
vegetation.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import numpy as np

from dere.config.plant_classes import CROPS, OTHER_LAYERS, VEGETATION_LAYERS, PlantClasses
from dere.variables import PLANT_TYPES

log = logging.getLogger(__name__)

CLASSES: dict[str, tuple[str, ...]] = PlantClasses().model_dump()
LAYERS = (*VEGETATION_LAYERS, *OTHER_LAYERS)
# layers are stored as whole percent at 300 m, so that fourteen of them may miss 100 by rounding
SUM_TOLERANCE = 2.0


def class_members(classes: Mapping[str, Sequence[str]], include_crops: bool) -> dict[str, list[int]]:
    """Index of the layers of each plant type in ``LAYERS``.

    Parameters
    ----------
    classes
        Layers of BL, NL and GS.
    include_crops
        Managed grass belongs to GS unless ``classes`` places it.

    Raises
    ------
    ValueError
        A layer that is unknown, no vegetation, or in two classes; a class without layers.
    """
    placed: dict[str, str] = {}
    members: dict[str, list[int]] = {}
    for plant_type in PLANT_TYPES:
        layers = list(classes.get(plant_type, ()))
        if not layers:
            raise ValueError(
                f"sources.cover.classes gives {plant_type} no layer, but each of {', '.join(PLANT_TYPES)} needs one"
            )
        for layer in layers:
            if layer not in VEGETATION_LAYERS:
                raise ValueError(
                    f"sources.cover.classes.{plant_type}: {layer} is no vegetation layer of the map; choose from "
                    f"{', '.join(VEGETATION_LAYERS)}"
                )
            if layer in placed:
                raise ValueError(
                    f"sources.cover.classes lists {layer} in {placed[layer]} and in {plant_type}, but a layer may "
                    "count once; remove it from one"
                )
            placed[layer] = plant_type
        members[plant_type] = [LAYERS.index(layer) for layer in layers]
    if include_crops and CROPS not in placed:
        members["GS"].append(LAYERS.index(CROPS))
    return members


def fractions(
    layers: np.ndarray,
    include_crops: bool,
    classes: Mapping[str, Sequence[str]] = CLASSES,
    renormalise: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """Plant fractions and vegetated fraction of land.

    Parameters
    ----------
    layers
        Percent in the order of ``LAYERS``, shape (..., 14), summing to 100; all NaN where the map has no data.
    include_crops
        Count managed grass as grass and shrub; otherwise it is no vegetation.
    classes
        Layers of each plant type.
    renormalise
        Fractions of the vegetated part, summing to 1; otherwise shares of the land, summing to the vegetated fraction.

    Returns
    -------
    tuple
        ``plant_fraction`` (..., 3), NaN without vegetation (renormalised) or without land, and
        ``vegetated_fraction`` (...), NaN without land. Land is 100 - WATER, so that the land fraction is applied once
        and elsewhere.
    """
    members = class_members(classes, include_crops)
    amount = np.stack([layers[..., members[name]].sum(axis=-1) for name in PLANT_TYPES], axis=-1)
    vegetated = amount.sum(axis=-1)
    land = 100.0 - layers[..., LAYERS.index("WATER")]
    whole = vegetated if renormalise else land
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(whole[..., None] > 0, amount / whole[..., None], np.nan)
        fraction = np.where(land > 0, vegetated / land, np.nan)
    return share, fraction


def land_fraction(layers: np.ndarray) -> np.ndarray:
    """Land share (...) of places with layers (..., 14) in percent: what is not WATER; NaN without data."""
    return 1.0 - layers[..., LAYERS.index("WATER")] / 100.0


def check_layers(layers: np.ndarray, source: str) -> None:
    """Check that layers (..., 14) are percentages summing to 100 within ``SUM_TOLERANCE``.

    Places where all layers are missing have no data and are counted in the log. One layer is looked at after the
    other, so that the check of a large map takes little memory.

    Raises
    ------
    ValueError
        No data at all, negative or partly missing values, shares of 0 to 1, or another sum.
    """
    shape = layers.shape[:-1]
    total, gaps, negative = np.zeros(shape), np.zeros(shape, np.int8), np.zeros(shape, bool)
    for index in range(layers.shape[-1]):
        layer = layers[..., index]
        missing = np.isnan(layer)
        gaps += missing
        negative |= layer < 0
        np.add(total, layer, out=total, where=~missing)
    empty = gaps == layers.shape[-1]
    if empty.all():
        raise ValueError(
            f"{source}: all {empty.size} places are missing, but percent of 14 layers are needed; download it again"
        )
    if empty.any():
        log.warning("%s: %d of %d places have no data", source, int(empty.sum()), empty.size)
    bad = ~empty & ((gaps > 0) | negative | ~np.isfinite(total))
    if bad.any():
        raise ValueError(
            f"{source}: {int(bad.sum())} places have a missing or negative layer, but every layer needs 0 to 100 "
            "percent; write ocean as WATER 100"
        )
    total = total[~empty]
    off = np.abs(total - 100)
    if off.max() > SUM_TOLERANCE:
        hint = "convert shares to percent" if np.median(total) < 1.5 else "check that all 14 layers are of one year"
        raise ValueError(
            f"{source}: the 14 layers sum to {total.min():g} to {total.max():g}, but 100 within {SUM_TOLERANCE:g} is "
            f"needed at {int((off > SUM_TOLERANCE).sum())} places; {hint}"
        )


def normalise_layers(layers: np.ndarray, source: str) -> np.ndarray:
    """Check layers (see :func:`check_layers`), then make their sums 100 exactly; places without data stay NaN.

    Raises
    ------
    ValueError
        As :func:`check_layers`.
    """
    check_layers(layers, source)
    return layers * (100.0 / layers.sum(axis=-1, keepdims=True))
