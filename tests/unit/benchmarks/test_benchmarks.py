"""The benchmarks at toy size: all ways of the same work agree, and disagreement would be seen. Never their speed."""

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

import attention
import driver_memory
import encoding
import evaluation
import frozen_cache
import half_degree
import harmonise_scale
import measuring
import members
import roofline
from published_size import TINY


def results(measured):
    return {name: one.result for name, one in measured.items()}


def test_difference_is_relative_to_the_largest_value():
    one = torch.tensor([100.0, 1.0])
    assert measuring.same({"a": one, "b": one + 1e-4}) == pytest.approx(1e-6, rel=0.1)


@pytest.mark.parametrize("other", [torch.tensor([1.0, 2.1]), torch.tensor([1.0, float("nan")])])
def test_disagreement_is_said(other):
    with pytest.raises(ValueError, match=r"'b' and 'a' differ by .* they do not do the same work"):
        measuring.same({"a": torch.tensor([1.0, 2.0]), "b": other})


def test_other_shapes_are_said():
    with pytest.raises(ValueError, match="different shapes"):
        measuring.same({"a": torch.zeros(2), "b": torch.zeros(3)})


def test_ways_take_turns():
    order = []
    measuring.in_turns({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 2)
    assert order == ["a", "b", "a", "b"]


def test_encoding_once_gives_the_same_tower_batch():
    for measured in encoding.measure(TINY, 2, 1).values():
        assert measuring.same(results(measured)) <= measuring.TOLERANCE


def test_a_cache_gives_the_same_epoch():
    measured, _ = frozen_cache.measure(TINY, 9, 1)
    assert measuring.same(results(measured)) <= measuring.TOLERANCE
    assert len(measured["cached"].result) == 2 + 1


def test_members_together_take_the_same_steps():
    measured = members.measure(TINY, 2, 1)
    assert measuring.same(results(measured)) <= measuring.TOLERANCE


@pytest.mark.parametrize("kind", attention.KINDS)
def test_fused_attention_is_the_explicit_softmax(kind):
    measured = attention.measure(TINY, kind, 2, 1)
    assert measuring.same(results(measured)) <= measuring.TOLERANCE


def test_batches_without_gradients_give_the_same_predictions():
    assert measuring.same(results(evaluation.measure(TINY, 3, 2, 1))) <= measuring.TOLERANCE


def test_drivers_without_copies_give_the_same_batch(tmp_path):
    ages = (1, 20, 200)
    driver_memory.write(tmp_path, 3, 24, ages)
    expected = driver_memory.naive(tmp_path)
    assert expected[0].shape == (driver_memory.BATCH * len(ages), 24, 136)
    for stands in (driver_memory.STANDS, driver_memory.MIXTURE_ALONE):
        measuring.same({"naive": expected, "ours": driver_memory.ours(tmp_path, stands)})


def test_operations_of_attention_are_counted():
    q = torch.randn(1, 2, 8, 4)
    counted = roofline.operations(lambda: torch.nn.functional.scaled_dot_product_attention(q, q, q))
    assert counted == 2 * (2 * 2 * 8 * 8 * 4)


def test_every_stage_has_operations_and_a_loss():
    stages = roofline.stages(TINY, TINY.windows(2), 2, "cpu")
    for network, loss in stages.values():
        assert torch.isfinite(roofline.step_of(network, loss)())
        assert roofline.operations(loss) > 0


def test_steps_of_the_scale_run_through(tmp_path):
    measured = harmonise_scale.measure(tmp_path / "scale", 40, 2, 1000, None, list(harmonise_scale.STEPS))
    assert {step: measured[step]["rc"] for step in harmonise_scale.STEPS} == dict.fromkeys(harmonise_scale.STEPS, 0)


def test_the_exponent_of_what_grows_with_the_cells_is_one():
    assert half_degree.exponent([500, 1000, 2000], [2.0, 4.0, 8.0]) == pytest.approx(1.0)


@pytest.mark.slow
def test_a_planet_goes_from_raw_files_to_maps(tmp_path):
    rows = half_degree.measure(tmp_path / "planet", 60, 2, 1000, 6000)
    assert [row["step"] for row in rows] == list(half_degree.STEPS)
    assert all(row["gigabytes"] > 0 for row in rows if row["step"] in half_degree.WRITES)
