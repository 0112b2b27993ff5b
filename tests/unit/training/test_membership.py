"""Groups of clusters that members leave out, and the weights of the others."""

import numpy as np
import pandas as pd
import pytest

from dere.training.membership import GROUPS, LEFT_OUT, membership, not_seen


def table(sizes, role="training"):
    """Sites in clusters of some sizes, a test tower and a cell."""
    clusters = [f"c{i}" for i, size in enumerate(sizes) for _ in range(size)]
    own = pd.DataFrame({"id": [f"S{i}" for i in range(len(clusters))], "kind": "site", "cluster": clusters})
    own["role"] = [role if i % 2 else "validation" for i in range(len(clusters))]
    others = pd.DataFrame(
        {"id": ["X", "7"], "kind": ["site", "cell"], "cluster": ["far", "7"], "role": ["test", "training"]}
    )
    return pd.concat([own, others], ignore_index=True)


@pytest.mark.parametrize(("members", "clusters"), [(8, 30), (16, 30), (4, 30), (12, 30), (8, 5), (2, 2)])
def test_every_cluster_is_left_out_and_every_member_learns(members, clusters):
    rng = np.random.default_rng(1)
    roles = table(rng.integers(1, 6, clusters))
    found = membership(roles, members, seed=3)
    groups = min(GROUPS, members, clusters)
    left = np.array([[name in names for name in found.clusters] for names in found.left_out()])
    assert found.clusters == tuple(sorted({f"c{i}" for i in range(clusters)}))
    assert left.any(1).all() and (~left).any(1).all()
    # within a partition each cluster is left out once, and other partitions group them otherwise
    assert (left[:groups].sum(0) == 1).all()
    if members == 16:
        assert (left.sum(0) == 2).all() and not np.array_equal(left[:8], left[8:])
    np.testing.assert_allclose([row[row > 0].mean() for row in found.weight], 1)
    assert len({tuple(row) for row in found.weight}) == members


def test_groups_hold_about_equal_numbers_of_towers():
    sizes = [12, *[1] * 60, 7, 5]
    roles = table(sizes)
    found = membership(roles, GROUPS, seed=0)
    of = roles.groupby("cluster").size()
    held = [sum(of[name] for name in names) for names in found.left_out()]
    assert sum(held) == sum(sizes) and max(held) <= 12 and sorted(held)[-2] - min(held) <= 1


def test_members_follow_from_the_table_and_the_seed_alone():
    roles = table([2] * 10)
    shuffled = roles.sample(frac=1, random_state=0)
    assert np.array_equal(membership(roles, 8, 1).weight, membership(shuffled, 8, 1).weight)
    assert not np.array_equal(membership(roles, 8, 1).weight, membership(roles, 8, 2).weight)


def test_one_member_sees_all_alike():
    found = membership(table([1, 3]), 1, 0)
    assert found.weight.tolist() == [[1.0, 1.0]] and found.left_out() == [[]]


def test_weights_of_places():
    found = membership(table([1] * 8), 8, 0)
    weight = found.of(["c3", "far"])
    assert weight.shape == (8, 2) and not weight[:, 1].any()
    assert np.array_equal(weight[:, 0] == 0, not_seen({LEFT_OUT: found.left_out()}, ["c3"])[:, 0])


def test_towers_that_nobody_learned_from_are_unseen_by_all():
    facts = {LEFT_OUT: membership(table([1] * 4), 4, 0).left_out()}
    assert not_seen(facts, ["far", ""]).all() and (not_seen(facts, ["c0", "c1"]).sum(0) == 1).all()


def test_one_cluster_cannot_be_left_out():
    with pytest.raises(ValueError, match=r"members is 8, but the 5 training and validation towers .* set members to 1"):
        membership(table([5]), 8, 0)
