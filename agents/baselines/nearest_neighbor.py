"""The yardstick of memory without learning: the nearest training samples themselves."""

from collections.abc import Mapping

import torch
from torch import Tensor

from infant_env.errors import UserError


class NearestNeighbors:
    """Answers with the mean of the k training samples that are nearest (Euclidean) in the known modality.

    It needs all training pictures at hand (196 MB for 12,000), where a map keeps a few numbers per neuron.

    Args:
        samples: the training samples by modality, shape (N, ...) each.
        k: how many neighbors are averaged; 1 is the nearest neighbor.
    """

    def __init__(self, samples: Mapping[str, Tensor], k: int = 8) -> None:
        count = len(next(iter(samples.values())))
        if not 1 <= k <= count:
            raise UserError(f"got k={k}, expected 1 to the number of training samples, {count}")
        self._memory, self._k = dict(samples), k

    def predict(self, source: str, samples: Tensor, chunk: int = 512) -> dict[str, Tensor]:
        """Mean of the nearest training samples, in every modality.

        Args:
            source: the known modality.
            samples: its samples, shape (B, ...).
            chunk: samples looked up at a time.

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
