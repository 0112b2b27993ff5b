"""Which sites a prediction file must hold, and which of them are judged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from dere.harmonise.site_roles import COORDINATE, SEEN


def sites_with_role(members: pd.DataFrame, roles: Sequence[str]) -> list[str]:
    """Ids of the sites (not cells) in one of ``roles``, in table order."""
    chosen = (members["kind"] == "site") & members["role"].isin(list(roles))
    return members.loc[chosen, "id"].astype(str).tolist()


def judged(prediction: xr.Dataset) -> xr.Dataset:
    """Return a prediction file without the sites whose labels its model has used; one that names none as it is.

    What a file says of itself is believed no further than that: a site that it calls seen and that is to be judged is
    missing at the evaluator's door, and one that it passes off as unseen is one too many there.
    """
    if COORDINATE not in prediction.coords:
        return prediction
    return prediction.isel(site=np.flatnonzero(prediction[COORDINATE].values.astype(str) != SEEN))
