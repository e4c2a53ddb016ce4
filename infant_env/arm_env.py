"""`InfantArm-v0`: an infant, its right arm, and what its right eye sees of it."""

from typing import Any

import gymnasium as gym
import mujoco
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from .body import ArmModel
from .camera import EyeCamera
from .checks import check_choice, check_eye_size, check_options, checked_joints
from .onlooker import Onlooker
from .senses import eye_space, joint_space, velocity_space
from .servos import CONTROL_HZ, Servos

Observation = dict[str, NDArray[Any]]


class InfantArmEnv(gym.Env[Observation, NDArray[np.float32]]):
    """An infant sits, moves its right arm, and watches it with its right eye.

    ## Description

    A simulated infant (12 months old by default) sits on a mat. Its right arm has five joints, each held by a position servo
    of an infant's strength; everything else keeps still. The right eye's wide-angle camera and the joints' own sense
    (proprioception) are all it knows of its arm. This is a body to babble with, after Jülg et al., *Multi-Modal Representation
    Learning for Mapping Between Body Motion and Visual Imagery*, AMAM 2023: there is no task in it. Tasks are
    `InfantArmReach-v0` and wrappers.

    ## Action space

    `Box(-1, 1, (5,), float32)`: where each joint shall go, from the lower (-1) to the upper (+1) end of its range. Values beyond
    are clipped. A servo holds its target against gravity; the arm takes .1 to .2 s to arrive, and a contact can stop it.

    | Num | Joint | Lower (deg) | Upper (deg) |
    |-----|-------|-------------|-------------|
    | 0 | `right_shoulder_flexion` | -52.0 | 115.0 |
    | 1 | `right_shoulder_abduction` | 0.0 | 90.0 |
    | 2 | `right_shoulder_rotation` | -118.0 | 72.0 |
    | 3 | `right_elbow_flexion` | 0.0 | 148.0 |
    | 4 | `right_forearm_rotation` | -81.0 | 90.0 |

    ## Observation space

    | Key | Shape | Type | Unit | Content |
    |-----|-------|------|------|---------|
    | `eye` | (300, 500, 3) | uint8 | | RGB frame of the right eye's camera |
    | `joints` | (5,) | float32 | rad | joint angles, in the order of the actions |
    | `joint_velocities` | (5,) | float32 | rad/s | their rates of change |

    `infant_env.vision.to_gray` turns `eye` into the 64x64 picture that the agents work on.

    ## Rewards

    Always 0.

    ## Starting state

    At rest in a pose drawn uniformly over the joint ranges, redrawn while the arm penetrates the body by more than 5 mm; or the
    pose given by `reset(options={"joints": ...})`, shape (5,), rad.

    ## Episode end

    Never terminated; truncated after 250 steps (10 s at 25 Hz).

    ## Info

    | Key | Shape | Unit | Content |
    |-----|-------|------|---------|
    | `hand_position` | (3,) | m | the palm in the world, x forward, y to the left, z up |
    | `penetration` | () | m | depth of the arm's deepest contact, 0 when it touches nothing |

    ## Arguments

    ```python
    import gymnasium as gym
    import infant_env

    env = gym.make("InfantArm-v0", age_months=6.0, eye_size=(150, 250), render_mode="rgb_array")
    ```

    | Argument | Default | Meaning |
    |----------|---------|---------|
    | `age_months` | 12.0 | age of the infant, 1 to 24 months |
    | `eye_size` | (300, 500) | rows and columns of `eye`, aspect 3:5 |
    | `arm` | None | an `infant_env.body.ArmModel` to use instead of the infant, made from any MJCF |
    | `render_mode` | None | `"rgb_array"`: the infant from outside, (480, 640, 3) uint8; `"human"`: the same in a window |

    ## Version history

    * v0: first version.
    """

    metadata = {"render_modes": ["human", "rgb_array"], "render_fps": CONTROL_HZ}  # noqa: RUF012 (Gymnasium's own form)

    def __init__(
        self,
        render_mode: str | None = None,
        age_months: float = 12.0,
        eye_size: tuple[int, int] = (300, 500),
        arm: ArmModel | None = None,
    ) -> None:
        check_eye_size(eye_size)
        check_choice("render_mode", render_mode, [None, *self.metadata["render_modes"]])
        self.render_mode = render_mode
        self.arm = arm or ArmModel.infant(age_months)
        self.data = mujoco.MjData(self.arm.model)
        self._servos = Servos(self.arm)
        self._eye = EyeCamera(self.arm, eye_size)
        self._onlooker = Onlooker(self.arm, "InfantArm-v0")
        self.action_space = self._servos.action_space
        self.observation_space = spaces.Dict(  # type: ignore[assignment]
            eye=eye_space(eye_size), joints=joint_space(self.arm), joint_velocities=velocity_space(self.arm)
        )

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Starts an episode at rest, see "Starting state" above.

        Raises:
            ValueError: an option is unknown, or the joints are misshapen, not finite or outside their range.
        """
        super().reset(seed=seed)
        given = check_options(options, ("joints",))
        if "joints" in given:
            joints = checked_joints(self.arm, given["joints"])
        else:
            mujoco.mj_resetData(self.arm.model, self.data)
            joints = self.arm.valid_pose(self.data, self.np_random)
        self.arm.pose(self.data, joints)
        return self._now()

    def step(self, action: NDArray[np.float32]) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Gives the servos new targets and lets 40 ms pass.

        Raises:
            ValueError: the action is misshapen or not finite.
        """
        observation, info = self.hold(action, 1)
        return observation, 0.0, False, False, info

    def hold(self, action: NDArray[np.float32], steps: int) -> tuple[Observation, dict[str, Any]]:
        """Gives the servos new targets and lets several control steps pass, at whose end alone the eye looks.

        Args:
            action: as in `step`.
            steps: of 40 ms each.

        Returns:
            Observation and info, as of the last step.

        Raises:
            ValueError: the action is misshapen or not finite.
        """
        self._servos.move(self.data, action, steps)
        mujoco.mj_fwdPosition(self.arm.model, self.data)  # mj_step leaves positions one substep behind
        return self._now()

    def action_for(self, joints: NDArray[Any]) -> NDArray[np.float32]:
        """The action that sends the arm to these joints.

        Args:
            joints: targets, shape (5,), rad.

        Returns:
            The action, shape (5,), in [-1, 1] for targets within the joint range.
        """
        return self._servos.action_for(joints)

    def render(self) -> NDArray[np.uint8] | None:
        """The infant from outside: a (480, 640, 3) uint8 frame, or a window that every step keeps up to date."""
        return self._onlooker.frame(self.data) if self.render_mode == "rgb_array" else None

    def close(self) -> None:
        """Frees the cameras and the window."""
        self._eye.close()
        self._onlooker.close()

    def _now(self) -> tuple[Observation, dict[str, Any]]:
        """Observation and info; the window shows the same."""
        if self.render_mode == "human":
            self._onlooker.show(self.data)
        observation = {
            "eye": self._eye.render(self.data),
            "joints": self.data.qpos[self.arm.qpos_ids].astype(np.float32),
            "joint_velocities": self.data.qvel[self.arm.dof_ids].astype(np.float32),
        }
        return observation, {
            "hand_position": self.arm.hand_position(self.data),
            "penetration": self.arm.penetration(self.data),
        }
