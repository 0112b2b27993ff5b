import math

import pytest
import torch

from dere.imputation import schedule as diffusion


def test_the_quadratic_schedule_has_the_published_end_points():
    schedule = diffusion.quadratic(50)
    assert schedule.steps == 50
    assert float(schedule.signal[1]) == pytest.approx(1 - 1e-4)
    assert float(schedule.signal[50] / schedule.signal[49]) == pytest.approx(0.5)
    assert float(schedule.signal[50]) == pytest.approx(3.4e-5, rel=0.03)


def test_velocity_and_noisy_series_give_back_the_clean_series():
    schedule = diffusion.quadratic(50)
    clean, noise = torch.randn(4, 12, 2), torch.randn(4, 12, 2)
    step = torch.tensor([1, 10, 30, 50])
    noisy, velocity = diffusion.diffuse(schedule, clean, noise, step)
    a = schedule.signal[step].float().view(-1, 1, 1)
    assert torch.allclose(a.sqrt() * noisy - (1 - a).sqrt() * velocity, clean, atol=1e-5)


def test_noise_below_any_pivot_is_kept():
    schedule = diffusion.quadratic(50)
    noise = torch.full((1, 12, 2), -4.0)
    noisy, _ = diffusion.diffuse(schedule, torch.zeros(1, 12, 2), noise, torch.tensor([50]))
    assert float(noisy.max()) < -3.9


def test_ddim_with_all_steps_equals_the_ten_line_loop():
    schedule = diffusion.quadratic(20)

    def velocity(x, step):
        return torch.sin(x) * (0.3 + 0.01 * step)

    start = torch.randn(2, 3, 12, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    beta = torch.linspace(1e-4**0.5, 0.5**0.5, 20, dtype=torch.float64) ** 2
    x = start
    for t in range(20, 0, -1):
        a = float(torch.prod(1 - beta[:t]))
        before = float(torch.prod(1 - beta[: t - 1]))
        v = velocity(x, t)
        clean = math.sqrt(a) * x - math.sqrt(1 - a) * v
        noise = math.sqrt(1 - a) * x + math.sqrt(a) * v
        x = math.sqrt(before) * clean + math.sqrt(1 - before) * noise
    made = diffusion.sample(schedule, velocity, start, 20, sampler="ddim")
    assert torch.allclose(made, x, atol=1e-12)


def test_eta_one_with_all_steps_is_ancestral_sampling():
    schedule = diffusion.quadratic(20)
    start = torch.randn(1, 1, 12, 2, dtype=torch.float64)
    beta = torch.linspace(1e-4**0.5, 0.5**0.5, 20, dtype=torch.float64) ** 2
    generator = torch.Generator().manual_seed(5)
    x = start
    for t in range(20, 0, -1):
        a, before = float(torch.prod(1 - beta[:t])), float(torch.prod(1 - beta[: t - 1]))
        clean = math.sqrt(a) * x
        mean = (
            math.sqrt(before) * float(beta[t - 1]) / (1 - a) * clean
            + math.sqrt(1 - float(beta[t - 1])) * (1 - before) / (1 - a) * x
        )
        variance = (1 - before) / (1 - a) * float(beta[t - 1])
        x = mean
        if t > 1:
            x = x + math.sqrt(variance) * torch.randn(start.shape, generator=generator, dtype=x.dtype)
    made = diffusion.sample(
        schedule,
        lambda x, t: torch.zeros_like(x),
        start,
        20,
        sampler="ddim",
        eta=1.0,
        generator=torch.Generator().manual_seed(5),
    )
    assert torch.allclose(made, x, atol=1e-10)


@pytest.mark.parametrize(("sampler", "tolerance"), [("dpm", 0.03), ("ddim", 0.2)])
@pytest.mark.parametrize("sigma", [0.3, 1.0])
def test_few_steps_reproduce_a_gaussian(sampler, tolerance, sigma):
    # exact velocity of N(0.5, sigma^2): an error of the solver is an error of the spread of every label
    schedule = diffusion.quadratic(50)

    def velocity(x, step):
        a = float(schedule.signal[step])
        variance = a * sigma**2 + 1 - a
        clean = 0.5 + math.sqrt(a) * sigma**2 / variance * (x - math.sqrt(a) * 0.5)
        return (math.sqrt(a) * x - clean) / math.sqrt(1 - a)

    start = torch.randn(40000, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    made = diffusion.sample(schedule, velocity, start, 15, sampler=sampler)
    assert float(made.mean()) == pytest.approx(0.5, abs=0.02)
    assert float(made.std()) == pytest.approx(sigma, rel=tolerance)


def test_visited_steps_start_at_the_end_and_finish_at_one():
    schedule = diffusion.quadratic(50)
    steps = diffusion.step_sequence(schedule, 15)
    assert steps[0] == 50 and steps[-1] == 1 and steps == sorted(steps, reverse=True) and 10 <= len(steps) <= 15
    assert diffusion.step_sequence(schedule, 80) == list(range(50, 0, -1))


def test_a_network_that_returns_nan_is_an_error():
    with pytest.raises(ValueError, match="not finite"):
        diffusion.sample(diffusion.quadratic(5), lambda x, t: x * math.nan, torch.zeros(1, 12), 5)
