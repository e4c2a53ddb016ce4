"""`background.png` of a data set: what the eye sees without the arm; and the same for the left eye, if both see."""

import hashlib
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
from numpy.typing import NDArray

from agents.tools.files import replacing
from infant_env.errors import UserError
from infant_env.senses.camera import EyeCamera
from infant_env.senses.sense import EYE, EYE_LEFT, FOVEA, frame_size
from infant_env.senses.vision import Format

from .columns import Columns
from .info import DatasetInfo, collect_line

BACKGROUND = "background.png"
_FRAMES = 255
"""Largest number of frames whose median is taken."""
FURTHER = {EYE_LEFT: "background_left.png", FOVEA: "background_fovea.png"}


def background(folder: Path, info: DatasetInfo) -> NDArray[np.uint8]:
    """The view without the arm, shape (H, W, 3); drawn again if the file is missing or damaged.

    Raises:
        UserError: it cannot be drawn as it was.
    """
    path = folder / BACKGROUND
    found = _read(path)
    if found is not None and found.shape == (*info.recipe.eye_size, 3) and _is_of(info, found):
        return found
    drawn = _estimated(folder, info) if info.recipe.recording else _drawn(info, EYE)
    if not _is_of(info, drawn):
        raise UserError(
            f"{path} is damaged, and this machine draws another one; restore it, or collect into another folder on this machine"
        )
    return write(path, drawn)


def _estimated(folder: Path, info: DatasetInfo) -> NDArray[np.uint8]:
    """The median of up to 255 frames of a recording, per pixel and color; wrong where the arm is in more than half of them.

    Raises:
        UserError: the background was given by the user, so it cannot be estimated.
    """
    recording = info.recipe.recording
    if recording is not None and recording.background == "given":
        raise UserError(
            f"{folder / BACKGROUND} is missing or damaged; run `{collect_line(folder, info)}`: it is copied again"
        )
    return np.rint(np.median(some_frames(folder, info), axis=0)).astype(np.uint8)


def some_frames(folder: Path, info: DatasetInfo) -> NDArray[np.uint8]:
    """Up to 255 frames of a data set, evenly over its samples, shape (n, H, W, 3)."""
    count = min(info.recipe.samples, _FRAMES)
    rows = np.linspace(0, info.recipe.samples - 1, count).astype(int)
    return Columns(folder, info).read(EYE, rows)


def further_background(folder: Path, info: DatasetInfo, eye: str) -> NDArray[np.uint8]:
    """The view of the left eye or of the fovea without the arm, shape (H, W, 3); drawn if the file is missing or damaged."""
    path = folder / FURTHER[eye]
    found = _read(path)
    fits = found is not None and found.shape == (*frame_size(eye, info.recipe.eye_size), 3)
    return found if found is not None and fits else write(path, _drawn(info, eye))


def moving_backgrounds(info: DatasetInfo, gazes: NDArray[Any], format: Format, eye: str = EYE) -> NDArray[np.float32]:
    """The preprocessed views without the arm at some gazes, (N, G) rad -> (N, *format.shape); some milliseconds each."""
    camera = EyeCamera(info.arm, info.recipe.eye_size, info.recipe.acuity)
    drawn = np.stack([format.squeeze(frame) for frame in camera.backgrounds(gazes, eye)])
    camera.close()
    return drawn


def views(info: DatasetInfo, format: Format, eye: str, across: int, down: int) -> NDArray[np.float32]:
    """The preprocessed views without the arm at gazes all over their ranges, shape (across, down, *format.shape).

    Args:
        info: the description of the data set.
        format: the format of the views.
        eye: the eye that sees, or the fovea.
        across: number of gazes from right to left.
        down: number of gazes from up to down.
    """
    low, high = info.arm.gaze.ranges.T
    places = np.stack(np.meshgrid(*(np.linspace(0, 1, count) for count in (across, down)), indexing="ij"), -1)
    gazes = (low + places * (high - low)).reshape(-1, 2)
    drawn = moving_backgrounds(info, gazes, format, eye)
    return drawn.reshape(across, down, *drawn.shape[1:])


def pixel_directions(info: DatasetInfo, eye: str, side: int) -> NDArray[np.float32]:
    """Where the pixels of preprocessed pictures lie while the gaze is straight, degrees to the left and down, (2, side, side)."""
    arm, (rows, columns) = info.arm, frame_size(eye, info.recipe.eye_size)
    middle = (np.arange(side) + 0.5) / side * 2 - 1
    half = np.tan(np.deg2rad(arm.model.camera(arm.eyes[eye]).fovy[0]) / 2)
    left, down = -np.arctan(middle * half * columns / rows), np.arctan(middle * half)
    return np.rad2deg(np.stack(np.broadcast_arrays(left[None], down[:, None]))).astype(np.float32)


def _drawn(info: DatasetInfo, eye: str) -> NDArray[np.uint8]:
    camera = EyeCamera(info.arm, info.recipe.eye_size, info.recipe.acuity)
    drawn: NDArray[np.uint8] = camera.background(eye)
    camera.close()
    return drawn


def write(path: Path, drawn: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Writes a picture without the arm, completely or not at all."""
    with replacing(path) as temporary:
        iio.imwrite(temporary, drawn, extension=".png")
    return drawn


def checksum(picture: NDArray[Any]) -> str:
    """SHA-256 of the pixels, hexadecimal."""
    return hashlib.sha256(np.ascontiguousarray(picture).tobytes()).hexdigest()


def _is_of(info: DatasetInfo, picture: NDArray[np.uint8]) -> bool:
    return info.background in (None, checksum(picture))


def _read(path: Path) -> NDArray[np.uint8] | None:
    try:
        picture: NDArray[np.uint8] = iio.imread(path, plugin="pillow")
    except Exception:  # a damaged picture raises errors of many kinds
        return None
    return picture if picture.dtype == np.uint8 else None
