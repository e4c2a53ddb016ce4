"""Builds the simulated infant in memory: a scene, a seated body, a right arm that moves.

World: x forward, y to the infant's left, z up, origin on the mat between the sitting bones. All shapes are drawn at the
measures of 12 months and grow part by part with the anthropometry. Only the right arm has joints; all else is welded.
"""

import mujoco
import numpy as np

from .anthropometry import JOINT_NAMES, Anthropometry
from .parts import Color, Part, quaternion, turn

EYE_CAMERA = "right_eye"
OUTSIDE_CAMERA = "outside"
ARM_BODIES = ("right_upper_arm",)
HAND_BODIES = ("right_hand",)

SKIN = Color(0.95, 0.76, 0.64)
PALM = Color(1.0, 0.88, 0.79)
CHEEK = Color(0.97, 0.73, 0.63)
LIPS = Color(0.80, 0.42, 0.40)
HAIR = Color(0.42, 0.28, 0.18)
BROW = Color(0.66, 0.49, 0.38)
WHITE = Color(0.97, 0.97, 0.95)
IRIS = Color(0.25, 0.17, 0.12)
NAVY = Color(0.16, 0.20, 0.34)
CREAM = Color(0.95, 0.93, 0.86)
PYJAMAS = Color(0.55, 0.68, 0.80)
TROUSERS = Color(0.47, 0.61, 0.75)
FLOOR = Color(0.83, 0.77, 0.69)
MAT = Color(0.66, 0.76, 0.68)
MAT_RIM = Color(0.93, 0.83, 0.66)

HEAD_YAW, HEAD_PITCH = -40.0, 15.0
"""Degrees that the head is turned to the left and down: infants turn to the reaching arm."""
EYE_YAW, EYE_PITCH = -12.0, 20.0
"""Degrees that the eyes are turned in the head to the left and down."""
EYE_FOVY = 95.0
"""Vertical field of view of the eye's camera, degrees; at 300x500 it sees 122 degrees across."""

_SERVO_GAINS = (25.0, 25.0, 12.0, 12.0, 3.0)  # N m / rad at 12 months
_DAMPING = (0.1, 0.1, 0.05, 0.1, 0.01)  # N m s / rad at 12 months; MIMo's elbow: .11
_ARMATURE = 0.002  # kg m^2 at 12 months (MIMo). Its passive stiffness is left out: servos would stop short of their targets.


def build(size: Anthropometry) -> mujoco.MjSpec:
    """The infant of these measures on a mat, ready to compile."""
    spec = mujoco.MjSpec()
    spec.modelname = "infant"
    spec.compiler.degree = False
    spec.option.timestep = 0.005
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.jacobian = mujoco.mjtJacobian.mjJAC_DENSE  # MuJoCo 4.0.0's sparse solver computes wrong accelerations
    scene = _add_scene(spec)
    reference = Anthropometry.at(12.0)
    trunk = _add_trunk(scene, size, reference)
    _add_onlooker(scene, size.sitting_height / reference.sitting_height)
    _add_head(trunk, size, reference)
    for side in (-1, 1):
        _add_leg(trunk, side, size, reference)
        _add_arm(trunk, side, size, reference)
    _add_servos(spec, size, reference)
    return spec


def _add_scene(spec: mujoco.MjSpec) -> Part:
    spec.stat.extent, spec.stat.center = 1.0, [0.1, 0.0, 0.2]
    spec.visual.map.znear, spec.visual.map.zfar = 0.004, 50.0
    spec.visual.headlight.ambient, spec.visual.headlight.diffuse = [0.50] * 3, [0.28] * 3
    spec.visual.headlight.specular = [0.0] * 3
    world = spec.worldbody
    world.add_light(
        type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
        dir=[-0.35, -0.4, -1.0],
        diffuse=[0.36] * 3,
        specular=[0.0] * 3,
        castshadow=False,
    )
    world.add_geom(name="floor", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[20, 20, 1], rgba=FLOOR.rgba)
    scene = Part(spec, world, (1.0, 1.0, 1.0))
    scene.box("mat_rim", (0.15, 0, 0.0005), (0.57, 0.57, 0.0005), MAT_RIM)
    scene.box("mat", (0.15, 0, 0.0010), (0.53, 0.53, 0.0010), MAT)
    spec.add_texture(
        name="sky",
        type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_FLAT,
        rgb1=[0.91, 0.92, 0.93],
        rgb2=[0.91, 0.92, 0.93],
        width=8,
        height=8,
    )
    return scene


def _add_onlooker(scene: Part, scale: float) -> None:
    """A camera half to the infant's right that has it and its raised arm in view."""
    position, target = scale * np.array([0.80, -0.52, 0.50]), scale * np.array([0.07, -0.03, 0.235])
    back = (position - target) / np.linalg.norm(position - target)
    right = np.cross([0, 0, 1], back) / np.linalg.norm(np.cross([0, 0, 1], back))
    axes = np.stack([right, np.cross(back, right), back], axis=1)
    scene.body.add_camera(name=OUTSIDE_CAMERA, pos=position, quat=quaternion(axes), fovy=40)


def _add_trunk(scene: Part, size: Anthropometry, reference: Anthropometry) -> Part:
    breadth = size.hip_breadth / reference.hip_breadth
    trunk = scene.child("trunk", scale=(breadth, breadth, size.sitting_height / reference.sitting_height))
    rest = size.mass - 2 * (size.upper_arm_mass + size.forearm_mass + size.hand_mass)
    trunk.ellipsoid("pelvis", (-0.008, 0, 0.062), (0.076, 0.083, 0.062), TROUSERS, solid=True)
    torso = ((0.004, 0, 0.150), (0.067, 0.0700, 0.118)), ((-0.002, 0, 0.205), (0.054, 0.0670, 0.092))
    trunk.blend("torso", (0, 0, 0.16), torso, PYJAMAS, mass=rest)
    trunk.capsule("shoulders", (-0.004, -0.062, 0.266), (-0.004, 0.062, 0.266), 0.031, PYJAMAS)
    trunk.capsule("neck", (-0.004, 0, 0.28), (0.002, 0, 0.32), 0.033, SKIN)
    trunk.ellipsoid("collar", (0.0, 0, 0.297), (0.040, 0.044, 0.011), CREAM)
    return trunk


def _add_head(trunk: Part, size: Anthropometry, reference: Anthropometry) -> None:
    """The head, drawn about its pivot on the neck, 3 cm above the chin's level.

    The eye's camera sits on the cornea of the right eye, 1 mm in front of the eyeball, looking along the eye. At 122 x 95
    degrees it would see the nose from 59 degrees to the left and the cheek from 70 degrees down: just outside the picture.
    """
    girth = size.head_circumference / reference.head_circumference
    pivot = (0.0, 0.0, size.sitting_height - 0.142 * girth)
    head = trunk.child("head", pivot, turn(yaw=HEAD_YAW, pitch=HEAD_PITCH), (girth, girth, girth))
    skull, jaw = ((0.004, 0, 0.062), (0.0803, 0.0640, 0.0800)), ((0.020, 0, 0.010), (0.0530, 0.0560, 0.0400))
    cheeks = ((0.030, -0.025, 0.012), (0.0380, 0.0360, 0.0300)), ((0.030, 0.025, 0.012), (0.0380, 0.0360, 0.0300))
    head.blend("skull", (0.012, 0, 0.035), (skull, jaw, *cheeks), SKIN)
    head.ellipsoid("hair", (-0.007, 0, 0.080), (0.0800, 0.0685, 0.0690), HAIR, pitch=-16)
    head.capsule("tuft", (0.005, 0.004, 0.147), (0.030, -0.008, 0.143), 0.007, HAIR)
    head.ellipsoid("nose", (0.0820, 0, 0.0260), (0.0080, 0.0085, 0.0070), SKIN)
    look = turn(yaw=EYE_YAW, pitch=EYE_PITCH)
    gaze = np.array(look @ [1, 0, 0])
    apart = size.eye_distance / reference.eye_distance / girth
    for side, name in ((-1, "right"), (1, "left")):
        eye = np.array([0.0695, side * 0.0215 * apart, 0.045])
        head.ellipsoid(f"{name}_cheek", (0.0470, side * 0.0315, 0.0105), (0.0230, 0.0225, 0.0190), CHEEK)
        head.capsule(f"{name}_lips", (0.0745, 0, 0.0015), (0.0715, side * 0.0105, 0.0045), 0.0026, LIPS)
        head.ellipsoid(f"{name}_ear", (-0.004, side * 0.066, 0.038), (0.011, 0.006, 0.017), SKIN)
        head.ellipsoid(f"{name}_eyeball", eye, (0.0105, 0.0122, 0.0108), WHITE)
        head.ellipsoid(f"{name}_eyelid", eye + [-0.0012, 0, 0.0038], (0.0110, 0.0128, 0.0104), SKIN)
        head.ellipsoid(f"{name}_iris", eye + 0.0060 * gaze, (0.0050, 0.0072, 0.0072), IRIS, yaw=EYE_YAW, pitch=EYE_PITCH)
        head.capsule(f"{name}_brow", (0.0815, side * 0.0150, 0.0675), (0.0745, side * 0.0310, 0.0660), 0.0021, BROW)
    right_eye = np.array([0.0695, -0.0215 * apart, 0.045])
    head.camera(EYE_CAMERA, right_eye + 0.0125 * gaze, look, EYE_FOVY)


def _add_leg(trunk: Part, side: int, size: Anthropometry, reference: Anthropometry) -> None:
    name = "left" if side > 0 else "right"
    length, breadth = size.length / reference.length, size.hip_breadth / reference.hip_breadth
    leg = trunk.child(f"{name}_leg", scale=(length, length, breadth))
    mirror = np.array([1, side, 1])
    hip, knee, ankle = mirror * (0.010, 0.044, 0.052), mirror * (0.118, 0.132, 0.058), mirror * (0.226, 0.092, 0.038)
    leg.capsule(f"{name}_thigh", hip, knee, 0.0480, TROUSERS, solid=True)
    leg.capsule(f"{name}_shank", knee, ankle, 0.0360, TROUSERS, solid=True)
    leg.capsule(f"{name}_ankle_cuff", 0.1 * knee + 0.9 * ankle, ankle, 0.0370, CREAM)
    leg.ellipsoid(f"{name}_foot", mirror * (0.266, 0.088, 0.053), (0.021, 0.025, 0.050), SKIN, solid=True, pitch=16)
    leg.ellipsoid(f"{name}_toes", mirror * (0.2830, 0.0960, 0.0960), (0.0100, 0.0170, 0.0105), SKIN, roll=-18 * side)
    leg.ellipsoid(f"{name}_big_toe", mirror * (0.2835, 0.0760, 0.1000), (0.0105, 0.0095, 0.0125), SKIN)


def _add_arm(trunk: Part, side: int, size: Anthropometry, reference: Anthropometry) -> None:
    """An arm, drawn hanging with the thumb forward: x to the thumb, y (mirrored on the left) to the palm, z to the shoulder.

    The sleeve is two-tone: navy, with cream panels along the front of the upper arm and along the forearm between its thumb and
    palm sides. So from every side an edge shows how far the arm is turned; on a plain arm the forearm's rotation can
    hardly be seen.
    """
    name = "left" if side > 0 else "right"
    breadth, height = trunk.scale[1], trunk.scale[2]
    shoulder = np.array([-0.004 * breadth, 0.092 * breadth * side, 0.270 * height])
    upper_girth = size.upper_arm_girth / reference.upper_arm_girth
    upper = trunk.child(
        f"{name}_upper_arm", shoulder, scale=(upper_girth, -side * upper_girth, size.upper_arm_length)
    )
    upper.capsule(f"{name}_shoulder", (0, 0, 0), (0, 0, -0.35), 0.0250, NAVY)
    upper.capsule(f"{name}_sleeve", (0, 0, -0.30), (0, 0, -1), 0.0230, NAVY, solid=True, mass=size.upper_arm_mass)
    upper.capsule(f"{name}_sleeve_panel", (0.0055, 0, -0.05), (0.0055, 0, -1), 0.0208, CREAM)

    girth = size.forearm_girth / reference.forearm_girth
    forearm = upper.child(
        f"{name}_forearm", (0, 0, -size.upper_arm_length), scale=(girth, -side * girth, size.forearm_length)
    )
    mass = size.forearm_mass
    forearm.capsule(f"{name}_forearm_upper", (0, 0, -0.05), (0, 0, -0.50), 0.0205, NAVY, solid=True, mass=0.6 * mass)
    forearm.capsule(f"{name}_forearm_lower", (0, 0, -0.50), (0, 0, -0.93), 0.0170, NAVY, solid=True, mass=0.4 * mass)
    forearm.capsule(f"{name}_forearm_upper_panel", (0.0036, 0.0036, -0.05), (0.0036, 0.0036, -0.50), 0.0185, CREAM)
    forearm.capsule(f"{name}_forearm_lower_panel", (0.0033, 0.0033, -0.50), (0.0033, 0.0033, -0.90), 0.0155, CREAM)
    forearm.ellipsoid(f"{name}_cuff", (0, 0, -0.975), (0.0192, 0.0192, 0.065), PYJAMAS)
    _add_hand(forearm, name, side, size)
    if side > 0:
        _lay_left_hand_on_thigh(upper, forearm)
    else:
        _add_joints(upper, forearm, size, reference)


def _add_hand(forearm: Part, name: str, side: int, size: Anthropometry) -> None:
    """A hand, a little open; drawn in units of its breadth (across) and length (along)."""
    breadth = size.hand_breadth
    hand = forearm.child(f"{name}_hand", (0, 0, -size.forearm_length), scale=(breadth, -side * breadth, size.hand_length))
    mass = size.hand_mass
    hand.ellipsoid(f"{name}_palm", (0, 0, -0.27), (0.46, 0.24, 0.33), SKIN, solid=True, mass=0.65 * mass)
    hand.ellipsoid(f"{name}_palm_pad", (0, 0.085, -0.28), (0.41, 0.19, 0.27), PALM)
    for finger, x, tip_x, tip in (
        ("index", 0.32, 0.37, -0.86),
        ("middle", 0.11, 0.13, -0.92),
        ("ring", -0.11, -0.13, -0.88),
        ("little", -0.32, -0.38, -0.76),
    ):
        hand.capsule(f"{name}_{finger}", (x, 0.02, -0.48), (tip_x, 0.17, tip), 0.115, SKIN, solid=True, mass=0.07 * mass)
    hand.capsule(f"{name}_thumb", (0.30, 0.10, -0.22), (0.66, 0.24, -0.47), 0.130, SKIN, solid=True, mass=0.07 * mass)


def _add_joints(upper: Part, forearm: Part, size: Anthropometry, reference: Anthropometry) -> None:
    """Five hinges; each counts up in the direction of its name, rotations inwards (medial, pronation)."""
    axes = ((0, -1, 0), (-1, 0, 0), (0, 0, 1), (0, -1, 0), (0, 0, 1))
    bodies = (upper.body,) * 3 + (forearm.body,) * 2
    inertia = _inertia(size) / _inertia(reference)
    rows = zip(JOINT_NAMES, bodies, axes, size.joint_ranges, size.torque_limits, _DAMPING, strict=True)
    for name, body, axis, limits, torque, damping in rows:
        body.add_joint(
            name=name,
            type=mujoco.mjtJoint.mjJNT_HINGE,
            axis=axis,
            range=limits,
            limited=True,
            damping=damping * inertia,
            armature=_ARMATURE * inertia,
            actfrcrange=[-torque, torque],
            actfrclimited=True,
            actgravcomp=True,  # muscles carry the arm's weight: it counts against their limits
        )


def _add_servos(spec: mujoco.MjSpec, size: Anthropometry, reference: Anthropometry) -> None:
    for body in ("right_upper_arm", "right_forearm", "right_hand"):
        spec.body(body).gravcomp = 1.0
    inertia = _inertia(size) / _inertia(reference)
    for name, gain in zip(JOINT_NAMES, _SERVO_GAINS, strict=True):
        servo = spec.add_actuator(name=f"{name}_servo", target=name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
        servo.set_to_position(kp=gain * inertia, dampratio=1.0, inheritrange=True)


def _inertia(size: Anthropometry) -> float:
    """What an arm's inertia is proportional to; gains and dampings go with it, so that all ages move alike."""
    mass = size.upper_arm_mass + size.forearm_mass + size.hand_mass
    return mass * (size.upper_arm_length + size.elbow_to_fingertip) ** 2


def _lay_left_hand_on_thigh(upper: Part, forearm: Part) -> None:
    upper.body.quat = quaternion(turn(pitch=-4) @ turn(roll=20) @ turn(yaw=-20))
    forearm.body.quat = quaternion(turn(pitch=-78) @ turn(yaw=-80))
