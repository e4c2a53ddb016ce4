import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infant_env.senses.vision import Format, to_gray, to_rgb


def test_each_target_pixel_is_the_mean_of_its_area():
    eye = np.zeros((128, 192, 3), np.uint8)
    eye[:2, :3] = 255  # exactly one target pixel
    eye[2:4, 3:6, 1] = 100  # another one, green alone
    gray = to_gray(eye)
    assert gray.shape == (64, 64)
    assert gray[0, 0] == pytest.approx(1.0, abs=1e-6)
    assert gray[1, 1] == pytest.approx(0.587 * 100 / 255, abs=1e-6)
    assert gray.sum() == pytest.approx(1 + 0.587 * 100 / 255, abs=1e-4)


@given(st.integers(64, 300), st.integers(64, 500), st.integers(0, 2**32 - 1))
def test_squeezing_keeps_the_mean_and_the_range(rows: int, columns: int, seed: int):
    eye = np.random.default_rng(seed).integers(0, 256, (rows, columns, 3), dtype=np.uint8)
    gray = to_gray(eye)
    assert gray.mean() == pytest.approx((eye @ np.array([0.299, 0.587, 0.114])).mean() / 255, abs=1e-4)
    assert gray.min() >= 0
    assert gray.max() <= 1 + 1e-5


def test_a_batch_is_squeezed_as_its_pictures_are_singly():
    eyes = np.random.default_rng(0).integers(0, 256, (3, 60, 100, 3), dtype=np.uint8)
    assert np.array_equal(to_gray(eyes), np.stack([to_gray(eye) for eye in eyes]))


@pytest.mark.parametrize("side", [16, 32, 64, 128])
def test_colors_weighed_are_luminance_and_coarser_pictures_are_means_of_finer_ones(side: int):
    eye = np.random.default_rng(0).integers(0, 256, (128, 192, 3), dtype=np.uint8)
    gray, colors = Format(side).squeeze(eye), Format(side, color=True).squeeze(eye)
    assert colors.shape == Format(side, color=True).shape == (3, side, side)
    assert np.tensordot([0.299, 0.587, 0.114], colors, 1) == pytest.approx(gray, abs=1e-6)
    means = gray[::2, ::2] + gray[1::2, ::2] + gray[::2, 1::2] + gray[1::2, 1::2]
    assert Format(side // 2).squeeze(eye) == pytest.approx(means / 4, abs=1e-6)


_SQUEEZE = """
import hashlib, numpy as np
from infant_env.vision import to_gray
eyes = np.random.default_rng(0).integers(0, 256, (20, 300, 500, 3), dtype=np.uint8)
print(hashlib.sha256(to_gray(eyes).tobytes()).hexdigest())
"""


def test_pictures_are_the_same_to_the_last_bit_with_any_number_of_threads():
    told = {
        subprocess.run(
            [sys.executable, "-c", _SQUEEZE],
            env={**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads},
            capture_output=True, text=True, check=True,
        ).stdout
        for threads in ("1", "2")
    }  # fmt: skip
    assert len(told) == 1


def test_display_repeats_pixels():
    gray = np.array([[0.0, 1.0], [0.5, 0.2]])
    shown = to_rgb(gray, (4, 6))
    assert shown.shape == (4, 6, 3)
    assert shown[:, :, 0].tolist() == [[0, 0, 0, 255, 255, 255]] * 2 + [[128, 128, 128, 51, 51, 51]] * 2


@pytest.mark.parametrize("bad", [np.zeros((64, 64, 3)), np.zeros((64, 64), np.uint8), np.zeros((64, 64, 4), np.uint8)])
def test_anything_but_uint8_rgb_is_refused(bad: np.ndarray):
    with pytest.raises(ValueError, match="expected uint8 RGB"):
        to_gray(bad)
