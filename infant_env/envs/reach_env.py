"""`InfantArmReach-v0`: the task is to move the infant's hand to a place, or its joints to a pose."""

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import mujoco
import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike, NDArray

from ..body.changes.change import BodyChange
from ..body.model import ArmModel
from ..senses.seen.seen import Seen
from ..tasks import rewards
from ..tasks.goal_sight import GoalSight
from ..tasks.reach_task import ReachTask
from .body_env import BodyEnv, Observation


class InfantArmReachEnv(
    BodyEnv, gym.Env[Observation, NDArray[np.float32]]
):  # skrl looks at an environment's direct bases
    """The task is to move the infant's hand to a place, or its joints to a pose.

    ## Description

    The infant of `InfantArm-v0`, with one goal per episode and the goal interface of hindsight experience replay (HER): the
    observation holds the achieved and the desired goal, and the reward depends on these two only. The infant senses its joints
    and gets its goal as numbers; nothing is rendered unless you ask for pictures (`eye_size`, `goal_eye`). For many infants,
    `gym.make_vec("InfantArmReach-v0", num_envs=64)` gives the same results bit for bit. For code that cannot handle
    dictionaries, `InfantArmReachFlat-v0` gives the same observation as one row of 16 numbers.

    ## Action space

    `Box(-1, 1, (5,), float32)`: the target of each joint, from the lower (-1) to the upper (+1) end of its range, as in
    `InfantArm-v0`; other values are clipped. The arm takes .1 to .2 s to arrive, and a contact can stop it.

    ## Observation space

    | Key | Shape | Type | Unit | Content |
    |-----|-------|------|------|---------|
    | `observation` | (10,) | float32 | rad, rad/s | the five joint angles, in the order of the actions; the joint velocities |
    | `achieved_goal` | (3,) | float32 | m | the palm in the world: x forward, y to the left, z up |
    | `desired_goal` | (3,) | float32 | m | the place that the palm must reach |

    With `goal="joints"` both goals are joint angles, shape (5,), rad. With `eye_size=(300, 500)`, or another size,
    there is also `eye`, (300, 500, 3) uint8: the RGB frame of the right eye's camera. With `goal_eye=True` there is also `goal`,
    of the same shape: what the eye sees in the pose of the goal. Goals are then redrawn until this picture shows the hand.

    ## Goals

    A pose is drawn uniformly over the joint ranges; it is redrawn while the arm penetrates the body by more than 5 mm. The goal
    is this pose, or the position of its hand, so every goal can be reached. The straight way is not always free, because the
    body may be in the way: an oracle that sends the joints straight to the drawn pose (`goal_joints`) reaches 97 % of the goals.

    `reset(options={"goal": ...})` sets the goal. A pose is out of reach if it leaves the joint ranges or penetrates the body by
    more than 5 mm. A place is out of reach if the search finds no valid pose whose hand is within 5 mm of it. It searches by
    damped least squares from the nearest of 2,000 valid poses; of 1,000 hand positions of valid poses, it found all.

    ## Rewards

    With *d* the distance of the goals, `reward="sparse"` gives 0 if *d* is at most the threshold and else -1;
    `reward="dense"` gives -*d*. For the hand, *d* is the Euclidean distance, m. For joints it is the largest error among them,
    rad, so the threshold holds for every joint.

    `compute_reward(achieved_goal, desired_goal, info)` gives the same for any number of goals at once; it ignores `info`.

    ## Starting state

    The arm is at rest in a pose that is drawn like the goal's, before it. `reset(options={"joints": ...})`, shape (5,), rad, sets
    the pose, and is refused if the arm penetrates the body by more than 5 mm. A gaze that turns begins straight, or where
    `reset(options={"gaze": ...})` turns it, shape (2,), rad.

    ## Episode end

    Never terminated, even if the goal is reached: the hand must stay there. Truncated after 25 steps (1 s at 25 Hz).

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
    | `goal` | "hand" | kind of goal: `"hand"` or `"joints"` |
    | `reward` | "sparse" | `"sparse"` or `"dense"` |
    | `threshold` | None | a goal within this distance is reached; None: .02 m (hand), 10 degrees (joints, in rad) |
    | `render_mode` | None | `"rgb_array"`, `"depth_array"` or `"human"`: the infant from outside, as in `InfantArm-v0` |
    | `age_months` | 12.0 | age of the infant, 1 to 24 months |
    | `eye_size` | None | rows and columns of `eye`, 36 or more each; None: no pictures |
    | `arm` | None | an `infant_env.ArmModel` to use instead of the infant, made from any MJCF, or its `body.as_dict()` |
    | `width` | 640 | columns of the frames from outside |
    | `height` | 480 | rows of the frames from outside |
    | `camera_name` | None | name of the camera from outside, in the body's model; None: the body's own |
    | `goal_eye` | False | whether to observe `goal`, the picture of the goal, too |
    | `senses` | None | noise and delay of the senses `joints`, `joint_velocities` and `eye`, or `"age"`, as in `InfantArm-v0` |
    | `acuity` | None | the finest grating that the eye sees, cycles per degree, or `"age"`; needs `eye_size` |
    | `eyes` | None | which eyes see, `"right"`, `"left"` or `"both"`, as in `InfantArm-v0`; `goal` is what `eye` sees |
    | `gaze` | None | what turns the gaze, `"held"`, `"eyes"` or `"head"`, as in `InfantArm-v0`; `goal` is seen with a held gaze |
    | `fovea` | None | whether to observe `fovea`, (128, 128, 3) uint8, as in `InfantArm-v0`; needs `eye_size` |
    | `arms` | None | which arms move, `"right"`, `"left"` or `"both"`, as in `InfantArm-v0` |
    | `wrist` | None | whether the wrists move, True or False, as in `InfantArm-v0` |
    | `touch` | False | whether to observe `touch`, (525,) float32, N, as in `InfantArm-v0` |
    | `change` | None | how the body differs from that of its age, an `infant_env.BodyChange`, as in `InfantArm-v0` |
    | `seen` | None | how the arm is seen elsewhere than it is felt, an `infant_env.Seen`, as in `InfantArm-v0`; needs an eye |
    | `hand` | None | which hand must reach the place, `"right"` or `"left"`; None: the right one if it moves, else the left one |

    With J joints, `observation` has 2 J numbers, and the action has J. With `arms="both"` and `hand="left"`, both goals are
    places of the left palm, and the right arm is free. The search for a pose that reaches a given place moves only the hand's
    own arm. With `goal="joints"` both arms must reach the pose, and `hand` is refused.

    With `senses`, `observation` and `eye` have noise and delay. Both goals, the rewards, the infos and `goal` stay true.

    If the body changes (`env.unwrapped.change`), the goal becomes what the same pose, `goal_joints`, reaches with the new body.
    `goal` is what the eye sees in that pose: with `seen`, the arm is elsewhere there too, but not late.

    For closing, copies, processes, the viewer and the checkers, see "What is good to know" in `InfantArm-v0`.

    ## Version history

    * v0: first version. Since 0.2 the changes of `InfantArm-v0`; and `gym.make_vec` resets in the step after an episode's last
      step, as Gymnasium's own vector environments do (0.1: in the same step; `autoreset_mode="SameStep"`).
    """

    def __init__(
        self,
        goal: str = "hand",
        reward: str = "sparse",
        threshold: float | None = None,
        render_mode: str | None = None,
        age_months: float = 12.0,
        eye_size: tuple[int, int] | None = None,
        arm: ArmModel | Mapping[str, Any] | None = None,
        width: int = 640,
        height: int = 480,
        camera_name: str | None = None,
        goal_eye: bool = False,
        senses: Mapping[str, Any] | str | None = None,
        acuity: float | str | None = None,
        eyes: str | None = None,
        gaze: str | None = None,
        fovea: bool | None = None,
        arms: str | None = None,
        wrist: bool | None = None,
        touch: bool = False,
        change: BodyChange | Mapping[str, Any] | None = None,
        seen: Seen | Mapping[str, Any] | None = None,
        hand: str | None = None,
    ) -> None:
        view = width, height, camera_name
        sensed = senses, acuity
        super().__init__(
            render_mode, age_months, eye_size, arm, *view, *sensed, eyes, gaze, fovea, arms, wrist, touch, change, seen
        )
        self._asked, self._goal_eye = (goal, reward, threshold, hand), goal_eye
        self.goal_joints: NDArray[np.float64] = np.empty(0)
        """A pose that reaches the present goal, shape (5,), rad, for oracles."""
        self._goal: NDArray[np.float32] = np.empty(0, np.float32)
        self._shown: NDArray[np.uint8] | None = None  # the picture of the goal
        self._adapt()

    def _adapt(self) -> None:
        self.task = ReachTask(self.arm, *self._asked)
        super()._adapt()
        self._sight = None
        if self._goal_eye and self._eyes is not None:
            self._sight = GoalSight(self.arm, self._eyes.cameras[0], self._eyes.seen[0], self.task.hand)
        self._site = self.arm.hand_site_ids[self.task.hand]
        if self._begun:
            self._set_goal(*self.task.again(self.goal_joints))

    def _space(self) -> spaces.Dict:
        return self.task.observation_space(
            self.eye_size, self._goal_eye, self.senses, self.arm.eyes, gaze=True, touch=self.touch
        )

    def _set_goal(self, goal: NDArray[np.float32], joints: NDArray[np.float64]) -> None:
        self._goal, self.goal_joints = goal, joints
        self._shown = None if self._sight is None else self._sight.picture(joints)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Starts an episode at rest with a goal, see "Goals" and "Starting state" above.

        Raises:
            UserError: an option is unknown, has a wrong shape or is out of reach.
        """
        super().reset(seed=seed)
        joints, _, goal, goal_joints, gaze = self.task.begin(self.np_random, options, self._sight)
        self._set_goal(goal, goal_joints)
        self.arm.place(self.data, joints, gaze)
        self._sense_start()
        self._begun = True
        observation = self._observation()
        return observation, self._info(self._distance(observation))

    def step(self, action: NDArray[np.float32]) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Sets the servos' targets and simulates 40 ms.

        Raises:
            ResetNeeded: no episode has begun.
            UserError: the action has a wrong shape or is not finite.
            DivergedError: the physics became unstable.
        """
        self._move(action)
        mujoco.mj_kinematics(self.model, self.data)  # mj_step leaves positions one substep behind
        mujoco.mj_camlight(self.model, self.data)
        if self.touch is not None:
            mujoco.mj_collision(self.model, self.data)
        observation = self._observation()
        distance = self._distance(observation)
        return observation, float(self.task.reward(distance)), False, False, self._info(distance)

    def compute_reward(self, achieved_goal: ArrayLike, desired_goal: ArrayLike, info: Any) -> rewards.Floats:
        """Rewards of any number of goals.

        Args:
            achieved_goal: shape (..., 3) or (..., 5), m or rad.
            desired_goal: the same shape.
            info: ignored.

        Returns:
            Rewards, shape (...).

        Raises:
            UserError: the shapes differ, or the last dimension is not a goal's.
        """
        return self.task.compute_reward(achieved_goal, desired_goal)

    def _observation(self) -> Observation:
        """The observation; also updates the window."""
        self._onlooker.watch(self.data)
        observation = {
            "observation": self._feel(),
            "achieved_goal": self.task.goal_at(self.data.qpos[self._angles], self.data.site_xpos[self._site]),
            "desired_goal": self._goal.copy(),
            **self._see(),
            **self._gaze(),
            **self._touch(),
        }
        if self._shown is not None:
            observation["goal"] = self._shown.copy()
        return observation

    def _distance(self, observation: Observation) -> rewards.Floats:
        return self.task.distance(observation["achieved_goal"], observation["desired_goal"])

    def _info(self, distance: rewards.Floats) -> dict[str, Any]:
        return {"is_success": bool(self.task.reached(distance)), "distance": float(distance)}
