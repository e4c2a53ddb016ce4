"""Another robot's servos are tested before anything else: they hold and reach poses, or one line says which joint and why."""

import gymnasium as gym
import mujoco
import numpy as np
import pytest
from planar import planar, planar_arm

from infant_env.body.description import Body
from infant_env.body.model import ArmModel
from infant_env.body.self_test import self_test
from infant_env.errors import UserError
from training import cli


def servo(attributes: str = "", rest: str = "") -> dict[str, str]:
    """A servo of the elbow with these attributes, and the rest of the actuators."""
    return {"more": f'<actuator>{rest}<position joint="elbow" kp="20" kv="1" {attributes}/></actuator>'}


GOOD = {
    "added servos": {},
    "its weight is carried": {"axis": "1 0"},
    "a spring that the added servo replaces": {"elbow": 'stiffness="5"'},
    "its own servos": servo("", '<position joint="shoulder" kp="20" kv="1"/>'),
    "in the parent's frame": {"more": '<actuator><position jointinparent="elbow" kp="20" kv="1"/></actuator>'},
    "a fast filter": servo('timeconst=".005"'),
    "a keyframe": {"more": '<keyframe><key name="home" qpos=".3 1"/></keyframe>'},
    "an obstacle on the way": {"world": '<geom type="box" size=".05 .05 .1" pos=".15 -.25 .5"/>'},
    "an equality that is off": {
        "more": '<equality><joint joint1="elbow" joint2="shoulder" active="false"/></equality>'
    },
    "a loose thing that falls": {"world": '<body pos="1 1 1"><freejoint/><geom size=".05"/></body>'},
}
BAD = {
    "a tendon pulls": (
        {
            "more": '<tendon><fixed name="t"><joint joint="elbow" coef="1"/></fixed></tendon>'
            '<actuator><position tendon="t" kp="20" kv="1"/></actuator>'
        },
        r"'elbow'.*degrees.*number 0 \(unnamed, on the tendon 't'\) drives it too; remove",
    ),
    "the hand is pulled": (
        {
            "hand": '<site name="tip" pos=".15 0 0"/>',
            "more": '<actuator><position site="tip" refsite="corner" gear="0 1 0 0 0 0" kp="900"/></actuator>',
            "world": '<site name="corner"/>',
        },
        r"the actuator number 0 \(unnamed, on the site 'tip'\) drives it too",
    ),
    "a slow filter": (
        servo('timeconst=".5"'),
        r"'elbow'.*time constant 0.5 s.; remove timeconst",
    ),
    "a filter of a fifth of a second": (
        servo('timeconst=".2"'),
        r"'elbow'.*time constant 0.2 s.; remove timeconst",
    ),
    "velocities": (
        {"more": '<actuator><intvelocity joint="elbow" kp="20" actrange="0 2"/></actuator>'},
        r"'elbow'.*takes velocities .intvelocity., not positions; replace it by <position>",
    ),
    "a narrow ctrlrange": (
        servo('ctrlrange="0 .5"'),
        r"'elbow' misses its target by 121.4 degrees.*ctrlrange is 0 to 0.5, its range 0 to 2.62 rad; widen",
    ),
    "a ctrlrange a little too narrow": (
        servo('ctrlrange="0 2.5"'),
        r"'elbow' misses its target by 6.8 degrees.*ctrlrange is 0 to 2.5",
    ),
    "joints that are coupled": (
        {"more": '<equality><joint name="pair" joint1="elbow" joint2="shoulder"/></equality>'},
        r"degrees.*the equality constraint 'pair' .joint. holds it; remove it",
    ),
    "a weld to a mocap body": (
        {
            "world": '<body name="mocap" mocap="true" pos=".35 0 .5"/>',
            "more": '<equality><weld body1="mocap" body2="lower"/></equality>',
        },
        r"degrees.*the equality constraint number 0 .weld. holds it",
    ),
    "a group that is off": (
        {
            "options": '<option actuatorgroupdisable="2"/>',
            **servo('group="2"'),
        },
        r"'elbow'.*switches its servo off; remove 2 from actuatorgroupdisable",
    ),
    "no actuation": (
        {"options": '<option><flag actuation="disable"/></option>'},
        r'degrees.*switches all actuators off; remove actuation="disable"',
    ),
    "a weak motor": (
        {
            "axis": "1 0",
            **servo('forcerange="-.1 .1"'),
        },
        r"'elbow'.*at its limit of 0.1 Nm; raise forcerange",
    ),
    "a weak joint": (
        {
            "axis": "1 0",
            "elbow": 'actuatorfrcrange="-.1 .1"',
            **servo(""),
        },
        r"'elbow'.*at its limit of 0.1 Nm; raise actuatorfrcrange",
    ),
    "a soft servo": (
        {
            "axis": "1 0",
            "more": '<actuator><position joint="shoulder" kp="100" kv="3"/><position joint="elbow" kp="1" kv=".1"/></actuator>',
        },
        r"'elbow'.*kp 1. is too weak for the arm's weight; raise kp to",
    ),
    "a stiff spring": ({"elbow": 'stiffness="50"', **servo()}, r"'elbow'.*its spring .stiffness 50. pulls it; remove"),
    "friction": (
        {"elbow": 'frictionloss="9" solimpfriction=".9999 .9999 .001"'},
        "friction holds it .frictionloss 9 Nm.; lower",
    ),
    "tough damping": (
        {
            "elbow": 'damping="99"',
            **servo(""),
        },
        r"'elbow'.*still moving; raise its servo's kp, or lower the damping",
    ),
    "a long timestep": (
        {"options": '<option timestep="0.1"/>'},
        r"timestep 0.1 s, expected one that divides a control step of 40 ms; write <option timestep=",
    ),
    "a timestep that divides no control step": (
        {"options": '<option timestep="0.003"/>'},
        "timestep 0.003 s, expected",
    ),
    "it explodes": (
        {
            "options": '<option integrator="Euler" timestep=".01"><flag eulerdamp="disable"/></option>',
            "more": '<actuator><position joint="elbow" kp="500000" kv="3000"/></actuator>',
        },
        r"becomes unstable within 1 s.*shorten the timestep .0.01 s.*lower kp and kv.*'elbow'",
    ),
    "another joint explodes": (
        {
            "options": '<option integrator="Euler" timestep=".01"><flag eulerdamp="disable"/></option>',
            "world": '<body><joint name="flag" axis="0 0 1"/><geom size=".05"/></body>',
            "more": '<actuator><position joint="flag" kp="500000" kv="3000" ctrlrange="1 2"/></actuator>',
        },
        r"becomes unstable within 1 s.*lock the joint 'flag', which is not the arm's, by hold_others=True",
    ),
    "another joint falls": (
        {
            "world": '<body pos="1 0 1"><joint name="flag" axis="0 1 0"/><geom type="box" size=".1 .01 .01" pos=".1 0 0"/></body>'
        },
        r"'flag', which is not the arm's, moves by \d+ degrees in 1 s at rest.*hold_others=True",
    ),
    "another joint without a name slides": (
        {"world": '<body name="lift" pos="1 0 1"><joint type="slide"/><geom size=".1"/></body>'},
        r"the joint of the body 'lift', which is not the arm's, moves by \d+ cm.*hold_others=True",
    ),
    "no pose is valid": (
        {"world": '<geom name="wall" type="box" size="1 1 .1" pos="0 0 .5"/>'},
        r"10000 poses in a row .* at last the bodies 'upper' and 'world'",
    ),
}


@pytest.mark.parametrize("parts", GOOD.values(), ids=GOOD)
def test_servos_that_hold_are_accepted_and_are_exact(tmp_path, parts):
    arm = planar_arm(tmp_path, **parts)
    env = gym.make("InfantArm-v0", arm=arm, eye_size=(60, 100)).unwrapped
    env.reset(options={"joints": [0.1, 1.0]})
    observation, _ = env.hold(env.action_for(np.array([-0.5, 1.4])), 25)
    assert np.degrees(observation["joints"] - [-0.5, 1.4]) == pytest.approx([0, 0], abs=2)


@pytest.mark.parametrize(("parts", "message"), BAD.values(), ids=BAD)
def test_servos_that_do_not_are_refused_with_the_joint_and_the_cause(tmp_path, monkeypatch, parts, message):
    monkeypatch.chdir(tmp_path)  # MuJoCo logs what explodes
    with pytest.raises(UserError, match=message) as refused:
        planar_arm(tmp_path, **parts)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("kept", ["elbow", "shoulder"])
def test_a_second_servo_is_refused_by_its_number_and_what_it_drives(tmp_path, kept):
    two = f'<position joint="{kept}" kp="20" kv="1"/>' * 2
    with pytest.raises(UserError, match=rf"number 0 \(unnamed, on the joint '{kept}'\) and number 1 \(unnamed"):
        planar_arm(tmp_path, more=f"<actuator>{two}</actuator>")


def test_the_advice_on_a_narrow_ctrlrange_mends_it(tmp_path):
    narrow = servo('ctrlrange="0 .5"')
    arm = planar_arm(tmp_path, {"joint_ranges": {"elbow": (0, 0.5)}}, **narrow)
    assert arm.joint_ranges[1].tolist() == [0, 0.5]


def test_the_test_leaves_no_trace(tmp_path):
    path = planar(tmp_path / "arm.xml")
    body = Body(mjcf=str(path), joints=("shoulder", "elbow"))
    tested, untested = (ArmModel.of(body, tested=left_out) for left_out in (False, True))
    buffers = [np.empty(mujoco.mj_sizeModel(arm.model), np.uint8) for arm in (tested, untested)]
    for arm, buffer in zip((tested, untested), buffers, strict=True):
        mujoco.mj_saveModel(arm.model, None, buffer)
    assert np.array_equal(*buffers)


def test_what_was_tested_need_not_be_tested_again(tmp_path):
    path = planar(tmp_path / "arm.xml", options='<option timestep="0.1"/>')
    told = {"mjcf": str(path), "joints": ["shoulder", "elbow"]}
    with pytest.raises(UserError, match="timestep"):
        ArmModel.of(told)
    assert ArmModel.of(told, tested=True).joint_names == ("shoulder", "elbow")


def test_collect_refuses_it_in_one_line_before_any_work(tmp_path, capsys):
    path = planar(tmp_path / "arm.xml", **servo('timeconst=".5"'))
    command = ["collect", "--out", str(tmp_path / "data"), "--mjcf", str(path), "--arm-joints", "shoulder", "elbow"]
    assert cli.main(command) == 2
    error = capsys.readouterr().err
    assert "time constant 0.5 s" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("age", [1, 6, 12, 24])
def test_the_infant_passes(age):
    self_test(ArmModel.infant(age))


MOTORS = '<actuator><motor joint="elbow"/><general name="lift" joint="shoulder" gear="2"/></actuator>'
MOTORS += (
    '<sensor><actuatorfrc actuator="lift"/></sensor><keyframe><key name="home" qpos=".1 .2" ctrl="0 0"/></keyframe>'
)


def test_servos_take_the_place_of_motors_if_asked(tmp_path):
    with pytest.raises(UserError, match=r"'shoulder' is driven by the actuator 'lift'.*--new-servos"):
        planar_arm(tmp_path, more=MOTORS)
    arm = planar_arm(tmp_path, {"new_servos": True, "keyframe": "home"}, more=MOTORS, axis="1 0")
    assert [arm.model.actuator(i).name for i in range(arm.model.nu)] == ["shoulder_servo", "elbow_servo"]
    data, target = arm.new_data(), np.array([0.5, 1.0])
    data.ctrl[arm.actuator_ids] = target
    mujoco.mj_step(arm.model, data, 1000)
    assert np.allclose(data.qpos[arm.qpos_ids], target, atol=1e-3)
    assert ArmModel.of(arm.body.as_dict()).fingerprint == arm.fingerprint
