"""Predict by the simulated fluxes as they are."""

from __future__ import annotations

from collections.abc import Mapping

from dere import exchange as exchanges
from dere.training.fitted import Fitted, Prediction, Support
from dere.training.places import Places


def predict(
    fitted: Mapping[str, Fitted], places: Places, support: Support | None = None, *, unseen: bool = False, gpu: int = 0
) -> Prediction:
    """Predict places by their simulated series.

    NEE is computed again as RECO - GPP, because the difference of two float32 numbers of the simulation closes only
    to their rounding.

    Parameters
    ----------
    fitted
        Empty: nothing is learned.
    places
        With ``simulated (place, time, state)``.
    """
    assert places.simulated is not None
    exchange = exchanges.get(exchanges.DEFAULT)
    values = places.simulated[..., exchange.of_outputs(exchange.names)].astype("float64")
    return Prediction(exchange.close(values))
