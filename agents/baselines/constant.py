"""The constant baseline: always the median picture and the median pose."""

from torch import Tensor


class Constant:
    """Predicts the training set's median for every sample: the constant with the least mean absolute error.

    The arm is small, so over the whole frame a picture without the arm can score as well as a trained map. Compare every
    picture error with this one.

    Args:
        images: training pictures, shape (N, 64, 64), in [0, 1].
        joints: training poses, normalized, shape (N, J).
    """

    def __init__(self, images: Tensor, joints: Tensor) -> None:
        self._medians = {"vision": images.median(dim=0).values, "proprioception": joints.median(dim=0).values}

    def predict(self, source: str, samples: Tensor) -> dict[str, Tensor]:
        """The medians, once per sample.

        Args:
            source: the known modality; ignored.
            samples: its samples, shape (B, ...); only their number counts.

        Returns:
            `vision` (B, 64, 64) and `proprioception` (B, J).
        """
        return {name: median.expand(len(samples), *median.shape) for name, median in self._medians.items()}
