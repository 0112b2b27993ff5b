import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dere.harmonise.splits import (
    assign_folds,
    cell_blocks,
    check_splits,
    published_every_fourth,
    read_back,
    roles,
    site_clusters,
    split_table,
)
from dere.ingest.distance import distance_km


def table(site_folds, cell_folds, cell_of_site):
    sites = pd.DataFrame({"id": [f"s{i}" for i in range(len(site_folds))], "fold": site_folds, "cell": cell_of_site})
    cells = pd.DataFrame({"id": [str(i) for i in range(len(cell_folds))], "fold": cell_folds})
    cells["cell"] = np.arange(len(cell_folds))
    both = []
    for part in (sites, cells):
        both.append(part.assign(cluster=part["id"], lat=10.0, lon=20.0))
    return split_table(*both)


def test_great_circle_distance():
    # Paris, London, Sydney
    distance = distance_km(np.array([48.8566, 51.5074, -33.8688]), np.array([2.3522, -0.1278, 151.2093]))
    assert distance[0, 1] == pytest.approx(344, abs=2)
    assert distance[0, 2] == pytest.approx(16960, rel=0.01)
    assert (np.diag(distance) < 1e-3).all()
    assert distance_km(np.array([0.0, 0.0]), np.array([179.9, -179.9]))[0, 1] == pytest.approx(22.2, abs=0.1)


def test_towers_linked_by_short_steps_share_a_cluster():
    # 40 km apart each: the outer two are 80 km apart, yet linked
    lat = np.array([50.0, 50.36, 50.72, 60.0])
    clusters = site_clusters(["b", "a", "c", "d"], lat, np.zeros(4), 50.0)
    assert clusters == ["site a", "site a", "site a", "site d"]
    assert len(set(site_clusters(["b", "a", "c", "d"], lat, np.zeros(4), 30.0))) == 4


def test_twins_share_a_cluster_even_when_one_is_misplaced():
    ids = ["DK-ZaH", "GL-ZaH", "US-Ha1", "US.Ha1", "AT-Neu"]
    clusters = site_clusters(ids, np.array([74.0, 0.0, 42.0, -42.0, 47.0]), np.zeros(5), 50.0)
    assert clusters[0] == clusters[1]
    assert clusters[2] == clusters[3]
    assert len(set(clusters)) == 3


def test_cell_blocks_hold_neighbours():
    lat, lon = np.array([87.0, 81.0, 75.0, 87.0]), np.array([-177.0, -171.0, -177.0, -165.0])
    blocks = cell_blocks(lat, lon, 12.0)
    assert blocks[0] == blocks[1]
    assert len(set(blocks)) == 3


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from("ABCD")), min_size=40, max_size=120), st.integers(3, 6),
       st.integers(0, 5))  # fmt: skip
def test_folds_are_whole_clusters_balanced_and_never_empty(members, folds, seed):
    cluster = [str(c) for c, _ in members]
    stratum = [s for _, s in members]
    if len(set(cluster)) < folds:
        return
    fold = assign_folds(cluster, stratum, folds, seed)
    by_cluster = pd.Series(fold).groupby(pd.Series(cluster)).nunique()
    assert (by_cluster == 1).all()
    sizes = np.bincount(fold, minlength=folds)
    assert sizes.min() > 0
    assert sizes.max() - sizes.min() <= pd.Series(cluster).value_counts().max() + 1
    np.testing.assert_array_equal(fold, assign_folds(cluster, stratum, folds, seed))


def test_strata_are_spread_over_the_folds():
    stratum = ["forest"] * 20 + ["grass"] * 10 + ["wet"] * 5
    fold = assign_folds([str(i) for i in range(35)], stratum, 5, 0)
    counts = pd.crosstab(fold, pd.Series(stratum))
    assert (counts["forest"] == 4).all()
    assert (counts["grass"] == 2).all()
    assert (counts["wet"] == 1).all()


def test_another_seed_gives_another_assignment():
    clusters = [str(i) for i in range(30)]
    first, second = (assign_folds(clusters, ["x"] * 30, 5, seed) for seed in (0, 1))
    assert (first != second).any()


def test_fewer_clusters_than_folds_is_an_error():
    with pytest.raises(ValueError, match=r"2 clusters .* splits\.folds is 3"):
        assign_folds(["a", "b", "b"], ["x"] * 3, 3, 0)


def test_roles_are_disjoint_and_follow_the_fold():
    splits = table([0, 1, 2, 3, 4, -1], [0, 1, 2, 3, 4, 0], [-1] * 6)
    with_role = roles(splits, 4)
    of_sites = with_role[with_role["kind"] == "site"].set_index("id")["role"]
    assert of_sites.to_dict() == {
        "s0": "validation",
        "s1": "training",
        "s2": "training",
        "s3": "training",
        "s4": "test",
        "s5": "predict",
    }
    with pytest.raises(ValueError, match=r"fold is 6, expected 0 to 4 .* or 5 for the fold that tests no tower"):
        roles(splits, 6)


def test_one_more_fold_tests_nobody():
    splits = table([0, 1, 2, 0, 1, -1], [0, 1, 2, 0, 1, 2], [-1] * 6)
    further = splits["fold"].where(splits["fold"] < 0, (splits["fold"] + 1) % 3)
    for last, several in ((3, splits), (6, splits.assign(fold_1=further))):
        of_sites = roles(several, last).query("kind == 'site'").set_index("id")["role"]
        assert of_sites[:-1].tolist() == ["validation", "training", "training", "validation", "training"]
        assert of_sites["s5"] == "predict"
        assert not roles(several, last)["role"].eq("test").any()


def test_a_cell_takes_the_strictest_role_of_its_towers():
    # cells 0-3 would all train in fold 0; their towers say otherwise
    splits = table([0, 1, 2, 2, 0, -1], [2, 2, 2, 0, 2, 2], [0, 1, 2, 3, 1, 4])
    with_role = roles(splits, 0)
    of_cells = with_role[with_role["kind"] == "cell"].set_index("id")["role"]
    assert of_cells["0"] == "test"
    assert of_cells["1"] == "test"  # holds a validation and a test tower
    assert of_cells["2"] == "training"
    assert of_cells["3"] == "test"  # its own fold is stricter than its tower's
    assert of_cells["4"] == "training"  # a site that is only predicted changes nothing
    own = with_role[with_role["kind"] == "site"].set_index("id")["role"]
    assert own["s2"] == "training"


@settings(max_examples=40, deadline=None)
@given(st.integers(3, 6), st.integers(0, 10))
def test_no_test_tower_lies_in_a_cell_that_trains_or_validates(folds, seed):
    rng = np.random.default_rng(seed)
    splits = table(rng.integers(0, folds, 20), np.r_[np.arange(folds), rng.integers(0, folds, 15)],
                   rng.integers(-1, folds + 15, 20))  # fmt: skip
    for fold in range(int(splits["fold"].max()) + 1):
        with_role = roles(splits, fold)
        of_cell = with_role[with_role["kind"] == "cell"].set_index("cell")["role"]
        sites = with_role[(with_role["kind"] == "site") & (with_role["cell"] >= 0)]
        test = sites[sites["role"] == "test"]
        assert (of_cell.loc[test["cell"]] == "test").all()
        validation = sites[sites["role"] == "validation"]
        assert (of_cell.loc[validation["cell"]] != "training").all()


def test_the_published_split_is_the_lattice_with_disjoint_sets():
    columns = 72
    cell = np.arange(36 * columns)
    fold = published_every_fourth(cell, columns)
    row, column = np.divmod(cell, columns)
    training = (fold == 2) | (fold == 1)
    np.testing.assert_array_equal(training, (row % 4 == 0) & (column % 4 == 0))
    np.testing.assert_array_equal(fold == 0, (row % 8 == 2) & (column % 8 == 2))
    assert (fold == 1).sum() == -(-training.sum() // 10)
    splits = table([0, 1, 2], fold, [-1] * 3)
    of_cells = roles(splits, 0).query("kind == 'cell'")["role"].to_numpy()
    assert set(of_cells[fold == -1]) == {"predict"}
    assert set(of_cells[fold == 0]) == {"test"}


def test_a_cell_outside_the_published_lattice_stays_outside_whatever_it_holds():
    splits = table([2, 0, 1], [-1, 0, 1, 2], [0, -1, -1])
    assert roles(splits, 0).query("kind == 'cell' and id == '0'")["role"].item() == "predict"


def test_the_schema_refuses_doubled_ids_and_clusters_over_folds(tmp_path):
    splits = table([0, 1, 2], [0, 1, 2], [-1] * 3)
    with pytest.raises(ValueError, match="not valid"):
        check_splits(pd.concat([splits, splits.tail(1)], ignore_index=True))
    with pytest.raises(ValueError, match="lies in 2 folds"):
        check_splits(splits.assign(cluster=["a", "a", "b", "c", "d", "e"]))
    with pytest.raises(ValueError, match="not valid"):
        check_splits(splits.drop(columns="cell"))
    splits.to_csv(tmp_path / "splits.csv", index=False)
    pd.testing.assert_frame_equal(read_back(pd.read_csv(tmp_path / "splits.csv")), splits)
