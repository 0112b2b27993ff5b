"""CO2: gross primary production, ecosystem respiration and net ecosystem exchange, closing as RECO = GPP + NEE."""

from __future__ import annotations

from dere.exchange.base import Array, Exchange, Flux, LabelRule, stacked
from dere.physics import derive
from dere.variables import FLUX_UNIT, FREE_TARGETS, TARGETS, VARIABLES

PUBLIC_UNIT = "kg m-2 s-1"
NAMES = ("gpp", "reco", "nee")
_COMMENTS = {
    "gpp": "Carbon taken up by photosynthesis; positive numbers leave the atmosphere. CMIP6 name gpp, table Lmon.",
    "reco": "Autotrophic plus heterotrophic respiration; positive numbers enter the atmosphere. No CMIP6 name exists.",
    "nee": (
        "reco - gpp, positive to the atmosphere; derived from the rounded reco and gpp. Equals -nep where disturbance "
        "fluxes are left out. Fire, harvest, transport by rivers and trade are not included, so this is not nbp."
    ),
}


def close(values: Array) -> Array:
    """NEE computed again as RECO - GPP, (…, 3) in the order of `NAMES`."""
    gpp, reco = values[..., 0], values[..., 1]
    return stacked([gpp, reco, reco - gpp])


def complete(free: Array) -> Array:
    """All ten targets from the seven free channels, (…, 7) to (…, 10) (`dere.physics.derive`)."""
    named = derive({name: free[..., index] for index, name in enumerate(FREE_TARGETS)})
    return stacked([named[name] for name in TARGETS])


def residuals(values: Array) -> Array:
    """RECO - GPP - NEE, (…, 3) to (…, 1)."""
    gpp, reco, nee = (values[..., index] for index in range(3))
    return stacked([reco - gpp - nee])


def _flux(name: str, sign: str) -> Flux:
    variable = VARIABLES[name]
    return Flux(
        name=name,
        long_name=variable.long_name,
        unit=FLUX_UNIT,
        public_unit=PUBLIC_UNIT,
        valid=variable.valid_range,
        possible=variable.possible,
        standard_name=variable.standard_name,
        sign=sign,
        comment=_COMMENTS[name],
    )


EXCHANGE = Exchange(
    name="co2",
    fluxes=(
        _flux("gpp", "positive into the ecosystem"),
        _flux("reco", "positive to the atmosphere"),
        _flux("nee", "positive to the atmosphere"),
    ),
    free=FREE_TARGETS,
    basis=("nee", "reco"),
    close=close,
    complete=complete,
    residuals=residuals,
    identities=("RECO - GPP - NEE",),
    states=TARGETS,
    slow=("height", "agb", "soil_carbon"),
    groups=(("gpp",), ("ra", "rh")),
    magnitude=("gpp", "reco"),
    labels=LabelRule(make="dere.harmonise.labels:make_labels", quality="nee_quality", odd_months=True),
    substance="carbon",
    total_unit="PgC",
)
