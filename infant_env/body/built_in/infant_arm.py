"""The infant's arms: each moves, or lies on its thigh."""

import mujoco
import numpy as np

from .anthropometry import Anthropometry
from .arms import Arms
from .parts import CREAM, NAVY, PALM, PYJAMAS, SKIN, Part, quaternion, turn

_SERVO_GAINS = (25.0, 25.0, 12.0, 12.0, 3.0, 3.0, 3.0)  # N m / rad at 12 months; the last two are the wrist's
_DAMPING = (0.1, 0.1, 0.05, 0.1, 0.01, 0.01, 0.01)  # N m s / rad at 12 months; MIMo's elbow: .11
_ARMATURE = 0.002  # kg m^2 at 12 months (MIMo). There is no passive stiffness: with it, servos would not reach targets.


def add_arm(trunk: Part, side: int, size: Anthropometry, reference: Anthropometry, arms: Arms) -> None:
    """Adds an arm that hangs with the thumb forward: x to the thumb, y to the palm, z to the shoulder.

    The sleeve is navy, with cream panels along the front of the upper arm and along the forearm between its thumb and palm
    sides. So an edge shows the arm's rotation from every side; on a plain arm the forearm's rotation is hardly visible.
    """
    name = "left" if side > 0 else "right"
    breadth, height = trunk.scale[1], trunk.scale[2]
    shoulder = np.array([-0.004 * breadth, 0.092 * breadth * side, 0.270 * height])
    upper_girth = size.upper_arm_girth / reference.upper_arm_girth
    upper = trunk.child(f"{name}_upper_arm", shoulder, scale=(upper_girth, -side * upper_girth, size.upper_arm_length))
    upper.capsule(f"{name}_shoulder", (0, 0, 0), (0, 0, -0.35), 0.0250, NAVY)
    upper.capsule(f"{name}_sleeve", (0, 0, -0.30), (0, 0, -1), 0.0230, NAVY, solid=True, mass=size.upper_arm_mass)
    upper.capsule(f"{name}_sleeve_panel", (0.0055, 0, -0.05), (0.0055, 0, -1), 0.0208, CREAM)

    girth = size.forearm_girth / reference.forearm_girth
    forearm = upper.child(
        f"{name}_forearm", (0, 0, -size.upper_arm_length), scale=(girth, -side * girth, size.forearm_length)
    )
    mass = size.forearm_mass
    forearm.capsule(f"{name}_forearm_upper", (0, 0, -0.05), (0, 0, -0.50), 0.0220, NAVY, solid=True, mass=0.6 * mass)
    forearm.capsule(f"{name}_forearm_lower", (0, 0, -0.50), (0, 0, -0.93), 0.0180, NAVY, solid=True, mass=0.4 * mass)
    forearm.capsule(f"{name}_forearm_upper_panel", (0.0038, 0.0038, -0.05), (0.0038, 0.0038, -0.50), 0.0195, CREAM)
    forearm.capsule(f"{name}_forearm_lower_panel", (0.0034, 0.0034, -0.50), (0.0034, 0.0034, -0.90), 0.0162, CREAM)
    forearm.ellipsoid(f"{name}_cuff", (0, 0, -0.975), (0.0200, 0.0200, 0.065), PYJAMAS)
    hand = _add_hand(forearm, name, side, size)
    if name in arms.sides:
        _add_joints(name, side, (upper, forearm, hand), size, reference, arms)
    else:
        _lay_hand_on_thigh(upper, forearm, side)


def _add_hand(forearm: Part, name: str, side: int, size: Anthropometry) -> Part:
    """Adds a slightly open hand, in units of its breadth (across) and length (along)."""
    breadth = size.hand_breadth
    hand = forearm.child(
        f"{name}_hand", (0, 0, -size.forearm_length), scale=(breadth, -side * breadth, size.hand_length)
    )
    mass = size.hand_mass
    hand.ellipsoid(f"{name}_palm", (0, 0, -0.27), (0.46, 0.24, 0.33), SKIN, solid=True, mass=0.65 * mass)
    hand.ellipsoid(f"{name}_palm_pad", (0, 0.085, -0.28), (0.41, 0.19, 0.27), PALM)
    for finger, x, tip_x, tip in (
        ("index", 0.32, 0.37, -0.86),
        ("middle", 0.11, 0.13, -0.92),
        ("ring", -0.11, -0.13, -0.88),
        ("little", -0.32, -0.38, -0.76),
    ):
        hand.capsule(
            f"{name}_{finger}", (x, 0.02, -0.48), (tip_x, 0.17, tip), 0.115, SKIN, solid=True, mass=0.07 * mass
        )
    hand.capsule(f"{name}_thumb", (0.30, 0.10, -0.22), (0.66, 0.24, -0.47), 0.130, SKIN, solid=True, mass=0.07 * mass)
    return hand


def _add_joints(
    name: str,
    side: int,
    parts: tuple[Part, Part, Part],
    size: Anthropometry,
    reference: Anthropometry,
    arms: Arms,
) -> None:
    """Adds hinges to upper arm, forearm and hand.

    Each is positive in the direction of its name, rotations inwards (medial, pronation). The left arm is the mirror image of
    the right one, so its axes have x and z reversed.
    """
    upper, forearm, hand = (part.body for part in parts)
    mirror = np.array([-side, 1, -side])
    axes = ((0, -1, 0), (-1, 0, 0), (0, 0, 1), (0, -1, 0), (0, 0, 1), (1, 0, 0), (0, -1, 0))
    bodies = (upper,) * 3 + (forearm,) * 2 + (hand,) * 2
    ranges = np.vstack([size.joint_ranges, size.wrist_ranges])
    torques = np.concatenate([size.torque_limits, size.wrist_torque_limits])
    inertia = _inertia(size) / _inertia(reference)
    rows = zip(Arms((name,), arms.wrist).joints, bodies, axes, ranges, torques, _DAMPING, strict=False)
    for joint, body, axis, limits, torque, damping in rows:
        body.add_joint(
            name=joint,
            type=mujoco.mjtJoint.mjJNT_HINGE,
            axis=mirror * axis,
            range=limits,
            limited=True,
            damping=damping * inertia,
            armature=_ARMATURE * inertia,
            actfrcrange=[-torque, torque],
            actfrclimited=True,
            actgravcomp=True,  # the torque that carries the arm counts toward the torque limits
        )


def add_servos(spec: mujoco.MjSpec, size: Anthropometry, reference: Anthropometry, arms: Arms) -> None:
    """Adds critically damped position servos to the joints of the arms that move; they carry the arms' weight too."""
    inertia = _inertia(size) / _inertia(reference)
    for side in arms.sides:
        for body in ("upper_arm", "forearm", "hand"):
            spec.body(f"{side}_{body}").gravcomp = 1.0
        for name, gain in zip(Arms((side,), arms.wrist).joints, _SERVO_GAINS, strict=False):
            servo = spec.add_actuator(name=f"{name}_servo", target=name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
            servo.set_to_position(kp=gain * inertia, dampratio=1.0, inheritrange=True)


def _inertia(size: Anthropometry) -> float:
    """A measure proportional to the arm's inertia; gains and dampings scale with it, so all ages move alike."""
    mass = size.upper_arm_mass + size.forearm_mass + size.hand_mass
    return mass * (size.upper_arm_length + size.elbow_to_fingertip) ** 2


def _lay_hand_on_thigh(upper: Part, forearm: Part, side: int) -> None:
    upper.body.quat = quaternion(turn(pitch=-4) @ turn(roll=20 * side) @ turn(yaw=-20 * side))
    forearm.body.quat = quaternion(turn(pitch=-78) @ turn(yaw=-80 * side))
