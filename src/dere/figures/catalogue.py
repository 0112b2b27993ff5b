"""Which figures there are and what each needs; imports no plotting library, because the workflow reads it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2


@dataclass(frozen=True)
class Entry:
    """One figure.

    Parameters
    ----------
    needs
        Inputs without which the figure cannot be drawn.
    wants
        Inputs that are used where they exist.
    size
        Width and height in inches.
    category
        Section of the report.
    table
        Inputs from which the figure first writes its own table of numbers; None = it draws tables that exist.
    of
        Tells of which exchanges the figure is; by default of all.
    """

    needs: tuple[str, ...]
    wants: tuple[str, ...]
    size: tuple[float, float]
    category: str
    table: tuple[str, ...] | None = None
    of: Callable[[Exchange], bool] = lambda exchange: True


def closes(exchange: Exchange) -> bool:
    """Tell whether the fluxes of an exchange depend on each other."""
    return exchange.residuals is not None


def daily(exchange: Exchange) -> bool:
    """Tell whether the fluxes are per day, so that days add up to years."""
    return all(flux.unit.endswith(" d-1") for flux in exchange.fluxes)


CATALOGUE: dict[str, Entry] = {
    "world_map": Entry(("towers",), ("drivers", "truth", "sites"), (8.5, 4.9), "Data", ("drivers", "truth")),
    "skill_comparison": Entry(("skill", "paired"), (), (9.0, 7.2), "Skill"),
    "comparison": Entry(("comparison",), (), (9.0, 8.0), "Skill"),
    "series": Entry(("towers", "predictions"), ("labels",), (10.5, 7.4), "Skill", ()),
    "seasonal_cycles": Entry(("towers", "predictions"), (), (10.5, 6.4), "Skill", ()),
    "calibration": Entry(("calibration",), (), (9.0, 7.4), "Uncertainty"),
    "pit": Entry(("calibration",), (), (9.0, 7.0), "Uncertainty"),
    "site_calibration": Entry(("site_calibration",), (), (9.0, 5.6), "Uncertainty"),
    "label_weights": Entry(("labels",), (), (9.5, 3.4), "Uncertainty", ()),
    "closure_histogram": Entry(("predictions",), ("products",), (8.0, 6.4), "Consistency", (), closes),
    "plant_fractions": Entry(("learned", "cover"), ("drivers", "roles"), (9.5, 5.2), "Consistency", ()),
    "product_maps": Entry(("products",), ("truth", "cover"), (12.0, 5.0), "Maps", (), daily),
    "training_history": Entry(("history",), (), (9.5, 6.4), "Training"),
}
"""Figure name to what it needs. Input names:

towers, drivers, cover, truth -- canonical NetCDF files; roles -- the splits table with roles of the fold;
sites -- table of the sites with their roles; predictions -- one NetCDF per method, of which figures see the sites that
are judged; labels -- labels.nc; learned -- the map prediction with ``plant_fraction``; products -- one NetCDF per flux;
skill, paired, calibration, site_calibration -- tables; comparison -- table, only of a run with several backbones;
history -- one history.csv per stage.
"""


def possible(available: Collection[str], skip: Collection[str] = (), exchange: Exchange = CO2) -> list[str]:
    """Names of the figures that can be drawn from the inputs at hand, in the order of the catalogue.

    Raises
    ------
    ValueError
        When ``skip`` names a figure that does not exist.
    """
    unknown = sorted(set(skip) - set(CATALOGUE))
    if unknown:
        raise ValueError(f"figures.skip names {unknown[0]!r}, which is no figure; choose from {list(CATALOGUE)}")
    there = {name for name, entry in CATALOGUE.items() if entry.of(exchange) and set(entry.needs) <= set(available)}
    return [name for name in CATALOGUE if name in there and name not in skip]


def outputs(
    available: Collection[str], formats: Collection[str], skip: Collection[str] = (), exchange: Exchange = CO2
) -> list[str]:
    """Names of all files that ``gallery.draw_all`` writes from these inputs.

    Examples
    --------
    >>> outputs(["skill", "paired"], ["png"])
    ['skill_comparison.png']
    """
    names = []
    for name in possible(available, skip, exchange):
        table = CATALOGUE[name].table
        if table is not None and set(table) <= set(available):
            names.append(f"{name}.csv")
        names += [f"{name}.{suffix}" for suffix in formats]
    return names
