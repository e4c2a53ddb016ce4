"""Base of all environments of one infant: a body, its servos, an eye, a view from outside."""

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

from ..body.checks import checked_eye_size, checked_seed
from ..body.model import ArmModel
from ..body.servos import CONTROL_HZ, DivergedError, Servos, span
from ..senses.acuity import checked_acuity
from ..senses.camera import EyeCamera
from ..senses.sense import checked_senses
from ..senses.sensing import Sensing
from ..senses.skin.touch import TOUCH
from .onlooker import RENDER_MODES, Onlooker
from .simulated import Simulated, as_arm, as_touch

Observation = dict[str, NDArray[Any]]


class BodyEnv(Simulated, gym.Env[Observation, NDArray[np.float32]]):
    """One infant, simulated by MuJoCo and shown from outside; subclasses add observations and rewards.

    `model`, `data`, `dt` and `frame_skip` have the meaning that users of MuJoCo expect. A pickled or deep-copied environment
    continues exactly as the original would. Any thread may step it, one at a time. After `close`, `reset` opens it again.

    Args:
        render_mode: one of `RENDER_MODES`, or None.
        age_months: age of the infant, 1 to 24 months.
        eye_size: rows and columns of the eye's frames; None: no eye.
        arm: a body to use instead of the infant, or its description (`Body.as_dict`).
        width: columns of the frames from outside.
        height: rows of the frames from outside.
        camera_name: the camera from outside; None: the body's own.
        senses: noise and delay of the senses, see `checked_senses`.
        acuity: the eye's acuity, see `checked_acuity`.
        eyes: which eyes see; None: the one on the arm's side, or those of the given body.
        gaze: whether the head turns; None: it is held, or as the given body's.
        arms: which arms move; None: the right one, or those of the given body.
        wrist: whether the wrists move; None: they do not, or as the given body's.
        touch: whether touch is felt.

    Raises:
        UserError: an argument is unknown or out of range.
    """

    metadata = {"render_modes": RENDER_MODES, "render_fps": CONTROL_HZ}  # noqa: RUF012 (Gymnasium's own form)

    def __init__(
        self,
        render_mode: str | None,
        age_months: float,
        eye_size: tuple[int, int] | None,
        arm: ArmModel | Mapping[str, Any] | None,
        width: int,
        height: int,
        camera_name: str | None,
        senses: Any,
        acuity: Any,
        eyes: str | None,
        gaze: str | None,
        arms: str | None,
        wrist: bool | None,
        touch: bool,
    ) -> None:
        self.eye_size = None if eye_size is None else checked_eye_size(eye_size)
        self.arm = as_arm(arm, age_months, eyes, gaze, arms, wrist)
        self.senses = checked_senses(senses, self.arm.body, eye_size is not None)
        """The senses that have noise or a delay, by name."""
        self.acuity = checked_acuity(acuity, self.arm.body, eye_size is not None)
        """The eye's acuity, cycles per degree; None: its frames are not blurred."""
        self.render_mode, self.width, self.height, self.camera_name = render_mode, width, height, camera_name
        self.data = self.arm.new_data()
        """The simulation."""
        self._servos = Servos(self.arm)
        self._eye = None if self.eye_size is None else EyeCamera(self.arm, self.eye_size, self.acuity)
        self._onlooker = Onlooker(self.arm, render_mode, width, height, camera_name)
        self.touch = as_touch(self.arm, touch)
        """The sense of touch, with names, areas and centers of its patches; None if touch is not felt."""
        self._sensing = Sensing(self.arm, self.senses, self._servos.substeps) if self.senses else None
        self._angles, self._rates = span(self.arm.qpos_ids), span(self.arm.dof_ids)
        self._begun = False  # whether an episode runs
        self.action_space = self._servos.action_space

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """Seeds the random numbers; subclasses then start the next episode.

        Raises:
            UserError: the seed is not a whole number of 0 or more.
        """
        super().reset(seed=checked_seed(seed))
        if self._sensing is not None:
            self._sensing.seed(self.np_random, again=seed is not None)

    def render(self) -> NDArray[Any] | None:
        """The infant from outside, as `render_mode` says; with "human", every step updates the window by itself."""
        return self._onlooker.frame(self.data)

    def close(self) -> None:
        """Frees the cameras and closes the window."""
        if self._eye is not None:
            self._eye.close()
        self._onlooker.close()

    def _sense_start(self) -> None:
        """Tells the senses that an episode begins."""
        if self._sensing is not None:
            self._sensing.begin(self.data.qpos, self.data.qvel)

    def _feel(self) -> NDArray[np.float32]:
        """The felt joints and their velocities, shape (2 J,), rad and rad/s."""
        qpos, qvel = self.data.qpos, self.data.qvel
        if self._sensing is not None:
            return self._sensing.felt(qpos, qvel)
        return np.concatenate((qpos[self._angles].astype(np.float32), qvel[self._rates].astype(np.float32)))

    def _gaze(self) -> Observation:
        """The gaze, by name, shape (G,), rad; none if it is held."""
        if not self.arm.gaze_joints:
            return {}
        return {"gaze": self.data.qpos[self.arm.gaze.qpos_ids].astype(np.float32)}

    def _touch(self) -> Observation:
        """Touch, by name, shape (P,), N, from current positions and contacts; nothing if it is not felt."""
        return {} if self.touch is None else {TOUCH: self.touch.felt(self.data)}

    def _see(self) -> Observation:
        """The eyes' frames, by name; none without an eye."""
        if self._eye is None:
            return {}
        if self._sensing is not None:
            return self._sensing.see(self._eye, self.data)
        return {name: self._eye.render(self.data, name) for name in self.arm.eyes}

    def _move(self, action: Any, steps: int = 1) -> None:
        """Simulates control steps; afterwards the positions are one substep behind.

        Raises:
            ResetNeeded: no episode has begun.
            UserError: the action has a wrong shape or is not finite.
            DivergedError: the physics became unstable.
        """
        if not self._begun:
            raise ResetNeeded("got a step before an episode has begun, expected reset() first")
        sensing = self._sensing
        try:
            self._servos.move(self.data, action, steps, None if sensing is None else sensing.simulate)
        except DivergedError:
            self._begun = False
            raise
