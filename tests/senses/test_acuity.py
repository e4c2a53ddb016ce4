"""Acuity by age: which gratings are left in a blurred frame, and what is refused."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import infant_env  # noqa: F401 (registers the environments)
from infant_env import ArmModel, UserError
from infant_env.body.description import Body
from infant_env.senses.acuity import Blur, acuity_at, checked_acuity, pixels_per_degree
from infant_env.senses.camera import EyeCamera

NORM = {1.0: 0.9, 6.0: 5.7, 12.0: 6.4, 24.0: 9.6}
"""Cycles per degree of Teller acuity cards by months (Mayer et al. 1995)."""
DENSITY = 60.0
"""Pixels per degree of the cards."""


def card(cycles: float) -> NDArray[np.uint8]:
    """A grating of full contrast with this number of cycles per degree, 20 degrees wide."""
    degrees = np.arange(20 * DENSITY) / DENSITY
    bars = np.rint(127.5 + 127.5 * np.sin(2 * np.pi * cycles * degrees)).astype(np.uint8)
    return np.tile(bars[:, None], (60, 1, 3))


def contrast(frame: NDArray[np.uint8], cycles: float) -> float:
    """The share of a card's contrast that is left."""
    row = frame[30, 80:-80, 0].astype(float)
    degrees = np.arange(len(row)) / DENSITY
    return float(2 * abs(np.mean((row - row.mean()) * np.exp(-2j * np.pi * cycles * degrees))) / 127.5)


@pytest.mark.parametrize("upright", [True, False])
@pytest.mark.parametrize("months", NORM)
def test_the_finest_grating_that_is_seen_is_within_half_an_octave_of_the_norm(months: float, upright: bool):
    blur = Blur(checked_acuity("age", Body(months)) or 0.0, DENSITY)
    octaves = np.arange(-1.5, 1.01, 0.125)
    seen = []
    for cycles in NORM[months] * 2**octaves:
        shown = card(cycles) if upright else card(cycles).swapaxes(0, 1).copy()
        blurred = blur(shown)
        seen.append(contrast(blurred if upright else blurred.swapaxes(0, 1), cycles) >= 0.1)
    assert seen == sorted(seen, reverse=True)
    assert abs(octaves[np.flatnonzero(seen)[-1]]) <= 0.5


def test_acuity_grows_with_age():
    ages = np.linspace(1, 24, 50)
    assert (np.diff([acuity_at(age) for age in ages]) > 0).all()
    assert acuity_at(3.5) == pytest.approx(np.sqrt(0.9 * 5.7))


def test_the_middle_of_a_frame_has_these_pixels_per_degree(arm: ArmModel):
    assert pixels_per_degree(arm.model, arm.eye_camera, 300) == pytest.approx(150 * np.pi / 180)  # 90 degrees high


def test_a_young_infant_s_frames_and_its_background_are_blurred():
    arm = ArmModel.infant(1.0)
    sharp, blurred = EyeCamera(arm, (300, 500)), EyeCamera(arm, (300, 500), 0.9)
    data = arm.new_data()
    arm.pose(data, arm.joint_ranges.mean(axis=1))
    for draw in ("render", "background"):
        given = [data] if draw == "render" else []
        clear, soft = (getattr(eye, draw)(*given).astype(float) for eye in (sharp, blurred))
        assert np.abs(np.diff(soft, axis=1)).max() < 0.7 * np.abs(np.diff(clear, axis=1)).max()
        assert soft.mean() == pytest.approx(clear.mean(), abs=1)
    env = gym.make("InfantArm-v0", age_months=1.0, acuity="age")
    observation, _ = env.reset(options={"joints": arm.joint_ranges.mean(axis=1)})
    assert np.array_equal(observation["eye"], blurred.render(data))
    sharp.close(), blurred.close(), env.close()


def test_pixels_that_are_coarser_than_the_acuity_stay_as_they_are():
    frame = np.random.default_rng(0).integers(0, 255, (40, 40, 3), np.uint8)
    assert np.array_equal(Blur(6.4, 2.6)(frame), frame)


def exactly(frame: NDArray[np.uint8], sigma: float) -> NDArray[np.float64]:
    """The frame, blurred by a Gaussian in double precision; the outermost pixels go on beyond the edge."""
    reach = int(6 * sigma) + 1
    kernel = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigma**2))
    blurred = frame.astype(float)
    for axis in (0, 1):
        padded = np.pad(blurred, [(reach, reach) if k == axis else (0, 0) for k in range(3)], mode="edge")
        parts = [np.take(padded, range(k, k + frame.shape[axis]), axis) for k in range(2 * reach + 1)]
        blurred = sum(weight * part for weight, part in zip(kernel / kernel.sum(), parts, strict=True))
    return blurred


@settings(max_examples=25)
@given(st.floats(0.5, 3.0), st.integers(1, 130), st.integers(1, 40), st.integers(0, 99))
def test_a_blurred_frame_is_within_three_gray_levels_of_the_exact_one(sigma: float, rows: int, columns: int, seed: int):
    blur, random = Blur(1.0, 1.0), np.random.default_rng(seed)
    blur.sigma = sigma
    frame = random.integers(0, 256, (rows, columns, 3), np.uint8)
    frame[: rows // 2] = random.integers(0, 2, 3) * 255
    before = frame.copy()
    assert np.abs(blur(frame) - exactly(frame, sigma)).max() <= 3
    assert np.array_equal(frame, before)


@given(st.floats(0.25, 3.0), st.integers(0, 255))
def test_what_has_one_color_keeps_it(sigma: float, level: int):
    blur = Blur(1.0, 1.0)
    blur.sigma = sigma
    frame = np.full((5, 7, 3), level, np.uint8)
    assert np.array_equal(blur(frame), frame)


@pytest.mark.parametrize("sigma", [0.25, 0.33, 0.49])
def test_a_narrow_blur_spreads_a_point_as_far_as_it_says(sigma: float):
    blur, frame = Blur(1.0, 1.0), np.zeros((9, 9, 3), np.uint8)
    blur.sigma, frame[4, :] = sigma, 255
    row = blur(frame)[:, 4, 0] / 255
    assert row.sum() == pytest.approx(1, abs=0.01)
    assert row @ (np.arange(9) - 4) ** 2 == pytest.approx(sigma**2, abs=0.01)


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ({"acuity": "adult"}, "got acuity='adult', expected cycles per degree from 0.05 to 100, \"age\", or None"),
        ({"acuity": 0}, "got acuity=0, expected cycles per degree"),
        ({"acuity": -3.0}, "got acuity=-3.0, expected cycles per degree"),
        ({"acuity": float("nan")}, "got acuity=nan, expected cycles per degree"),
        ({"acuity": [1, 2]}, r"got acuity=\[1, 2\], expected cycles per degree"),
        ({"acuity": "age", "eye_size": None}, "got acuity='age' without eye_size, expected both"),
    ],
)
def test_a_broken_acuity_is_refused_in_one_line(kind: dict[str, Any], wanted: str):
    for make in (gym.make, gym.make_vec):
        with pytest.raises(UserError, match=wanted) as error:
            make("InfantArmReach-v0", **{"eye_size": (36, 60)} | kind)
        assert "\n" not in str(error.value)


def test_a_body_without_age_has_no_acuity_of_an_age():
    with pytest.raises(UserError, match="of the body robot.xml, which has no age, expected cycles per degree"):
        checked_acuity("age", Body(mjcf="robot.xml", joints=("elbow",)))
