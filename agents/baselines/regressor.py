"""Supervised learning from pictures to joints, without map and latents."""

import torch
from torch import Tensor

from ..networks.glance import PictureReader

KIND = "regressor"


class CnnRegressor(PictureReader):
    """A convolutional network that is trained only to read the pose from a picture.

    It shows how well the eye can see each joint, independent of the latents and the map. It is not part of the paper.

    ```python
    regressor = CnnRegressor.load("runs/paper/regressor.safetensors")
    joints = regressor.predict(images)  # (B, 64, 64) -> (B, J); of an eye that moves also the gaze, (B, 2)
    ```
    """

    kind = KIND

    @staticmethod
    def numbers(joint_count: int, arms: int) -> int:
        """One number per joint."""
        return joint_count

    def forward(self, images: Tensor, gaze: Tensor | None = None) -> Tensor:
        """Normalized joints in [0, 1], (B, J), for pictures (B, 64, 64), and the gazes (B, 2) of an eye that moves."""
        return self.read(images, gaze).sigmoid()

    @torch.inference_mode()
    def predict(self, images: Tensor, gaze: Tensor | None = None) -> Tensor:
        """The poses in any number of pictures, see `PictureReader.predict`."""
        self.eval()
        return torch.cat([self(*part) for part in self._in_chunks(images, gaze)])
