"""`InfantArm-v0`: an infant, its right arm, and what its right eye sees of it."""

from typing import Any

import gymnasium as gym
import mujoco
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from .body import PENETRATION_LIMIT, ArmModel
from .camera import EyeCamera, OutsideCamera

CONTROL_HZ = 25
OUTSIDE_SIZE = (480, 640)
_MAX_VELOCITY = 100.0  # rad/s; nothing an infant's servo does comes near
Observation = dict[str, NDArray[Any]]


class InfantArmEnv(gym.Env[Observation, NDArray[np.float32]]):
    """An infant sits, moves its right arm, and watches it with its right eye.

    ## Description

    A simulated infant (12 months old by default) sits on a mat. Its right arm has five joints, each held by a position servo
    of an infant's strength; everything else keeps still. The right eye's wide-angle camera and the joints' own sense
    (proprioception) are all it knows of its arm. This is a body to babble with, after Jülg et al., *Multi-Modal Representation
    Learning for Mapping Between Body Motion and Visual Imagery*, AMAM 2023: there is no task in it. Tasks are wrappers.

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
        _check_size(eye_size)
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(
                f"got render_mode={render_mode!r}, expected one of {[None, *self.metadata['render_modes']]}"
            )
        self.render_mode = render_mode
        self.arm = arm or ArmModel.infant(age_months)
        self.data = mujoco.MjData(self.arm.model)
        self._substeps = round(1 / (CONTROL_HZ * self.arm.model.opt.timestep))
        self._eye = EyeCamera(self.arm, eye_size)
        self._outside: OutsideCamera | None = None
        self._window: Any = None
        joints = len(self.arm.joint_names)
        self.action_space = spaces.Box(-1, 1, (joints,), np.float32)
        low, high = self.arm.joint_ranges.T.astype(np.float32)
        self.observation_space = spaces.Dict(  # type: ignore[assignment]
            eye=spaces.Box(0, 255, (*eye_size, 3), np.uint8),
            joints=spaces.Box(
                low - np.float32(0.1), high + np.float32(0.1), dtype=np.float32
            ),  # soft limits give a little
            joint_velocities=spaces.Box(-_MAX_VELOCITY, _MAX_VELOCITY, (joints,), np.float32),
        )

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Starts an episode at rest, see "Starting state" above.

        Raises:
            ValueError: an option is unknown, or the joints are misshapen, not finite or outside their range.
        """
        super().reset(seed=seed)
        unknown = set(options or ()) - {"joints"}
        if unknown:
            raise ValueError(f"got the unknown reset option {sorted(unknown)}, expected 'joints'")
        if options and "joints" in options:
            self.arm.pose(self.data, self._checked_joints(options["joints"]))
        else:
            self._pose_at_random()
        if self.render_mode == "human":
            self._show()
        return self._observation(), self._info()

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
        targets = _numbers(action)
        if targets.shape != self.action_space.shape or not np.isfinite(targets).all():
            raise ValueError(f"got the action {action}, expected {len(self.arm.joint_names)} finite numbers in [-1, 1]")
        self.data.ctrl[self.arm.actuator_ids] = self.arm.denormalize((targets.clip(-1, 1) + 1) / 2)
        mujoco.mj_step(self.arm.model, self.data, steps * self._substeps)
        mujoco.mj_fwdPosition(self.arm.model, self.data)  # mj_step leaves positions one substep behind
        if self.render_mode == "human":
            self._show()
        return self._observation(), self._info()

    def action_for(self, joints: NDArray[Any]) -> NDArray[np.float32]:
        """The action that sends the arm to these joints.

        Args:
            joints: targets, shape (5,), rad.

        Returns:
            The action, shape (5,), in [-1, 1] for targets within the joint range.
        """
        return (2 * self.arm.normalize(joints) - 1).astype(np.float32)

    def render(self) -> NDArray[np.uint8] | None:
        """The infant from outside: a (480, 640, 3) uint8 frame, or a window that every step keeps up to date."""
        if self.render_mode == "rgb_array":
            self._outside = self._outside or OutsideCamera(self.arm, OUTSIDE_SIZE)
            return self._outside.render(self.data)
        return None

    def close(self) -> None:
        """Frees the cameras and the window."""
        self._eye.close()
        if self._outside is not None:
            self._outside.close()
        if self._window is not None:
            import matplotlib.pyplot as plt

            plt.close(self._window)

    def _show(self) -> None:
        """Keeps the window up to date; where there is no display, matplotlib draws it unseen."""
        import matplotlib.pyplot as plt  # slow to load, and only this mode needs it

        self._outside = self._outside or OutsideCamera(self.arm, OUTSIDE_SIZE)
        frame = self._outside.render(self.data)
        if self._window is None:
            plt.ion()
            self._window = plt.figure("InfantArm-v0", figsize=(6.4, 4.8))
            self._window.add_axes((0, 0, 1, 1), frameon=False).imshow(frame)
        self._window.axes[0].images[0].set_data(frame)
        self._window.canvas.draw_idle()
        self._window.canvas.flush_events()

    def _pose_at_random(self) -> None:
        low, high = self.arm.joint_ranges.T
        self.arm.pose(self.data, self.np_random.uniform(low, high))
        while self.arm.penetration(self.data) > PENETRATION_LIMIT:
            self.arm.pose(self.data, self.np_random.uniform(low, high))

    def _checked_joints(self, joints: Any) -> NDArray[np.float64]:
        low, high = self.arm.joint_ranges.T
        given = _numbers(joints)
        if given.shape != low.shape or not ((given >= low - 1e-6) & (given <= high + 1e-6)).all():
            ranges = ", ".join(f"{n} {a:.2f}..{b:.2f}" for n, a, b in zip(self.arm.joint_names, low, high, strict=True))
            raise ValueError(f"got the joints {joints}, expected angles in rad within {ranges}")
        return given.clip(low, high)

    def _observation(self) -> Observation:
        return {
            "eye": self._eye.render(self.data),
            "joints": self.data.qpos[self.arm.qpos_ids].astype(np.float32),
            "joint_velocities": self.data.qvel[self.arm.dof_ids].astype(np.float32),
        }

    def _info(self) -> dict[str, Any]:
        return {"hand_position": self.arm.hand_position(self.data), "penetration": self.arm.penetration(self.data)}


def _numbers(given: Any) -> NDArray[np.float64]:
    """What was given as an array of numbers; an empty one when it holds none."""
    try:
        return np.asarray(given, np.float64)
    except (TypeError, ValueError):
        return np.empty(0)


def _check_size(eye_size: tuple[int, int]) -> None:
    rows, columns = eye_size
    if rows < 36 or abs(columns - rows * 5 / 3) > 1:
        raise ValueError(
            f"got eye_size={tuple(eye_size)}, expected (rows, columns) of aspect 3:5 with at least 36 rows, "
            f"such as (300, 500) or (150, 250); for {rows} rows take {round(rows * 5 / 3)} columns"
        )
