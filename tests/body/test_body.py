import mujoco
import numpy as np
import pytest

from infant_env.body.built_in.anthropometry import JOINT_NAMES, Anthropometry
from infant_env.body.model import PENETRATION_LIMIT, ArmModel

TWO_JOINT_ARM = """
<mujoco>
  <compiler angle="radian"/>
  <worldbody>
    <geom name="floor" type="plane" size="2 2 .1" pos="0 0 -1"/>
    <camera name="watcher" pos="0 -2 0" xyaxes="1 0 0 0 0 1"/>
    <camera name="eye" pos="-.3 0 .3" xyaxes="0 -1 0 .7 0 .7"/>
    <body name="upper">
      <joint name="shoulder" type="hinge" axis="0 1 0" range="-1.5 1.5"/>
      <joint name="free_spin" type="hinge" axis="0 0 1"/>
      <geom name="upper" type="capsule" fromto="0 0 0 .3 0 0" size=".03"/>
      <body name="lower" pos=".3 0 0">
        <joint name="elbow" type="hinge" axis="0 1 0" range="0 2"/>
        <geom name="lower" type="capsule" fromto="0 0 0 .2 0 0" size=".025"/>
        <body name="hand" pos=".2 0 0"><geom name="hand" type="sphere" size=".04"/></body>
      </body>
    </body>
  </worldbody>
  {actuators}
</mujoco>
"""
ARGUMENTS = {"joints": ["shoulder", "elbow"], "eye_camera": "eye", "arm_bodies": ["upper", "lower", "hand"]}


@pytest.fixture(scope="module")
def arm() -> ArmModel:
    return ArmModel.infant()


@pytest.fixture
def data(arm):
    return mujoco.MjData(arm.model)


def write(folder, actuators=""):
    path = folder / "arm.xml"
    path.write_text(TWO_JOINT_ARM.format(actuators=actuators))
    return path


def deepest_pair(arm, data):
    contact = min(data.contact, key=lambda c: c.dist)
    return {arm.model.geom(contact.geom1).name, arm.model.geom(contact.geom2).name}


def test_five_joints_move_and_nothing_else(arm):
    assert arm.model.nv == arm.model.nu == 5
    assert arm.joint_names == JOINT_NAMES
    assert not mujoco.mj_isSparse(arm.model)


@pytest.mark.parametrize("age", [1, 2.5, 6, 12, 17, 24])
def test_every_age_builds_at_its_sizes(age):
    arm, size = ArmModel.infant(age), Anthropometry.at(age)
    data = mujoco.MjData(arm.model)
    mujoco.mj_forward(arm.model, data)
    shoulder, elbow, wrist = (data.body(f"right_{n}").xpos for n in ("upper_arm", "forearm", "hand"))
    assert np.linalg.norm(elbow - shoulder) == pytest.approx(size.upper_arm_length)
    assert np.linalg.norm(wrist - elbow) == pytest.approx(size.forearm_length)
    middle = data.geom("right_middle")
    half_length, radius = arm.model.geom("right_middle").size[[1, 0]]
    fingertip = middle.xpos[2] - abs(middle.xmat[8]) * half_length - radius
    assert wrist[2] - fingertip == pytest.approx(size.hand_length, rel=0.05)
    assert arm.joint_ranges == pytest.approx(size.joint_ranges)


def test_masses_are_the_infants(arm):
    size = Anthropometry.at(12)
    assert arm.model.body_mass.sum() == pytest.approx(size.mass)
    assert arm.model.body("right_upper_arm").mass[0] == pytest.approx(size.upper_arm_mass)
    assert arm.model.body("right_forearm").mass[0] == pytest.approx(size.forearm_mass)
    assert arm.model.body("right_hand").mass[0] == pytest.approx(size.hand_mass)


def test_joints_count_up_in_the_direction_of_their_names(arm, data):
    def hand(*degrees):
        arm.pose(data, np.deg2rad(degrees))
        return arm.hand_position(data)

    hanging = hand(0, 0, 0, 0, 0)
    assert hand(30, 0, 0, 0, 0)[0] > hanging[0] + 0.05  # flexion: forward
    assert hand(0, 30, 0, 0, 0)[1] < hanging[1] - 0.05  # abduction: to the right
    assert hand(0, 0, 0, 45, 0)[0] > hanging[0] + 0.05  # elbow flexion: forward
    assert hand(0, 0, 45, 90, 0)[1] > hand(0, 0, 0, 90, 0)[1] + 0.05  # medial rotation: to the left
    hand(0, 0, 0, 90, 90)
    palm = data.geom("right_palm_pad").xpos - data.geom("right_palm").xpos
    assert palm[2] < -0.9 * np.linalg.norm(palm)  # pronation: palm down


@pytest.mark.parametrize("age", [1, 12, 24])
def test_servos_hold_the_arm_against_gravity(age):
    arm = ArmModel.infant(age)
    data = mujoco.MjData(arm.model)
    for degrees in ([90, 10, 0, 20, 0], [60, 60, -40, 90, 60], [30, 80, 20, 40, -60], [110, 30, 0, 60, 0]):
        joints = np.deg2rad(degrees)
        arm.pose(data, joints)
        mujoco.mj_step(arm.model, data, 200)  # 1 s
        assert np.abs(np.rad2deg(data.qpos[arm.qpos_ids] - joints)).max() < 0.5


def test_the_arm_arrives_within_a_quarter_of_a_second(arm, data):
    start, goal = np.deg2rad([40, 20, 0, 40, -20]), np.deg2rad([70, 45, 20, 70, 20])
    arm.pose(data, start)
    data.ctrl[arm.actuator_ids] = goal
    mujoco.mj_step(arm.model, data, 50)
    assert np.abs(data.qpos[arm.qpos_ids] - goal).max() < 0.1 * np.abs(goal - start).min()


@pytest.mark.parametrize(
    ("degrees", "touched"),
    [
        ([20, 0, 60, 95, 0], "torso"),
        ([50, 5, 30, 135, 0], "skull"),
        ([20, 10, 0, 50, 0], "right_thigh"),
        ([0, 10, 0, 0, 0], "floor"),
    ],
)
def test_the_arm_touches_its_own_body_and_the_floor(arm, data, degrees, touched):
    arm.pose(data, np.deg2rad(degrees))
    assert arm.penetration(data) > PENETRATION_LIMIT
    assert touched in deepest_pair(arm, data)


def test_contact_stops_the_arm(arm, data):
    start, into_the_trunk = np.deg2rad([60, 10, 0, 95, 0]), np.deg2rad([20, 0, 80, 95, 0])
    arm.pose(data, start)
    assert arm.penetration(data) == 0
    data.ctrl[arm.actuator_ids] = into_the_trunk
    mujoco.mj_step(arm.model, data, 200)
    assert 0 < arm.penetration(data) < PENETRATION_LIMIT
    assert np.abs(data.qpos[arm.qpos_ids] - into_the_trunk).max() > np.deg2rad(5)


def test_an_arm_in_the_air_does_not_touch_itself(arm, data):
    for elbow in np.linspace(*arm.joint_ranges[3], 8):
        arm.pose(data, [np.deg2rad(60), np.deg2rad(80), np.deg2rad(-90), elbow, 0])
        assert arm.penetration(data) == 0


def test_a_pose_forgets_what_was_before(arm):
    used, fresh = mujoco.MjData(arm.model), mujoco.MjData(arm.model)
    arm.pose(used, arm.denormalize(np.full(5, 0.2)))
    mujoco.mj_step(arm.model, used, 37)
    for data in (used, fresh):
        arm.pose(data, arm.denormalize(np.full(5, 0.5)))
        data.ctrl[arm.actuator_ids] = arm.denormalize(np.full(5, 0.55))
        mujoco.mj_step(arm.model, data, 40)
    assert used.qpos.tobytes() == fresh.qpos.tobytes()
    assert used.qvel.tobytes() == fresh.qvel.tobytes()


def test_normalizing_and_back_gives_the_same_joints(arm):
    joints = arm.denormalize(np.random.default_rng(0).uniform(size=(7, 5)))
    assert arm.denormalize(arm.normalize(joints)) == pytest.approx(joints)
    assert arm.normalize(arm.joint_ranges.T).tolist() == [[0] * 5, [1] * 5]


def test_the_fingerprint_tells_bodies_apart_and_nothing_else(arm):
    assert arm.fingerprint == ArmModel.infant(12).fingerprint
    assert arm.fingerprint != ArmModel.infant(11).fingerprint


def test_ages_without_data_are_refused():
    with pytest.raises(ValueError, match="from 1 to 24"):
        ArmModel.infant(30)


def test_anybodys_arm_gets_servos_a_hand_and_the_dense_jacobian(tmp_path):
    arm = ArmModel.from_mjcf(write(tmp_path), **ARGUMENTS)
    data = mujoco.MjData(arm.model)
    assert arm.joint_ranges.tolist() == [[-1.5, 1.5], [0, 2]]
    assert arm.qpos_ids.tolist() == [0, 2]
    assert arm.outside_camera == -1
    assert not mujoco.mj_isSparse(arm.model)
    assert [arm.model.geom(i).name for i in np.flatnonzero(arm.arm_geoms)] == ["upper", "lower", "hand"]
    assert [arm.model.geom(i).name for i in np.flatnonzero(arm.hand_geoms)] == ["hand"]
    arm.pose(data, [0.5, 0.0])
    assert arm.hand_position(data) == pytest.approx([0.5 * np.cos(0.5), 0, -0.5 * np.sin(0.5)])
    mujoco.mj_step(arm.model, data, 500)
    assert data.qpos[arm.qpos_ids] == pytest.approx([0.5, 0.0], abs=0.01)


def test_an_arm_includes_what_hangs_on_it(tmp_path):
    arm = ArmModel.from_mjcf(write(tmp_path), **ARGUMENTS | {"arm_bodies": ["upper"], "hand_bodies": ["hand"]})
    assert (arm.arm_geoms.sum(), arm.hand_geoms.sum()) == (3, 1)


def test_existing_position_servos_are_kept(tmp_path):
    servos = '<actuator><position name="mine" joint="elbow" kp="20" kv="1"/></actuator>'
    arm = ArmModel.from_mjcf(write(tmp_path, servos), **ARGUMENTS)
    assert arm.model.nu == 2
    assert arm.model.actuator(arm.actuator_ids[1]).name == "mine"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"joints": ["shoulder", "wrist"]}, r"wrist.*available: \['shoulder', 'free_spin', 'elbow'\]"),
        ({"eye_camera": "left_eye"}, r"left_eye.*available: \['watcher', 'eye'\]"),
        ({"outside_camera": "door"}, r"door.*available: \['watcher', 'eye'\]"),
        ({"arm_bodies": ["arm"]}, r"arm.*available: \['world', 'upper', 'lower', 'hand'\]"),
        ({"hand_bodies": ["fist"]}, r"fist.*available:"),
        ({"joints": []}, r"joint names \[\].*available:"),
        ({"joints": ["free_spin"]}, "expected a hinge with a range"),
        ({"arm_bodies": ["lower"], "hand_bodies": ["hand"]}, "without 'upper', which the joint 'shoulder' moves"),
    ],
)
def test_names_that_do_not_fit_are_refused_with_those_that_do(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        ArmModel.from_mjcf(write(tmp_path), **ARGUMENTS | change)


@pytest.mark.parametrize(
    "actuator", ['<motor joint="elbow"/>', '<velocity joint="elbow"/>', '<position joint="elbow" gear="3"/>']
)
def test_joints_driven_otherwise_are_refused(tmp_path, actuator):
    with pytest.raises(ValueError, match="expected one position servo with gear 1"):
        ArmModel.from_mjcf(write(tmp_path, f"<actuator>{actuator}</actuator>"), **ARGUMENTS)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"nowhere\.xml"):
        ArmModel.from_mjcf(tmp_path / "nowhere.xml", **ARGUMENTS)
