"""The constant baseline: always the median picture and the median pose."""

from collections.abc import Mapping

from torch import Tensor


class Constant:
    """Predicts the training set's median for every sample: the constant with the least mean absolute error.

    The arm is small, so over the whole frame a picture without the arm can score as well as a trained map. Compare every
    picture error with this one.

    Args:
        samples: the training samples by modality, shape (N, ...) each.
    """

    def __init__(self, samples: Mapping[str, Tensor]) -> None:
        self._medians = {name: rows.median(dim=0).values for name, rows in samples.items()}

    def predict(self, source: str, samples: Tensor) -> dict[str, Tensor]:
        """The medians, once per sample.

        Args:
            source: the known modality; ignored.
            samples: its samples, shape (B, ...); only their number counts.

        Returns:
            Every modality, shape (B, ...) each.
        """
        return {name: median.expand(len(samples), *median.shape) for name, median in self._medians.items()}
