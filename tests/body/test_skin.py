"""The skin of bodies from MJCF files."""

from pathlib import Path

import numpy as np
from planar import planar_arm

from infant_env.senses.skin.touch import Touch


def test_each_shape_of_another_robot_that_makes_contact_is_a_patch(tmp_path: Path):
    arm = planar_arm(
        tmp_path,
        base='<geom name="wall" type="box" size=".05 .05 .05" pos="-.15 0 0"/><geom size=".01" contype="0" conaffinity="0"/>',
        hand='<body name="hand" pos=".16 0 0"><geom size=".02"/></body>',
        told={"hand_bodies": ("hand",)},
    )
    touch = Touch(arm)
    assert touch.names == ("wall", "upper_1", "lower_1", "hand_1")  # the floor is no part of the robot
    np.testing.assert_allclose(touch.areas[[0, 3]], [6 * 0.1**2, 4 * np.pi * 0.02**2], rtol=1e-3)
    assert list(touch.hands) == ["hand"]
    assert touch.patches.on(arm.hand_geoms).tolist() == [False, False, False, True]
