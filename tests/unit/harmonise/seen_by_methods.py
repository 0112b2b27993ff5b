"""What methods and networks see of harmonised towers."""

import numpy as np
import pandas as pd
import torch

from dere.exchange.co2 import EXCHANGE
from dere.training.places import Places
from dere.training.read_places import site_places
from dere.training.windows import windows_of
from dere.variables import PLANT_TYPES


def places_of(towers, satellites=False, channels="none") -> Places:
    """What methods read of towers; statics and cover are ones where the towers have none yet."""
    ones = {"static": {"attribute": ["one"]}, "vegetated_fraction": {"year": [2001]}, "age_weight": {"age": [1]}}
    ones["plant_fraction"] = {"year": [2001], "plant_type": list(PLANT_TYPES)}
    for name, axes in ones.items():
        if name not in towers:
            shape = (towers.sizes["site"], *map(len, axes.values()))
            towers = towers.assign_coords(axes).assign({name: (("site", *axes), np.ones(shape))})
    members = pd.DataFrame({"id": towers["site"].values, "kind": "site", "cluster": ""})
    return site_places(towers, members, satellites=satellites, channels=channels, exchange=EXCHANGE)


def window_drivers(towers, satellites=False):
    """Drivers (window, W, channel) as networks see them, and the names of the channels."""
    places = places_of(towers, satellites)
    windows = windows_of(places)
    return windows.inputs(torch.arange(len(windows)))[0].numpy(), places.driver_names
