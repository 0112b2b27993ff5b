"""Which quantity a name of a tower record stands for."""

from __future__ import annotations

from dere.variables import VARIABLES

SHARES: dict[str, str] = {
    "nee_measured_share": "share of half hours with measured NEE",
    "nee_coverage": "share of steps of the finer file with NEE",
    "gpp_quality": "quality of GPP, where it is not that of NEE",
    "reco_quality": "quality of RECO, where it is not that of NEE",
    "ch4_quality": "share of days with measured methane",
}
"""Names of records that only some formats bring; share of 0 to 1."""
FURTHER = ("ch4", "wetland_class")
"""Quantities of records that only some formats bring."""


def quantity(name: str) -> str:
    """Variable of ``dere.variables`` whose unit a name of a record has; empty for a quality or another share.

    Raises
    ------
    ValueError
        When the name begins with that of no variable.

    Examples
    --------
    ``gpp_nt`` is a ``gpp``, ``vpd_reanalysis`` a ``vpd``, ``nee_quality`` a share.
    """
    if name.endswith("_quality") or name in SHARES:
        return ""
    fitting = [known for known in VARIABLES if f"{name}_".startswith(f"{known}_")]
    if not fitting:
        raise ValueError(
            f"variable '{name}' is none of a record, but a name that begins with one of {', '.join(VARIABLES)}, or "
            f"<flux>_quality, or one of {', '.join(SHARES)} is expected; correct it"
        )
    return max(fitting, key=len)
