"""Muon on weights of any shape, against torch's own on matrices."""

import pytest
import torch
from torch import Tensor, nn

from training.train.tools.muon import Muon


def by_torch(weight: Tensor, gradients: list[Tensor], rate: float) -> Tensor:
    matrix = nn.Parameter(weight.flatten(1).clone())
    optimizer = torch.optim.Muon([matrix], rate, weight_decay=0.0)
    for gradient in gradients:
        matrix.grad = gradient.flatten(1).clone()
        optimizer.step()
    return matrix.detach().view(weight.shape)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_convolution_is_trained_as_a_matrix(layout: torch.memory_format):
    random = torch.Generator().manual_seed(0)
    weight = torch.randn((6, 4, 3, 3), generator=random)
    gradients = [torch.randn(weight.shape, generator=random) for _ in range(3)]
    layer = nn.Conv2d(4, 6, 3, bias=False)
    layer.load_state_dict({"weight": weight})
    layer.to(memory_format=layout)  # type: ignore[call-overload]
    optimizer = Muon([layer], 0.1)
    for gradient in gradients:
        layer.weight.grad = gradient.clone(memory_format=layout)
        optimizer.step()
    expected = by_torch(weight, gradients, 0.1)
    assert not torch.allclose(layer.weight, weight, atol=0.05)
    assert torch.allclose(layer.weight, expected, atol=0.02)  # torch orthogonalizes in bfloat16


def test_a_transposed_convolution_has_its_outputs_as_rows():
    layer = nn.ConvTranspose2d(4, 6, 2, bias=False)
    weight, gradient = layer.weight.detach().clone(), torch.randn(layer.weight.shape)
    layer.weight.grad = gradient
    Muon([layer], 0.1).step()
    expected = by_torch(weight.transpose(0, 1).contiguous(), [gradient.transpose(0, 1).contiguous()], 0.1)
    assert torch.allclose(layer.weight.transpose(0, 1), expected, atol=1e-6)


def test_it_removes_gradients():
    layer = nn.Conv2d(1, 1, 3)
    optimizer = Muon([layer], 0.1)
    layer(torch.rand(1, 1, 3, 3)).sum().backward()
    optimizer.zero_grad()
    assert layer.weight.grad is None


def test_weights_without_a_gradient_stay():
    layer = nn.Conv2d(1, 1, 3)
    before = layer.weight.detach().clone()
    Muon([layer], 0.1).step()
    assert torch.equal(layer.weight, before)
