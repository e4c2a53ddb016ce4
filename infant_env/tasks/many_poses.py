"""Valid poses for many infants, computed together."""

from collections.abc import Sequence
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from ..body.batches import Simulations
from ..body.model import ArmModel


class ManyPoses:
    """Draws the same poses as `ArmModel.valid_pose` from the same random numbers, but computes contacts on all cores.

    Args:
        arms: each infant's body.
        threads: number of threads; 0: one per core.
    """

    def __init__(self, arms: Sequence[ArmModel], threads: int) -> None:
        self._arms, self._threads = list(arms), threads
        self._data = {arm: arm.new_data() for arm in dict.fromkeys(arms)}
        self._simulations = Simulations([arm.model for arm in arms], threads)
        self._qpos = self._simulations.part("qpos")
        for row, arm in enumerate(arms):
            self._qpos[row] = arm.rest.qpos
        self._sites = np.array([arm.hand_site_ids for arm in arms])  # (N, H)

    def __reduce__(self) -> tuple[Any, ...]:
        return ManyPoses, (self._arms, self._threads)

    def draw(
        self, infants: NDArray[np.int64], randoms: Sequence[np.random.Generator]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Draws one pose for each of some infants, from its random numbers.

        Returns:
            Angles, shape (n, J), rad, and the hands' positions, shape (n, H, 3), m.
        """
        arms = [self._arms[infant] for infant in infants.tolist()]
        if len(self._data) == 1:
            shares = np.array([random.random(len(arms[0].joint_names)) for random in randoms])
            joints = arms[0].locked(arms[0].denormalize(shares))  # (n, J)
        else:
            joints = np.array([arm.any_pose(random) for arm, random in zip(arms, randoms, strict=True)])
        self._qpos[infants[:, None], arms[0].qpos_ids] = joints
        self._simulations.forward(infants, mujoco.mjtStage.mjSTAGE_POS.value)
        hands, contacts = self._simulations.sites(self._sites)[infants], self._simulations.contacts[infants]
        for i in np.flatnonzero(contacts).tolist():
            arm, data = arms[i], self._data[arms[i]]
            if not arm.is_valid(data, joints[i]):
                joints[i] = arm.valid_pose(data, randoms[i])
                hands[i] = arm.hand_positions(data)
        return joints, hands
