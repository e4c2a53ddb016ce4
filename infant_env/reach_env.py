"""`InfantArmReach-v0`: an infant that shall bring its hand to a place, or its joints to a pose."""

from typing import Any

import gymnasium as gym
import mujoco
import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import rewards
from .body import ArmModel
from .camera import EyeCamera
from .checks import check_choice, check_eye_size
from .onlooker import Onlooker
from .reach_task import ReachTask
from .servos import CONTROL_HZ, Servos

Observation = dict[str, NDArray[Any]]


class InfantArmReachEnv(gym.Env[Observation, NDArray[np.float32]]):
    """An infant shall bring its right hand to a place, or its joints to a pose.

    ## Description

    The infant of `InfantArm-v0`, with a goal in each episode and the goal interface of hindsight experience replay (HER): the
    observation holds what was achieved and what was desired, and the reward is a function of these two alone. It feels its
    arm and is told its goal in numbers; nothing is rendered unless pictures are asked for (`eye_size`). Many infants at once:
    `gym.make_vec("InfantArmReach-v0", num_envs=64, vectorization_mode="vector_entry_point")`, bit for bit the same.

    ## Action space

    `Box(-1, 1, (5,), float32)`: where each joint shall go, from the lower (-1) to the upper (+1) end of its range, as in
    `InfantArm-v0`; values beyond are clipped. The arm takes .1 to .2 s to arrive, and a contact can stop it.

    ## Observation space

    | Key | Shape | Type | Unit | Content |
    |-----|-------|------|------|---------|
    | `observation` | (10,) | float32 | rad, rad/s | the five joint angles, in the order of the actions; their rates of change |
    | `achieved_goal` | (3,) | float32 | m | the palm in the world: x forward, y to the left, z up |
    | `desired_goal` | (3,) | float32 | m | where it shall be |

    With `goal="joints"` both goals are joint angles, shape (5,), rad. With `eye_size=(300, 500)`, or another size of this aspect,
    there is also `eye`, (300, 500, 3) uint8: the RGB frame of the right eye's camera.

    ## Goals

    A pose is drawn uniformly over the joint ranges, redrawn while the arm penetrates the body by more than 5 mm. The goal is
    this pose, or the place of the hand in it; so every goal can be reached. Not always straight, for the body may be in the way:
    an oracle that sends the joints straight to the drawn pose (`goal_joints`) ends at 97 % of the goals.

    `reset(options={"goal": ...})` sets the goal. A pose is out of reach when it leaves the joint ranges or penetrates the body by
    more than 5 mm. A place is out of reach when no valid pose is found whose hand is within 5 mm of it: the search goes by
    damped least squares from the nearest of 2,000 valid poses. Of 1,000 places of the hand in valid poses it found all.

    ## Rewards

    With *d* the distance of the goals, `reward="sparse"` gives 0 where *d* is at most the threshold and -1 elsewhere;
    `reward="dense"` gives -*d*. For the hand, *d* is Euclid's, m. For joints it is the largest of their errors, rad, so that the
    threshold says the same of each joint, and no error hides behind the others.

    `compute_reward(achieved_goal, desired_goal, info)` gives the same for any number of goals at once, whatever `info` is.

    ## Starting state

    At rest in a pose drawn like the goal's, before it; or in the pose given by `reset(options={"joints": ...})`, shape (5,), rad.

    ## Episode end

    Never terminated, also where the goal is reached: the hand shall stay there. Truncated after 25 steps (1 s at 25 Hz).

    ## Info

    | Key | Shape | Unit | Content |
    |-----|-------|------|---------|
    | `is_success` | () | | whether the goal is reached now |
    | `distance` | () | m or rad | *d* |

    ## Arguments

    ```python
    import gymnasium as gym
    import infant_env

    env = gym.make("InfantArmReach-v0", goal="joints", reward="dense")
    ```

    | Argument | Default | Meaning |
    |----------|---------|---------|
    | `goal` | "hand" | what is to be reached: `"hand"` or `"joints"` |
    | `reward` | "sparse" | `"sparse"` or `"dense"` |
    | `threshold` | None | how near is reached; None: .02 m (hand), 10 degrees (joints, in rad) |
    | `render_mode` | None | `"rgb_array"`: the infant from outside, (480, 640, 3) uint8; `"human"`: the same in a window |
    | `age_months` | 12.0 | age of the infant, 1 to 24 months |
    | `eye_size` | None | rows and columns of `eye`, aspect 3:5; None: no pictures |
    | `arm` | None | an `infant_env.body.ArmModel` to use instead of the infant, made from any MJCF |

    ## Version history

    * v0: first version.
    """

    metadata = {"render_modes": ["human", "rgb_array"], "render_fps": CONTROL_HZ}  # noqa: RUF012 (Gymnasium's own form)

    def __init__(
        self,
        goal: str = "hand",
        reward: str = "sparse",
        threshold: float | None = None,
        render_mode: str | None = None,
        age_months: float = 12.0,
        eye_size: tuple[int, int] | None = None,
        arm: ArmModel | None = None,
    ) -> None:
        check_choice("render_mode", render_mode, [None, *self.metadata["render_modes"]])
        if eye_size is not None:
            check_eye_size(eye_size)
        self.render_mode = render_mode
        self.arm = arm or ArmModel.infant(age_months)
        self.data = mujoco.MjData(self.arm.model)
        self.task = ReachTask(self.arm, goal, reward, threshold)
        self.goal_joints: NDArray[np.float64] = np.empty(0)
        """A pose that reaches the present goal, shape (5,), rad: what an oracle knows."""
        self._goal: NDArray[np.float32] = np.empty(0, np.float32)
        self._servos = Servos(self.arm)
        self._site = self.arm.model.site(self.arm.hand_site).id
        self._eye = None if eye_size is None else EyeCamera(self.arm, eye_size)
        self._onlooker = Onlooker(self.arm, "InfantArmReach-v0")
        self.action_space = self._servos.action_space
        self.observation_space = self.task.observation_space(eye_size)  # type: ignore[assignment]

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Starts an episode at rest with a goal, see "Goals" and "Starting state" above.

        Raises:
            ValueError: an option is unknown, misshapen or out of reach.
        """
        super().reset(seed=seed)
        joints, _, self._goal, self.goal_joints = self.task.begin(self.np_random, options)
        self.arm.place(self.data, joints)
        observation = self._observation()
        return observation, self._info(self._distance(observation))

    def step(self, action: NDArray[np.float32]) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Gives the servos new targets and lets 40 ms pass.

        Raises:
            ValueError: the action is misshapen or not finite.
        """
        self._servos.move(self.data, action)
        mujoco.mj_kinematics(self.arm.model, self.data)  # mj_step leaves positions one substep behind
        mujoco.mj_camlight(self.arm.model, self.data)
        observation = self._observation()
        distance = self._distance(observation)
        return observation, float(self.task.worth(distance)), False, False, self._info(distance)

    def compute_reward(self, achieved_goal: ArrayLike, desired_goal: ArrayLike, info: Any) -> rewards.Floats:
        """The rewards for goals, any number of them at once.

        Args:
            achieved_goal: shape (..., 3) or (..., 5), m or rad.
            desired_goal: of the same shape.
            info: anything; not looked at.

        Returns:
            Rewards, shape (...).

        Raises:
            ValueError: the shapes differ, or their last dimension is not a goal's.
        """
        return self.task.compute_reward(achieved_goal, desired_goal)

    def action_for(self, joints: NDArray[Any]) -> NDArray[np.float32]:
        """The action that sends the arm to these joints, shape (5,); see `InfantArmEnv.action_for`."""
        return self._servos.action_for(joints)

    def render(self) -> NDArray[np.uint8] | None:
        """The infant from outside: a (480, 640, 3) uint8 frame, or a window that every step keeps up to date."""
        return self._onlooker.frame(self.data) if self.render_mode == "rgb_array" else None

    def close(self) -> None:
        """Frees the cameras and the window."""
        if self._eye is not None:
            self._eye.close()
        self._onlooker.close()

    def _observation(self) -> Observation:
        """What is felt, achieved, desired and seen; the window shows the same."""
        if self.render_mode == "human":
            self._onlooker.show(self.data)
        joints = self.data.qpos[self.arm.qpos_ids].astype(np.float32)
        velocities = self.data.qvel[self.arm.dof_ids].astype(np.float32)
        observation = {
            "observation": np.concatenate((joints, velocities)),
            "achieved_goal": self.task.goal_at(joints, self.data.site_xpos[self._site]),
            "desired_goal": self._goal.copy(),
        }
        if self._eye is not None:
            observation["eye"] = self._eye.render(self.data)
        return observation

    def _distance(self, observation: Observation) -> rewards.Floats:
        return self.task.distance(observation["achieved_goal"], observation["desired_goal"])

    def _info(self, distance: rewards.Floats) -> dict[str, Any]:
        return {"is_success": bool(self.task.reached(distance)), "distance": float(distance)}
