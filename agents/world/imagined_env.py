"""`ImaginedArmReach-v0`: `InfantArmReach-v0` in the world model, for one infant."""

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import ArrayLike, NDArray

from infant_env.body.checks import checked_seed
from infant_env.body.servos import CONTROL_HZ
from infant_env.envs.many_env import Infos, Observations
from infant_env.envs.recorded_spec import RecordedSpec
from infant_env.tasks import rewards

from .imagined_vector_env import ImaginedArmReachVectorEnv, plain_world
from .world_model import WorldModel

_NEVER = 2**62  # steps; Gymnasium's `TimeLimit` wrapper ends the episodes


class ImaginedArmReachEnv(RecordedSpec, gym.Env[Observations, NDArray[np.float32]]):
    """`InfantArmReach-v0` in the world model; code for `infant_env.envs.reach_env.InfantArmReachEnv` runs on it unmodified.

    ```python
    env = gym.make("agents:ImaginedArmReach-v0", world="runs/paper")
    ```

    `ImaginedArmReachVectorEnv` explains the differences from the real environment. It is much faster per infant: single
    imagined steps are slow, thousands together are fast.

    Args:
        world: the world model, or the folder of its run.
        render_mode: None or "rgb_array".
        arguments: arguments of `ImaginedArmReachVectorEnv`.

    Raises:
        UserError: see `ImaginedArmReachVectorEnv`.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": CONTROL_HZ}  # noqa: RUF012 (Gymnasium's own form)

    def __init__(self, world: WorldModel | str | Path, render_mode: str | None = None, **arguments: Any) -> None:
        self._one = ImaginedArmReachVectorEnv(1, _NEVER, world=world, render_mode=render_mode, **arguments)
        self.render_mode, self.arm, self.task, self.world = render_mode, self._one.arm, self._one.task, self._one.world
        self.action_space = self._one.single_action_space
        self.observation_space = self._one.single_observation_space

    @property
    def goal_joints(self) -> NDArray[np.float64]:
        """A pose that reaches the present goal, shape (5,), rad, for oracles."""
        return self._one.goal_joints[0]

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Observations, Infos]:
        """Starts an episode; options as in `InfantArmReachEnv`."""
        super().reset(seed=checked_seed(seed))
        observations, infos = self._one.reset(seed=seed, options=options)
        return _first(observations), _first_info(infos)

    def step(self, action: NDArray[np.float32]) -> tuple[Observations, float, bool, bool, Infos]:
        """Sets the servos' targets and imagines 40 ms.

        Raises:
            UserError: the action has a wrong shape or is not finite.
        """
        observations, rewarded, _, _, infos = self._one.step(np.asarray(action)[None])
        return _first(observations), float(rewarded[0]), False, False, _first_info(infos)

    def compute_reward(self, achieved_goal: ArrayLike, desired_goal: ArrayLike, info: Any) -> rewards.Floats:
        """Rewards of any number of goals; see `InfantArmReachEnv.compute_reward`."""
        return self.task.compute_reward(achieved_goal, desired_goal)

    def action_for(self, joints: NDArray[Any], gaze: NDArray[Any] | None = None) -> NDArray[np.float32]:
        """The action whose targets are these joints, shape (5,), and this gaze; see `InfantArmEnv.action_for`."""
        return self._one.action_for(joints, gaze)

    def render(self) -> NDArray[np.uint8] | None:
        """The imagined picture, of the size of the run's frames, uint8, if `render_mode` is "rgb_array"."""
        frames = self._one.render()
        return None if frames is None else frames[0]

    def _plain(self, value: Any) -> Any:
        return plain_world(value) if isinstance(value, WorldModel) else super()._plain(value)


def _first(observations: Observations) -> Observations:
    return {key: values[0] for key, values in observations.items()}


def _first_info(infos: Infos) -> Infos:
    return {"is_success": bool(infos["is_success"][0]), "distance": float(infos["distance"][0])}
