"""The data-collection agent: it babbles with its arm and keeps the poses that are worth learning from."""

from collections import Counter
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from infant_env.body.model import PENETRATION_LIMIT, ArmModel
from infant_env.errors import UserError
from infant_env.senses.camera import EyeCamera
from infant_env.senses.looking import look_at
from infant_env.senses.modalities import GAZE, TOUCH
from infant_env.senses.noise import Noise, noise_of
from infant_env.senses.seen.seen import Seen
from infant_env.senses.seen.seen_arm import SeenArm
from infant_env.senses.sense import EYE, EYE_LEFT, FOVEA, Senses
from infant_env.senses.skin.touch import Touch
from infant_env.tasks.pressing import pressing_pose

NOT_VISIBLE = "not_visible"
PENETRATES = "penetrates"
NOT_TOUCHING = "not_touching"
_MAX_DRAWS = 2_000
_MISSED = 5.0  # degrees by which a look at the hand misses it, standard deviation of each angle; an assumption
_Drawn = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
"""A pose, a gaze, and the pose from which the arm came."""


@dataclass(frozen=True)
class Sample:
    """One kept pose, and the numbers of rejected poses before it."""

    eye: NDArray[np.uint8]
    """The eye's RGB frame, shape (H, W, 3)."""
    joints: NDArray[np.float32]
    """The pose, shape (J,), rad."""
    hand_position: NDArray[np.float32]
    """The hand's position, shape (3,), m; with two hands that of the right one."""
    arm_in_view: float
    """Share of the pixels that show the arm, or both arms."""
    hand_in_view: float
    """Share of the pixels that show the hand; with two hands the right one."""
    rejected: Counter[str]
    """Number of poses that were rejected before this one, by reason."""
    felt_joints: NDArray[np.float32]
    """The pose as it is felt, with the noise of the joints, shape (J,), rad."""
    eye_left: NDArray[np.uint8] | None
    """The left eye's RGB frame, shape (H, W, 3), if both eyes see."""
    gaze: NDArray[np.float32]
    """Angles of the gaze, shape (G,), rad; none if the head is held."""
    left_hand_position: NDArray[np.float32] | None
    """The left hand's position, shape (3,), m, if both hands move."""
    left_hand_in_view: float | None
    """Share of the pixels that show the left hand, if both hands move."""
    touch: NDArray[np.float32] | None
    """How strongly each patch of skin is pressed, shape (P,), N, if touch is felt."""
    fovea: NDArray[np.uint8] | None
    """The fovea's RGB frame, shape (128, 128, 3), if the body has a fovea."""
    felt_gaze: NDArray[np.float32]
    """The gaze as it is felt, with its noise, shape (G,), rad."""
    felt_touch: NDArray[np.float32] | None
    """Touch with its noise, shape (P,), N, if touch is felt."""
    approach: NDArray[np.float32]
    """The pose from which the arm went straight to a babbled contact, shape (J,), rad; else the pose itself."""


class BabblingAgent:
    """Draws poses uniformly in joint space and keeps those that are valid and visible (paper, Sec. 2.1).

    It rejects a pose if the arm penetrates the body by more than 5 mm (the paper speaks of valid poses), or if less than
    `min_arm_in_view` of the pixels show the arm ("samples where the arm was not visible were discarded").

    With `touching`, it babbles contacts instead: the arm goes straight from a valid pose toward another until it touches
    (`pressing_pose`), and the pose is kept if a hand then touches the body. Of uniform poses, 1 % do.

    Sample i depends only on the seed and on i, so any number of agents can share the work in any order.

    Args:
        arm: the body to babble with.
        eye_size: rows and columns of the pictures, (H, W).
        seed: seed of the whole data set.
        min_arm_in_view: the least share of the pixels that must show the arm.
        senses: the senses that have noise; the poses are at rest, so that delays change nothing.
        acuity: the finest grating that the eye sees, cycles per degree; None: no blur.
        touch: whether touch is felt.
        touching: whether only poses are kept in which a hand touches the body.
        look: where a gaze that turns looks: "around", uniformly over its ranges, or at the "hand", which it misses by some
            degrees (with both arms, at either).
        shown: how the arm is seen elsewhere than it is felt; None: as it is. The arm in view is the seen one.
    """

    def __init__(
        self,
        arm: ArmModel,
        eye_size: tuple[int, int] = (300, 500),
        seed: int = 0,
        min_arm_in_view: float = 0.01,
        senses: Senses = MappingProxyType({}),
        acuity: float | None = None,
        touch: bool = False,
        touching: bool = False,
        look: str = "around",
        shown: Seen | None = None,
    ) -> None:
        self.arm = arm
        self.seed = seed
        self.min_arm_in_view = min_arm_in_view
        self.senses = dict(senses)
        self._data = arm.new_data()
        self._eye = EyeCamera(arm, eye_size, acuity)
        self._shown = None if shown is None else SeenArm(arm, shown)
        self._touch = Touch(arm) if touch or touching else None
        self.touch, self.touching, self.look = touch, touching, look

    def sample(self, i: int) -> Sample:
        """Draws poses until one is kept.

        Args:
            i: index of the sample in the data set.

        Raises:
            UserError: 2,000 poses in a row were rejected.
        """
        random = np.random.default_rng([self.seed, i])
        rejected: Counter[str] = Counter()
        for _ in range(_MAX_DRAWS):
            drawn = self._contact(random) if self.touching else self._pose(random)
            if drawn is None:
                rejected[NOT_TOUCHING] += 1
                continue
            joints, gaze, approach = drawn
            self.arm.pose(self._data, joints, gaze)
            reason, in_view = self._rejection()
            if reason is None:
                return self._sample(random, joints, gaze, approach, in_view, rejected)
            rejected[reason] += 1
        raise UserError(
            f"{_MAX_DRAWS} poses in a row were rejected ({dict(rejected)}), expected some {_wanted(rejected)}"
        )

    def _pose(self, random: np.random.Generator) -> _Drawn:
        """Draws a pose, rounded so that picture and record agree, and a gaze."""
        low, high = self.arm.joint_ranges.T
        joints = self.arm.locked(random.uniform(low, high)).astype(np.float32)
        return joints, self._gaze(random, joints), joints

    def _gaze(self, random: np.random.Generator, joints: NDArray[np.float32]) -> NDArray[np.float32]:
        """Draws a gaze; draws nothing if it is held."""
        ranges = self.arm.gaze.ranges.T
        if self.look == "around" or not self.arm.gaze_joints:
            return np.asarray(random.uniform(*ranges), np.float32)
        self.arm.place(self._data, joints)
        hands = self.arm.hand_positions(self._data)
        hand = hands[random.integers(len(hands))] if len(hands) > 1 else hands[0]
        missed = np.deg2rad(_MISSED) * random.standard_normal(ranges.shape[1])
        return (look_at(self.arm, self._data, hand) + missed).clip(*ranges).astype(np.float32)

    def _contact(self, random: np.random.Generator) -> _Drawn | None:
        """Draws a gaze, and a pose in which the arm touches something; None if it met nothing on its way."""
        gaze = np.asarray(random.uniform(*self.arm.gaze.ranges.T), np.float32)
        self.arm.reset(self._data)
        self.arm.gaze.turn(self._data, gaze)
        found = pressing_pose(self.arm, self._data, random)
        if found is None:
            return None
        pose = found.joints.astype(np.float32)
        looked = gaze if self.look == "around" else self._gaze(random, pose)
        return pose, looked, found.start.astype(np.float32)

    def _sample(
        self,
        random: np.random.Generator,
        joints: NDArray[np.float32],
        gaze: NDArray[np.float32],
        approach: NDArray[np.float32],
        in_view: tuple[float, ...],
        rejected: Counter[str],
    ) -> Sample:
        """What is sensed of the present pose."""
        frames = {name: self._eye.render(self._data, name, self._shown) for name in self.arm.eyes}
        pressed = self._touch.felt(self._data) if self._touch is not None and self.touch else None
        felt, felt_gaze, felt_touch = joints, gaze, pressed
        if self.senses:
            noise = Noise(random, self.senses, len(joints), len(gaze), 0 if pressed is None else len(pressed))
            noise.renew()
            felt = joints + noise.felt[: len(joints)]
            felt_gaze, felt_touch = noise.added(GAZE, gaze), None if pressed is None else noise.added(TOUCH, pressed)
            for name, frame in frames.items() if noise_of(self.senses, EYE) else ():
                noise.add_to_frame(frame, noise_of(self.senses, EYE), name)
        eye, left = frames[EYE], frames.get(EYE_LEFT)
        place, *others = self.arm.hand_positions(self._data).astype(np.float32)
        arm, hand, *shares = in_view
        left_place, left_hand = (others[0], shares[0]) if others else (None, None)
        further = left_place, left_hand, pressed, frames.get(FOVEA), felt_gaze, felt_touch
        return Sample(eye, joints, place, arm, hand, rejected, felt, left, gaze, *further, approach)

    def close(self) -> None:
        """Frees the camera."""
        self._eye.close()

    def _rejection(self) -> tuple[str | None, tuple[float, ...]]:
        """The reason to reject the present pose (None: keep it), and the shares of arm and hands in view."""
        if self.arm.penetration(self._data) > PENETRATION_LIMIT:
            return PENETRATES, ()
        if self.touching and not self._hand_touches():
            return NOT_TOUCHING, ()
        in_view = self._eye.in_view(self._data, self._shown)
        return (NOT_VISIBLE if in_view[0] < self.min_arm_in_view else None), in_view

    def _hand_touches(self) -> bool:
        assert self._touch is not None
        return bool(self._touch.touched_by_hands(self._data).any())


def _wanted(rejected: Counter[str]) -> str:
    """What kept poses have in common, and how to get some; if no pose touches, a change of the camera does not help."""
    if rejected[NOT_TOUCHING] == rejected.total():
        return (
            "in which a hand touches the body; collect without touching, or give the hand and the body shapes that make "
            "contact"
        )
    return "in which the eye sees the arm; turn the eye's camera to the arm, or lower min_arm_in_view"
