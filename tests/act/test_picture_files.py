"""Picture files of every kind become the frame that they show, or one line says what is wrong with them."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from infant_env.errors import UserError
from training.act import picture_files
from training.act.picture_files import read_picture

GRAY = np.arange(0, 240, dtype=np.uint8).reshape(12, 20)
COLOR = np.stack([GRAY, GRAY.T.reshape(12, 20), 255 - GRAY], axis=2)
GRAY_RGB = np.repeat(GRAY[..., None], 3, axis=2)


def saved(picture: Any, path: Path, **options: Any) -> Path:
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(path, **options)
    return path


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif", "a.ppm", "a.webp"])
def test_color_is_read_as_it_is(name: str, tmp_path: Path):
    path = saved(COLOR, tmp_path / name, **({"lossless": True} if name == "a.webp" else {}))
    assert np.array_equal(read_picture(path), COLOR)
    assert np.array_equal(read_picture(Path(name), path.read_bytes()), COLOR)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.pgm"])
@pytest.mark.parametrize("times", [256, 257])
def test_16_bits_become_8(name: str, times: int, tmp_path: Path):
    assert np.array_equal(read_picture(saved(GRAY.astype(np.uint16) * times, tmp_path / name)), GRAY_RGB)


@pytest.mark.parametrize("mode", ["L", "P", "LA", "RGBA"])
def test_gray_palettes_and_opaque_pictures_with_transparency_are_read(mode: str, tmp_path: Path):
    assert np.array_equal(read_picture(saved(Image.fromarray(GRAY).convert(mode), tmp_path / "a.png")), GRAY_RGB)


def test_one_bit_is_black_and_white(tmp_path: Path):
    path = saved(Image.fromarray(GRAY > 100), tmp_path / "a.png")
    assert Image.open(path).mode == "1"
    assert np.array_equal(read_picture(path)[..., 0], np.where(GRAY > 100, 255, 0))


@pytest.mark.parametrize("name", ["a.jpg", "a.tif"])
def test_printing_colors_become_those_of_a_screen(name: str, tmp_path: Path):
    whole = np.full((16, 16, 3), (200, 100, 50), np.uint8)
    path = saved(Image.fromarray(whole).convert("CMYK"), tmp_path / name)
    assert Image.open(path).mode == "CMYK"
    assert np.abs(read_picture(path).astype(int) - whole).max() <= 3


@pytest.mark.parametrize(
    ("turn", "back"),
    [
        (1, lambda a: a),
        (2, lambda a: a[:, ::-1]),
        (3, lambda a: a[::-1, ::-1]),
        (4, lambda a: a[::-1]),
        (6, lambda a: np.rot90(a, -1)),
        (8, np.rot90),
    ],
)
def test_a_turned_photo_stands_upright(turn: int, back: Any, tmp_path: Path):
    exif = Image.Exif()
    exif[0x0112] = turn
    assert np.array_equal(read_picture(saved(COLOR, tmp_path / "a.png", exif=exif)), back(COLOR))


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.webp", "a.tif"])
def test_a_file_of_several_pictures_is_refused(name: str, tmp_path: Path):
    frames = [Image.fromarray(np.roll(GRAY, k)) for k in range(3)]
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
    with pytest.raises(UserError, match=r"holds several pictures, expected one; save one of them as a PNG$"):
        read_picture(tmp_path / name)


def test_the_picture_of_a_camera_that_adds_a_preview_is_read(tmp_path: Path):
    whole = np.full((16, 16, 3), 100, np.uint8)
    Image.fromarray(whole).save(tmp_path / "a.mpo", save_all=True, append_images=[Image.fromarray(0 * whole)])
    assert Image.open(tmp_path / "a.mpo").n_frames == 2
    assert np.abs(read_picture(tmp_path / "a.mpo").astype(int) - whole).max() <= 2


def test_a_picture_with_holes_is_refused(tmp_path: Path):
    holed = Image.fromarray(COLOR).convert("RGBA")
    holed.putpixel((3, 3), (0, 0, 0, 0))
    for path in (saved(holed, tmp_path / "a.png"), saved(holed.quantize(), tmp_path / "b.png")):
        with pytest.raises(UserError, match="is partly transparent"):
            read_picture(path)


@pytest.mark.parametrize("numbers", [GRAY.astype(np.float32) / 255, GRAY.astype(np.int32) * 1000])
def test_numbers_of_an_unknown_range_are_refused(numbers: Any, tmp_path: Path):
    with pytest.raises(UserError, match="unknown range, expected 8 or 16 bits a color; save it as a PNG"):
        read_picture(saved(numbers, tmp_path / "a.tif"))


@pytest.mark.parametrize("side", [8_001, 20_000])
def test_a_picture_with_too_many_pixels_is_refused_before_it_is_decoded(
    side: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = saved(Image.new("1", (side, side)), tmp_path / "a.png")
    monkeypatch.setattr(Image.Image, "convert", None)
    with pytest.raises(UserError, match=r"has more than 64,000,000 pixels; scale it down$"):
        read_picture(path)


def test_what_is_no_picture_is_refused_in_one_line(tmp_path: Path):
    (tmp_path / "text.png").write_text("no picture\n")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "page.eps").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n")
    for name in ("text.png", "empty.png", "page.eps"):
        with pytest.raises(UserError, match=f"{name} cannot be read as a picture .*; expected a PNG") as told:
            read_picture(tmp_path / name)
        assert "\n" not in str(told.value)
    for path in (tmp_path, tmp_path / "none.png"):
        with pytest.raises(UserError, match=f"there is no picture {path}; expected a file"):
            read_picture(path)


@given(st.sampled_from(["PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM"]), st.data())
def test_a_damaged_file_is_a_frame_or_one_line(form: str, data: st.DataObject):
    buffer = io.BytesIO()
    Image.fromarray(COLOR).save(buffer, format=form)
    content = bytearray(buffer.getvalue()[: data.draw(st.integers(0, len(buffer.getvalue())))])
    for at, value in data.draw(
        st.lists(st.tuples(st.integers(0, max(len(content) - 1, 0)), st.integers(0, 255)), max_size=3)
    ):
        content[at : at + 1] = bytes([value])
    told, picture = "", np.zeros((1, 1, 3), np.uint8)
    try:
        picture = read_picture(Path("goal"), bytes(content))
    except UserError as error:
        told = str(error)
    assert "\n" not in told
    assert (picture.dtype, picture.ndim, picture.shape[2]) == (np.uint8, 3, 3)
    assert picture.size <= 3 * picture_files.MOST_PIXELS
