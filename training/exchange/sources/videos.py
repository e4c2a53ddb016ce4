"""Frames of videos, one after the other, as they were encoded."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import imageio.v3 as iio
import imageio_ffmpeg
import numpy as np

from infant_env.errors import UserError

from .source import Frame

_AS_ENCODED = ["-fps_mode", "passthrough"]  # no frame twice and none left out where the time between frames varies


def count_frames(path: Path) -> int:
    """The number of frames of a video.

    Raises:
        UserError: it cannot be read.
    """
    if not path.is_file():
        raise UserError(f"there is no video {path}")
    try:
        return int(imageio_ffmpeg.count_frames_and_secs(path)[0] or 0)
    except (RuntimeError, OSError, ValueError):
        raise _unreadable(path) from None


def frames_of(places: Sequence[tuple[Path, int]]) -> Iterator[Frame]:
    """Frames of videos, each video read once from its beginning.

    Args:
        places: the video and the number of each frame; in one video the numbers rise.

    Raises:
        UserError: a video cannot be read, or ends too early.
    """
    starts = [k for k in range(len(places)) if k == 0 or places[k][0] != places[k - 1][0]]
    for start, end in zip(starts, [*starts[1:], len(places)], strict=True):
        path, numbers = places[start][0], [number for _, number in places[start:end]]
        yield from _some(path, numbers)


def _some(path: Path, numbers: Sequence[int]) -> Iterator[Frame]:
    wanted, count = iter(numbers), 0
    next_one = next(wanted, None)
    with closing(_all(path)) as frames:
        for count, frame in enumerate(frames, 1):
            while next_one == count - 1:
                yield frame
                next_one = next(wanted, None)
            if next_one is None:
                return
    if next_one is not None:
        raise UserError(f"{path} ends after {count} frames, expected a frame {next_one}; is the file cut off?")


def _all(path: Path) -> Generator[Frame, None, None]:
    if not path.is_file():
        raise UserError(f"there is no video {path}")
    try:
        for frame in iio.imiter(path, plugin="FFMPEG", output_params=_AS_ENCODED):
            yield np.ascontiguousarray(frame)
    except (RuntimeError, OSError, ValueError, IndexError):
        raise _unreadable(path) from None


def _unreadable(path: Path) -> UserError:
    return UserError(
        f"{path} cannot be read as a video, expected a codec that ffmpeg decodes, such as H.264 in an mp4 file; "
        "is the file damaged, or the codec a rare one?"
    )
