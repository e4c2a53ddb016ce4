"""Plain supervised learning from pictures to joints: a yardstick."""

import torch
from torch import Tensor

from ..networks.glance import PictureReader

KIND = "regressor"
_CHUNK = 500  # pictures at a time where nothing is trained


class CnnRegressor(PictureReader):
    """What a picture tells of the pose to a network that is trained for nothing else.

    It says how much of each joint the eye can see, whatever the latents and the map make of it. It is no part of the paper.

    ```python
    regressor = CnnRegressor.load("runs/paper/regressor.safetensors")
    joints = regressor.predict(images)  # (B, 64, 64) -> (B, J)
    ```
    """

    kind = KIND

    @staticmethod
    def numbers(joint_count: int) -> int:
        """One for every joint."""
        return joint_count

    def forward(self, images: Tensor) -> Tensor:
        """Normalized joints in [0, 1], shape (B, J), of pictures of shape (B, 64, 64)."""
        return self.read(images).sigmoid()

    @torch.inference_mode()
    def predict(self, images: Tensor) -> Tensor:
        """The poses that pictures show.

        Args:
            images: shape (B, 64, 64), in [0, 1], any number of them.

        Returns:
            Normalized joints, shape (B, J), in [0, 1].
        """
        self.eval()
        return torch.cat([self(part.to(self.background.device)) for part in images.split(_CHUNK)])
