"""Which months of a tower are labels: written here, and nowhere else."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def usable(flux: NDArray, quality: NDArray, minimum: float) -> NDArray[np.bool_]:
    """Tell which months are labels: every flux has a value, and the quality is good.

    Parameters
    ----------
    flux
        (..., flux), NaN where there is no value.
    quality
        (...) 0 to 1; a missing quality is never good enough.
    minimum
        Least quality.

    Returns
    -------
    array
        (...), bool.
    """
    return np.asarray(np.isfinite(flux).all(-1) & (quality >= minimum))
