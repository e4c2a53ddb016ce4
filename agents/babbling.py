"""The data-collection agent: it babbles with its arm and keeps the poses that are worth learning from."""

from collections import Counter
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from infant_env.body.model import PENETRATION_LIMIT, ArmModel
from infant_env.errors import UserError
from infant_env.senses.camera import EyeCamera
from infant_env.senses.noise import Noise, noise_of
from infant_env.senses.sense import EYE, EYE_LEFT, Senses

NOT_VISIBLE = "not_visible"
PENETRATES = "penetrates"
_MAX_DRAWS = 2_000


@dataclass(frozen=True)
class Sample:
    """One kept pose, and the numbers of rejected poses before it."""

    eye: NDArray[np.uint8]
    """The eye's RGB frame, shape (H, W, 3)."""
    joints: NDArray[np.float32]
    """The pose, shape (J,), rad."""
    hand_position: NDArray[np.float32]
    """The hand's position, shape (3,), m."""
    arm_in_view: float
    """Share of the pixels that show the arm."""
    hand_in_view: float
    """Share of the pixels that show the hand."""
    rejected: Counter[str]
    """Number of poses that were rejected before this one, by reason."""
    felt_joints: NDArray[np.float32]
    """The pose as it is felt, with the noise of the joints, shape (J,), rad."""
    eye_left: NDArray[np.uint8] | None
    """The left eye's RGB frame, shape (H, W, 3), if both eyes see."""
    gaze: NDArray[np.float32]
    """Angles of the gaze, shape (G,), rad; none if the head is held."""


class BabblingAgent:
    """Draws poses uniformly in joint space and keeps those that are valid and visible (paper, Sec. 2.1).

    It rejects a pose if the arm penetrates the body by more than 5 mm (the paper speaks of valid poses), or if less than
    `min_arm_in_view` of the pixels show the arm ("samples where the arm was not visible were discarded").

    Sample i depends only on the seed and on i, so any number of agents can share the work in any order.

    Args:
        arm: the body to babble with.
        eye_size: rows and columns of the pictures, (H, W).
        seed: seed of the whole data set.
        min_arm_in_view: the least share of the pixels that must show the arm.
        senses: the senses that have noise; the poses are at rest, so that delays change nothing.
        acuity: the finest grating that the eye sees, cycles per degree; None: no blur.
    """

    def __init__(
        self,
        arm: ArmModel,
        eye_size: tuple[int, int] = (300, 500),
        seed: int = 0,
        min_arm_in_view: float = 0.01,
        senses: Senses = MappingProxyType({}),
        acuity: float | None = None,
    ) -> None:
        self.arm = arm
        self.seed = seed
        self.min_arm_in_view = min_arm_in_view
        self.senses = dict(senses)
        self._data = arm.new_data()
        self._eye = EyeCamera(arm, eye_size, acuity)

    def sample(self, i: int) -> Sample:
        """Draws poses until one is kept.

        Args:
            i: index of the sample in the data set.

        Raises:
            UserError: 2,000 poses in a row were rejected.
        """
        random = np.random.default_rng([self.seed, i])
        low, high = self.arm.joint_ranges.T
        rejected: Counter[str] = Counter()
        for _ in range(_MAX_DRAWS):
            joints = self.arm.locked(random.uniform(low, high)).astype(
                np.float32
            )  # rounded first: picture and record agree
            gaze = np.asarray(random.uniform(*self.arm.gaze.ranges.T), np.float32)  # draws nothing if the head is held
            self.arm.pose(self._data, joints, gaze)
            reason, arm_in_view, hand_in_view = self._rejection()
            if reason is None:
                return self._sample(random, joints, gaze, arm_in_view, hand_in_view, rejected)
            rejected[reason] += 1
        raise UserError(
            f"{_MAX_DRAWS} poses in a row were rejected ({dict(rejected)}), expected some in which the eye sees the arm; turn "
            "the eye's camera to the arm, or lower min_arm_in_view"
        )

    def _sample(
        self,
        random: np.random.Generator,
        joints: NDArray[np.float32],
        gaze: NDArray[np.float32],
        arm: float,
        hand: float,
        rejected: Counter[str],
    ) -> Sample:
        """What is sensed of the present pose."""
        frames, felt = {name: self._eye.render(self._data, name) for name in self.arm.eyes}, joints
        if self.senses:
            noise = Noise(random, self.senses, len(joints))
            noise.renew()
            felt = joints + noise.felt[: len(joints)]
            for name, frame in frames.items() if noise_of(self.senses, EYE) else ():
                noise.add_to_frame(frame, noise_of(self.senses, EYE), second=name != EYE)
        place = self.arm.hand_position(self._data).astype(np.float32)
        eye, left = frames[EYE], frames.get(EYE_LEFT)
        return Sample(eye, joints, place, arm, hand, rejected, felt, left, gaze)

    def close(self) -> None:
        """Frees the camera."""
        self._eye.close()

    def _rejection(self) -> tuple[str | None, float, float]:
        """The reason to reject the present pose (None: keep it), and the shares of arm and hand in view."""
        if self.arm.penetration(self._data) > PENETRATION_LIMIT:
            return PENETRATES, 0.0, 0.0
        arm_in_view, hand_in_view = self._eye.in_view(self._data)
        return (NOT_VISIBLE if arm_in_view < self.min_arm_in_view else None), arm_in_view, hand_in_view
