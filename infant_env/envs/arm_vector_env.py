"""Many infants that watch their arms, in one process: `InfantArm-v0` as a vector environment."""

from collections.abc import Mapping
from typing import Any

import mujoco
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import NDArray

from ..body.checks import checked_eye_size, checked_start, options_of
from ..body.model import ArmModel
from ..senses.acuity import checked_acuity
from ..senses.sense import checked_senses
from ..senses.spaces import babbling_space
from .many_bodies import ManyBodies
from .many_env import Infants, Infos, Observations
from .simulated import as_arm, as_touch, hand_infos


class InfantArmVectorEnv(ManyBodies, VectorEnv[Observations, NDArray[np.float32], NDArray[Any]]):  # skrl, too
    """`InfantArm-v0` with many infants, stepped together by `mujoco.batch`.

    Infant i gives the same results, bit for bit, as a single environment with the seed `seed + i` and the same actions.
    `InfantArmEnv` documents observations and infos, `ManyEnv` the autoreset modes.

    Args:
        num_envs: number of infants.
        max_episode_steps: an episode is truncated after this many steps.
        render_mode: see `InfantArmEnv`; "human" shows the first infant.
        age_months: see `InfantArmEnv`.
        eye_size: see `InfantArmEnv`.
        arm: see `InfantArmEnv`.
        width: see `InfantArmEnv`.
        height: see `InfantArmEnv`.
        camera_name: see `InfantArmEnv`.
        autoreset_mode: `AutoresetMode` or its value, see `ManyEnv`.
        threads: number of threads of the physics; 0: one per core.
        senses: see `InfantArmEnv`.
        acuity: see `InfantArmEnv`.
        eyes: see `InfantArmEnv`.
        gaze: see `InfantArmEnv`.
        arms: see `InfantArmEnv`.
        wrist: see `InfantArmEnv`.
        touch: see `InfantArmEnv`.

    Raises:
        UserError: an argument is unknown or out of range.
    """

    def __init__(
        self,
        num_envs: int = 1,
        max_episode_steps: int = 250,
        render_mode: str | None = None,
        age_months: float = 12.0,
        eye_size: tuple[int, int] = (300, 500),
        arm: ArmModel | Mapping[str, Any] | None = None,
        width: int = 640,
        height: int = 480,
        camera_name: str | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        threads: int = 0,
        senses: Mapping[str, Any] | str | None = None,
        acuity: float | str | None = None,
        eyes: str | None = None,
        gaze: str | None = None,
        arms: str | None = None,
        wrist: bool | None = None,
        touch: bool = False,
    ) -> None:
        body, size = as_arm(arm, age_months, eyes, gaze, arms, wrist), checked_eye_size(eye_size)
        felt = as_touch(body, touch)
        sensed = checked_senses(senses, body.body), checked_acuity(acuity, body.body)
        space, shown = babbling_space(body, size, sensed[0], felt), (width, height, camera_name, threads, *sensed, felt)
        super().__init__(
            num_envs, max_episode_steps, autoreset_mode, render_mode, body, size, space, ("joints",), *shown
        )
        self._depths = np.zeros(num_envs)  # of the deepest contacts, m

    def _begin(self, infants: Infants, options: dict[str, Any]) -> None:
        if options:
            given = [options_of(i, self.num_envs, options)["joints"] for i in infants.tolist()]
            joints = np.array([checked_start(self.arm, self._data, one) for one in given])
        else:
            joints, _ = self._poses.draw([self._random(i) for i in infants.tolist()])
        self._place(infants, joints, self._hands[infants])  # `_observe` computes the hands' new positions

    def _observe(self, infants: Infants | slice) -> Observations:
        seen = []
        for infant in np.arange(self.num_envs)[infants].tolist():
            data = self._batch.get_data(infant, self._data)
            mujoco.mj_fwdPosition(self.model, data)
            self._hands[infant], self._depths[infant] = self.arm.hand_positions(data), self.arm.penetration(data)
            seen.append(self._see(data, infant))
        joints, velocities = np.split(self._feel(infants), 2, axis=1)
        return {
            **self._stacked(seen),
            **self._gazes(infants),
            **self._touches(infants),
            "joint_velocities": velocities.copy(),
            "joints": joints.copy(),
        }

    def _evaluate(self, observations: Observations) -> tuple[NDArray[Any], Infos]:
        info = {**hand_infos(self.arm, self._hands), "penetration": self._depths.copy()}
        return np.zeros(self.num_envs), info
