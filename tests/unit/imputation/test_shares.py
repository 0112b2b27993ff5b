"""What several processes of a training rely on: the losses of their rows add up to that of the whole batch."""

import numpy as np
import pytest
import torch

from dere.imputation import batches, point
from dere.imputation.masks import gap_statistics
from dere.imputation.series import select, series_of, site_ids
from dere.training.parallel import share


@pytest.fixture(scope="module")
def series(towers, splits, statistics, config):
    series = series_of(select(towers, site_ids(splits, 0, "training")), splits, statistics, config)
    return series.take(np.flatnonzero(series.observed.any(1)))


def assert_shares_add_up(loss, model, batch):
    model.eval()
    with torch.no_grad():
        whole, parts = loss(model, batch), [loss(model, share(batch, part, 3)) for part in range(3)]
    assert float(whole.mean) > 1e-3
    for name in ("numerator", "denominator"):
        total = sum(getattr(part, name) for part in parts)
        torch.testing.assert_close(total, getattr(whole, name), rtol=2e-5, atol=1e-6)


def test_denoiser(trained, series, config):
    imputer = trained[0]
    gaps = gap_statistics(series.observed, series.span, series.phase)
    guess = imputer.predict_point(series)
    draw = batches.training_draw(series, guess, batches.Recipe(imputer.prior, gaps, config, imputer.schedule))
    assert_shares_add_up(batches.loss, imputer.denoiser, draw(torch.Generator().manual_seed(1)))


def test_point_model(trained, series, config):
    imputer = trained[0]
    draw, held = point.make_rows(
        point.features(series), series, imputer.groups_of(series), imputer.point, config.point, "cpu"
    )
    assert_shares_add_up(point.row_loss, imputer.point, draw(torch.Generator().manual_seed(1)))
    assert_shares_add_up(point.row_loss, imputer.point, held[0])
