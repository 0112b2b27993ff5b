"""Groups of towers that a split can leave out by name: groups of IGBP classes, and main climates."""

from __future__ import annotations

from collections.abc import Sequence

IGBP_GROUPS: dict[str, tuple[str, ...]] = {
    "ENF": ("ENF", "DNF"),
    "EBF": ("EBF",),
    "DBF": ("DBF",),
    "MF": ("MF",),
    "shrub": ("CSH", "OSH"),
    "savanna": ("WSA", "SAV"),
    "GRA": ("GRA",),
    "CRO": ("CRO", "CVM"),
    "WET": ("WET",),
}
"""Groups of the one-hot attributes; deciduous needleleaf, which hardly any tower has, goes with evergreen."""
GROUP_OF_CLASS = {name: group for group, names in IGBP_GROUPS.items() for name in names}
CLIMATES = ("tropical", "arid", "temperate", "continental", "polar")
"""Main climates of Koeppen, A to E."""


def named_groups(protocol: str, names: Sequence[str]) -> list[str]:
    """Groups that ``splits.left_out`` names, each once; a class stands for its group.

    Parameters
    ----------
    protocol
        ``class`` or ``climate``.
    names
        As in the configuration.

    Raises
    ------
    ValueError
        For a name of neither a class nor a group, or of no climate.

    Examples
    --------
    >>> named_groups("class", ["DNF", "ENF", "CRO"])
    ['ENF', 'CRO']
    """
    known = GROUP_OF_CLASS | {group: group for group in IGBP_GROUPS}
    if protocol == "climate":
        known = {name: name for name in CLIMATES}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"splits.left_out: {unknown[0]} is no {protocol}; choose from {', '.join(known)}")
    return list(dict.fromkeys(known[name] for name in names))
