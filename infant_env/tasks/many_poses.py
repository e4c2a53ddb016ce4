"""Valid poses for many infants, computed together."""

from collections.abc import Sequence
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from ..body.batches import new_batch
from ..body.model import ArmModel


class ManyPoses:
    """Draws the same poses as `ArmModel.valid_pose` from the same random numbers, but computes contacts on all cores.

    Args:
        arm: the body.
        most: largest number of poses per call of `draw`.
        threads: number of threads; 0: one per core.
    """

    def __init__(self, arm: ArmModel, most: int, threads: int) -> None:
        self._arm, self._most, self._threads = arm, most, threads
        self._data = arm.new_data()
        self._batch = new_batch(arm.model, most, threads)
        self._qpos, self._contacts = self._batch.bind("qpos"), self._batch.bind("ncon")
        self._qpos[:] = arm.rest.qpos
        self._hands = self._batch.bind("site_xpos")[:, arm.model.site(arm.hand_site).id]  # (N, 3)

    def __reduce__(self) -> tuple[Any, ...]:
        return ManyPoses, (self._arm, self._most, self._threads)

    def draw(self, randoms: Sequence[np.random.Generator]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Draws one pose from each generator.

        Returns:
            Angles, shape (n, J), rad, and the hand's positions, shape (n, 3), m.
        """
        n, size = len(randoms), len(self._arm.joint_names)
        drawn = self._arm.denormalize(np.array([random.random(size) for random in randoms]))  # (n, J)
        joints = self._arm.locked(drawn)
        self._qpos[:n, self._arm.qpos_ids] = joints
        self._batch.forward(np.arange(n), stage=mujoco.mjtStage.mjSTAGE_POS.value)
        hands = self._hands[:n].copy()
        for i in np.flatnonzero(self._contacts[:n]).tolist():
            if not self._arm.is_valid(self._data, joints[i]):
                joints[i] = self._arm.valid_pose(self._data, randoms[i])
                hands[i] = self._arm.hand_position(self._data)
        return joints, hands
