"""`background.png` of a data set: what the eye sees without the arm."""

import hashlib
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
from numpy.typing import NDArray

from agents.tools.files import replacing
from infant_env.errors import UserError
from infant_env.senses.camera import EyeCamera

from .info import DatasetInfo

BACKGROUND = "background.png"


def background(folder: Path, info: DatasetInfo) -> NDArray[np.uint8]:
    """The view without the arm, shape (H, W, 3); drawn again if the file is missing or damaged.

    Raises:
        UserError: it cannot be drawn as it was.
    """
    path = folder / BACKGROUND
    found = _read(path)
    if found is not None and found.shape == (*info.recipe.eye_size, 3) and _is_of(info, found):
        return found
    eye = EyeCamera(info.arm, info.recipe.eye_size, info.recipe.acuity)
    drawn: NDArray[np.uint8] = eye.background()
    eye.close()
    if not _is_of(info, drawn):
        raise UserError(
            f"{path} is damaged, and this machine draws another one; restore it, or collect into another folder on this machine"
        )
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
