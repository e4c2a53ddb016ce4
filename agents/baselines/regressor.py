"""Supervised learning from pictures to joints, without map and latents."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.optim.swa_utils import update_bn

from infant_env.errors import UserError

from ..networks.glance import PictureReader

KIND = "regressor"
_CHUNK = 500  # pictures per forward pass outside of training


@dataclass(frozen=True)
class RegressorProgress:
    """The report of `CnnRegressor.fit` after each epoch.

    Attributes:
        epoch: epochs done so far, from 1.
        epochs: total number of epochs.
        train_mae: mean absolute error over the epoch's training pictures, normalized joints.
        validation_mae: mean absolute error over the validation pictures; None if there are none.
    """

    epoch: int
    epochs: int
    train_mae: float
    validation_mae: float | None


class CnnRegressor(PictureReader):
    """A convolutional network that is trained only to read the pose from a picture.

    It shows how well the eye can see each joint, independent of the latents and the map. It is not part of the paper.

    ```python
    regressor = CnnRegressor(background).fit(images, joints)
    joints = regressor.predict(images)  # (B, 64, 64) -> (B, J)
    ```
    """

    kind = KIND

    @staticmethod
    def numbers(joint_count: int) -> int:
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

    def fit(
        self,
        images: Tensor,
        joints: Tensor,
        validation: tuple[Tensor, Tensor] | None = None,
        epochs: int = 20,
        seed: int = 0,
        progress: Callable[[RegressorProgress], None] | None = None,
        batch_size: int = 64,
        learning_rate: float = 3e-3,
    ) -> "CnnRegressor":
        """Trains on the mean absolute error, with a one-cycle schedule.

        Args:
            images: training pictures, shape (N, 64, 64), in [0, 1].
            joints: their normalized joints, shape (N, J).
            validation: pictures and joints of the reported validation error.
            epochs: passes over the pictures.
            seed: seed of the pictures' order; the initial weights depend on torch's own seed.
            progress: called after each epoch.
            batch_size: pictures per step.
            learning_rate: highest learning rate of AdamW.

        Returns:
            This regressor.

        Raises:
            UserError: the shapes of pictures and joints do not match, or the loss became NaN.
        """
        self._check_shapes(images, joints)
        images, joints = images.to(self.background.device), joints.to(self.background.device)
        optimizer = torch.optim.AdamW(self.parameters(), learning_rate, (0.9, 0.99), weight_decay=0.1, fused=True)
        steps = epochs * -(-len(images) // batch_size)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, learning_rate, total_steps=steps + 1, pct_start=0.15, cycle_momentum=False
        )
        generator = torch.Generator().manual_seed(seed)
        for epoch in range(1, epochs + 1):
            order = torch.randperm(len(images), generator=generator).to(images.device)
            train_mae = self._train_epoch(images, joints, order.split(batch_size), optimizer, schedule)
            if not train_mae < float("inf"):
                raise UserError(
                    f"the regressor's loss became {train_mae} in epoch {epoch}, expected a finite number; look for NaNs in the "
                    f"pictures and joints, or train it again with a lower learning rate than {learning_rate}"
                )
            if epoch == epochs:
                update_bn(
                    images.split(_CHUNK), self
                )  # running statistics of the last batches raise errors by up to a fifth
            if progress:
                progress(RegressorProgress(epoch, epochs, train_mae, validation and self._mae(*validation)))
        return self.eval()

    def _train_epoch(
        self,
        images: Tensor,
        joints: Tensor,
        batches: tuple[Tensor, ...],
        optimizer: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LRScheduler,
    ) -> float:
        self.train()
        total = torch.zeros((), device=images.device)
        for batch in batches:
            with torch.autocast(images.device.type, torch.bfloat16):
                loss = F.l1_loss(self(images[batch]), joints[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.detach() * len(batch)
        return float(total / len(images))

    def _mae(self, images: Tensor, joints: Tensor) -> float:
        predicted = self.predict(images)
        return float((predicted - joints.to(predicted.device)).abs().mean())

    def _check_shapes(self, images: Tensor, joints: Tensor) -> None:
        if (
            images.shape[1:] != self.background.shape
            or joints.shape != (len(images), self.joint_count)
            or not len(images)
        ):
            raise UserError(
                f"got pictures {tuple(images.shape)} and joints {tuple(joints.shape)}, expected (N, 64, 64) and "
                f"(N, {self.joint_count}) with N of 1 or more"
            )
