"""Supervised learning from pictures to joints, without map and latents."""

import torch
from torch import Tensor

from ..networks.glance import PictureReader

KIND = "regressor"
_CHUNK = 500  # pictures per forward pass outside of training


class CnnRegressor(PictureReader):
    """A convolutional network that is trained only to read the pose from a picture.

    It shows how well the eye can see each joint, independent of the latents and the map. It is not part of the paper.

    ```python
    regressor = CnnRegressor.load("runs/paper/regressor.safetensors")
    joints = regressor.predict(images)  # (B, 64, 64) -> (B, J)
    ```
    """

    kind = KIND

    @staticmethod
    def numbers(joint_count: int, arms: int) -> int:
        """One number per joint."""
        return joint_count

    def forward(self, images: Tensor) -> Tensor:
        """Normalized joints in [0, 1], shape (B, J), for pictures of shape (B, 64, 64)."""
        return self.read(images).sigmoid()

    @torch.inference_mode()
    def predict(self, images: Tensor) -> Tensor:
        """The poses in any number of pictures.

        Args:
            images: shape (B, 64, 64), in [0, 1].

        Returns:
            Normalized joints, shape (B, J), in [0, 1].
        """
        self.eval()
        return torch.cat([self(part.to(self.background.device)) for part in images.split(_CHUNK)])
