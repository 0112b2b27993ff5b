"""Ten targets of the four stands from what a process model writes per plant type or per cell.

Values per plant type become pure stands: means over the types of a class, weighted with their cover. The mixture is the
mean over all vegetation, because fluxes here are per vegetated area. What a model writes for the whole cell only (often
heterotrophic respiration and soil carbon) is divided by the vegetated share and the same in all stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dere.config.process_models import NetcdfSimulation
from dere.physics import derive
from dere.variables import FREE_TARGETS, PLANT_TYPES, STANDS, TARGETS
from dere.world.parameters import Parameters


@dataclass(frozen=True)
class Vegetation:
    """Cover of a block of cells.

    Parameters
    ----------
    cover
        (cell, time, plant_type) share of the land, of vegetation types only.
    classes
        (plant_type,) BL, NL or GS.
    """

    cover: NDArray[np.float64]
    classes: tuple[str, ...]

    @property
    def vegetated(self) -> NDArray[np.float64]:
        """(cell, time) share of the land with vegetation."""
        return self.cover.sum(-1)

    def of_class(self, values: NDArray) -> NDArray[np.float64]:
        """Sums (3, cell, time) over the types of each class."""
        return np.stack(
            [values[..., np.array([c == name for c in self.classes], bool)].sum(-1) for name in PLANT_TYPES]
        )

    @property
    def fractions(self) -> NDArray[np.float64]:
        """(3, cell, time) shares of the classes in the vegetation; NaN without vegetation."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.of_class(self.cover) / self.vegetated

    def present(self, minimum: float) -> NDArray[np.bool_]:
        """(3, cell) whether a class has its share of the vegetation on average and some cover in every month."""
        shares = self.fractions
        return (shares.mean(-1) >= minimum) & (shares.min(-1) > 0)


def by_stand(values: NDArray, vegetation: Vegetation, per: str) -> NDArray[np.float64]:
    """Values of the four stands, (stand, cell, time), per area of the stand.

    Parameters
    ----------
    values
        (cell, time, plant_type) per area of the type or of the cell (``per``), or (cell, time) per area of the cell.
    vegetation
        Of the same cells and months.
    per
        ``plant_type_area`` or ``cell_area``.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        if values.ndim == 2:
            return np.broadcast_to(values / vegetation.vegetated, (len(STANDS), *values.shape))
        amount = values * vegetation.cover if per == "plant_type_area" else values
        # a type without cover has no value
        amount = np.where(vegetation.cover > 0, amount, 0.0)
        pure = vegetation.of_class(amount) / vegetation.of_class(vegetation.cover)
        return np.concatenate([pure, (amount.sum(-1) / vegetation.vegetated)[None]])


def height_of(above_ground: NDArray, stand: str) -> NDArray[np.float64]:
    """Canopy height (m) from above-ground carbon (kgC m-2) of a pure stand.

    H = H_max (1 - exp(-k AGB^0.6)), the relation and coefficients of the built-in process model
    (``dere.world.parameters``), for models that write no height. It is an estimate: it sets the level of a state, no
    flux.
    """
    parameters = Parameters()
    index = PLANT_TYPES.index(stand)
    return -parameters.height_max[index] * np.expm1(-parameters.height_rate[index] * np.maximum(above_ground, 0) ** 0.6)


def _mixed(pure: NDArray, fractions: NDArray) -> NDArray[np.float64]:
    """Mean (cell, time) of pure stands by their fractions; a class without cover has no value, and needs none."""
    return np.where(fractions > 0, fractions * pure, 0.0).sum(axis=0)


def targets_of(values: Mapping[str, NDArray], vegetation: Vegetation, config: NetcdfSimulation) -> NDArray[np.float32]:
    """Targets (cell, stand, time, target) in canonical units; NaN where a class is absent.

    Parameters
    ----------
    values
        ``gpp``, ``ra``, ``rh`` (gC m-2 d-1), ``lai`` (m2 m-2), ``vegetation_carbon``, ``soil_carbon`` (kgC m-2) and,
        where known, ``root_carbon`` and ``height`` (m); each (cell, time[, plant_type]).
    vegetation
        Of the same cells and months.
    config
        ``per``, ``above_ground``, ``minimum_fraction``.
    """
    stands = {name: by_stand(array, vegetation, config.per) for name, array in values.items() if name != "height"}
    if "height" in values:
        # a height is no amount per area: the types' own heights, or the cell's in all stands
        height = values["height"]
        shared = np.broadcast_to(height, (len(STANDS), *height.shape))
        stands["height"] = shared if height.ndim == 2 else by_stand(height, vegetation, "plant_type_area")
    fractions = vegetation.fractions
    if "root_carbon" in stands:
        above = stands["vegetation_carbon"] - stands["root_carbon"]
    else:
        share = np.array([config.above_ground[name] for name in PLANT_TYPES])[:, None, None]
        mixed = _mixed(share * stands["vegetation_carbon"][:3], fractions)
        above = np.concatenate([share * stands["vegetation_carbon"][:3], mixed[None]])
    if "height" not in stands:
        pure = [height_of(above[index], name) for index, name in enumerate(PLANT_TYPES)]
        stands["height"] = np.stack([*pure, _mixed(np.stack(pure), fractions)])
    free = {**stands, "agb": above}
    full = derive({name: free[name] for name in FREE_TARGETS})
    targets = np.stack([full[name] for name in TARGETS], axis=-1)
    present = np.concatenate([vegetation.present(config.minimum_fraction), np.ones((1, targets.shape[1]), bool)])
    targets = np.where(present[..., None, None], targets, np.nan)
    return np.moveaxis(targets, 0, 1).astype(np.float32)
