"""Nearest neighbors: memory without learning."""

from collections.abc import Mapping

import torch
from torch import Tensor

from infant_env.errors import UserError


class NearestNeighbors:
    """Predicts the mean of the k nearest training samples (Euclidean) in the known modality.

    It keeps all training pictures in memory (196 MB for 12,000); a map keeps a few numbers per neuron.

    Args:
        samples: the training samples by modality, shape (N, ...) each.
        k: number of neighbors; 1 is the nearest neighbor.
    """

    def __init__(self, samples: Mapping[str, Tensor], k: int = 8) -> None:
        count = len(next(iter(samples.values())))
        if not 1 <= k <= count:
            raise UserError(f"got k={k}, expected 1 to the number of training samples, {count}")
        self._memory, self._k = dict(samples), k

    def predict(self, source: str, samples: Tensor, chunk: int = 512) -> dict[str, Tensor]:
        """Mean of the nearest training samples in every modality.

        Args:
            source: the known modality.
            samples: its samples, shape (B, ...).
            chunk: number of samples that are compared together.

        Returns:
            Every modality, shape (B, ...) each.
        """
        memory = self._memory[source].flatten(1)  # (N, d)
        samples = samples.to(memory.device)
        nearest = torch.cat(
            [torch.cdist(part.flatten(1), memory).topk(self._k, largest=False).indices for part in samples.split(chunk)]
        )  # (B, k)
        return {
            name: torch.cat([known[part].mean(dim=1) for part in nearest.split(chunk)])
            for name, known in self._memory.items()
        }
