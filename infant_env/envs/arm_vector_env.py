"""Many infants that watch their arms, in one process: `InfantArm-v0` as a vector environment."""

from collections.abc import Mapping
from typing import Any

import mujoco
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import NDArray

from ..body.checks import checked_eye_size, options_of
from ..body.model import ArmModel
from ..senses.sense import Senses
from ..senses.spaces import babbling_space
from ..tasks.start import OPTIONS, start
from .many_bodies import ManyBodies
from .many_env import Infants, Infos, Observations
from .simulated import arms_of, hand_infos


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
        fovea: see `InfantArmEnv`.
        arms: see `InfantArmEnv`.
        wrist: see `InfantArmEnv`.
        touch: see `InfantArmEnv`.
        change: see `InfantArmEnv`.
        seen: see `InfantArmEnv`.

    `age_months`, `arm`, `change` and `seen` may be lists, with one value for each infant; `bodies` holds the bodies.

    Raises:
        UserError: an argument is unknown or out of range.
    """

    def __init__(
        self,
        num_envs: int = 1,
        max_episode_steps: int = 250,
        render_mode: str | None = None,
        age_months: Any = 12.0,
        eye_size: tuple[int, int] = (300, 500),
        arm: Any = None,
        width: int = 640,
        height: int = 480,
        camera_name: str | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        threads: int = 0,
        senses: Mapping[str, Any] | str | None = None,
        acuity: float | str | None = None,
        eyes: str | None = None,
        gaze: str | None = None,
        fovea: bool | None = None,
        arms: str | None = None,
        wrist: bool | None = None,
        touch: bool = False,
        change: Any = None,
        seen: Any = None,
    ) -> None:
        bodies, size = (
            arms_of(num_envs, arm, age_months, eyes, gaze, fovea, arms, wrist, change),
            checked_eye_size(eye_size),
        )
        self._depths = np.zeros(num_envs)  # of the deepest contacts, m
        shown = width, height, camera_name, threads, senses, acuity, touch, seen
        super().__init__(num_envs, max_episode_steps, autoreset_mode, render_mode, bodies, size, OPTIONS, *shown)

    def _space(self, arm: ArmModel, senses: Senses) -> spaces.Dict:
        assert self.eye_size is not None
        return babbling_space(arm, self.eye_size, senses, self._skins[arm])

    def _begin(self, infants: Infants, options: dict[str, Any]) -> None:
        if options:
            numbers = infants.tolist()
            arms, given = [self.bodies[i] for i in numbers], [options_of(i, self.num_envs, options) for i in numbers]
            starts = [
                start(arm, self._datas[arm], self._random(i), own)
                for i, arm, own in zip(numbers, arms, given, strict=True)
            ]
            joints, gazes = map(np.array, zip(*starts, strict=True))
        else:
            joints, _ = self._poses.draw(infants, [self._random(i) for i in infants.tolist()])
            gazes = None
        self._place(infants, joints, self._hands[infants], gazes)  # `_observe` computes the hands' new positions

    def _observe(self, infants: Infants | slice) -> Observations:
        seen = []
        for infant in np.arange(self.num_envs)[infants].tolist():
            arm, data = self.bodies[infant], self._data_of(infant)
            mujoco.mj_fwdPosition(arm.model, data)
            self._hands[infant], self._depths[infant] = arm.hand_positions(data), arm.penetration(data)
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
