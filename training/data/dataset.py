"""The reader of a data set: poses, pictures and what the infant sensed; `shards.py` describes the files."""

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infant_env.body.description import Body
from infant_env.body.model import ArmModel
from infant_env.errors import UserError
from infant_env.senses import vision
from infant_env.senses.modalities import COLOR, FOVEA, GAZE, VISION
from infant_env.senses.noise import noise_of
from infant_env.senses.seen.seen import Seen
from infant_env.senses.sense import EYE, EYE_LEFT, JOINTS, Sense
from infant_env.senses.sense import FOVEA as FOVEA_FRAMES
from infant_env.senses.skin.touch import TOUCH, Touch, share
from infant_env.senses.skin.touched_place import TouchedPlace

from . import background as without_arm
from .columns import Columns
from .files.index import PicturesOnDisk
from .info import DatasetInfo, collect_line, read_info
from .pictures import Pictures
from .recipe import checks

_ABOVE_NOISE = 5.0
SPLITS = {"train": 0.6, "validation": 0.2, "test": 0.2}


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set on disk; small columns are read once, frames on each request.

    ```python
    data = Dataset.open("data/paper")
    train = data.split("train")  # indices, (12000,)
    data.pictures[train]  # (12000, 64, 64) float32 in [0, 1]
    data.normalized_joints[train]  # (12000, 5) float32 in [0, 1]
    data.eye(train[0])  # (300, 500, 3) uint8
    ```
    """

    path: Path
    info: DatasetInfo
    """The content of `dataset.json`."""
    format: vision.Format = vision.GRAY
    """The format of the preprocessed pictures."""
    sight: str = VISION
    """Whose pictures, background and views these are: those of `vision`, `color` or `fovea`; see `seen_as`."""

    @classmethod
    def open(cls, path: str | Path) -> "Dataset":
        """Opens a data set and checks that it is complete.

        Raises:
            UserError: the data set is missing, has another schema, is not complete, or has a damaged shard.
        """
        path = Path(path)
        data = cls(path, read_info(path))
        if data.info.accepted is None:
            raise UserError(f"the data set {path} is not complete; run `{collect_line(path, data.info)}`: it goes on")
        data._columns.check()
        return data

    def __len__(self) -> int:
        return self.info.recipe.samples

    @property
    def body(self) -> Body:
        """The description of the body."""
        return self.info.recipe.body

    @property
    def arm(self) -> ArmModel:
        """The body of the collection, made again at the first request.

        Raises:
            UserError: the poses were recorded; or its MJCF file is gone or has changed, or its joints have changed.
        """
        return self.info.arm

    @property
    def eye_size(self) -> tuple[int, int]:
        """Rows and columns of the eye's frames, (H, W)."""
        return self.info.recipe.eye_size

    @property
    def senses(self) -> dict[str, Sense]:
        """The senses that have noise or a delay, by name; `gym.make(..., senses=data.senses)` makes the same infant again."""
        return self.info.recipe.imperfect

    @property
    def agent_senses(self) -> dict[str, Sense]:
        """`senses` without touch, which the agent does not use."""
        return {name: sense for name, sense in self.senses.items() if name != TOUCH}

    @property
    def acuity(self) -> float | None:
        """The finest grating that the eye sees, cycles per degree; None: its frames are not blurred."""
        return self.info.recipe.acuity

    @property
    def seen(self) -> Seen | None:
        """How the arm was seen elsewhere than it was felt; None: as it was."""
        return self.info.recipe.displaced

    @property
    def recorded(self) -> bool:
        """Whether the poses were recorded (`infant-arm import`): then there is no body."""
        return self.info.recipe.recording is not None

    @property
    def knows_hand(self) -> bool:
        """Whether the data set knows where the hand is."""
        return self.info.recipe.knows_hand

    @property
    def joint_names(self) -> tuple[str, ...]:
        """The arm's J joints, in the order of every joint vector."""
        return self.info.body.joint_names

    @cached_property
    def joints(self) -> NDArray[np.float32]:
        """Joint angles, shape (N, J), rad; the true ones, see `felt_joints`."""
        return self.column("joints")

    @cached_property
    def felt_joints(self) -> NDArray[np.float32]:
        """Joint angles as the infant felt them, with the noise of its joints, shape (N, J), rad."""
        return self.column("felt_joints") if noise_of(self.senses, JOINTS) else self.joints

    @cached_property
    def joint_ranges(self) -> NDArray[np.float32]:
        """Lower and upper end of each joint's range, shape (J, 2), rad."""
        return np.array(self.info.body.joint_ranges, np.float32)

    @cached_property
    def normalized_joints(self) -> NDArray[np.float32]:
        """Joint angles scaled to [0, 1] by their range, shape (N, J)."""
        low, high = self.joint_ranges.T
        return (self.joints - low) / (high - low)

    @cached_property
    def normalized_felt_joints(self) -> NDArray[np.float32]:
        """`felt_joints` scaled by the joint ranges, shape (N, J); noise may bring them a little out of [0, 1]."""
        low, high = self.joint_ranges.T
        return (self.felt_joints - low) / (high - low)

    @cached_property
    def hand_position(self) -> NDArray[np.float32]:
        """Position of the hand, with two hands of the right one, shape (N, 3), metres.

        Raises:
            UserError: the poses were recorded without it.
        """
        checks.check_knows_hand(self.info.recipe, self.path)
        return self.column("hand_position")

    @cached_property
    def left_hand_position(self) -> NDArray[np.float32]:
        """Position of the left hand, shape (N, 3), metres.

        Raises:
            UserError: the data set does not have two hands.
        """
        checks.check_two_hands(self.info.recipe, self.path)
        return self.column("left_hand_position")

    @property
    def hand_positions(self) -> NDArray[np.float32]:
        """Positions of all H hands, the right one first, shape (N, H, 3), metres."""
        both = self.body.arms == "both"
        return np.stack([self.hand_position, *([self.left_hand_position] if both else [])], axis=1)

    @property
    def hands_in_view(self) -> NDArray[np.float32]:
        """Shares of the pixels that show each of the H hands, shape (N, H); NaN in a recording, which does not know them."""
        if self.recorded:
            return np.full((len(self), 1), np.nan, np.float32)
        names = ["hand_in_view", "left_hand_in_view"] if self.body.arms == "both" else ["hand_in_view"]
        return np.stack([self.column(name) for name in names], axis=1)

    @cached_property
    def shows_hands(self) -> NDArray[np.bool_]:
        """Whether each hand covers enough of the pixels (.3 %, or what the collection was told), shape (N, H)."""
        return self.hands_in_view >= self.info.recipe.min_hand_in_view

    @property
    def shows_hand(self) -> NDArray[np.bool_]:
        """Whether the picture shows a hand, see `shows_hands`, shape (N,)."""
        return self.shows()

    def shows(self, hands: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
        """Whether the picture shows all of these hands, a mask of shape (H,), or without a mask any hand; shape (N,)."""
        shown = self.shows_hands
        return np.asarray(shown.any(axis=1) if hands is None else shown[:, hands].all(axis=1))

    @cached_property
    def gaze(self) -> NDArray[np.float32]:
        """Angles of the gaze, shape (N, G), rad; G is 0 if the head was held."""
        return np.empty((len(self), 0), np.float32) if self.body.gaze == "held" else self.column("gaze")

    @cached_property
    def felt_gaze(self) -> NDArray[np.float32]:
        """Angles of the gaze as the infant felt them, with their noise, shape (N, G), rad."""
        return self.column("felt_gaze") if noise_of(self.senses, GAZE) else self.gaze

    @property
    def normalized_gaze(self) -> NDArray[np.float32]:
        """Angles of the gaze scaled to [0, 1] by their ranges, shape (N, G)."""
        return self._normalized_gaze(self.gaze)

    @property
    def normalized_felt_gaze(self) -> NDArray[np.float32]:
        """`felt_gaze` scaled by the ranges, shape (N, G); noise may bring it a little out of [0, 1]."""
        return self._normalized_gaze(self.felt_gaze)

    def _normalized_gaze(self, gaze: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.body.gaze == "held":
            return gaze
        low, high = self.arm.gaze.ranges.T.astype(np.float32)
        return (gaze - low) / (high - low)

    @cached_property
    def touch(self) -> NDArray[np.float32]:
        """How strongly each patch of skin was pressed, shape (N, P), N; `patches` are their names.

        Raises:
            UserError: touch was not felt, or a shard is damaged.
        """
        checks.check_recorded(self.info.recipe.touch, "--touch", self.path)
        return self.column(TOUCH)

    @cached_property
    def touched_place(self) -> NDArray[np.float32]:
        """The place on the skin that was pressed most, in [0, 1], shape (N, 3); NaN where nothing touched. See `TouchedPlace`."""
        return TouchedPlace(self.arm).of(self.touch)

    @cached_property
    def felt_touch(self) -> NDArray[np.float32]:
        """Touch as the infant felt it, with its noise, shape (N, P), N."""
        return self.column("felt_touch") if noise_of(self.senses, TOUCH) else self.touch

    @cached_property
    def felt_place(self) -> NDArray[np.float32]:
        """`touched_place` as the infant felt it: touch counts above 5 times its noise, which noise alone nearly never reaches."""
        noise = noise_of(self.senses, TOUCH)
        return TouchedPlace(self.arm).of(self.felt_touch, _ABOVE_NOISE * noise) if noise else self.touched_place

    @cached_property
    def touch_shares(self) -> NDArray[np.float32]:
        """Touch within [0, 1], for maps, shape (N, P); see `infant_env.senses.skin.touch.share`."""
        return share(self.touch)

    @cached_property
    def approach(self) -> NDArray[np.float32]:
        """The poses from which the arm went straight to its babbled contacts, shape (N, J), rad; else its poses."""
        return self.column("approach") if self.info.recipe.touching else self.joints

    @cached_property
    def patches(self) -> tuple[str, ...]:
        """Names of the P patches of skin.

        Raises:
            UserError: touch was not felt, or the body cannot be made again.
        """
        checks.check_recorded(self.info.recipe.touch, "--touch", self.path)
        return Touch(self.arm).names

    def eye(self, samples: int | NDArray[np.int64] | slice) -> NDArray[np.uint8]:
        """The frames of some samples, read from disk, shape (..., H, W, 3)."""
        return self.column(EYE, samples)

    def eye_left(self, samples: int | NDArray[np.int64] | slice) -> NDArray[np.uint8]:
        """The frames of the left eye of some samples, read from disk, shape (..., H, W, 3).

        Raises:
            UserError: the infant did not see with both eyes, or a shard is damaged.
        """
        self._check_both_eyes()
        return self.column(EYE_LEFT, samples)

    def fovea(self, samples: int | NDArray[np.int64] | slice) -> NDArray[np.uint8]:
        """The fovea's frames of some samples, read from disk, shape (..., 128, 128, 3).

        Raises:
            UserError: the infant has no fovea, or a shard is damaged.
        """
        self._check_fovea()
        return self.column(FOVEA_FRAMES, samples)

    @cached_property
    def pictures(self) -> NDArray[np.float32] | PicturesOnDisk:
        """All preprocessed pictures, shape (N, 64, 64), in [0, 1]; cached on disk, and read on request if they are many GB."""
        return self._pictures_of(self._frames)

    @cached_property
    def left_pictures(self) -> NDArray[np.float32] | PicturesOnDisk:
        """All preprocessed pictures of the left eye, shape (N, 64, 64), in [0, 1]; cached on disk.

        Raises:
            UserError: the infant did not see with both eyes.
        """
        self._check_both_eyes()
        return self._pictures_of(EYE_LEFT)

    def _pictures_of(self, frames: str) -> NDArray[np.float32] | PicturesOnDisk:
        return Pictures(self._columns, self.joints, self.format, frames).all(self.fingerprint)

    @cached_property
    def background(self) -> NDArray[np.float32]:
        """The preprocessed view without the arm, shape (64, 64); that of the held head if the head turns."""
        if self._frames != EYE:
            return self.format.squeeze(without_arm.further_background(self.path, self.info, self._frames))
        return self.format.squeeze(without_arm.background(self.path, self.info))

    def backgrounds(self, samples: NDArray[np.int64]) -> NDArray[np.float32]:
        """The preprocessed view without the arm of each sample; (1, 64, 64), the same for all, if the head is held.

        They are drawn on each request, and take some milliseconds each.
        """
        if self.body.gaze == "held":
            return self.background[None]
        return without_arm.moving_backgrounds(self.info, self.gaze[samples], self.format)

    def views(self, across: int, down: int, left_eye: bool = False) -> NDArray[np.float32]:
        """The preprocessed views without the arm at gazes all over their ranges, shape (across, down, 64, 64).

        Args:
            across: number of gazes from right to left.
            down: number of gazes from up to down.
            left_eye: the left eye's views.
        """
        frames = EYE_LEFT if left_eye else self._frames
        return without_arm.views(self.info, self.format, frames, across, down)

    @property
    def pixel_directions(self) -> NDArray[np.float32]:
        """Where the preprocessed pictures' pixels lie while the gaze is straight, degrees to the left and down, (2, 64, 64)."""
        return without_arm.pixel_directions(self.info, self._frames, self.format.side)

    @cached_property
    def left_background(self) -> NDArray[np.float32]:
        """The left eye's preprocessed view without the arm, shape (64, 64).

        Raises:
            UserError: the infant did not see with both eyes.
        """
        self._check_both_eyes()
        return self.format.squeeze(without_arm.further_background(self.path, self.info, EYE_LEFT))

    def squeezed_to(self, format: vision.Format) -> "Dataset":
        """The data set with `pictures` (N, *format.shape) and `background` of another format."""
        return self if format == self.format else replace(self, format=format)

    def seen_as(self, sense: str) -> "Dataset":
        """The data set with `pictures`, `background` and `views` of a sense.

        Args:
            sense: `vision`; `color`: the same frames in red, green and blue; `fovea`: the fovea's frames.

        Raises:
            UserError: the infant has no fovea.
        """
        if sense == self.sight:
            return self
        if sense == FOVEA:
            self._check_fovea()
        if sense not in self._seen_as:
            color = self.format.color or sense == COLOR
            self._seen_as[sense] = replace(self, sight=sense, format=vision.Format(self.format.side, color))
        return self._seen_as[sense]

    @cached_property
    def _seen_as(self) -> "dict[str, Dataset]":
        return {}  # each reads its pictures once

    @property
    def both_eyes(self) -> bool:
        """Whether these are the pictures of two eyes."""
        return self.body.eyes == "both" and self.sight == VISION

    @property
    def _frames(self) -> str:
        """The column of the frames of `pictures`."""
        return FOVEA_FRAMES if self.sight == FOVEA else EYE

    def check_shows_hand(self, samples: NDArray[np.int64], what: str, hands: NDArray[np.bool_] | None = None) -> None:
        """Raises a UserError if none of these samples shows the hand.

        Args:
            samples: indices.
            what: their name in the message, for example "test picture".
            hands: the hands that it must show, see `shows`.
        """
        if not self.shows(hands)[samples].any():
            raise checks.no_hand(self.hands_in_view[samples], self.info.recipe, self.path, what, hands)

    def check_simulated(self, what: str) -> None:
        """Raises a UserError if the poses were recorded.

        Args:
            what: what needs a body to simulate, for the message, for example "reaching".
        """
        checks.check_simulated(self.info.recipe, self.path, what)

    def check_held_gaze(self, what: str) -> None:
        """Raises a UserError if the eye moved.

        Args:
            what: what needs an eye that does not move, for the message, for example "the generator".
        """
        checks.check_held_gaze(self.info.recipe, self.path, what)

    def check_seen_arm(self, what: str) -> None:
        """Raises a UserError if the arm was seen elsewhere than it was felt.

        Args:
            what: what needs an arm that is seen where it is, for the message, for example "reaching".
        """
        checks.check_seen_arm(self.info.recipe, self.path, what)

    def split(self, name: str) -> NDArray[np.int64]:
        """Indices of the train (60 %), validation (20 %) or test (20 %) samples: a part of one fixed permutation.

        The permutation is that of the samples; in a recording, where neighbors in time resemble each other, that of its episodes,
        and of at least 20 pieces of it.

        Raises:
            UserError: there is no such split, or it is empty, because the data set has fewer than 4 samples.
        """
        if name not in SPLITS:
            raise UserError(f"got the split {name!r}, expected one of {list(SPLITS)}")
        order = (
            in_random_pieces(self.column("episode"))
            if self.recorded
            else np.random.default_rng(0).permutation(len(self))
        )
        ends = np.rint(np.cumsum([0.0, *SPLITS.values()]) * len(self)).astype(int)
        k = list(SPLITS).index(name)
        if ends[k] == ends[k + 1]:
            raise UserError(f"the {name} split of {self.path} is empty: it has {len(self)} samples; collect 5 or more")
        return order[ends[k] : ends[k + 1]]

    @cached_property
    def fingerprint(self) -> str:
        """A hash of config, body and all joints; checkpoints identify their data by it."""
        head = json.dumps(self.info.identity(), sort_keys=True)
        return hashlib.sha256(head.encode() + self.joints.tobytes()).hexdigest()

    def column(self, name: str, rows: Any = slice(None)) -> NDArray[Any]:
        """Some samples of a column of the shards; by default all.

        Raises:
            UserError: a shard is damaged, or has no such column.
        """
        return self._columns.read(name, rows)

    @cached_property
    def _columns(self) -> Columns:
        return Columns(self.path, self.info)

    def _check_both_eyes(self) -> None:
        checks.check_recorded(self.body.eyes == "both", "--eyes both", self.path)

    def _check_fovea(self) -> None:
        checks.check_recorded(self.body.fovea, "--fovea", self.path)


def in_random_pieces(episodes: NDArray[np.integer]) -> NDArray[np.int64]:
    """A fixed permutation of moments in time, piece by piece: no piece is longer than a 20th, or belongs to two episodes.

    Args:
        episodes: the number of the episode of each moment, shape (N,).
    """
    longest = max(1, len(episodes) // 20)
    starts = np.flatnonzero(np.diff(episodes, prepend=episodes[0] - 1))
    cuts = [np.arange(start, end, longest) for start, end in zip(starts, [*starts[1:], len(episodes)], strict=True)]
    pieces = np.split(np.arange(len(episodes)), np.concatenate(cuts)[1:])
    return np.concatenate([pieces[k] for k in np.random.default_rng(0).permutation(len(pieces))])
