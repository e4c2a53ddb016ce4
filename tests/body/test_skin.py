"""The skin of bodies from MJCF files."""

from pathlib import Path

import numpy as np
import pytest
from planar import planar_arm

from agents.babbling import BabblingAgent
from infant_env.body.model import ArmModel
from infant_env.errors import UserError
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


def test_contacts_of_a_hand_that_touches_nothing_are_refused_in_one_line(tmp_path: Path):
    arm = planar_arm(tmp_path)
    with pytest.raises(UserError, match="in which a hand touches the body; collect without touching, or give the hand"):
        BabblingAgent(arm, (36, 60), touching=True).sample(0)


def test_both_hands_are_known_by_their_sides():
    touch = Touch(ArmModel.infant(arms="both"))
    assert list(touch.hands) == ["right_hand", "left_hand"]
    for side, hand in touch.hands.items():
        mine = [name for name, own in zip(touch.names, touch.patches.on(hand), strict=True) if own]
        assert len(mine) == 29
        assert all(name.startswith(side.split("_")[0]) for name in mine)
