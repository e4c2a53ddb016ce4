"""Reads picture files that users give."""

import io
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from infant_env.errors import UserError

MOST_PIXELS = 64_000_000
"""A picture with more pixels is refused before it is decoded."""
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")  # others run programs, or are seldom tested
_EXPECTED = "expected a PNG as the eye would see it"


def read_picture(path: Path, content: bytes | None = None) -> NDArray[np.uint8]:
    """A picture file as an RGB frame, upright as its EXIF data say; 16 bits become 8.

    Args:
        path: the file.
        content: its content, if it was read already; then `path` is only its name.

    Returns:
        Shape (H, W, 3), uint8.

    Raises:
        UserError: there is no such file, or it is no picture, is cut off, is too large, holds several pictures, is partly
            transparent, or has numbers of an unknown range.
    """
    if content is None and not path.is_file():
        raise UserError(f"there is no picture {path}; expected a file such as a PNG")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large pictures and odd EXIF data
            with Image.open(path if content is None else io.BytesIO(content), formats=_FORMATS) as image:
                return _frame(path, image)
    except UserError:
        raise
    except Image.DecompressionBombError:
        raise UserError(_too_large(path)) from None
    except Exception as error:  # Pillow raises errors of many types for damaged files
        why = f" ({error})" if content is None else ""
        raise UserError(f"{path} cannot be read as a picture{why}; {_EXPECTED}") from None


def _frame(path: Path, image: Image.Image) -> NDArray[np.uint8]:
    if image.width * image.height > MOST_PIXELS:
        raise UserError(_too_large(path))
    if getattr(image, "is_animated", False) and image.format != "MPO":  # a camera's MPO begins with the picture itself
        raise UserError(f"{path} holds several pictures, expected one; save one of them as a PNG")
    upright = ImageOps.exif_transpose(image)
    if upright.has_transparency_data and upright.convert("RGBA").getchannel("A").getextrema()[0] < 255:
        raise UserError(f"{path} is partly transparent, {_EXPECTED}; save it without transparency")
    if upright.mode == "F" or (upright.mode == "I" and image.format == "TIFF"):
        raise UserError(f"{path} holds numbers of an unknown range, expected 8 or 16 bits a color; save it as a PNG")
    if upright.mode.startswith("I"):
        gray = (np.asarray(upright) >> 8).astype(np.uint8)  # 16 bits, which `convert` would cut off at 255
        return np.repeat(gray[..., None], 3, axis=2)
    return np.asarray(upright.convert("RGB"))


def _too_large(path: Path) -> str:
    return f"{path} has more than {MOST_PIXELS:,} pixels; scale it down"
