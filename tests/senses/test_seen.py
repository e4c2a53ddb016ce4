"""An arm that is seen elsewhere than it is felt."""

import json
import warnings
from pathlib import Path
from typing import Any

import gymnasium as gym
import mujoco
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env as check_by_gymnasium
from hypothesis import given, settings
from hypothesis import strategies as st
from stable_baselines3.common.env_checker import check_env as check_by_stable_baselines

from infant_env import ArmModel, Body, BodyChange, Seen, Sense, UserError
from infant_env.senses.camera import EyeCamera
from infant_env.senses.seen.seen_arm import SeenArm, mirrored, turned

SMALL = (90, 150)
POSE = np.array([1.0, 0.3, 0.0, 1.0, 0.0])
ELBOW = "right_elbow_flexion"
RED = (1.0, 0.0, 0.0)


def made(name: str = "InfantArm-v0", **options: Any) -> Any:
    return gym.make(name, **{"eye_size": SMALL} | options).unwrapped


def frame(pose: Any = POSE, arm: ArmModel | None = None, **how: Any) -> Any:
    """What the eye sees in a pose, int."""
    arm = arm or ArmModel.infant()
    data = arm.new_data()
    arm.pose(data, np.array(pose))
    return EyeCamera(arm, SMALL).render(data, seen=SeenArm(arm, Seen(**how)) if how else None).astype(int)


def mask(pose: Any = POSE, **how: Any) -> Any:
    """The pixels of an arm that is seen red."""
    seen = frame(pose, **{"color": RED} | how)
    return (seen[..., 0] > 60) & (seen[..., 1] < 30)


def lived(env: Any, steps: int = 5) -> list[Any]:
    actions = np.random.default_rng(0).uniform(-1, 1, (steps, *env.action_space.shape)).astype(np.float32)
    return [env.step(action)[0] for action in actions]


@pytest.mark.parametrize(
    "how",
    [
        {}, {"shift": (0, 0, 0)}, {"turn": 0.0}, {"offsets": {ELBOW: 0.0}}, {"joints": {}}, {"body": 12.0},
        {"body": BodyChange()}, {"body": Body(eyes="both")},
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("senses", [None, {"eye": Sense(0.02, 50.0)}])
def test_no_displacement_gives_the_same_bytes(how: Any, senses: Any):
    plain, shown = made(senses=senses, eyes="both"), made(senses=senses, eyes="both", seen=Seen(**how))
    assert shown._eyes.seen[0] is not None  # the arm goes through the displacement
    one, two = [plain.reset(seed=1)[0], *lived(plain)], [shown.reset(seed=1)[0], *lived(shown)]
    for first, second in zip(one, two, strict=True):
        for name in first:
            np.testing.assert_array_equal(first[name], second[name])


def test_what_is_felt_and_true_does_not_change():
    plain = made("InfantArmReach-v0", goal_eye=True)
    shown = made("InfantArmReach-v0", goal_eye=True, seen=Seen(shift=(0.0, 0.03, 0.0)))
    goal = {"joints": POSE, "goal": [0.15, -0.2, 0.3]}
    first, second = (env.reset(seed=1, options=goal)[0] for env in (plain, shown))
    assert not np.array_equal(first["goal"], second["goal"])  # a goal's picture is what the eye sees there
    action = plain.action_space.sample()
    for _ in range(3):
        (first, *rest), (second, *others) = plain.step(action), shown.step(action)
        assert rest == others
        assert not np.array_equal(first["eye"], second["eye"])
        for name in ("observation", "achieved_goal", "desired_goal"):
            np.testing.assert_array_equal(first[name], second[name])


def projected(arm: ArmModel, data: mujoco.MjData, point: Any) -> Any:
    """Row and column at which the eye sees a point of the world."""
    camera = data.camera(arm.eye_camera)
    seen = camera.xmat.reshape(3, 3).T @ (point - camera.xpos)
    rows, columns = SMALL
    focal = rows / 2 / np.tan(np.deg2rad(arm.model.camera(arm.eye_camera).fovy[0]) / 2)
    return np.array([rows / 2 - focal * seen[1] / -seen[2], columns / 2 + focal * seen[0] / -seen[2]])


@pytest.mark.parametrize("shift", [(0.0, 0.0, 0.0), (0.0, 0.04, 0.0), (0.0, -0.03, 0.02), (0.05, 0.0, 0.0)])
def test_a_ball_is_seen_where_its_shifted_place_is_projected(tmp_path: Path, shift: Any):
    arm = ball(tmp_path)
    data = arm.new_data()
    arm.pose(data, np.zeros(1))
    seen = frame(np.zeros(1), arm, shift=shift, color=RED)
    pixels = np.argwhere((seen[..., 0] > 60) & (seen[..., 1] < 30)) + 0.5
    place = np.array([0.3, 0.0, 0.0]) + shift  # the arm's only geom
    np.testing.assert_allclose(pixels.mean(axis=0), projected(arm, data, place), atol=0.5)


def ball(folder: Path, kind: mujoco.mjtGeom = mujoco.mjtGeom.mjGEOM_SPHERE) -> ArmModel:
    """A robot whose arm is a ball, 30 cm in front of its shoulder, seen from above."""
    spec = mujoco.MjSpec()
    spec.worldbody.add_light(pos=[0, 0, 2])
    spec.worldbody.add_camera(name="eye", pos=[0.25, 0, 0.5], fovy=60)
    spec.add_mesh(name="star", uservert=np.eye(4, 3, -1).ravel() * 0.05)
    upper = spec.worldbody.add_body(name="upper")
    upper.add_joint(name="shoulder", range=[-1, 1], axis=[0, 0, 1])
    named = {"meshname": "star"} if kind == mujoco.mjtGeom.mjGEOM_MESH else {}
    upper.add_geom(name="ball", type=kind, size=[0.02, 0.02, 0.02], pos=[0.3, 0, 0], **named)
    (folder / "arm.xml").write_text(spec.to_xml())
    return ArmModel.from_mjcf(folder / "arm.xml", ["shoulder"])


def test_a_turn_about_the_eye_is_a_turn_of_the_head_for_the_arm_alone():
    seen = np.argwhere(mask(turn=0.0)).mean(axis=0), np.argwhere(mask(turn=8.0)).mean(axis=0)
    assert seen[1][1] < seen[0][1] - 5  # to the left
    places, turns = turned(np.array([[1.0, 0.0, 0.5]]), np.eye(3)[None], np.zeros(3), 90.0)
    np.testing.assert_allclose(places, [[0, 1, 0.5]], atol=1e-12)
    np.testing.assert_allclose(turns[0] @ [1, 0, 0], [0, 1, 0], atol=1e-12)


def test_a_turn_about_the_shoulder_leaves_the_shoulder_where_it_is():
    arm = ArmModel.infant()
    data = arm.new_data()
    arm.pose(data, POSE)
    scene = mujoco.MjvScene(arm.model, 1000)
    camera = mujoco.MjvCamera()
    camera.type, camera.fixedcamid = mujoco.mjtCamera.mjCAMERA_FIXED, arm.model.camera(arm.eye_camera).id
    mujoco.mjv_updateScene(arm.model, data, mujoco.MjvOption(), None, camera, mujoco.mjtCatBit.mjCAT_ALL.value, scene)
    SeenArm(arm, Seen(turn=30.0, about="shoulder")).show(scene, data, data, camera)
    palm = next(g for g in scene.geoms[: scene.ngeom] if g.objid == arm.model.geom("right_palm").id)
    shoulder, true = data.body("right_upper_arm").xpos, data.geom("right_palm").xpos
    assert np.linalg.norm(palm.pos - shoulder) == pytest.approx(np.linalg.norm(true - shoulder), rel=1e-5)
    angles = [np.arctan2(*(place - shoulder)[1::-1]) for place in (true, palm.pos)]
    assert np.rad2deg(angles[1] - angles[0]) == pytest.approx(30, abs=1e-3)


def test_a_mirrored_arm_is_the_arm_with_left_and_right_exchanged():
    straight, exchanged = (mask_alone(mirror) for mirror in (False, True))
    assert straight.sum() > 300
    np.testing.assert_array_equal(straight[:, ::-1], exchanged)


def mask_alone(mirror: bool) -> Any:
    """The pixels of an arm of which nothing else hides a part."""
    arm = ArmModel.infant()
    arm.model.geom_rgba[~arm.arm_geoms, 3] = 0
    how = SeenArm(arm, Seen(mirror=mirror, color=RED))
    data = arm.new_data()
    arm.pose(data, POSE)
    seen = EyeCamera(arm, SMALL).render(data, seen=how).astype(int)
    return (seen[..., 0] > 60) & (seen[..., 1] < 30)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_mirrored_twice_is_the_original(seed: int):
    random = np.random.default_rng(seed)
    places, turns, center = (
        random.normal(size=(4, 3)),
        np.linalg.qr(random.normal(size=(4, 3, 3)))[0],
        random.normal(size=3),
    )
    turns[..., 0] *= np.linalg.det(turns)[:, None]  # rotations
    axis = random.normal(size=3)
    axis /= np.linalg.norm(axis)
    once = mirrored(places, turns, center, axis)
    np.testing.assert_allclose(np.linalg.det(once[1]), 1)
    twice = mirrored(*once, center, axis)
    np.testing.assert_allclose(twice[0], places, atol=1e-12)
    np.testing.assert_allclose(twice[1], turns, atol=1e-12)


def test_the_seen_pose_is_what_the_arm_would_look_like_there():
    other = POSE + np.array([0, 0.4, 0, -0.6, 0])
    named = {"right_shoulder_abduction": other[1], ELBOW: other[3]}
    np.testing.assert_array_equal(frame(joints=named), frame(other))
    offsets = {"right_shoulder_abduction": 0.4, ELBOW: -0.6}
    assert np.abs(frame(offsets=offsets) - frame(other)).max() <= 2


def test_the_arm_of_another_body_is_seen_at_the_own_shoulder():
    longer = frame(body=BodyChange(forearm=1.6))
    np.testing.assert_array_equal(longer, frame(arm=ArmModel.infant(change=BodyChange(forearm=1.6))))
    assert mask(body=3.0).sum() < mask().sum()  # an infant of 3 months has a smaller arm
    armed = frame(body=BodyChange(rod=(0.25, 0.05)))
    np.testing.assert_array_equal(armed, frame(arm=ArmModel.infant(change=BodyChange(rod=(0.25, 0.05)))))
    holding = ArmModel.infant(change=BodyChange(rod=(0.25, 0.05)))
    np.testing.assert_array_equal(frame(arm=holding, body=Body()), frame())


def test_what_is_in_view_is_what_is_seen():
    arm = ArmModel.infant()
    data = arm.new_data()
    arm.pose(data, POSE)
    eye = EyeCamera(arm, SMALL)
    assert eye.in_view(data, SeenArm(arm, Seen(shift=(0, 0, -5.0)))) == (0, 0)
    assert eye.in_view(data, SeenArm(arm, Seen())) == eye.in_view(data)
    assert eye.in_view(data, SeenArm(arm, Seen(body=12.0))) == eye.in_view(data)


def test_the_background_stays_as_it_is():
    hidden = frame(shift=(0, 0, -5.0))
    arm = ArmModel.infant()
    np.testing.assert_array_equal(hidden, EyeCamera(arm, SMALL).background())


def test_a_late_arm_is_seen_where_it_was_and_the_rest_is_not_late():
    plain, late = made(), made(seen={"delay_ms": 80.0})
    frames, seen = [plain.reset(seed=3)[0]["eye"]], [late.reset(seed=3)[0]["eye"]]
    frames += [each["eye"] for each in lived(plain)]
    seen += [each["eye"] for each in lived(late)]
    for k in range(6):
        assert np.abs(seen[k].astype(int) - frames[max(0, k - 2)]).mean() < 0.1
    assert np.abs(seen[5].astype(int) - frames[5]).mean() > 1


def test_the_head_turns_at_once_while_the_arm_is_late():
    plain, late = (
        made(gaze="head", seen=seen) for seen in (Seen(shift=(0, 0, -5.0)), Seen(shift=(0, 0, -5.0), delay_ms=80.0))
    )
    for env in (plain, late):
        env.reset(seed=3)
    for first, second in zip(lived(plain), lived(late), strict=True):
        np.testing.assert_array_equal(first["eye"], second["eye"])


def test_an_arm_can_be_shown_elsewhere_at_any_step_and_as_it_is_again():
    env, plain = made(senses={"eye": Sense(0.01, 40.0)}), made(senses={"eye": Sense(0.01, 40.0)})
    for each in (env, plain):
        each.reset(seed=3)
    env.show(Seen(turn=15.0, delay_ms=40.0))
    assert env.seen == Seen(turn=15.0, delay_ms=40.0)
    for first, second in zip(lived(env), lived(plain), strict=True):
        assert not np.array_equal(first["eye"], second["eye"])
        np.testing.assert_array_equal(first["joints"], second["joints"])
    env.show(None)
    assert env.seen is None
    for first, second in zip(lived(env), lived(plain), strict=True):
        np.testing.assert_array_equal(first["eye"], second["eye"])


def test_a_setting_is_plain_data():
    seen = Seen((0, 0.1, 0), 5, "shoulder", True, 20, {ELBOW: 1}, {ELBOW: 0.1}, BodyChange(hand=1.2), RED)
    plain = json.loads(json.dumps(seen.as_dict()))
    assert plain["shift"] == [0.0, 0.1, 0.0]
    assert Seen().as_dict() == {}
    assert Seen.of(plain).as_dict() == seen.as_dict()
    np.testing.assert_array_equal(made(seen=plain).reset(seed=1)[0]["eye"], made(seen=seen).reset(seed=1)[0]["eye"])


@pytest.mark.parametrize("check", [check_by_gymnasium, check_by_stable_baselines])
@pytest.mark.parametrize("name", ["InfantArm-v0", "InfantArmReach-v0"])
@pytest.mark.parametrize(
    "seen",
    [{"shift": (0, 0.1, 0), "mirror": True}, {"turn": 20.0, "delay_ms": 100.0}, {"joints": {ELBOW: 1.0}, "body": 3.0}],
    ids=str,
)
def test_both_checkers_are_content(check: Any, name: str, seen: Any):
    env = gym.make(name, eye_size=(36, 60), seen=seen, eyes="both", acuity="age", senses="age")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(env.unwrapped)


def test_another_body_from_a_file_can_be_shown_elsewhere_but_a_mesh_has_no_mirror_image(tmp_path: Path):
    arm = ball(tmp_path, mujoco.mjtGeom.mjGEOM_MESH)
    straight = frame(np.zeros(1), arm)
    np.testing.assert_array_equal(frame(np.zeros(1), arm, turn=0.0), straight)
    assert not np.array_equal(frame(np.zeros(1), arm, shift=(0, 0.1, 0)), straight)
    with pytest.raises(UserError, match="mirror=True, but the arm's geom 'ball' is a mesh or has another shape"):
        made(arm=arm, seen={"mirror": True})
    with pytest.raises(UserError, match="got a change to or from the body"):
        made(arm=arm, seen={"body": 12.0})


@pytest.mark.parametrize(
    ("seen", "message"),
    [
        ("left", r"got seen='left', expected a Seen, such as Seen\(turn=15.0\)"),
        ({"where": 1}, "got seen="),
        ({"shift": 0.1}, r"shift=0\.1, expected metres to the front, to the left and up from -10 to 10"),
        ({"turn": "left"}, "turn='left', expected degrees from -360 to 360"),
        ({"turn": float("nan")}, "turn=nan, expected degrees"),
        ({"about": "nose"}, r"about='nose', expected one of \['eye', 'shoulder'\]"),
        ({"mirror": 1}, "mirror=1, expected True or False"),
        ({"delay_ms": -1}, "delay_ms=-1, expected milliseconds from 0 to 10000"),
        ({"joints": [1, 2]}, r"joints=\[1, 2\], expected angles in rad by the names of joints"),
        ({"joints": {"knee": 1}}, r"got a seen arm with the joints \['knee'\], expected names among \['right_sh"),
        ({"offsets": {ELBOW: "x"}}, "offsets right_elbow_flexion='x', expected an angle"),
        ({"body": "big"}, "got 'big' in place of a body"),
        ({"color": "red"}, "color='red', expected red, green and blue from 0 to 1"),
    ],
)
def test_what_cannot_be_seen_is_refused_in_one_line(seen: Any, message: str):
    with pytest.raises(UserError, match=message) as error:
        made(seen=seen)
    assert "\n" not in str(error.value)


def test_an_infant_without_eyes_sees_nothing():
    with pytest.raises(UserError, match="without eye_size, expected both"):
        made("InfantArmReach-v0", eye_size=None, seen={"turn": 5.0})
