"""Touch: the patches of skin, what they feel, and that both skins of a contact feel it."""

import warnings
from typing import Any

import gymnasium as gym
import mujoco
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env as check_by_gymnasium
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from stable_baselines3.common.env_checker import check_env as check_by_stable_baselines

import infant_env  # noqa: F401 (registers the environments)
from infant_env import ArmModel, Sense, UserError
from infant_env.body.raw.surfaces import surface_of
from infant_env.senses.skin.touch import STIFFNESS, Touch, share
from infant_env.tasks.pressing import pressing_pose


@pytest.fixture(scope="module")
def touch(arm: ArmModel) -> Touch:
    return Touch(arm)


@pytest.fixture(scope="module")
def older() -> Touch:
    """The skin of an infant of two years."""
    return Touch(ArmModel.infant(24.0))


def pressing(arm: ArmModel, poses: int, seed: int = 0) -> list[NDArray[np.float64]]:
    """Poses in which the arm touches something."""
    data, random = arm.new_data(), np.random.default_rng(seed)
    found: list[NDArray[np.float64]] = []
    while len(found) < poses:
        pose = pressing_pose(arm, data, random)
        found += [] if pose is None else [pose.joints]
    return found


@settings(max_examples=8, deadline=None)
@given(st.floats(1.0, 24.0))
def test_an_infant_of_any_age_has_the_same_patches(older: Touch, age: float):
    touch = Touch(ArmModel.infant(age))
    assert touch.names == older.names
    assert len(set(touch.names)) == len(touch.names) == 525
    assert (touch.areas <= older.areas * 1.0001).mean() > 0.99
    assert touch.areas.sum() <= older.areas.sum()
    assert touch.areas.min() > 0


def test_patches_are_where_their_names_say(arm: ArmModel, touch: Touch):
    data = arm.new_data()
    arm.place(data, np.zeros(5))  # the right arm hangs with the thumb forward
    centers = dict(zip(touch.names, touch.centers(data), strict=True))
    assert centers["chest_front"][0] > centers["chest_back"][0]
    assert centers["belly_left_3"][1] > 0 > centers["belly_right_3"][1]
    for side in ("left", "right"):
        top, bottom = (centers[f"{side}_thigh_{word}_3"] for word in ("top", "bottom"))
        assert top[2] - bottom[2] == pytest.approx(0.096, abs=0.002)  # twice the thigh's radius
        assert centers[f"{side}_knee"][0] > centers[f"{side}_thigh_top_1"][0]
        assert abs(centers[f"{side}_thigh_outer_2"][1]) > abs(centers[f"{side}_thigh_inner_2"][1])
        assert np.linalg.norm(centers[f"{side}_ear"] - data.geom(f"{side}_ear").xpos) < 0.03
    lips = (data.geom("left_lips").xpos + data.geom("right_lips").xpos) / 2
    assert min(centers, key=lambda name: np.linalg.norm(centers[name] - lips)) == "mouth"
    assert np.linalg.norm(centers["nose"] - data.geom("nose").xpos) < 0.02
    assert centers["right_index_tip"][2] < centers["right_palm_thumb_1"][2] < centers["right_upper_arm_front_1"][2]
    assert centers["right_palm_thumb_2"][1] > centers["right_hand_back_thumb_2"][1]  # the palm looks to the body
    assert centers["right_forearm_front_2"][0] > centers["right_forearm_back_2"][0]


def test_centers_follow_the_body(arm: ArmModel, touch: Touch):
    data = arm.new_data()
    before, after = (
        (arm.place(data, pose), touch.centers(data))[1] for pose in (np.zeros(5), np.deg2rad([40, 20, 0, 60, 0]))
    )
    moves = np.linalg.norm(after - before, axis=1) > 1e-9
    assert (moves == touch.patches.on(arm.arm_geoms)).all()


def test_areas_are_parts_of_the_shapes_surfaces():
    model = mujoco.MjModel.from_xml_string("""<mujoco><asset><mesh name="tetra" vertex="0 0 0 1 0 0 0 1 0 0 0 1"/></asset>
      <worldbody><geom size="1"/><geom type="capsule" size="1 2"/><geom type="cylinder" size="1 2"/>
      <geom type="box" size="1 2 3"/><geom type="ellipsoid" size="1 1 1"/><geom type="mesh" mesh="tetra"/></worldbody>
    </mujoco>""")
    found = [surface_of(model, geom)[1].sum() / np.pi for geom in range(5)]
    np.testing.assert_allclose(found, [4, 12, 10, 88 / np.pi, 4], rtol=1e-3)
    assert surface_of(model, 5)[1].sum() == pytest.approx(1.5 + np.sqrt(3) / 2, rel=1e-5)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_both_skins_feel_how_deep_a_contact_is(arm: ArmModel, touch: Touch, seed: int):
    data = arm.new_data()
    arm.place(data, pressing(arm, 1, seed)[0])
    felt, found = touch.felt(data), touch.touched(data)
    depths = -data.contact.dist[arm.touches(data)]
    on_skin = (data.contact.geom[arm.touches(data)] != data.geom("floor").id).sum(axis=1)
    assert 0 < felt.max() <= 50.01 * len(depths)
    assert felt.sum() == pytest.approx(STIFFNESS * (depths * on_skin).sum(), rel=1e-5)
    assert felt.sum() == pytest.approx(found.forces.sum(), rel=1e-5)
    assert {name for name, force in zip(touch.names, felt, strict=True) if force} == set(found.names)
    centers = touch.centers(data)
    for name, place in zip(found.names, found.positions, strict=True):
        assert np.linalg.norm(centers[touch.names.index(name)] - place) < 0.075


def test_a_touch_is_felt_by_the_nearest_patch(arm: ArmModel, touch: Touch):
    data = arm.new_data()
    for pose in pressing(arm, 30):
        arm.place(data, pose)
        found, geoms = touch.touched(data), data.contact.geom[arm.touches(data)].ravel()
        geoms = geoms[geoms != data.geom("floor").id]
        for name, place, geom in zip(found.names, found.positions, geoms, strict=True):
            near = np.linalg.norm(touch.centers(data) - place, axis=1) + 9 * (touch.patches.geoms != geom)
            assert name == touch.names[near.argmin()]


def test_the_hand_touches_patches_of_others_only(arm: ArmModel, touch: Touch):
    data, hand = arm.new_data(), touch.hands["right_hand"]
    assert list(touch.hands) == ["right_hand"]
    times = 0
    for pose in pressing(arm, 60):
        arm.place(data, pose)
        touched = touch.touched_by(data, hand)
        assert not touched[touch.patches.on(hand)].any()
        assert (touch.felt(data)[touched] > 0).all()
        times += touched.any()
    assert 15 < times < 60  # the forearm touches too


def test_an_arm_in_the_air_feels_nothing(arm: ArmModel, touch: Touch):
    data = arm.new_data()
    arm.place(data, arm.joint_ranges.mean(axis=1))
    assert not touch.felt(data).any()
    assert touch.touched(data).names == ()


def test_shares_rise_from_0_to_1():
    np.testing.assert_allclose(share([0.0, 1.0, 3.0]), [0, 0.5, 0.75])
    assert share(np.float32(100)) < 1


@pytest.mark.parametrize("check", [check_by_gymnasium, check_by_stable_baselines])
@pytest.mark.parametrize(
    ("name", "kind"), [("InfantArm-v0", {"eye_size": (36, 60), "senses": "age"}), ("InfantArmReach-v0", {})], ids=str
)
def test_both_checkers_are_content(check: Any, name: str, kind: dict[str, Any]):
    env = gym.make(name, touch=True, gaze="head", **kind)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(env.unwrapped)


def test_an_environment_feels_what_its_pose_feels_and_moves_as_without():
    env, numb = (
        gym.make("InfantArmReach-v0", touch=touch, max_episode_steps=10**6).unwrapped for touch in (True, False)
    )
    data, times = env.arm.new_data(), 0
    for pose in pressing(env.arm, 5):
        first, other = (each.reset(options={"joints": pose})[0] for each in (env, numb))
        for action in np.random.default_rng(0).uniform(-1, 1, (5, 5)).astype(np.float32):
            assert env.observation_space.contains(first)
            env.arm.place(data, env.data.qpos[env.arm.qpos_ids])
            np.testing.assert_array_equal(first["touch"], env.touch.felt(data))
            assert np.array_equal(first["observation"], other["observation"])
            times += first["touch"].any()
            first, other = (each.step(action)[0] for each in (env, numb))
    assert times >= 5
    assert "touch" not in other
    assert numb.touch is None


def test_what_touch_cannot_be_is_refused_in_one_line():
    with pytest.raises(UserError, match=r"^got touch='yes', expected one of \[False, True\]$"):
        gym.make("InfantArm-v0", touch="yes")
    with pytest.raises(UserError, match="got senses with the name 'skin', expected names among"):
        gym.make("InfantArm-v0", touch=True, senses={"skin": Sense(0.1)})
    with pytest.raises(UserError, match="got senses with 'touch' without touch=True, expected both"):
        gym.make("InfantArm-v0", senses={"touch": Sense(0.1)})
