"""`InfantArmTouch-v0`: the task is to touch a patch of one's own skin."""

from collections.abc import Callable, Mapping
from typing import Any

import gymnasium as gym
import mujoco
import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike, NDArray

from ...body.changes.change import BodyChange
from ...body.checks import check_choice
from ...body.model import ArmModel
from ...errors import UserError
from ...senses.seen.seen import Seen
from ...senses.sense import Senses
from ...senses.skin.touch import TOUCH
from ...senses.spaces import eye_spaces, gaze_spaces
from ...tasks.rewards import Floats
from ...tasks.touch_task import TouchTask
from ..body_env import BodyEnv, Observation


class InfantArmTouchEnv(
    BodyEnv, gym.Env[Observation, NDArray[np.float32]]
):  # skrl looks at an environment's direct bases
    """The task is to touch, with the hand, the patch of the infant's own skin that is told or felt.

    ## Description

    The infant of `InfantArm-v0`, with one patch of skin per episode, and the goal interface of hindsight experience replay (HER).
    The body has 525 patches; `env.unwrapped.touch` tells their names, areas and centers. For many infants,
    `gym.make_vec("InfantArmTouch-v0", num_envs=64)` gives the same results bit for bit.

    ## Action space

    `Box(-1, 1, (5,), float32)`: the target of each joint, from the lower (-1) to the upper (+1) end of its range, as in
    `InfantArm-v0`; other values are clipped.

    ## Observation space

    | Key | Shape | Type | Unit | Content |
    |-----|-------|------|------|---------|
    | `observation` | (10,) | float32 | rad, rad/s | the five joint angles, in the order of the actions; the joint velocities |
    | `achieved_goal` | (525,) | float32 | | 1 for each patch that a hand touches now, not the hand's own; else 0 |
    | `desired_goal` | (525,) | float32 | | 1 for the patch to touch; else 0 |

    With `touch=True` there is also `touch`, (525,) float32, N, as in `InfantArm-v0`; with `eye_size=(300, 500)`, `eye`.

    With `goal="felt"` there are no goals in the observation. There is `touch`, and the patch to touch feels as if something
    pressed it with 5 N during the whole episode. So the infant must know where on its body it feels something. As the stimulus is
    a part of the observation, hindsight cannot replace it: use `goal="told"` for HER.

    ## Goals

    A patch is drawn uniformly from those that the hand can reach. They are found when the first episode begins, once for each
    body in a process (about 3 s): 20,000 times the arm goes straight from one random pose toward another and stops where it
    touches; the servos must hold the hand there. `env.unwrapped.task.reachable` has the names. `env.unwrapped.goal_joints`, a
    pose that touches the patch, is for oracles: one that sends the joints straight there touches 80 % of the patches. In most
    of the other episodes the body is in the way.

    At 12 months, the right hand reaches 114 of the 525 patches: 53 of the head, 29 of the trunk, and 32 of the right leg. Out of
    reach are the right arm and hand themselves; the left arm, hand, leg and foot; of the trunk the left side (`..._left_2` to
    `..._left_5`) and the back, but for the waist; of the head, which looks to the right, the middle and the right of the mouth,
    `chin`, `upper_lip`, the right cheek and jaw, the ears, and the back; of the right leg its bottom, its inside and the sole.
    The shoulder does not move the arm across the body.

    `reset(options={"patch": "nose"})` sets the patch.

    ## Rewards

    0 if a hand touches the patch, else -1. `compute_reward(achieved_goal, desired_goal, info)` gives the same for any number of
    goals at once; it ignores `info`. If several patches are desired, one of them is enough.

    ## Starting state

    The arm is at rest in a pose that is drawn uniformly over the joint ranges; it is redrawn while the arm penetrates the body by
    more than 5 mm. `reset(options={"joints": ...})`, shape (5,), rad, sets the pose. A gaze that turns begins straight, or where
    `reset(options={"gaze": ...})` turns it, shape (2,), rad.

    ## Episode end

    Never terminated: the hand must stay there. Truncated after 25 steps (1 s at 25 Hz).

    ## Info

    | Key | Shape | Unit | Content |
    |-----|-------|------|---------|
    | `is_success` | () | | whether a hand touches the patch now |
    | `patch` | () | | name of the patch to touch |
    | `right_hand_touched` | () | | share of the body's patches that this hand has touched in this episode |
    | `hand_in_view` | () | | share of the episode's time in which a hand was within 15 degrees of the gaze |

    The last two are the scores of BabyBench 2025. There, shares are of the shapes of which the body is made; here they are of
    patches, without the hand's own ones, which it cannot touch. There, each eye has a count for each hand, taken at each
    step of the physics, and every contact that MuJoCo lists counts; here it is one share of the observations (the first
    one too), for any eye that sees and any hand that moves, and contacts that the body's shapes cause in every pose do not count.
    In both, a hand may be hidden and still be "in view". If both hands move there is `left_hand_touched` too; a body from an
    MJCF file has `hand_touched`.

    ## Arguments

    ```python
    import gymnasium as gym
    import infant_env

    env = gym.make("InfantArmTouch-v0", goal="told")
    observation, info = env.reset(seed=0, options={"patch": "nose"})
    ```

    | Argument | Default | Meaning |
    |----------|---------|---------|
    | `goal` | "told" | whether the patch is `"told"` or `"felt"` |
    | `render_mode` | None | `"rgb_array"`, `"depth_array"` or `"human"`: the infant from outside, as in `InfantArm-v0` |
    | `age_months` | 12.0 | age of the infant, 1 to 24 months |
    | `eye_size` | None | rows and columns of `eye`, 36 or more each; None: no pictures |
    | `arm` | None | an `infant_env.ArmModel` to use instead of the infant, made from any MJCF, or its `body.as_dict()` |
    | `width` | 640 | columns of the frames from outside |
    | `height` | 480 | rows of the frames from outside |
    | `camera_name` | None | name of the camera from outside, in the body's model; None: the body's own |
    | `senses` | None | noise and delay of the senses `joints`, `joint_velocities` and `eye`, or `"age"`, as in `InfantArm-v0` |
    | `acuity` | None | the finest grating that the eye sees, cycles per degree, or `"age"`; needs `eye_size` |
    | `eyes` | None | which eyes see, `"right"`, `"left"` or `"both"`, as in `InfantArm-v0` |
    | `gaze` | None | what turns the gaze, `"held"`, `"eyes"` or `"head"`, as in `InfantArm-v0` |
    | `fovea` | None | whether to observe `fovea`, (128, 128, 3) uint8, as in `InfantArm-v0`; needs `eye_size` |
    | `arms` | None | which arms move, `"right"`, `"left"` or `"both"`, as in `InfantArm-v0` |
    | `wrist` | None | whether the wrists move, True or False, as in `InfantArm-v0` |
    | `touch` | False | whether to observe `touch`; with `goal="felt"` it is always observed |
    | `change` | None | how the body differs from that of its age, an `infant_env.BodyChange`, as in `InfantArm-v0` |
    | `seen` | None | how the arm is seen elsewhere than it is felt, an `infant_env.Seen`, as in `InfantArm-v0`; needs an eye |

    If the body changes (`env.unwrapped.change`), the patch to touch stays. If the new body cannot reach it, `goal_joints` stays
    too, until the next reset. Finding the patches that it can reach takes some 3 s. A rod has no skin: what it touches is felt,
    but is not touched by the hand.

    ## Version history

    * v0: first version.
    """

    def __init__(
        self,
        goal: str = "told",
        render_mode: str | None = None,
        age_months: float = 12.0,
        eye_size: tuple[int, int] | None = None,
        arm: ArmModel | Mapping[str, Any] | None = None,
        width: int = 640,
        height: int = 480,
        camera_name: str | None = None,
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
    ) -> None:
        view = width, height, camera_name
        sensed = senses, acuity
        super().__init__(
            render_mode, age_months, eye_size, arm, *view, *sensed, eyes, gaze, fovea, arms, wrist, True, change, seen
        )
        check_choice("touch", touch, [False, True])
        assert self.touch is not None
        self.task = TouchTask(self.arm, self.touch, goal)
        self.goal_joints: NDArray[np.float64] = np.empty(0)
        """A pose in which a hand touches the patch, shape (5,), rad, for oracles."""
        self._patch, self._goal = 0, self.task.goal_of(0)
        self._shows_touch = touch or not self.task.is_told
        check_touch_is_shown(self.senses, self._shows_touch)
        self._touched = np.zeros((len(self.touch.hands), len(self.touch.names)), bool)  # in this episode, by each hand
        self._views: list[bool] = []  # whether a hand was in view, in each observation of the episode
        self._adapt()

    def _adapt(self) -> None:
        assert self.touch is not None
        if self.touch is not self.task.touch:
            self.task = TouchTask(self.arm, self.touch, "told" if self.task.is_told else "felt")
            if self._begun:
                self.goal_joints = self.task.again(self._patch, self.goal_joints)
        super()._adapt()

    def _space(self) -> spaces.Dict:
        pictures = {} if self.eye_size is None else eye_spaces(self.arm.eyes, self.eye_size)
        return self.task.observation_space(
            self.senses, pictures | gaze_spaces(self.arm, self.senses), self._shows_touch
        )

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Starts an episode at rest with a patch to touch, see "Goals" and "Starting state" above.

        Raises:
            UserError: an option is unknown, has a wrong shape or is out of reach.
        """
        super().reset(seed=seed)
        joints, self._patch, self.goal_joints, gaze = self.task.begin(self.np_random, options)
        self._goal = self.task.goal_of(self._patch)
        self.arm.place(self.data, joints, gaze)
        self._sense_start()
        self._begun = True
        self._touched[:], self._views = False, []
        observation, _, info = self._observe()
        return observation, info

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
        mujoco.mj_collision(self.model, self.data)
        observation, success, info = self._observe()
        return observation, success - 1.0, False, False, info

    @property
    def compute_reward(self) -> Callable[[ArrayLike, ArrayLike, Any], Floats]:
        """`compute_reward(achieved_goal, desired_goal, info)`: rewards (...) of any number of goals (..., 525); ignores `info`.

        It raises a UserError if the shapes differ, or the last dimension is not a goal's.

        Raises:
            AttributeError: `goal="felt"`, where observations have no goals; so libraries do not take it for a goal environment.
        """
        return self.task.rewards_of_goals

    def _observe(self) -> tuple[Observation, bool, dict[str, Any]]:
        """The observation, whether the patch is touched, and the info; also updates the window and the scores."""
        assert self.touch is not None
        self._onlooker.watch(self.data)
        now = self.touch.touched_by_hands(self.data)  # (H, P)
        self._touched |= now
        self._views.append(self.task.in_view(self.data))
        achieved: NDArray[np.bool_] = np.logical_or.reduce(now)
        observation: Observation = {"observation": self._feel()}
        if self.task.is_told:
            observation |= {"achieved_goal": achieved.astype(np.float32), "desired_goal": self._goal.copy()}
        if self._shows_touch:
            observation |= self._touch()
        if not self.task.is_told:
            observation[TOUCH] = self.task.stimulated(observation[TOUCH], self._goal)
        success = bool(achieved[self._patch])
        return observation | self._see() | self._gaze(), success, self._info(success)

    def _info(self, success: bool) -> dict[str, Any]:
        assert self.touch is not None
        shares = zip(self.touch.hands, self.task.shares_touched(self._touched).tolist(), strict=True)
        return {
            "is_success": success,
            "patch": self.touch.names[self._patch],
            **{f"{hand}_touched": share for hand, share in shares},
            "hand_in_view": sum(self._views) / len(self._views),
        }


def check_touch_is_shown(senses: Senses, shown: bool) -> None:
    """Raises a UserError if touch has noise or a delay, but is not observed."""
    if TOUCH in senses and not shown:
        raise UserError(
            "got senses with 'touch' without touch=True, expected both; let touch be observed by touch=True"
        )
