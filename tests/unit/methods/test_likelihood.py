"""The likelihood against torch's own, and what its optimum weights are."""

import numpy as np
import torch

from dere.methods.dere.networks.likelihood import ModelError, negative_log_likelihood, weight


def test_equals_the_multivariate_normal():
    residual = torch.tensor([[0.3, -1.0], [2.0, 0.5]], dtype=torch.float64)
    covariance = torch.tensor([[1.3, 0.4], [0.4, 0.7]], dtype=torch.float64)
    expected = -torch.distributions.MultivariateNormal(torch.zeros(2).double(), covariance).log_prob(residual)
    torch.testing.assert_close(negative_log_likelihood(residual, covariance) + np.log(2 * np.pi), expected)


def test_optimum_weight_is_the_inverse_variance_and_not_the_floor():
    """Half the labels have error 0.2, half 1.5: the fitted mean is the inverse-variance mean, the error is found."""
    torch.manual_seed(0)
    n, own = 4000, 0.3
    label_std = torch.where(torch.arange(n) % 2 == 0, 0.2, 1.5)[:, None]
    labels = 2.0 + own * torch.randn(n, 2) + label_std * torch.randn(n, 2)
    covariance = torch.diag_embed((label_std**2).expand(n, 2))
    error, mean = ModelError(torch.ones(2)), torch.zeros(2, requires_grad=True)
    optimiser = torch.optim.Adam([*error.parameters(), mean], lr=0.05)
    for _ in range(400):
        total = covariance + error.covariance()
        loss = negative_log_likelihood(labels - mean, total).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    w = 1 / (label_std**2 + own**2)
    expected = (w * labels).sum(0) / w.sum()
    torch.testing.assert_close(mean.detach(), expected, rtol=0, atol=0.02)
    torch.testing.assert_close(error.log_std.exp().detach(), torch.full((2,), own), rtol=0, atol=0.05)
    weights = weight(covariance + error.covariance()).detach()
    assert 10 < float(weights[0] / weights[1]) < 30 and float(weights.min()) > 0.5


def test_the_model_error_finds_its_level_within_the_steps_of_a_stage():
    from dere.config.training import TrainingConfig
    from dere.training.loop import LossParts, fit

    error, std, correlation = ModelError(torch.ones(2)), torch.tensor([0.5, 1.4]), 0.4
    own = torch.tensor([[1.0, correlation], [correlation, 1.0]]) * std[:, None] * std

    def draw(generator):
        return torch.randn((200, 2), generator=generator) @ torch.linalg.cholesky(own).T

    def loss(model, residual):
        value = negative_log_likelihood(residual, model.covariance().expand(len(residual), 2, 2))
        return LossParts(value.sum(), torch.tensor(float(len(residual))))

    config = TrainingConfig(epochs=8, steps_per_epoch=10, learning_rate=3e-4)
    fit(error, draw=draw, validation=[draw(torch.Generator().manual_seed(9))], loss=loss, config=config, seed=0)
    torch.testing.assert_close(error.covariance().detach(), own, rtol=0.2, atol=0.1)
