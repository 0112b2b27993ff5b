"""Memory that is freed comes back without the system."""

import resource

import pytest
import torch

from dere.training.kept_memory import KEPT, LARGEST_BLOCK, keep_freed_memory


def test_blocks_that_were_freed_are_taken_again_without_new_pages():
    if not keep_freed_memory():
        pytest.skip("the C library is not glibc")
    block = LARGEST_BLOCK // 8
    count = min(KEPT // block // 2, 8)

    def use():
        return [torch.full((block // 4,), 1.0) for _ in range(count)]

    for _ in range(2):
        use()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        use()
    pages = 10 * count * block // resource.getpagesize()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before < pages / 10
