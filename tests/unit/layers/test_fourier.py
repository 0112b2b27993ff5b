"""Fourier blocks against dense operators, trend against a loop."""

import numpy as np
import pytest
import torch

from dere.layers.fourier import FourierBlock, FourierCrossBlock, Trend, draw_modes


def test_block_with_all_modes_equals_a_dense_operator():
    torch.manual_seed(0)
    length, width, heads = 12, 6, 2
    block = FourierBlock(width, heads, length, modes=100).double()
    assert block.modes.tolist() == list(range(6))
    basis = torch.eye(length * width, dtype=torch.float64).unflatten(1, (length, width))
    with torch.no_grad():
        dense = block(basis).flatten(1)
        x = torch.randn(5, length, width, dtype=torch.float64)
        torch.testing.assert_close(block(x).flatten(1), x.flatten(1) @ dense)
        # the same operator from its definition: weights on the spectrum of each head, frequency by frequency
        weight = torch.view_as_complex(block.weight).numpy()
        values = x.numpy().reshape(5, length, heads, width // heads)
        spectrum = np.fft.rfft(values, axis=1, norm="ortho")
        out = np.zeros_like(spectrum)
        for h in range(heads):
            for frequency in range(6):
                out[:, frequency, h] = spectrum[:, frequency, h] @ weight[h, :, :, frequency]
        expected = np.fft.irfft(out, n=length, axis=1, norm="ortho").reshape(5, length, width)
        np.testing.assert_allclose(block(x).numpy(), expected, atol=1e-12)


def test_cross_block_reads_a_shared_memory_like_copies_of_it():
    torch.manual_seed(0)
    block = FourierCrossBlock(8, 2, 12, 4)
    queries, memory = torch.randn(6, 12, 8), torch.randn(2, 12, 8)
    copies = block(queries, memory.repeat_interleave(3, dim=0))
    torch.testing.assert_close(block(queries, memory), copies)


def test_modes_are_drawn_below_half_the_length_without_repetition():
    modes = draw_modes(24, 5)
    assert len(set(modes.tolist())) == 5 and modes.max() < 12 and (modes.diff() > 0).all()
    assert len(draw_modes(24, 99)) == 12


def test_trend_is_the_centred_mean_with_repeated_ends():
    x = torch.randn(2, 10, 3)
    season, trend = Trend(5)(x)
    for month in range(10):
        near = [min(max(m, 0), 9) for m in range(month - 2, month + 3)]
        torch.testing.assert_close(trend[:, month], x[:, near].mean(1))
    torch.testing.assert_close(season + trend, x)


def test_a_softmax_is_a_mean_over_the_frequencies_already():
    """Equal scores and identity weights give the mean of the values' frequencies, not a part of it."""
    torch.manual_seed(0)
    block = FourierCrossBlock(4, 1, 24, 99, softmax=True).double()
    with torch.no_grad():
        block.weight.zero_()
        block.weight[0, :, :, :, 0] = torch.eye(4).double()[..., None]
    memory = torch.randn(1, 24, 4, dtype=torch.float64)
    out = block(torch.zeros(1, 24, 4, dtype=torch.float64), memory)
    mean = np.fft.rfft(memory[0].numpy(), axis=0, norm="ortho")[:12].mean(0)
    np.testing.assert_allclose(np.fft.rfft(out[0].detach().numpy(), axis=0, norm="ortho")[1:12], [mean] * 11)


def test_first_weights_keep_the_size_of_a_series_unless_published():
    torch.manual_seed(0)
    x = torch.randn(2, 96, 64)
    sizes = [float(FourierBlock(64, 4, 96, 32, published).forward(x).std() / x.std()) for published in (False, True)]
    assert 0.05 < sizes[0] < 2
    assert sizes[0] / sizes[1] == pytest.approx(64**2 / 16, rel=0.3)
