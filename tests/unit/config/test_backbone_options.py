"""Options of backbones that would have no effect, or none that can be computed."""

import pytest

from dere.run_config.root import normalise


@pytest.mark.parametrize(
    ("network", "options", "sentence"),
    [
        ("transformer", {"mix": True}, "transformer: .*mix is true, but decoder_self_attention is false"),
        ("informer", {"mix": True}, "informer: .*mix is true, but decoder_self_attention is false"),
        ("simpletm", {"width": 64, "levels": 8}, "simpletm: .*levels is 8, .* width is 64; choose at most 7"),
        ("simpletm", {"width": 8, "heads": 2, "levels": 5}, "levels is 5, .* choose at most 4 levels"),
    ],
)
def test_options_that_cannot_be_used_are_refused(network, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        normalise({"networks": {network: options}})


def test_the_most_levels_that_are_allowed_run():
    import torch

    from dere.layers.wavelets import StationaryWavelet

    for width, levels in ((8, 4), (64, 7)):
        normalise({"networks": {"simpletm": {"width": width, "levels": levels, "heads": 2}}})
        wavelet, x = StationaryWavelet(3, levels), torch.randn(2, 3, width)
        torch.testing.assert_close(wavelet.inverse(wavelet(x)), x)


@pytest.mark.parametrize(
    ("stage", "leaf", "value"),
    [
        ("age", "ages_per_step", 3),
        ("plant_types_observed", "ages_per_step", 3),
        ("towers", "frozen", ["backbone"]),
        ("kgml_towers", "frozen", ["competition"]),
        ("baseline", "adapters", True),
    ],
)
def test_leaves_without_effect_do_not_exist(stage, leaf, value):
    with pytest.raises(ValueError, match=rf"stages\.{stage}\.{leaf}"):
        normalise({"stages": {stage: {leaf: value}}})
