"""Groups of the optimiser: learning rates and weight decay of marked weights, alone and stacked."""

import torch
from torch import nn

from dere.training.optimiser import mark, optimiser_of
from dere.training.stacked import Stacked


class _Net(nn.Module):
    """A layer, and two numbers of which one does not decay."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)
        self.level, self.gate = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
        mark(self.level, rate=5.0)
        mark(self.gate, rate=5.0, decays=False)


def _step(model, gradient=0.0):
    parameters = list(model.parameters())
    optimiser = optimiser_of(parameters, 0.1, 0.5)
    for parameter in parameters:
        parameter.grad = torch.full_like(parameter, gradient)
    optimiser.step()
    return optimiser


def test_weights_without_marks_take_the_steps_of_one_group():
    torch.manual_seed(0)
    ours, plain = nn.Linear(3, 2), nn.Linear(3, 2)
    plain.load_state_dict(ours.state_dict())
    assert len(_step(ours, 0.3).param_groups) == 1
    for parameter in plain.parameters():
        parameter.grad = torch.full_like(parameter, 0.3)
    torch.optim.AdamW(plain.parameters(), lr=0.1, weight_decay=0.5).step()
    assert all(torch.equal(one, other) for one, other in zip(ours.parameters(), plain.parameters(), strict=True))


def test_a_marked_weight_has_its_own_rate_and_need_not_decay():
    net = _Net()
    before = net.layer.weight.detach().clone()
    _step(net)
    torch.testing.assert_close(net.layer.weight, before * (1 - 0.1 * 0.5))
    torch.testing.assert_close(net.level, torch.full((2,), 1 - 0.5 * 0.5))
    assert net.gate.tolist() == [1.0, 1.0]


def test_stacked_weights_are_trained_as_their_own():
    stacked = Stacked([_Net(), _Net()])
    before = stacked.get_parameter("layer/weight").detach().clone()
    _step(stacked)
    torch.testing.assert_close(stacked.get_parameter("layer/weight"), before * (1 - 0.1 * 0.5))
    assert stacked.get_parameter("gate").tolist() == [[1.0, 1.0]] * 2
    torch.testing.assert_close(stacked.get_parameter("level"), torch.full((2, 2), 1 - 0.5 * 0.5))
