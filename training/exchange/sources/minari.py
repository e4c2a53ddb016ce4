"""A Minari data set: episodes of a Gymnasium environment that has a camera and joints."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infant_env.errors import UserError

from .source import Floats, Frame, Source, digest_of, found, joined, library


def minari_source(name: str, eye: str, joints: Sequence[str], hand: Sequence[str]) -> Source:
    """A Minari data set as a source; of each episode also its last observation.

    Args:
        name: its ID, such as `infant/reach/random-v0`; `MINARI_DATASETS_PATH` says where Minari looks for it.
        eye: the observation's entry of the frames, such as `eye` or `pixels/wrist`.
        joints: entries of the joints, or parts of them.
        hand: entries with the hand's position, three numbers together; or none.

    Raises:
        UserError: there is no such data set or entry, or the frames are no uint8 RGB.
    """
    minari = library("minari", "a Minari data set")
    try:
        data = minari.load_dataset(name)
    except (OSError, ValueError, ImportError, KeyError) as error:
        raise UserError(
            f"Minari finds no data set {name} ({error}); `minari list local` lists those that are there"
        ) from None
    parts = [_Part.of(_entries(episode.observations), eye, joints, hand, name) for episode in data]
    if not parts:
        raise UserError(f"the Minari data set {name} has no episodes")
    angles, lengths = np.concatenate([part.joints for part in parts]), [len(part.joints) for part in parts]
    hands = np.concatenate([part.hand for part in parts]) if hand else None
    content = digest_of([repr((eye, list(joints), list(hand))).encode(), *_files(data)])

    def frames(rows: NDArray[np.int64]) -> Iterator[Frame]:
        starts = np.cumsum([0, *lengths])
        for number, episode in enumerate(data):
            own = rows[(rows >= starts[number]) & (rows < starts[number + 1])] - starts[number]
            if len(own):
                yield from _frames_in(_entries(episode.observations), eye, name)[own]

    return Source(eye, parts[0].names, angles, hands, np.arange(len(lengths)).repeat(lengths), content, frames)


@dataclass(frozen=True)
class _Part:
    """What is kept of an episode in memory: everything but its frames."""

    joints: Floats
    names: tuple[str, ...]
    hand: Floats

    @classmethod
    def of(cls, entries: dict[str, Any], eye: str, joints: Sequence[str], hand: Sequence[str], name: str) -> "_Part":
        """The part of an episode's entries."""

        def numbers(keys: Sequence[str], option: str) -> tuple[Floats, tuple[str, ...]]:
            return joined(keys, lambda key: (np.asarray(found(key.name, entries, option, name), float), None))

        angles, names = numbers(joints, "--joints")
        frames = len(_frames_in(entries, eye, name))
        if frames != len(angles):
            raise UserError(f"an episode of {name} has {frames} frames and {len(angles)} rows of joints")
        return cls(angles, names, numbers(hand, "--hand")[0] if hand else np.empty((len(angles), 0)))


def _entries(observations: Any, prefix: str = "") -> dict[str, Any]:
    """The entries of observations by name, those inside of others as `outer/inner`; arrays alone have the name ''."""
    if not isinstance(observations, dict):
        return {prefix: observations}
    inner = (_entries(value, f"{prefix}/{key}" if prefix else str(key)) for key, value in observations.items())
    return {name: value for part in inner for name, value in part.items()}


def _frames_in(entries: dict[str, Any], eye: str, name: str) -> NDArray[np.uint8]:
    frames = np.asarray(found(eye, entries, "--eye", name))
    if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != np.uint8:
        raise UserError(
            f"got --eye {eye} with {frames.dtype} of shape {frames.shape[1:]}, expected RGB frames (H, W, 3) of uint8"
        )
    return frames


def _files(data: Any) -> list[Any]:
    """The files of a data set, in a fixed order."""
    return sorted(path for path in data.storage.data_path.rglob("*") if path.is_file() and path.name != "metadata.json")
