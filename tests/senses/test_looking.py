"""A gaze that looks at a place has it in the middle of the eye's frame."""

import mujoco
import numpy as np
import pytest

from infant_env import ArmModel
from infant_env.senses.looking import look_at


@pytest.mark.parametrize("gaze", ["eyes", "head"])
def test_a_place_within_reach_of_the_gaze_comes_to_the_middle(gaze: str):
    arm = ArmModel.infant(gaze=gaze)
    data = arm.new_data()
    mujoco.mj_forward(arm.model, data)
    eye = data.camera(arm.eye_camera)
    forward, right = -eye.xmat.reshape(3, 3)[:, 2], eye.xmat.reshape(3, 3)[:, 0]
    place = eye.xpos + 0.25 * forward + 0.06 * right
    angles = look_at(arm, data, place)
    mujoco.mj_forward(arm.model, data)
    eye = data.camera(arm.eye_camera)
    across, up, back = eye.xmat.reshape(3, 3).T @ (place - eye.xpos)
    assert back < 0
    assert abs(np.rad2deg(np.arctan2([across, up], -back))).max() < 0.5
    assert angles[0] < 0, "to the right is negative"


def test_a_place_beyond_the_gaze_is_approached():
    arm = ArmModel.infant(gaze="eyes")
    data = arm.new_data()
    mujoco.mj_forward(arm.model, data)
    eye = data.camera(arm.eye_camera)
    behind = eye.xpos - 0.2 * eye.xmat.reshape(3, 3)[:, 0] + 0.02 * eye.xmat.reshape(3, 3)[:, 2]
    assert look_at(arm, data, behind)[0] == pytest.approx(np.deg2rad(30), abs=1e-6)
