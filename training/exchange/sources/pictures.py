"""A folder of pictures, or a video, with a table of joints."""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import imageio.v3 as iio
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from infant_env.errors import UserError

from .source import Floats, Frame, Key, Source, digest_of, found, joined
from .tables import numbers_of, read_table
from .videos import count_frames, frames_of

_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")


def folder_source(
    folder: Path, table: Path, joints: Sequence[str], hand: Sequence[str], episode: str | None, file: str | None
) -> Source:
    """Pictures with a row of a table each.

    Args:
        folder: the pictures' folder.
        table: the table.
        joints: its columns of joints.
        hand: its three columns of the hand's position, or none.
        episode: its column of the episode's number, or None: all is one episode.
        file: its column of the pictures' names; None: the rows follow the pictures in the order of their names and numbers.

    Raises:
        UserError: there are no pictures, a picture is missing or unreadable, they have different sizes, or the table does not
            fit them.
    """
    columns = read_table(table)
    pictures = _in_order(folder)
    if file is not None:
        pictures = [folder / name for name in map(str, found(file, columns, "--file", table))]
        missing = next((path for path in pictures if not path.is_file()), None)
        if missing is not None:
            raise UserError(f"{table} names the picture {missing.name}, but {folder} has no such file")
    _check_sizes(pictures)

    def frames(rows: NDArray[np.int64]) -> Iterator[Frame]:
        return (read_frame(pictures[row]) for row in rows)

    return _with_table(table, joints, hand, episode, len(pictures), folder, pictures, frames)


def video_source(video: Path, table: Path, joints: Sequence[str], hand: Sequence[str], episode: str | None) -> Source:
    """A video with a row of a table for each frame; the arguments are those of `folder_source`.

    Raises:
        UserError: the video cannot be read, or the table does not fit it.
    """

    def frames(rows: NDArray[np.int64]) -> Iterator[Frame]:
        return frames_of([(video, int(row)) for row in rows])

    return _with_table(table, joints, hand, episode, count_frames(video), video, [video], frames)


def _with_table(
    table: Path,
    joints: Sequence[str],
    hand: Sequence[str],
    episode: str | None,
    count: int,
    where: Path,
    files: Sequence[Path],
    frames: Callable[[NDArray[np.int64]], Iterator[Frame]],
) -> Source:
    columns = read_table(table)
    rows = len(next(iter(columns.values()), []))
    if rows != count:
        raise UserError(f"{where} has {count} frames and {table} has {rows} rows, expected a row for each frame")

    def vectors(option: str) -> Callable[[Key], tuple[Floats, None]]:
        return lambda key: (numbers_of(found(key.name, columns, option, table), key.name, table), None)

    angles, names = joined(joints, vectors("--joints"))
    hands = joined(hand, vectors("--hand"))[0] if hand else None
    told = (
        np.zeros(count) if episode is None else numbers_of(found(episode, columns, "--episode", table), episode, table)
    )
    content = digest_of([repr((list(names), joints, hand)).encode(), table, *files])
    return Source("camera", names, angles, hands, _numbered(told), content, frames)


def _numbered(told: Floats) -> NDArray[np.int64]:
    """Numbers of episodes from any numbers that stay the same within an episode."""
    return np.cumsum(np.diff(told, prepend=told[:1]) != 0).astype(np.int64)


def _in_order(folder: Path) -> list[Path]:
    """The pictures of a folder in the order of their names, numbers in the order of their values."""
    if not folder.is_dir():
        raise UserError(f"there is no folder {folder}; expected one with pictures")
    pictures = [path for path in folder.iterdir() if path.suffix.lower() in _ENDINGS]
    if not pictures:
        raise UserError(f"{folder} has no pictures, expected files that end in {', '.join(_ENDINGS)}")
    return sorted(pictures, key=lambda path: [int(p) if p.isdigit() else p for p in re.split(r"(\d+)", path.name)])


def _check_sizes(pictures: Sequence[Path]) -> None:
    first: tuple[int, int] | None = None
    for path in pictures:
        try:
            with Image.open(path) as picture:
                size = picture.size
        except Exception:  # Pillow raises errors of many types for damaged files
            raise _unreadable(path) from None
        first = first or size
        if size != first:
            raise UserError(
                f"{path} is {size[0]}x{size[1]} pixels, {pictures[0].name} is {first[0]}x{first[1]}; expected one size"
            )


def read_frame(path: Path) -> Frame:
    """A picture file as a frame, (H, W, 3), uint8.

    Raises:
        UserError: it is missing or cannot be read.
    """
    try:
        return np.ascontiguousarray(iio.imread(path, plugin="pillow", mode="RGB"))
    except Exception:  # Pillow raises errors of many types for damaged files
        raise _unreadable(path) from None


def _unreadable(path: Path) -> UserError:
    return UserError(f"{path} cannot be read as a picture; is the file damaged?")
