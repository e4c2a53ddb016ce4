import os
import subprocess
import sys
from dataclasses import replace

import mujoco
import numpy as np
import pytest

from infant_env.body.model import ArmModel
from infant_env.senses.camera import EyeCamera, OutsideCamera

BEFORE_THE_FACE = np.deg2rad([70, 20, 10, 60, 0])
BEHIND_THE_BACK = np.deg2rad([-80, 20, -40, 0, 0])


@pytest.fixture(scope="module")
def arm() -> ArmModel:
    return ArmModel.infant()


@pytest.fixture(scope="module")
def eye(arm):
    camera = EyeCamera(arm)
    yield camera
    camera.close()


@pytest.fixture
def data(arm):
    return mujoco.MjData(arm.model)


def test_frames_have_the_size_asked_for(arm, eye, data):
    arm.pose(data, BEFORE_THE_FACE)
    assert eye.render(data).shape == (300, 500, 3)
    for size in ((36, 60), (128, 214), (64, 64), (600, 1000)):
        camera = EyeCamera(arm, size)
        frame = camera.render(data)
        camera.close()
        assert (frame.shape, frame.dtype) == ((*size, 3), np.uint8)
        assert frame.std() > 10


def test_equal_poses_give_equal_bytes_whatever_was_rendered_before(arm, eye, data):
    arm.pose(data, BEFORE_THE_FACE)
    first = eye.render(data)
    onlooker, other_eye = OutsideCamera(arm), EyeCamera(arm)
    arm.pose(data, BEHIND_THE_BACK)
    eye.in_view(data)
    eye.background()
    onlooker.render(data)
    assert eye.render(data).tobytes() != first.tobytes()
    arm.pose(data, BEFORE_THE_FACE)
    assert eye.render(data).tobytes() == first.tobytes() == other_eye.render(data).tobytes()
    other_eye.close()
    onlooker.close()
    assert eye.render(data).tobytes() == first.tobytes()


def test_frames_are_the_callers_own(arm, eye, data):
    arm.pose(data, BEFORE_THE_FACE)
    first = eye.render(data)
    kept = first.copy()
    arm.pose(data, BEHIND_THE_BACK)
    eye.render(data)
    assert (first == kept).all()


def test_the_background_is_the_frame_without_the_arm(arm, eye, data):
    background = eye.background()
    arm.pose(data, BEHIND_THE_BACK)
    assert eye.in_view(data) == (0, 0)
    assert (eye.render(data) == background).all()
    arm.pose(data, BEFORE_THE_FACE)
    assert (eye.render(data) != background).any(axis=-1).mean() == pytest.approx(eye.in_view(data)[0], abs=0.01)


def test_in_view_agrees_with_a_full_size_segmentation(arm, eye, data):
    renderer = mujoco.Renderer(arm.model, 300, 500)
    renderer.enable_segmentation_rendering()
    rng = np.random.default_rng(3)
    for joints in (BEFORE_THE_FACE, BEHIND_THE_BACK, *arm.denormalize(rng.uniform(size=(6, 5)))):
        arm.pose(data, joints)
        renderer.update_scene(data, arm.eye_camera)
        ids, kinds = np.moveaxis(renderer.render(), -1, 0)
        is_geom = kinds == mujoco.mjtObj.mjOBJ_GEOM
        expected = [(is_geom & geoms[ids]).mean() for geoms in (arm.arm_geoms, arm.hand_geoms)]
        assert eye.in_view(data) == pytest.approx(expected, abs=0.003)
    renderer.close()


@pytest.mark.parametrize("age", [1, 12, 24])
def test_the_eye_sees_the_arm_in_most_poses(age):
    arm = ArmModel.infant(age)
    eye, data = EyeCamera(arm, (60, 100)), mujoco.MjData(arm.model)
    seen = []
    for joints in arm.denormalize(np.random.default_rng(0).uniform(size=(1000, 5))):
        arm.pose(data, joints)
        seen.append(eye.in_view(data)[0] >= 0.01)
    eye.close()
    assert np.mean(seen) >= 0.85


@pytest.mark.parametrize("age", [1, 6, 12, 24])
def test_the_infants_own_face_does_not_stand_in_its_way(age):
    arm = ArmModel.infant(age)
    data = mujoco.MjData(arm.model)
    arm.pose(data, arm.denormalize(np.full(5, 0.5)))
    renderer = mujoco.Renderer(arm.model, 60, 100)
    renderer.enable_segmentation_rendering()
    renderer.update_scene(data, arm.eye_camera)
    ids = renderer.render()[..., 0]
    renderer.close()
    face = arm.model.geom_bodyid == arm.model.body("head").id
    assert face[ids[ids >= 0]].mean() < 0.02


def test_the_onlooker_sees_the_infant(arm, data):
    arm.pose(data, BEFORE_THE_FACE)
    onlooker = OutsideCamera(arm, (240, 320))
    frame = onlooker.render(data)
    arm.pose(data, BEHIND_THE_BACK)
    moved = onlooker.render(data)
    onlooker.close()
    assert frame.shape == (240, 320, 3)
    assert 0.01 < (frame != moved).any(axis=-1).mean() < 0.5


def test_a_closed_camera_may_be_closed_again_and_opens_at_the_next_frame(arm, data):
    arm.pose(data, BEFORE_THE_FACE)
    camera = EyeCamera(arm, (36, 60))
    first = camera.render(data)
    camera.close()
    camera.close()
    assert camera.render(data).tobytes() == first.tobytes()
    camera.close()


@pytest.mark.parametrize("backend", ["", "osmesa_is_missing"])
def test_without_opengl_the_error_holds_the_line_that_mends_it(backend):
    program = (
        "import mujoco\n"
        + ("if hasattr(mujoco, 'GLContext'): del mujoco.GLContext\n" if backend else "")
        + "from infant_env.body.model import ArmModel; from infant_env.senses.camera import EyeCamera\n"
        "arm = ArmModel.infant(); eye = EyeCamera(arm)\n"
        "try: eye.render(mujoco.MjData(arm.model))\n"
        "except RuntimeError as error: print(error)\n"
    )
    environment = {k: v for k, v in os.environ.items() if k not in ("MUJOCO_GL", "DISPLAY", "WAYLAND_DISPLAY")}
    result = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert "apt-get install -y libegl1 libgl1-mesa-dri" in result.stdout
    assert "export MUJOCO_GL=egl" in result.stdout


@pytest.mark.parametrize("camera", ["outside", None])
def test_a_place_in_the_world_lies_where_its_pixels_are(camera):
    arm = ArmModel.infant()
    if camera is None:
        arm = replace(arm, outside_camera=-1)  # MuJoCo's free camera
    data, tip = arm.new_data(), int(np.flatnonzero(arm.hand_geoms)[-1])
    arm.pose(data, BEFORE_THE_FACE)
    others = np.arange(arm.model.ngeom) != tip
    arm.model.geom_matid[others], arm.model.geom_rgba[others, 3] = -1, 0  # nothing else is drawn
    onlooker = OutsideCamera(arm, (480, 640))
    frame = onlooker.render(data)
    ((row, column),) = onlooker.pixels(data, data.geom_xpos[tip][None])
    onlooker.close()
    rows, columns = np.nonzero((frame != frame[0, 0]).any(axis=2))
    assert (rows.mean() + 0.5, columns.mean() + 0.5) == pytest.approx((row, column), abs=2)
