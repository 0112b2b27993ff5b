"""IGBP classes as codes: what networks, products and users write for them, in codes or in words."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable

log = logging.getLogger(__name__)

VEGETATED = ("ENF", "EBF", "DNF", "DBF", "MF", "CSH", "OSH", "WSA", "SAV", "GRA", "WET", "CRO", "CVM")
BARE = ("URB", "SNO", "BSV", "WAT")
"""Classes without vegetation to speak of: towns, snow and ice, barren land, water."""
IGBP = (*VEGETATED, *BARE)
# names of the class definitions (Loveland et al. 2000; MODIS land cover), in the words that differ between lists
_NAMES = {
    "ENF": ("evergreen needleleaf forest", "evergreen needleleaf"),
    "EBF": ("evergreen broadleaf forest", "evergreen broadleaf"),
    "DNF": ("deciduous needleleaf forest", "deciduous needleleaf"),
    "DBF": ("deciduous broadleaf forest", "deciduous broadleaf"),
    "MF": ("mixed forest",),
    "CSH": ("closed shrubland",),
    "OSH": ("open shrubland",),
    "WSA": ("woody savanna",),
    "SAV": ("savanna",),
    "GRA": ("grassland",),
    "WET": ("permanent wetland", "wetland"),
    "CRO": ("cropland",),
    "CVM": ("cropland natural vegetation mosaic", "cropland natural vegetation"),
    "URB": ("urban built up", "urban built up land", "urban"),
    "SNO": ("snow ice", "permanent snow ice", "snow"),
    "BSV": ("barren sparsely vegetated", "barren sparse vegetation", "barren sparsely vegetated land", "barren"),
    "WAT": ("water body", "water bodie", "water"),
}
_OTHER_CODES = {"BAR": "BSV", "SNW": "SNO", "PSI": "SNO", "CNV": "CVM", "UBL": "URB"}
_UNKNOWN = {"", "unc", "unclassified", "unknown", "unk", "na", "nan", "none", "null", "fill"}


def _key(text: str) -> str:
    """Letters of a name without what lists write differently: case, marks, plural, "and" and "or"."""
    words = re.sub(r"[^a-z]+", " ", text.lower()).split()
    joined = "".join(word.removesuffix("s") for word in words if word not in ("and", "or", "the"))
    return joined.replace("leaved", "leaf").replace("savannah", "savanna")


_CODES = {
    **{code.lower(): code for code in IGBP},
    **{other.lower(): code for other, code in _OTHER_CODES.items()},
    **{_key(name): code for code, names in _NAMES.items() for name in names},
}
# "ENF (Evergreen Needleleaf Forests: lands dominated by ...)", "CRO-rice"
_EXPLAINED = re.compile(r"([A-Za-z]{2,3})\s*[(:–—-]\s*(.*)", re.DOTALL)


def igbp_code(text: object) -> str | None:
    """Code of a class.

    Examples
    --------
    "enf", "Evergreen Needleleaf Forests" and "ENF (evergreen needleleaf forest: ...)" are ``ENF``; "BAR" is ``BSV``.

    Returns
    -------
    str or None
        Empty where the text says that the class is unknown ("", "UNC", "-9999"), None where it is no class.
    """
    # an empty field of a table is NaN
    written = "" if text is None or text != text else str(text).strip()
    key = _key(written)
    if key in _UNKNOWN:
        # a number is no class, but the code of missing values says nothing
        return "" if not re.search(r"\d", written) or re.fullmatch(r"-9+(\.9+|\.0+)?", written) else None
    if key in _CODES:
        return _CODES[key] if not re.search(r"\d", written) else None
    explained = _EXPLAINED.fullmatch(written)
    if explained is None or explained[1].upper() not in (*IGBP, *_OTHER_CODES):
        return None
    code = _CODES[explained[1].lower()]
    # "GRA - CRO" names two classes
    return code if igbp_code(explained[2].rstrip(") ")) in (None, "", code) else None


def igbp_codes(names: Iterable[object], sites: Iterable[object], source: str) -> list[str]:
    """Codes of classes by site; a text that is no class is unknown, empty, and said in one line."""
    codes, odd = [], []
    for name, site in zip(names, sites, strict=True):
        code = igbp_code(name)
        if code is None:
            odd.append(f"'{name!s:.40}' of site {site}")
        codes.append(code or "")
    if odd:
        log.warning(
            "%s: IGBP class %s is not known; taken as unknown, write one of %s",
            source,
            ", ".join(odd[:5]) + (f" and {len(odd) - 5} more" if len(odd) > 5 else ""),
            ", ".join(IGBP),
        )
    return codes
