"""Classes of places that one exchange alone reads (`Exchange.place_classes`), such as what wetland a tower stands in.

They come with the tower records as numbers and stand in the exchange's own ``towers.nc`` as coordinates, so that no
file of another exchange has them. Methods see an attribute of 0 or 1 for each class; a place of which no source states
the class, as any cell, has 0 in all.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.exchange import Exchange


def with_place_classes(towers: xr.Dataset, interim: xr.Dataset, exchange: Exchange, hidden: bool) -> xr.Dataset:
    """Add what the records state of each site's classes as coordinates, int8, 0 = not stated.

    Parameters
    ----------
    towers
        Of the exchange.
    interim
        Towers as ingested; ``site`` holds those of ``towers``. Without the variable no class is stated.
    exchange
        With ``place_classes``.
    hidden
        Classes of wetlands are left out, and are not stated either.

    Raises
    ------
    ValueError
        When the months of a site state several classes.
    """
    for variable, names in exchange.place_classes.items():
        number = np.zeros(towers.sizes["site"], np.int8)
        if variable in interim and not hidden:
            stated = interim[variable].sel(site=towers["site"].values.astype(str)).transpose("site", "time").values
            some = np.isfinite(stated).any(1)
            lowest, highest = (edge(stated[some], axis=1) for edge in (np.nanmin, np.nanmax))
            if (lowest != highest).any():
                site = towers["site"].values[some][(lowest != highest).argmax()]
                raise ValueError(
                    f"{variable} of site {site} is {lowest[lowest != highest][0]:g} in some months and "
                    f"{highest[lowest != highest][0]:g} in others, but a site has one; correct its records"
                )
            number[some] = lowest
        about = {"long_name": variable.replace("_", " "), "flag_values": np.arange(len(names) + 1, dtype=np.int8)}
        about["flag_meanings"] = " ".join(["not_stated", *(name.replace(" ", "_") for name in names)])
        towers = towers.assign_coords({variable: ("site", number, about)})
    return towers


def with_class_attributes(
    static: NDArray[np.floating], dataset: xr.Dataset, exchange: Exchange
) -> NDArray[np.floating]:
    """Attributes (place, attribute) followed by the exchange's class attributes; the same array where it has none.

    Parameters
    ----------
    static
        Attributes of all exchanges.
    dataset
        Sites or cells, with the coordinates of `with_place_classes` or without.
    exchange
        With ``place_classes``.
    """
    columns = [static]
    for variable, names in exchange.place_classes.items():
        number = dataset[variable].values if variable in dataset.coords else np.zeros(len(static))
        columns.append((number[:, None] == np.arange(1, len(names) + 1)).astype(static.dtype))
    return np.concatenate(columns, 1) if len(columns) > 1 else static
