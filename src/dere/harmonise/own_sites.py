"""Sites of one's own, made ready for the models of a run as its towers were, from what goes with the models.

The order of the steps is that of ``build.harmonise``; there are no labels, no cells and no splits. The axis begins
where that of the run does, because a site's spin-up draws years by their place on it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.config.harmonise import HarmoniseConfig
from dere.config.simulation import SimulationSource
from dere.config.splits import SplitsConfig
from dere.harmonise import known_cells
from dere.harmonise.axis import month_number, on_calendar_years
from dere.harmonise.final import final_towers
from dere.harmonise.interim import Cover, Interim
from dere.harmonise.knowledge_channels import recorded_a_year, with_knowledge
from dere.harmonise.known_sites import cycles_of
from dere.harmonise.protocols import hidden_groups
from dere.harmonise.site_inputs import SiteInputs, tower_drivers, with_cover, with_simulation
from dere.harmonise.statics import without_classes
from dere.ingest.months import mid_months
from dere.variables import SATELLITE

log = logging.getLogger(__name__)


class OwnSites(NamedTuple):
    """Sites that can be predicted, how their months were filled, and why others cannot be.

    ``towers`` is as ``data/towers.nc`` without labels; None where no site is left. ``counts`` has site, step, reason,
    months.
    """

    towers: xr.Dataset | None
    counts: pd.DataFrame
    dropped: dict[str, str]


class Settings(NamedTuple):
    """Sections of the run's configuration; ``own_co2``: its towers' CO2 columns are the world's, and clean."""

    harmonise: HarmoniseConfig
    simulation: SimulationSource
    splits: SplitsConfig
    own_co2: bool = False


def own_sites(
    interim: xr.Dataset,
    known: xr.Dataset,
    settings: Settings,
    *,
    simulated: bool,
    unseen: bool = False,
    own: Cover | None = None,
) -> OwnSites:
    """Make drivers, channels, cover, attributes, windows and, where wanted, simulated states of sites.

    Parameters
    ----------
    interim
        Sites as `dere.ingest.tower.towers.read_towers` gives them.
    known
        ``models/known_sites.nc`` (`known_sites.known_sites`).
    settings
        Of the run.
    simulated
        The method starts from simulated states.
    unseen
        Sites without any satellite month are predicted although the models have learned from none such.
    own
        Plant types and stand ages that the sites bring (``sites``, ``site_ages``), ahead of those of the run.

    Raises
    ------
    ValueError
        When the run's driver set is not one that a site brings, or its simulated states are wanted and not there.
    """
    config, source = settings.harmonise, settings.simulation
    if config.driver_set != "monthly8":
        raise ValueError(
            f"harmonise.driver_set of the run is {config.driver_set}, whose channels sites do not bring; predict sites "
            "of your own with a run on monthly8"
        )
    builtin = source.provider == "builtin"
    if simulated and not builtin:
        known_cells.require_states(known)
    raw, none = _on_axis_of(interim, int(known.attrs["first_month"])), pd.DataFrame()
    raw, dropped = _seen(raw, known, config, unseen)
    if simulated and not builtin:
        raw, lost = known_cells.placed(raw, known)
        dropped |= lost
    if not raw.sizes["site"]:
        return OwnSites(None, none, dropped)
    given = Interim(
        towers=raw,
        cover=known_cells.cover_of(known, own),
        # its presence says that the CO2 columns are the world's own
        truth={} if settings.own_co2 else None,
    )
    ages = source.ages if builtin else known_cells.ages_of(known, source.ages)
    try:
        towers, inputs, lost = _complete(given, ages, config)
    except ValueError as error:
        # no site is left: each has its own sentence where there is more than one
        return OwnSites(None, none, dropped | _each_alone(given, ages, config, str(error)))
    dropped |= inputs.dropped | lost
    if simulated:
        span = int(known.attrs["simulated_months"])
        states = _run(towers, source, span) if builtin else known_cells.states_at(towers, known)
        towers = with_simulation(towers, *states)
    towers = final_towers(towers, config.satellites)
    towers = with_knowledge(towers, config.channels, cycles_of(known) if config.satellites else None)
    if hidden := hidden_groups(settings.splits):
        towers["static"] = towers["static"].copy(data=without_classes(towers["static"].values, hidden))
    counts = inputs.counts[inputs.counts["site"].isin(towers["site"].values.astype(str))]
    return OwnSites(towers, counts.reset_index(drop=True), dropped)


def _run(towers: xr.Dataset, source: SimulationSource, span: int) -> tuple[NDArray, NDArray]:
    """Run the built-in process model on the sites, without the perturbed copies that trainings see."""
    # here, because only this provider needs the process model
    from dere.harmonise.members import run_sites

    # one member at least is asked for; what it gives as such is not used
    first = np.arange(towers.sizes["site"]) == 0
    runs = run_sites(towers, source.model_copy(update={"perturbations": 0}), first, span)
    return runs.simulated, runs.initial_state


def _on_axis_of(interim: xr.Dataset, first_month: int) -> xr.Dataset:
    """Sites on an axis that begins no later than that of the run; added months are in no record."""
    raw = on_calendar_years(interim)
    own = month_number(raw["time"].values)
    ahead = int(own[0]) - first_month
    if ahead <= 0:
        return raw
    longer = raw.assign_coords(time=own).reindex(time=np.arange(first_month, own[-1] + 1))
    for name, variable in raw.data_vars.items():
        if variable.dtype == bool:
            longer[name] = longer[name].fillna(False).astype(bool)
    return longer.assign_coords(time=mid_months(first_month, len(own) + ahead))


def _seen(
    raw: xr.Dataset, known: xr.Dataset, config: HarmoniseConfig, unseen: bool
) -> tuple[xr.Dataset, dict[str, str]]:
    """Sites without those that no satellite saw, where the models have learned from none such."""
    if not config.satellites or unseen or "has_satellite" not in known:
        return raw, {}
    learned = known["learned_months"].values > 0
    if not known["has_satellite"].values[learned].all():
        return raw, {}
    there = [np.isfinite(raw[name].transpose("site", "time").values).any(1) for name in SATELLITE if name in raw]
    having = np.any(there, axis=0) if there else np.zeros(raw.sizes["site"], bool)
    lost = {
        str(
            site
        ): f"site {site} has no month of LAI or EVI, but all {int(learned.sum())} towers that the models learned "
        "from have; give columns lai_satellite and evi_satellite, or say --without-satellites, which takes the mean "
        "annual cycle of its class"
        for site in raw["site"].values[~having]
    }
    return raw.isel(site=having), lost


def _complete(
    given: Interim, ages: Sequence[int], config: HarmoniseConfig
) -> tuple[xr.Dataset, SiteInputs, dict[str, str]]:
    """Drivers, cover and attributes of sites with a year of record or more, and why others are lost."""
    inputs = tower_drivers(given, config, builtin=True)
    towers, short = recorded_a_year(inputs.towers)
    towers, uncovered = with_cover(towers, given, inputs.raw, ages, config)
    return towers, inputs, short | uncovered


def _each_alone(given: Interim, ages: Sequence[int], config: HarmoniseConfig, of_all: str) -> dict[str, str]:
    """Site to the sentence that it ends in by itself."""
    found = {}
    for site in given.towers["site"].values.astype(str):
        alone = Interim(towers=given.towers.sel(site=[site]), cover=given.cover, truth=given.truth)
        try:
            _complete(alone, ages, config)
            found[site] = of_all
        except ValueError as error:
            found[site] = str(error)
    return found
