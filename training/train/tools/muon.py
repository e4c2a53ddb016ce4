"""Muon for convolutions: torch's own takes only matrices."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn


class Muon(torch.optim.Muon):
    """Muon (Jordan et al., 2024) for layers of any kind.

    It takes the weight of each layer as a matrix with one row for each output.

    Args:
        layers: layers with a weight of two dimensions or more.
        learning_rate: the learning rate.
    """

    def __init__(self, layers: Iterable[nn.Module], learning_rate: float) -> None:
        self._layers = list(layers)
        matrices = [nn.Parameter(_matrix(layer, _weight(layer).detach())) for layer in self._layers]
        super().__init__(matrices, learning_rate, weight_decay=0.0)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Changes the weights by their gradients."""
        pairs = list(zip(self._layers, self.param_groups[0]["params"], strict=True))
        for layer, matrix in pairs:
            weight = _weight(layer)
            matrix.copy_(_matrix(layer, weight))
            matrix.grad = None if weight.grad is None else _matrix(layer, weight.grad)
        super().step()
        for layer, matrix in pairs:
            _matrix(layer, _weight(layer), matrix)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Removes the gradients of the weights."""
        for layer in self._layers:
            _weight(layer).grad = None


def _weight(layer: nn.Module) -> nn.Parameter:
    weight = layer.weight
    assert isinstance(weight, nn.Parameter)
    return weight


def _matrix(layer: nn.Module, values: Tensor, new: Tensor | None = None) -> Tensor:
    """Values of the shape of a layer's weight as a matrix, a copy; if `new` is given, the values become those of this matrix."""
    rows = values.transpose(0, 1) if isinstance(layer, nn.ConvTranspose2d) else values
    if new is not None:
        rows.copy_(new.view(rows.shape))
        return new
    return rows.reshape(len(rows), -1).clone()
