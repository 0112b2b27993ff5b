"""Which sites a prediction file must hold."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd


def sites_with_role(members: pd.DataFrame, roles: Sequence[str]) -> list[str]:
    """Ids of the sites (not cells) in one of ``roles``, in table order."""
    chosen = (members["kind"] == "site") & members["role"].isin(list(roles))
    return members.loc[chosen, "id"].astype(str).tolist()
