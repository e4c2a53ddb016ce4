"""The yardstick below which nothing was learned: always the median picture and the median pose."""

from collections.abc import Mapping

from torch import Tensor


class Constant:
    """Answers every question with the training set's median, the constant of least mean absolute error.

    A picture without the arm scores as well as a trained map may, when the whole frame counts (the arm is small): every
    error of a picture must be read beside this one.

    Args:
        samples: the training samples by modality, shape (N, ...) each.
    """

    def __init__(self, samples: Mapping[str, Tensor]) -> None:
        self._answers = {name: rows.median(dim=0).values for name, rows in samples.items()}

    def predict(self, source: str, samples: Tensor) -> dict[str, Tensor]:
        """The medians, once per sample, whatever the samples show.

        Args:
            source: the known modality; it does not matter.
            samples: its samples, shape (B, ...).

        Returns:
            Every modality, shape (B, ...) each.
        """
        return {name: answer.expand(len(samples), *answer.shape) for name, answer in self._answers.items()}
