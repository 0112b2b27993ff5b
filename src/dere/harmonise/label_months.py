"""Which months of a tower are labels: written here, and nowhere else."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def usable(flux: NDArray, quality: NDArray, minimum: float, together: bool = True) -> NDArray[np.bool_]:
    """Tell which months are labels of good quality.

    Parameters
    ----------
    flux
        (..., flux), NaN where there is no value.
    quality
        (...) 0 to 1; a missing quality is never good enough.
    minimum
        Least quality.
    together
        A month needs a value of every flux (`dere.exchange.LabelRule`); otherwise one flux is enough, and the others
        stay NaN.

    Returns
    -------
    array
        (...), bool.
    """
    present = np.isfinite(flux)
    return np.asarray((present.all(-1) if together else present.any(-1)) & (quality >= minimum))
