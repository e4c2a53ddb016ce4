"""Muon for the weights of convolutions: torch's own takes only matrices."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn


class Muon(torch.optim.Muon):
    """Muon (Jordan et al., 2024) for weights of any shape.

    It takes each weight as a matrix with one row for each first index. The matrices share the weights' memory.

    Args:
        weights: weights of layers, of two dimensions or more.
        learning_rate: the learning rate.
    """

    def __init__(self, weights: Iterable[nn.Parameter], learning_rate: float) -> None:
        self._weights = list(weights)
        matrices = [nn.Parameter(_matrix(weight.detach(), weight)) for weight in self._weights]
        super().__init__(matrices, learning_rate, weight_decay=0.0)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Changes the weights by their gradients."""
        for weight, matrix in zip(self._weights, self.param_groups[0]["params"], strict=True):
            matrix.grad = None if weight.grad is None else _matrix(weight.grad, weight)
        super().step()

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Removes the gradients of the weights."""
        for weight in self._weights:
            weight.grad = None


def _matrix(values: Tensor, weight: Tensor) -> Tensor:
    """A weight, or its gradient, as a matrix; of the weight itself without a copy, also if the channels come last."""
    if weight.is_contiguous():
        return values.reshape(len(weight), -1)
    return values.permute(0, 2, 3, 1).reshape(len(weight), -1)
