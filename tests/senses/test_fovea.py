"""The fovea: where it looks, what it shows, how well, and the bodies that can have one."""

import warnings
from pathlib import Path
from typing import Any

import gymnasium as gym
import mujoco
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env as check_by_gymnasium
from PIL import Image
from stable_baselines3.common.env_checker import check_env as check_by_stable_baselines

import infant_env  # noqa: F401 (registers the environments)
from infant_env import ArmModel, Seen, Sense, UserError
from infant_env.body.description import Body
from infant_env.senses.acuity import Blur
from infant_env.senses.camera import EyeCamera

SMALL = (60, 100)
POSE = np.deg2rad([35.0, 25.0, -35.0, 95.0, 0.0])
"""A pose that shows the forearm and the hand."""
POINT = """<mujoco><worldbody><light pos="0 0 3"/>
  <camera name="eye" pos="0 0 1" xyaxes="0 -1 0 0 0 1" fovy="80" mode="{mode}"{more}/>
  <body name="point" pos="{place}"><geom size=".01" rgba="1 0 0 1" contype="0" conaffinity="0"/></body>
  <body name="arm" pos="-1 0 1"><joint name="joint" axis="0 0 1" range="-90 90"/><geom name="upper" size=".05"/></body>
</worldbody></mujoco>"""


def robot(folder: Path, place: str = "1 0 1", mode: str = "fixed", more: str = "") -> ArmModel:
    """A robot whose eye is at (0, 0, 1) and looks along x, with a red point at a place."""
    path = folder / "robot.xml"
    path.write_text(POINT.format(place=place, mode=mode, more=more))
    return ArmModel.of(Body(mjcf=str(path), joints=("joint",), fovea=True))


def test_a_point_ten_degrees_to_the_left_lies_at_its_pixel(tmp_path: Path):
    arm = robot(tmp_path, f"1 {np.tan(np.deg2rad(10)):.6f} 1")
    data = arm.new_data()
    mujoco.mj_forward(arm.model, data)
    frame = EyeCamera(arm, SMALL).render(data, "fovea").astype(int)
    rows, columns = np.nonzero(frame[..., 0] > frame[..., 1] + 40)
    # the middle is 64; the edge, 15 degrees away, is 64 pixels further: 64 - 64 tan(10 degrees) / tan(15 degrees) = 21.88
    assert columns.mean() + 0.5 == pytest.approx(21.88, abs=0.5)
    assert rows.mean() + 0.5 == pytest.approx(64, abs=0.5)


def test_the_fovea_shows_the_middle_of_the_wide_view():
    arm = ArmModel.infant(gaze="eyes", fovea=True)
    data = arm.new_data()
    arm.pose(data, POSE, np.deg2rad([20.0, 10.0]))
    eye = EyeCamera(arm, (900, 1500))
    wide, fine = eye.render(data), eye.render(data, "fovea")
    fovy = np.deg2rad(arm.model.camera(arm.eye_camera).fovy[0])
    half = 450 * np.tan(np.deg2rad(15)) / np.tan(fovy / 2)
    middle = Image.fromarray(wide).resize(
        (128, 128), Image.Resampling.BOX, (750 - half, 450 - half, 750 + half, 450 + half)
    )
    assert np.abs(np.asarray(middle).astype(int) - fine).mean() < 4
    assert fine.std() > 10


def test_the_wide_view_is_the_same_with_a_fovea():
    plain, fine = (gym.make("InfantArm-v0", eye_size=SMALL, eyes="both", fovea=fovea) for fovea in (False, True))
    first, second = plain.reset(seed=2)[0], fine.reset(seed=2)[0]
    assert set(second) - set(first) == {"fovea"}
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert second["fovea"].shape == (128, 128, 3)
    assert ArmModel.infant(fovea=False).fingerprint == ArmModel.infant().fingerprint


@pytest.mark.parametrize("gaze", ["eyes", "head"])
def test_the_fovea_turns_with_the_gaze(gaze: str):
    env: Any = gym.make("InfantArm-v0", eye_size=SMALL, gaze=gaze, fovea=True).unwrapped
    straight, _ = env.reset(seed=0)
    turned, _ = env.reset(seed=0, options={"gaze": [0.4, 0.2]})
    assert not np.array_equal(straight["fovea"], turned["fovea"])
    for part in ("xpos", "xmat"):
        np.testing.assert_array_equal(
            *(getattr(env.data.camera(env.arm.eyes[name]), part) for name in ("eye", "fovea"))
        )


def test_acuity_blurs_by_the_foveas_own_pixels():
    # in its middle the fovea has 64 tan(1 degree) / tan(15 degrees) = 4.17 pixels per degree, whatever the eye has
    arm = ArmModel.infant(fovea=True)
    data = arm.new_data()
    arm.pose(data, POSE)
    clear, blurred = (EyeCamera(arm, SMALL, acuity).render(data, "fovea") for acuity in (None, 0.9))
    assert np.array_equal(blurred, Blur(0.9, 64 * np.tan(np.deg2rad(1)) / np.tan(np.deg2rad(15)))(clear))
    assert np.abs(blurred.astype(int) - clear).mean() > 0.5


def test_noise_of_the_fovea_is_its_own_and_its_delay_is_the_eyes():
    senses = {"eye": Sense(noise=0.1)}
    options: dict[str, Any] = {"eye_size": (128, 128), "fovea": True, "eyes": "both"}
    clean, noisy = (gym.make("InfantArm-v0", senses=s, **options).reset(seed=0)[0] for s in (None, senses))
    noise = [noisy[name].astype(float) - clean[name] for name in ("eye", "eye_left", "fovea")]
    middle = np.all([(clean[name] > 30) & (clean[name] < 225) for name in ("eye", "eye_left", "fovea")], axis=0)
    known = np.corrcoef([each[middle] for each in noise])
    assert np.abs(known - np.eye(3)).max() < 0.05
    assert noise[2][middle].std() > 10
    now, late = (gym.make("InfantArm-v0", senses=s, **options).unwrapped for s in (None, {"eye": Sense(0, 80)}))
    first, seen = now.reset(seed=0)[0]["fovea"], late.reset(seed=0)[0]["fovea"]
    for _ in range(2):
        seen = late.step(np.ones(5, np.float32))[0]["fovea"]
    assert np.array_equal(seen, first)


def test_the_fovea_shows_the_arm_where_it_is_seen():
    env: Any = gym.make("InfantArm-v0", eye_size=SMALL, fovea=True).unwrapped
    env.reset(seed=0)
    before, _ = env.reset(seed=0, options={"joints": POSE})
    env.show(Seen(color=(0.0, 0.0, 1.0)))
    after, _ = env.reset(seed=0, options={"joints": POSE})
    assert not np.array_equal(before["fovea"], after["fovea"])


@pytest.mark.parametrize("name", ["InfantArm-v0", "InfantArmReach-v0", "InfantArmTouch-v0"])
def test_many_foveas_are_like_single_ones(name: str):
    made: dict[str, Any] = {"eye_size": (36, 36), "gaze": "eyes", "fovea": True, "senses": {"eye": Sense(0.02, 50)}}
    many: Any = gym.make_vec(name, 2, **made)
    single = [gym.make(name, **made).unwrapped for _ in range(2)]
    seen, each = many.reset(seed=5)[0], [env.reset(seed=5 + k)[0] for k, env in enumerate(single)]
    assert many.observation_space.contains(seen)
    for action in np.random.default_rng(0).uniform(-1, 1, (2, *many.action_space.shape)).astype(np.float32):
        assert np.array_equal(seen["fovea"], np.stack([one["fovea"] for one in each]))
        seen = many.step(action)[0]
        each = [env.step(row)[0] for env, row in zip(single, action, strict=True)]
    assert np.array_equal(seen["fovea"], np.stack([one["fovea"] for one in each]))


@pytest.mark.parametrize("check", [check_by_gymnasium, check_by_stable_baselines])
@pytest.mark.parametrize("name", ["InfantArm-v0", "InfantArmReach-v0"])
def test_both_checkers_are_content(check: Any, name: str):
    env = gym.make(name, eye_size=SMALL, fovea=True, senses="age", acuity="age")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(env.unwrapped)


def test_the_description_records_the_fovea_and_a_change_keeps_it():
    arm = ArmModel.infant(fovea=True)
    assert arm.body.as_dict() == {"fovea": True}
    assert list(ArmModel.of(arm.body.as_dict()).eyes) == ["eye", "fovea"]
    env: Any = gym.make("InfantArm-v0", eye_size=SMALL, fovea=True).unwrapped
    env.reset(seed=0)
    env.change(6.0)
    assert env.step(np.zeros(5, np.float32))[0]["fovea"].shape == (128, 128, 3)


def test_a_fovea_that_cannot_be_is_refused_in_one_line(tmp_path: Path):
    for make in (gym.make, gym.make_vec):
        with pytest.raises(UserError, match="^got fovea=True without eye_size, expected both; add an eye"):
            make("InfantArmReach-v0", fovea=True)
    with pytest.raises(UserError, match="^got fovea='yes', expected True or False$"):
        gym.make("InfantArm-v0", fovea="yes")
    for mode, more in (("targetbody", ' target="point"'), ("track", "")):
        with pytest.raises(
            UserError, match=f"^got fovea=True with the eye 'eye', a camera of the kind '{mode}', expected a"
        ):
            robot(tmp_path, mode=mode, more=more)


def test_the_fovea_of_another_robot_is_at_its_eye(tmp_path: Path):
    arm = robot(tmp_path)
    data = arm.new_data()
    mujoco.mj_forward(arm.model, data)
    assert np.array_equal(data.camera("eye").xpos, data.camera("eye_fovea").xpos)
    assert np.array_equal(data.camera("eye").xmat, data.camera("eye_fovea").xmat)
