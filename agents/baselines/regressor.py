"""Plain supervised learning from pictures to joints: a yardstick."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.optim.swa_utils import update_bn

from infant_env.errors import UserError

from ..networks.glance import PictureReader

KIND = "regressor"
_CHUNK = 500  # pictures at a time where nothing is trained


@dataclass(frozen=True)
class RegressorProgress:
    """What `CnnRegressor.fit` reports after each epoch.

    Attributes:
        epoch: epochs done so far, from 1.
        epochs: epochs in all.
        train_mae: mean absolute error over the epoch's training pictures, normalized joints.
        validation_mae: the same over the validation pictures; None when there are none.
    """

    epoch: int
    epochs: int
    train_mae: float
    validation_mae: float | None


class CnnRegressor(PictureReader):
    """What a picture tells of the pose to a network that is trained for nothing else.

    It says how much of each joint the eye can see, whatever the latents and the map make of it. It is no part of the paper.

    ```python
    regressor = CnnRegressor(background).fit(images, joints)
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
            validation: pictures and joints on which the error is reported.
            epochs: times that every picture is seen.
            seed: seed of the pictures' order; that of the initial weights is torch's.
            progress: called after each epoch.
            batch_size: pictures per step.
            learning_rate: highest learning rate of AdamW.

        Returns:
            Itself.

        Raises:
            UserError: pictures and joints do not fit together, or the loss became NaN.
        """
        self._check(images, joints)
        images, joints = images.to(self.background.device), joints.to(self.background.device)
        optimizer = torch.optim.AdamW(self.parameters(), learning_rate, (0.9, 0.99), weight_decay=0.1, fused=True)
        steps = epochs * -(-len(images) // batch_size)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, learning_rate, total_steps=steps + 1, pct_start=0.15, cycle_momentum=False
        )
        generator = torch.Generator().manual_seed(seed)
        for epoch in range(1, epochs + 1):
            order = torch.randperm(len(images), generator=generator).to(images.device)
            train_mae = self._epoch(images, joints, order.split(batch_size), optimizer, schedule)
            if not train_mae < float("inf"):
                raise UserError(
                    f"the regressor's loss became {train_mae} in epoch {epoch}, expected a finite number; are there NaNs in the "
                    f"pictures or joints? Else train it again with a lower learning rate than {learning_rate}"
                )
            if epoch == epochs:
                update_bn(images.split(_CHUNK), self)  # those of the last few batches make errors up to a fifth larger
            if progress:
                progress(RegressorProgress(epoch, epochs, train_mae, validation and self._error(*validation)))
        return self.eval()

    def _epoch(
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

    def _error(self, images: Tensor, joints: Tensor) -> float:
        predicted = self.predict(images)
        return float((predicted - joints.to(predicted.device)).abs().mean())

    def _check(self, images: Tensor, joints: Tensor) -> None:
        if (
            images.shape[1:] != self.background.shape
            or joints.shape != (len(images), self.joint_count)
            or not len(images)
        ):
            raise UserError(
                f"got pictures {tuple(images.shape)} and joints {tuple(joints.shape)}, expected (N, 64, 64) and "
                f"(N, {self.joint_count}) with N of 1 or more"
            )
