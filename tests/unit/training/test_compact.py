"""Arrays in less room come back in their own types; nothing that would not fit is squeezed."""

import json

import numpy as np

from dere.training.compact import COMPRESSED, LARGE, OWN_TYPES, compacted, restored

RNG = np.random.default_rng(0)


def there_and_back(**arrays):
    small, notes = compacted(arrays)
    return small, restored(small, json.loads(json.dumps(notes)))


def test_numbers_get_smaller_and_come_back_in_their_types():
    arrays = {
        "double": RNG.normal(size=(5, 3)),
        "large": RNG.normal(size=LARGE + 1).astype(np.float32),
        "single": RNG.normal(size=7).astype(np.float32),
        "scalar": np.asarray(0.25),
        "whole": np.arange(4),
    }
    small, back = there_and_back(**arrays)
    stored = {name: str(array.dtype) for name, array in small.items()}
    assert stored == {
        "double": "float32",
        "large": "float16",
        "single": "float32",
        "scalar": "float32",
        "whole": "int64",
    }
    for name, array in arrays.items():
        assert (back[name].dtype, back[name].shape) == (array.dtype, array.shape)
        np.testing.assert_allclose(back[name], array, rtol=1e-3, atol=1e-6)
    np.testing.assert_array_equal(back["single"], arrays["single"])


def test_numbers_beyond_half_precision_stay_single():
    array = np.full(LARGE + 1, 7e4)
    small, back = there_and_back(large=array)
    assert small["large"].dtype == np.float32
    np.testing.assert_array_equal(back["large"], array)


def test_texts_are_compressed_and_come_back_to_the_byte():
    text = np.frombuffer(b"tree " * 1000, np.uint8)
    small, back = there_and_back(text=text)
    assert small["text"].nbytes < 100
    np.testing.assert_array_equal(back["text"], text)


def test_a_checkpoint_that_was_never_compact_is_read_as_it_is():
    arrays = {"double": RNG.normal(size=3), "bytes": np.arange(5, dtype=np.uint8)}
    back = restored(arrays, {"fold": 0})
    assert all(back[name] is arrays[name] or np.shares_memory(back[name], arrays[name]) for name in arrays)
    assert compacted(arrays)[1] == {OWN_TYPES: {"double": "float64"}, COMPRESSED: ["bytes"]}
