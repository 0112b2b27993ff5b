import numpy as np

from dere.harmonise.label_months import usable


def test_a_label_has_a_value_of_its_flux_and_enough_quality_of_it():
    rng = np.random.default_rng(0)
    flux = np.where(rng.random((4, 30, 3)) < 0.2, np.nan, 1.0)
    quality = np.where(rng.random(flux.shape) < 0.2, np.nan, rng.random(flux.shape))
    good = usable(flux, quality, 0.4)
    for place in np.ndindex(flux.shape):
        assert good[place] == (quality[place] >= 0.4 and not np.isnan(flux[place]))
    assert good.any() and not good.all()


def test_a_missing_quality_is_never_good_enough():
    assert usable(np.ones((2, 1)), np.array([[np.nan], [0.0]]), 0.0).tolist() == [[False], [True]]
