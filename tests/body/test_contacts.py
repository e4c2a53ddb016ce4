"""A touch is a contact that depends on the pose: not one within the hand, nor one that the body's shapes cause in every pose."""

from pathlib import Path

import mujoco
import numpy as np
import pytest

from infant_env.body.model import PENETRATION_LIMIT, ArmModel
from infant_env.envs.arm_env import InfantArmEnv
from infant_env.errors import UserError
from training.act.plan import deepest
from training.data.babbled_motion import babble

ROBOT = """
<mujoco>
  <compiler angle="degree"/>
  <worldbody>
    <light pos="0 0 2"/>
    <camera name="eye" pos="0 0 .9" fovy="80"/>
    <geom name="pillar" type="capsule" fromto=".09 .24 0 .09 .24 .3" size=".02"/>
    <body name="base">
      <geom name="pedestal" type="cylinder" size=".05 .05" pos="0 0 .05"/>
      <body name="turret" pos="0 0 .1">
        <joint name="turn" axis="0 0 1" range="-90 90" armature=".01"/>
        <geom name="turret" size=".02" pos="0 0 .012"/>
        <body name="upper">
          <joint name="shoulder" axis="0 0 1" range="-90 90" armature=".01"/>
          <geom name="upper" type="capsule" fromto=".1 0 .05 .2 0 .05" size=".02"/>
          <body name="palm" pos=".25 0 .05">
            <geom name="palm" size=".02"/>
            <body name="left" pos=".04 .009 0">
              <joint name="left" type="slide" axis="0 1 0" range="-.001 .001" stiffness="100" damping="1"/>
              <geom name="left" size=".01"/>
            </body>
            <body name="right" pos=".04 -.009 0">
              <joint name="right" type="slide" axis="0 1 0" range="-.001 .001" stiffness="100" damping="1"/>
              <geom name="right" size=".01"/>
            </body>
          </body>
        </body>
      </body>
    </body>
  </worldbody>
</mujoco>
"""


@pytest.fixture(scope="module")
def robot(tmp_path_factory: pytest.TempPathFactory) -> ArmModel:
    """Its two fingers always touch each other, and its turret is always in the pedestal by 8 mm."""
    path = tmp_path_factory.mktemp("robot") / "robot.xml"
    path.write_text(ROBOT)
    return ArmModel.from_mjcf(path, ["turn", "shoulder"], "eye", ["turret", "upper", "palm"])


def touching(arm: ArmModel, data: mujoco.MjData) -> set[frozenset[str]]:
    """The names of the geoms in each contact, whether it counts or not."""
    return {frozenset(arm.model.geom(int(geom)).name for geom in pair) for pair in data.contact.geom}


def test_the_fingers_and_the_pedestal_do_not_count(robot: ArmModel):
    data = mujoco.MjData(robot.model)
    robot.place(data, np.radians([-20.0, 0.0]))
    assert touching(robot, data) == {frozenset(("left", "right")), frozenset(("turret", "pedestal"))}
    assert -data.contact.dist.min() > PENETRATION_LIMIT
    assert robot.penetration(data) == 0.0
    assert robot.is_valid(data, np.radians([-20.0, 0.0]))


def test_an_obstacle_counts(robot: ArmModel):
    data, there = mujoco.MjData(robot.model), np.degrees(np.arctan2(0.24, 0.09))
    robot.place(data, np.radians([there, 0.0]))
    assert any("pillar" in pair for pair in touching(robot, data))
    assert robot.penetration(data) > PENETRATION_LIMIT
    assert not robot.is_valid(data, np.radians([there, 0.0]))


def test_ways_and_motion_touch_only_the_obstacle(robot: ArmModel):
    data = mujoco.MjData(robot.model)
    free, through = (
        np.radians(ends).astype(np.float32) for ends in ([[-60.0, 0.0], [-20.0, 10.0]], [[40, 0], [90, 0]])
    )
    assert deepest(free, robot, data) == 0.0
    assert deepest(through, robot, data) > 0.0
    touched = babble(robot, 100, seed=0).touched
    assert 0 < touched.mean() < 1
    env = InfantArmEnv(arm=robot, eye_size=(36, 60))
    assert env.reset(options={"joints": free[0]})[1]["penetration"] == 0.0
    env.close()


def test_an_arm_that_is_always_in_the_floor_is_not_valid(tmp_path: Path):
    (tmp_path / "robot.xml").write_text(
        ROBOT.replace('<body name="base">', '<geom name="block" type="box" size="1 1 .16"/><body name="base">')
    )
    with pytest.raises(UserError, match=r"poses in a row .* deep in another geom, at last the bodies .*'world'"):
        ArmModel.from_mjcf(tmp_path / "robot.xml", ["turn", "shoulder"], "eye", ["turret", "upper", "palm"])


@pytest.mark.parametrize("age", [1.0, 12.0, 24.0])
def test_all_contacts_of_the_infant_s_arm_count(age: float):
    arm = ArmModel.infant(age)
    data, random = mujoco.MjData(arm.model), np.random.default_rng(1)
    for _ in range(100):
        arm.place(data, arm.any_pose(random))
        of_arm = arm.arm_geoms[data.contact.geom].any(axis=1)
        assert arm.penetration(data) == -data.contact.dist[of_arm].min(initial=0.0)
