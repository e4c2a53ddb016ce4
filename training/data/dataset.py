"""The data set's format: sealed HDF5 shards, an index over them, and a reader.

A data set is a folder:

- `dataset.json`: schema version, config, body, camera, package versions, counts, checksums; see `DatasetInfo`.
- `body.zip`: the MJCF of another body than the built-in ones with all its files; see `MjcfFiles`.
- `background.png`: what the eye sees without the arm.
- `shards/shard-00000.h5` ...: `eye` (n, H, W, 3) uint8, `eye_left` alike if both eyes see,
  `fovea` (n, 128, 128, 3) uint8 if it was recorded, `joints` (n, J) float32 [rad],
  `felt_joints` alike if the joints have noise, `gaze` (n, G) float32 [rad] if the head turns,
  `touch` (n, P) float32 [N] if touch is felt, `felt_gaze` and `felt_touch` alike if these have noise,
  `approach` (n, J) float32 [rad] for babbled contacts,
  `hand_position` (n, 3) float32 [m], `arm_in_view` and `hand_in_view` (n,) float32 [share of the pixels],
  `left_hand_position` and `left_hand_in_view` alike if both arms move (then the former ones are the right hand's),
  `rejected` (n, 2) int32 [poses rejected before this one; (n, 3) for babbled contacts].
  Attributes: `dataset`, the description with which the collection began, and `sha256`, a checksum.
- `index.h5`: virtual data sets of the same names over all shards, so that h5py alone can read all samples; not read here.
- `cache/`: the preprocessed pictures, under the name of the preprocessing's version; may be deleted.

A shard is written under a temporary name, fsynced and renamed, so that it is never there in part.
"""

import hashlib
import json
import math
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from agents.tools.files import DamagedFileError
from infant_env.body.description import Body
from infant_env.body.model import ArmModel
from infant_env.errors import UserError
from infant_env.senses import vision
from infant_env.senses.modalities import COLOR, FOVEA, GAZE, VISION
from infant_env.senses.noise import noise_of
from infant_env.senses.seen.seen import Seen
from infant_env.senses.sense import EYE, EYE_LEFT, JOINTS, Sense, frame_size
from infant_env.senses.sense import FOVEA as FOVEA_FRAMES
from infant_env.senses.skin.touch import TOUCH, Touch, share
from infant_env.senses.skin.touched_place import TouchedPlace

from .arm_options import as_option, in_words
from .background import background, further_background, moving_backgrounds
from .files import index
from .files.index import PicturesOnDisk
from .info import DatasetInfo, collect_line, info_in_shards, read_info
from .shards import FRAMES, UNREADABLE, cache_path, read_cache, shard_is_whole, shard_path, write_cache

_ABOVE_NOISE = 5.0
IN_MEMORY = 2**31
"""All pictures of a data set are held in memory up to so many bytes."""
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
        is_whole = partial(shard_is_whole, path, info=data.info)
        if len(data._shards) <= index.MANY:
            whole = list(map(is_whole, range(len(data._shards))))
        else:
            whole = index.whole(data._shards, path / "cache" / "checked.npy", data._identity, is_whole)
        if not any(whole):
            data._check_description()
        if not all(whole):
            raise data._damaged(whole.index(False))
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
            UserError: its MJCF file is gone or has changed, or its joints have changed.
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
        """Position of the hand, with two hands of the right one, shape (N, 3), metres."""
        return self.column("hand_position")

    @cached_property
    def left_hand_position(self) -> NDArray[np.float32]:
        """Position of the left hand, shape (N, 3), metres.

        Raises:
            UserError: the data set does not have two hands.
        """
        if self.body.arms != "both":
            raise UserError(f"{self.path} has one hand, expected a data set of `infant-arm collect --arms both`")
        return self.column("left_hand_position")

    @property
    def hand_positions(self) -> NDArray[np.float32]:
        """Positions of all H hands, the right one first, shape (N, H, 3), metres."""
        both = self.body.arms == "both"
        return np.stack([self.hand_position, *([self.left_hand_position] if both else [])], axis=1)

    @property
    def hands_in_view(self) -> NDArray[np.float32]:
        """Shares of the pixels that show each of the H hands, shape (N, H)."""
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
        self._check_touch()
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
        self._check_touch()
        return Touch(self.arm).names

    def _check_touch(self) -> None:
        if not self.info.recipe.touch:
            raise UserError(f"{self.path} has no touch, expected a data set of `infant-arm collect --touch`")

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
        return self._all_pictures(self._frames)

    @cached_property
    def left_pictures(self) -> NDArray[np.float32] | PicturesOnDisk:
        """All preprocessed pictures of the left eye, shape (N, 64, 64), in [0, 1]; cached on disk.

        Raises:
            UserError: the infant did not see with both eyes.
        """
        self._check_both_eyes()
        return self._all_pictures(EYE_LEFT)

    def _all_pictures(self, eye: str) -> NDArray[np.float32] | PicturesOnDisk:
        shape = len(self), *self.format.shape
        if math.prod(shape) * 4 <= IN_MEMORY:
            return np.concatenate([self._pictures(shard, eye) for shard in range(len(self._shards))])
        paths = [cache_path(self.path, shard, self.format, eye) for shard in range(len(self._shards))]

        def is_whole(shard: int) -> bool:
            return self._pictures(shard, eye) is not None  # it is made again if need be

        index.whole(paths, paths[0].parent / "checked.npy", self.fingerprint, is_whole)
        return PicturesOnDisk(shape, self.info.recipe.shard_size, paths)

    @cached_property
    def background(self) -> NDArray[np.float32]:
        """The preprocessed view without the arm, shape (64, 64); that of the held head if the head turns."""
        if self._frames != EYE:
            return self.format.squeeze(further_background(self.path, self.info, self._frames))
        return self.format.squeeze(background(self.path, self.info))

    def backgrounds(self, samples: NDArray[np.int64]) -> NDArray[np.float32]:
        """The preprocessed view without the arm of each sample; (1, 64, 64), the same for all, if the head is held.

        They are drawn on each request, and take some milliseconds each.
        """
        if self.body.gaze == "held":
            return self.background[None]
        return moving_backgrounds(self.info, self.gaze[samples], self.format)

    def views(self, across: int, down: int, left_eye: bool = False) -> NDArray[np.float32]:
        """The preprocessed views without the arm at gazes all over their ranges, shape (across, down, 64, 64).

        Args:
            across: number of gazes from right to left.
            down: number of gazes from up to down.
            left_eye: the left eye's views.
        """
        low, high = self.arm.gaze.ranges.T
        places = np.stack(np.meshgrid(*(np.linspace(0, 1, count) for count in (across, down)), indexing="ij"), -1)
        gazes = (low + places * (high - low)).reshape(-1, 2)
        drawn = moving_backgrounds(self.info, gazes, self.format, EYE_LEFT if left_eye else self._frames)
        return drawn.reshape(across, down, *drawn.shape[1:])

    @property
    def pixel_directions(self) -> NDArray[np.float32]:
        """Where the preprocessed pictures' pixels lie while the gaze is straight, degrees to the left and down, (2, 64, 64)."""
        (rows, columns), side = frame_size(self._frames, self.eye_size), self.format.side
        middle = (np.arange(side) + 0.5) / side * 2 - 1
        half = np.tan(np.deg2rad(self.arm.model.camera(self.arm.eyes[self._frames]).fovy[0]) / 2)
        left, down = -np.arctan(middle * half * columns / rows), np.arctan(middle * half)
        return np.rad2deg(np.stack(np.broadcast_arrays(left[None], down[:, None]))).astype(np.float32)

    @cached_property
    def left_background(self) -> NDArray[np.float32]:
        """The left eye's preprocessed view without the arm, shape (64, 64).

        Raises:
            UserError: the infant did not see with both eyes.
        """
        self._check_both_eyes()
        return self.format.squeeze(further_background(self.path, self.info, EYE_LEFT))

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
            views = self.hands_in_view[samples]
            most = views.max() if hands is None else views[:, hands].min(axis=1).max()
            which = "the hand" if hands is None or views.shape[1] == 1 else in_words(hands)
            raise UserError(
                f"{self.path} has no {what} that shows {which}: it covers at most {most:.3%} of the pixels, expected "
                f"{self.info.recipe.min_hand_in_view:.3%}; collect more samples, move the camera nearer, or collect with a lower "
                "--min-hand-in-view"
            )

    def check_held_gaze(self, what: str) -> None:
        """Raises a UserError if the eye moved.

        Args:
            what: what needs an eye that does not move, for the message, for example "the generator".
        """
        if self.body.gaze != "held":
            raise UserError(
                f"{self.path} was collected with --gaze {self.body.gaze}, and {what} needs an eye that does not move, expected a "
                "data set of --gaze held"
            )

    def check_seen_arm(self, what: str) -> None:
        """Raises a UserError if the arm was seen elsewhere than it was felt.

        Args:
            what: what needs an arm that is seen where it is, for the message, for example "reaching".
        """
        if self.seen is not None:
            raise UserError(
                f"{self.path} was collected with --seen '{as_option(self.info.recipe.seen)}', and {what} needs an arm that is "
                "seen where it is, expected a data set without --seen"
            )

    def split(self, name: str) -> NDArray[np.int64]:
        """Indices of the train (60 %), validation (20 %) or test (20 %) samples: a part of one fixed permutation.

        Raises:
            UserError: there is no such split, or it is empty, because the data set has fewer than 4 samples.
        """
        if name not in SPLITS:
            raise UserError(f"got the split {name!r}, expected one of {list(SPLITS)}")
        order = np.random.default_rng(0).permutation(len(self))
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
        many = len(self._shards) > index.MANY and name not in FRAMES
        if many and isinstance(rows, slice) and rows == slice(None):
            kept = self.path / "cache" / "columns" / f"{name}.npy"
            return index.column(self._shards, kept, self._identity, lambda: self._rows(name, rows))
        return self._rows(name, rows)

    def _rows(self, name: str, rows: Any) -> NDArray[Any]:
        order, back = np.unique(np.arange(len(self))[rows], return_inverse=True)  # HDF5 reads only in rising order
        shards, places = np.divmod(order, self.info.recipe.shard_size)
        numbers, starts = np.unique(shards, return_index=True)
        each = zip(numbers, np.split(places, starts[1:]), strict=True) if len(order) else [(0, places)]
        return np.concatenate([self._read(int(shard), name, part) for shard, part in each])[back]

    @cached_property
    def _shards(self) -> list[Path]:
        return [shard_path(self.path, shard) for shard in range(len(self.info.recipe.lengths))]

    @cached_property
    def _identity(self) -> str:
        return json.dumps(self.info.identity(), sort_keys=True)

    def _read(self, shard: int, name: str, places: NDArray[np.int64]) -> NDArray[Any]:
        """Samples of a shard, at rising places."""
        try:
            with h5py.File(shard_path(self.path, shard)) as file:
                whole = len(places) == len(file[name])
                rows: NDArray[Any] = file[name][:] if whole else file[name][places]
        except UNREADABLE:
            raise self._damaged(shard) from None
        return rows

    def _check_both_eyes(self) -> None:
        if self.body.eyes != "both":
            raise UserError(
                f"{self.path} has no frames of a second eye, expected a data set of `infant-arm collect --eyes both`"
            )

    def _check_fovea(self) -> None:
        if not self.body.fovea:
            raise UserError(
                f"{self.path} has no frames of a fovea, expected a data set of `infant-arm collect --fovea`"
            )

    def _check_description(self) -> None:
        """Raises a DamagedFileError if `dataset.json` is that of another data set than the shards."""
        own = info_in_shards(self.path)
        if own is not None and own.identity() != self.info.identity():
            told = self.path / "dataset.json"
            raise DamagedFileError(
                f"{told} describes another data set than the shards beside it; run `{collect_line(self.path, own)}`: it keeps "
                "the shards and writes this file again",
                told,
            )

    def _damaged(self, shard: int) -> DamagedFileError:
        path, samples, (rows, columns) = shard_path(self.path, shard), self.info.recipe.lengths[shard], self.eye_size
        return DamagedFileError(
            f"{path} is damaged or missing, expected a shard of {samples} samples, pictures of {rows}x{columns} and "
            f"{len(self.joint_names)} joints; run `{collect_line(self.path, self.info)}`: it collects only that shard",
            path,
        )

    def _pictures(self, shard: int, eye: str) -> NDArray[np.float32]:
        start, samples = shard * self.info.recipe.shard_size, self.info.recipe.lengths[shard]
        joints = self.joints[start : start + samples]
        found = read_cache(self.path, shard, self.info, joints, self.format, eye)
        if found is not None:
            return found
        pictures = np.stack(
            [self.format.squeeze(self._read(shard, eye, np.array([place]))[0]) for place in range(samples)]
        )
        write_cache(self.path, shard, pictures, self.info, joints, self.format, eye)
        return pictures
