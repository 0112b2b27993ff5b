"""Figure name to the function that draws it."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.artist import Artist

from dere.figures import (
    calibration,
    closure_histogram,
    comparison,
    label_weights,
    pit,
    plant_fractions,
    product_maps,
    seasonal_cycles,
    series,
    site_calibration,
    skill_comparison,
    training_history,
    world_map,
)

FIGURES: dict[str, Callable[..., list[Artist]]] = {
    "world_map": world_map.draw,
    "skill_comparison": skill_comparison.draw,
    "comparison": comparison.draw,
    "series": series.draw,
    "seasonal_cycles": seasonal_cycles.draw,
    "calibration": calibration.draw,
    "pit": pit.draw,
    "site_calibration": site_calibration.draw,
    "label_weights": label_weights.draw,
    "closure_histogram": closure_histogram.draw,
    "plant_fractions": plant_fractions.draw,
    "product_maps": product_maps.draw,
    "training_history": training_history.draw,
}
