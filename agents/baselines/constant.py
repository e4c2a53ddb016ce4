"""The yardstick below which nothing was learned: always the median picture and the median pose."""

from torch import Tensor


class Constant:
    """Answers every question with the training set's median, the constant of least mean absolute error.

    A picture without the arm scores as well as a trained map may, when the whole frame counts (the arm is small): every
    error of a picture must be read beside this one.

    Args:
        images: training pictures, shape (N, 64, 64), in [0, 1].
        joints: training poses, normalized, shape (N, J).
    """

    def __init__(self, images: Tensor, joints: Tensor) -> None:
        self._answers = {"vision": images.median(dim=0).values, "proprioception": joints.median(dim=0).values}

    def predict(self, source: str, samples: Tensor) -> dict[str, Tensor]:
        """The medians, once per sample, whatever the samples show.

        Args:
            source: the known modality; it does not matter.
            samples: its samples, shape (B, ...).

        Returns:
            `vision` (B, 64, 64) and `proprioception` (B, J).
        """
        return {name: answer.expand(len(samples), *answer.shape) for name, answer in self._answers.items()}
