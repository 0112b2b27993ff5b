"""Plant-type classes: each layer once, known and vegetation; crops where they are wanted."""

import pytest

from dere.config.plant_classes import CROPS, OTHER_LAYERS, VEGETATION_LAYERS, PlantClasses
from dere.ingest.cover.esacci_classes import LAYERS, class_members
from dere.run_config.root import normalise
from dere.variables import PLANT_TYPES
from dere.world.landscape import LAYERS as WORLD_LAYERS


def test_defaults_use_every_layer_but_crops_once_in_the_order_of_the_product():
    classes = PlantClasses().model_dump()
    assert tuple(classes) == PLANT_TYPES
    used = [layer for layers in classes.values() for layer in layers]
    assert sorted([*used, CROPS]) == sorted(VEGETATION_LAYERS)
    assert (*VEGETATION_LAYERS, *OTHER_LAYERS) == LAYERS == WORLD_LAYERS


@pytest.mark.parametrize(
    ("cover", "sentence"),
    [
        ({"classes": {"BL": ["WATER"]}}, "WATER is no vegetation and can belong to no plant type; remove it"),
        ({"classes": {"NL": ["TREES-XX"]}}, "TREES-XX is not a layer of the map; choose from TREES-BD"),
        ({"classes": {"BL": ["TREES-BD", "TREES-NE"]}}, "TREES-NE is listed 2 times, but may count once"),
        ({"classes": {"GS": ["BARE", "GRASS-NAT"]}}, "BARE is no vegetation"),
        ({"classes": {"GS": []}}, "sources.cover.classes.GS: [] is refused"),
        ({"classes": {"XX": ["TREES-BD"]}}, "sources.cover.classes.XX is not a known configuration key"),
        ({"include_crops": False, "classes": {"GS": [CROPS]}}, "include_crops is false, but classes lists GRASS-MAN"),
        ({"tower_window_km": -1}, "sources.cover.tower_window_km"),
        ({"tower_window_km": "5x5"}, "sources.cover.tower_window_km"),
        ({"aggregate_degrees": 0}, "sources.cover.aggregate_degrees"),
        ({"age": {"tree_cover": 15}}, "sources.cover.age.tree_cover"),
    ],
)
def test_wrong_settings_are_refused(cover, sentence):
    with pytest.raises(ValueError) as error:
        normalise({"sources": {"cover": cover}})
    assert sentence in str(error.value)


@pytest.mark.parametrize("window", [0, 1.5, "3x3"])
def test_windows(window):
    assert (
        normalise({"sources": {"cover": {"tower_window_km": window}}})["sources"]["cover"]["tower_window_km"] == window
    )


def test_members_follow_classes_and_the_switch():
    classes = {"BL": ["TREES-BD"], "NL": ["TREES-NE"], "GS": ["GRASS-NAT"]}
    names = {t: [LAYERS[i] for i in where] for t, where in class_members(classes, include_crops=True).items()}
    assert names == {"BL": ["TREES-BD"], "NL": ["TREES-NE"], "GS": ["GRASS-NAT", CROPS]}
    placed = class_members(classes | {"BL": ["TREES-BD", CROPS]}, include_crops=True)
    assert LAYERS.index(CROPS) in placed["BL"] and LAYERS.index(CROPS) not in placed["GS"]
    assert all(LAYERS.index(CROPS) not in where for where in class_members(classes, include_crops=False).values())


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ({"BL": ["TREES-BD"], "NL": ["TREES-NE"]}, "gives GS no layer"),
        ({"BL": ["WATER"], "NL": ["TREES-NE"], "GS": ["GRASS-NAT"]}, "WATER is no vegetation layer of the map"),
        ({"BL": ["TREES-BD"], "NL": ["TREES-BD"], "GS": ["GRASS-NAT"]}, "lists TREES-BD in BL and in NL"),
    ],
)
def test_wrong_classes_are_refused_where_they_are_used_too(classes, message):
    with pytest.raises(ValueError, match=message):
        class_members(classes, include_crops=True)
