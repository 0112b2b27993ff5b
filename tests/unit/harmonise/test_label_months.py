import numpy as np

from dere.harmonise.label_months import usable


def test_a_label_has_every_flux_and_enough_quality():
    rng = np.random.default_rng(0)
    flux = np.where(rng.random((4, 30, 3)) < 0.2, np.nan, 1.0)
    quality = np.where(rng.random((4, 30)) < 0.2, np.nan, rng.random((4, 30)))
    good = usable(flux, quality, 0.4)
    for site in range(4):
        for month in range(30):
            values, enough = flux[site, month], quality[site, month] >= 0.4
            assert good[site, month] == (enough and not any(np.isnan(values)))
    assert good.any() and not good.all()


def test_a_missing_quality_is_never_good_enough():
    assert usable(np.ones((2, 1)), np.array([np.nan, 0.0]), 0.0).tolist() == [False, True]
