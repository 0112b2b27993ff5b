"""Protocols, assignments and learning curves: what each fold tests, and that no neighbour of it trains."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dere.config.splits import SplitsConfig
from dere.harmonise.assignment import make_splits
from dere.harmonise.learning_curve import drawn_clusters
from dere.harmonise.protocols import GROUP_OF_CLASS, groups_of, hidden_groups
from dere.harmonise.splits import all_folds, fold_columns, read_back, roles
from dere.harmonise.statics import ATTRIBUTES, without_classes

SITES, CELLS = 60, 72
CLASSES = ("ENF", "DBF", "GRA", "CRO", "EBF", "WSA", "")
LEARNS = {"training", "validation"}


def inputs(seed=0):
    """Return towers in pairs and triples of neighbours, classes and climates mixed within them; and cells of a grid."""
    rng = np.random.default_rng(seed)
    place = np.sort(rng.integers(0, 25, SITES))
    lat, lon = np.stack([5.0 * place - 60, 7.0 * place]) + rng.normal(0, 0.05, (2, SITES))
    igbp = np.where(rng.random(SITES) < 0.7, np.array(CLASSES)[place % 7], rng.choice(CLASSES, SITES))
    static = rng.normal(10, 8, (SITES, len(ATTRIBUTES)))
    coords = {
        "site": [f"S-{i:02d}" for i in range(SITES)], "lat": ("site", lat), "lon": ("site", lon),
        "cell": ("site", rng.integers(-1, CELLS, SITES)), "igbp": ("site", igbp),
        "kind": ("site", np.where(np.arange(SITES) < 55, "tower", "predict")),
        "koppen": ("site", np.array(["Af", "Bsk", "Cfb", "Dfc", "ET"])[place % 5]), "attribute": list(ATTRIBUTES),
    }  # fmt: skip
    towers = xr.Dataset({"static": (("site", "attribute"), static)}, coords=coords)
    grid = np.meshgrid(np.arange(-75, 90, 30.0), np.arange(-165, 180, 30.0), indexing="ij")
    cells = {"cell": np.arange(CELLS), "lat": ("cell", grid[0].ravel()), "lon": ("cell", grid[1].ravel())}
    return towers, xr.Dataset(coords=cells)


def made(config, seed=0):
    towers, drivers = inputs(seed)
    return towers, make_splits(towers, drivers, config)


SETTINGS = {
    "clusters": {},
    "assignments": {"assignments": 3},
    "class": {"protocol": "class"},
    "EBF": {"protocol": "class", "left_out": ("EBF",)},
    "climate": {"protocol": "climate", "folds": 3},
    "arid": {"protocol": "climate", "left_out": ("arid", "polar")},
    "warm": {"protocol": "warm"},
    "few": {"training_towers": 12},
    "few of three": {"training_towers": 20, "assignments": 2, "training_draw": 1},
}


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("seed", [0, 1])
def test_no_cluster_has_two_roles_and_no_test_tower_lies_in_a_cell_that_learns(name, seed):
    _, splits = made(SplitsConfig(**SETTINGS[name]), seed)
    for fold in range(all_folds(splits)):
        table = roles(splits, fold)
        sites = table[(table["kind"] == "site") & table["role"].isin([*LEARNS, "test"])]
        assert (sites.groupby("cluster")["role"].nunique() == 1).all()
        assert set(sites["role"]) == {*LEARNS, "test"}
        cell_role = table[table["kind"] == "cell"].set_index("cell")["role"]
        test = sites[(sites["role"] == "test") & (sites["cell"] >= 0)]
        assert (cell_role.loc[test["cell"]] == "test").all()


def test_without_new_settings_the_table_is_as_ever_and_more_assignments_only_add_columns():
    _, plain = made(SplitsConfig())
    assert list(plain.columns) == ["id", "kind", "cluster", "fold", "lat", "lon", "cell"]
    _, three = made(SplitsConfig(assignments=3))
    pd.testing.assert_frame_equal(three[plain.columns], plain)
    assert fold_columns(three) == ["fold", "fold_1", "fold_2"] and all_folds(three) == 15
    _, other = made(SplitsConfig(seed=2))
    assert (three["fold_2"] == other["fold"]).all() and (three["fold_2"] != three["fold"]).any()


def test_a_fold_of_a_later_assignment_has_its_roles(tmp_path):
    _, splits = made(SplitsConfig(assignments=2))
    splits.to_csv(tmp_path / "splits.csv", index=False)
    back = read_back(pd.read_csv(tmp_path / "splits.csv", dtype={"id": str}))
    own = back[back["kind"] == "site"]
    role = roles(back, 9).loc[own.index, "role"]
    expected = {-1: "predict", 4: "test", 0: "validation"}
    assert role.tolist() == [expected.get(fold, "training") for fold in own["fold_1"]]
    labelled = own[own["fold"] >= 0].index
    for assignment in (range(5), range(5, 10)):
        tested = sum((roles(back, fold).loc[labelled, "role"] == "test").astype(int) for fold in assignment)
        assert (tested == 1).all(), "a tower is tested once per assignment"
    with pytest.raises(ValueError, match="fold is 11, expected 0 to 9 as in the splits table, or 10 for"):
        roles(back, 11)


@pytest.mark.parametrize(("name", "folds"), [("class", 5), ("climate", 3), ("EBF", 1), ("arid", 1)])
def test_no_tested_class_or_climate_is_learned_from(name, folds):
    config = SplitsConfig(**SETTINGS[name])
    towers, splits = made(config)
    classes = pd.DataFrame({key: towers[key].values.astype(str) for key in ("igbp", "koppen")})
    group = dict(zip(towers["site"].values, groups_of(classes, config.protocol), strict=True))
    for fold in range(folds):
        table = roles(splits, fold).query("kind == 'site'")
        of_role = {r: {group[i] for i in table.loc[table["role"].isin(r), "id"]} for r in (("test",), tuple(LEARNS))}
        tested, learned = of_role.values()
        assert tested and not tested & learned and "" not in tested | learned
    if config.left_out:
        assert tested == set(config.left_out)


def test_the_warmest_fifth_of_the_towers_is_tested_by_whole_clusters():
    towers, splits = made(SplitsConfig(protocol="warm"))
    own = splits[(splits["kind"] == "site") & (splits["fold"] >= 0)]
    values = towers["static"].sel(attribute="mean_temperature").to_series()
    mean = own.assign(t=own["id"].map(values)).groupby("cluster").agg(t=("t", "mean"), n=("t", "size"))
    fold = own.groupby("cluster")["fold"].first()
    test = mean[fold == 0]
    assert test["t"].min() > mean.loc[fold != 0, "t"].max()
    assert test["n"].sum() >= 11 > test["n"].sum() - test.sort_values("t")["n"].iloc[0]


def test_left_out_classes_are_other_for_every_model():
    assert hidden_groups(SplitsConfig()) == [] == hidden_groups(SplitsConfig(protocol="climate"))
    assert hidden_groups(SplitsConfig(protocol="class", left_out=("OSH", "CRO"))) == ["shrub", "CRO"]
    assert set(hidden_groups(SplitsConfig(protocol="class"))) == set(GROUP_OF_CLASS.values())
    static = np.zeros((3, len(ATTRIBUTES)), np.float32)
    static[:, -1] = 7
    at = {name: ATTRIBUTES.index(name) for name in ("igbp_CRO", "crop", "igbp_ENF", "igbp_other")}
    static[0, [at["igbp_CRO"], at["crop"]]] = static[1, at["igbp_ENF"]] = static[2, at["igbp_other"]] = 1
    found = without_classes(static, ["CRO"])
    assert {name: found[:, i].tolist() for name, i in at.items()} == {
        "igbp_CRO": [0, 0, 0], "crop": [0, 0, 0], "igbp_ENF": [0, 1, 0], "igbp_other": [1, 0, 1],
    }  # fmt: skip
    assert (found[:, -1] == 7).all()


def test_a_learning_curve_keeps_the_test_towers_and_whole_clusters_of_the_others():
    _, everything = made(SplitsConfig())
    kept = {}
    for draw in (0, 1):
        _, splits = made(SplitsConfig(training_towers=12, training_draw=draw))
        for fold in range(5):
            full, few = (roles(table, fold).query("kind == 'site'").set_index("id") for table in (everything, splits))
            unchanged = full["role"].isin(["test", "predict"])
            assert (few["role"][unchanged] == full["role"][unchanged]).all()
            assert set(few["role"][~unchanged]) == {*LEARNS, "unused"}
            assert 8 <= few["role"].isin(LEARNS).sum() <= 12
            together = few[~unchanged].assign(kept=few["role"] != "unused").groupby(["cluster"])["kept"].nunique()
            assert (together == 1).all()
            kept[draw, fold] = set(few.index[few["role"].isin(LEARNS)])
    assert kept[0, 0] != kept[1, 0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"training_towers": 50}, r"training_towers: it is 50, but fold 0 has 4\d towers"),
        ({"protocol": "class", "folds": 9}, r"5 groups for splits\.protocol class .* splits\.folds is 9"),
        ({"protocol": "class", "left_out": ("Cfb",)}, "Cfb is no class; choose from ENF"),
        ({"protocol": "class", "left_out": ("WET",)}, "no cluster of labelled towers is mostly WET"),
        ({"protocol": "climate", "left_out": ("Af",)}, "Af is no climate; choose from tropical"),
    ],
)
def test_what_the_towers_cannot_give_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        made(SplitsConfig(**settings))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"left_out": ("EBF",)}, r"splits\.left_out: it is \['EBF'\], but splits\.protocol is clusters"),
        ({"protocol": "warm", "site_rule": "published"}, r"splits\.protocol: it is warm, but the published split"),
        ({"assignments": 2, "cell_rule": "published_every_fourth"}, r"splits\.assignments: it is 2"),
        ({"protocol": "class", "assignments": 2}, "test towers do not depend on chance"),
    ],
)
def test_settings_that_contradict_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        SplitsConfig(**settings)


def test_where_no_cluster_fits_another_draw_keeps_another_of_the_smallest():
    cluster = np.repeat(["a", "b", "c", "d"], [2, 2, 2, 5])
    kept = [drawn_clusters(cluster, 1, np.random.default_rng(draw)) for draw in range(20)]
    assert {tuple(np.unique(cluster[some])) for some in kept} == {("a",), ("b",), ("c",)}
