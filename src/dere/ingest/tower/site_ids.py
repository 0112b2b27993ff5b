"""Ids of sites as the networks write them."""

from __future__ import annotations

import re

SITE = r"[A-Z]{2}-[A-Za-z0-9]{3}"
"""Pattern of an id: country and site, for example FI-Hyy."""
OTHER_CODES = "other_codes"
"""Coordinate (site) of the interim towers: further codes of a tower, separated by blanks; only where any has one."""
# one tower under two codes, whatever their months say
ALIASES = {"DK-ZaH": "GL-ZaH", "NO-Adv": "SJ-Adv"}


_IN_A_NAME = re.compile(rf"(?<![A-Za-z0-9]){SITE}(?![A-Za-z0-9])")


def codes_in(name: str) -> list[str]:
    """Return the ids that a file name holds, in order, those of tables of all sites (AA-Flx) too."""
    return _IN_A_NAME.findall(name)


def resolved(site: str) -> str:
    """Return the id under which a tower is kept, whatever its alias."""
    return ALIASES.get(site, site)
