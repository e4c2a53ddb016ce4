"""Base of all environments of one infant: a body, its servos, an eye, a view from outside."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

from ..body.changes.change import BodyChange
from ..body.checks import checked_eye_size, checked_seed
from ..body.description import Body
from ..body.model import ArmModel
from ..body.servos import CONTROL_HZ, DivergedError, Servos, span
from ..errors import UserError
from ..given import shown
from ..senses.acuity import checked_acuity
from ..senses.eyes import Eyes
from ..senses.modalities import GAZE
from ..senses.seen.seen import Seen
from ..senses.sense import checked_senses
from ..senses.sensing import Sensing
from ..senses.skin.touch import TOUCH
from ..senses.spaces import wider
from .onlooker import RENDER_MODES, Onlooker
from .simulated import Simulated, as_arm, as_touch, carried, check_fovea, touch_of

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
        gaze: what turns the gaze; None: it is held, or as the given body's.
        fovea: whether the middle of what the eye sees is observed too; None: not, or as the given body's.
        arms: which arms move; None: the right one, or those of the given body.
        wrist: whether the wrists move; None: they do not, or as the given body's.
        touch: whether touch is felt.
        change: how the body differs from the built-in one of its age; None: not, or as the given body.
        seen: how the arm is seen; None: as it is.

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
        fovea: bool | None,
        arms: str | None,
        wrist: bool | None,
        touch: bool,
        change: Any,
        seen: Any,
    ) -> None:
        check_fovea(fovea, eye_size)
        self.eye_size = None if eye_size is None else checked_eye_size(eye_size)
        self.arm = self._first = as_arm(arm, age_months, eyes, gaze, fovea, arms, wrist, change)
        self.senses = checked_senses(senses, self.arm.body, eye_size is not None, bool(touch))
        """The senses that have noise or a delay, by name."""
        self.acuity = checked_acuity(acuity, self.arm.body, eye_size is not None)
        """The eye's acuity, cycles per degree; None: its frames are not blurred."""
        self.render_mode, self.width, self.height, self.camera_name = render_mode, width, height, camera_name
        self.data = self.arm.new_data()
        """The simulation."""
        self._servos = Servos(self.arm)
        self._eyes = None
        if self.eye_size is not None:
            self._eyes = Eyes([self.arm], self.eye_size, [self.acuity], [None])
        self._onlooker = Onlooker(self.arm, render_mode, width, height, camera_name)
        self.touch = as_touch(self.arm, touch)
        """The sense of touch, with names, areas and centers of its patches; None if touch is not felt."""
        self._sensing = self._new_sensing() if self.senses else None
        self._angles, self._rates = span(self.arm.qpos_ids), span(self.arm.dof_ids)
        self._begun = False  # whether an episode runs
        self.action_space = self._servos.action_space
        self._show(seen)

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
        if self._eyes is not None:
            self._eyes.close()
        self._onlooker.close()

    def change(self, body: Body | BodyChange | Mapping[str, Any] | float | None) -> None:
        """Gives the infant another body, in memory and at any moment, for this episode and the next ones.

        The episode goes on: joint angles, velocities, servos' targets and the time stay; a joint that is now locked is put to its
        angle. If the new body is deep in itself or in the mat, contacts push it out. `data`, `model` and `arm` are new objects.
        Frames, felt joints, the hand's position and goals are those of the new body from the next observation on; a
        delayed sense shows the new body in the past pose. Noise, delay and acuity stay what they were; spaces only grow.

        Args:
            body: an age in months, which keeps the present change; a `BodyChange`, which keeps the age; a `Body`; or the
                `as_dict` of one; None: the body that the environment was made with. `eyes`, `gaze`, `fovea`, `arms` and `wrist`
                stay as they are.

        Raises:
            UserError: the body or the change is unknown, or one of the bodies comes from an MJCF file.
        """
        description = self._first.body if body is None else self.arm.body.changed(body)
        if description == self.arm.body:
            return
        arm = self._first if description == self._first.body else ArmModel.of(description)
        self.touch = touch_of(arm, self.touch)
        self.data = carried(self.arm, self.data, arm)
        self.arm, self._servos = arm, Servos(arm)
        self._onlooker.change(arm)
        if self._eyes is not None:
            self._eyes.change([arm])
        if self._sensing is not None:
            self._sensing.change([arm])
        self._adapt()

    def show(self, seen: Seen | Mapping[str, Any] | None) -> None:
        """Sets how the arm is seen from the next observation on, at any moment; see `Seen`.

        Of the time before, a delay shows the arm where it is now.

        Args:
            seen: a `Seen`, or its `as_dict`; None: as it is.

        Raises:
            UserError: there is no eye, or the arm cannot be seen so.
        """
        self._show(seen)
        self._adapt()

    def _show(self, seen: Any) -> None:
        how = Seen.of(seen)
        if self._eyes is None:
            if how is not None:
                raise UserError(
                    f"got seen={shown(seen)} without eye_size, expected both; add an eye, such as eye_size=(300, 500)"
                )
            return
        self._eyes.show([how])
        if self._sensing is None and any(self._eyes.lags):
            self._sensing = self._new_sensing()
            if self._begun:
                self._sensing.seed(self.np_random)
                self._sense_start()
        if self._sensing is not None:
            self._sensing.lag(self._eyes.lags, self.data.qpos, self.data.qvel)

    @property
    def seen(self) -> Seen | None:
        """How the arm is seen; None: as it is."""
        instead = None if self._eyes is None else self._eyes.seen[0]
        return None if instead is None else instead.seen

    def _adapt(self) -> None:
        """Makes anew what depends on the body, or on how the arm is seen; subclasses add their parts."""
        space = self._space()
        self.observation_space = wider(vars(self).get("observation_space", space), space)

    @abstractmethod
    def _space(self) -> spaces.Dict:
        """The observation space of the present body."""

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
        if self._sensing is not None:
            return {GAZE: self._sensing.gaze(self.data.qpos, self.data.qvel)}
        return {GAZE: self.data.qpos[self.arm.gaze.qpos_ids].astype(np.float32)}

    def _touch(self) -> Observation:
        """Touch, by name, shape (P,), N, from current positions and contacts; nothing if it is not felt."""
        if self.touch is None:
            return {}
        if self._sensing is None:
            return {TOUCH: self.touch.felt(self.data)}
        felt = self.touch.felt(self._sensing.touched(self.data))
        self._sensing.add_noise_of_touch(felt)
        return {TOUCH: felt}

    def _new_sensing(self) -> Sensing:
        patches = 0 if self.touch is None else len(self.touch.names)
        return Sensing([self.arm], [self.senses], self._servos.substeps, patches=patches)

    def _see(self) -> Observation:
        """The eyes' frames, by name; none without an eye."""
        return {} if self._eyes is None else self._eyes.see(self.data, sensing=self._sensing)

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
