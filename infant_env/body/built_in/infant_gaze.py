"""The infant's gaze: eyes that turn in the head, or a head that turns."""

from typing import NamedTuple

import mujoco
import numpy as np

from .arms import Posture
from .infant import EYE_CAMERA, LEFT_EYE_CAMERA

GAZE = ("gaze_yaw", "gaze_pitch")
GAZE_DEGREES = (30.0, 20.0)
"""How far the gaze turns to the left and right, and down and up."""


class _Drive(NamedTuple):
    """A part that follows its servos without weight."""

    mass: float
    inertia: float
    armature: float
    gain: float
    """N m/rad, of each servo; that of the eyes turns both."""


_HEAD = _Drive(0.01, 1e-5, 0.01, 4.0)  # a turn takes about .2 s
_EYE = _Drive(1e-3, 1e-7, 1e-5, 0.02)  # less than .1 s


def add_gaze(spec: mujoco.MjSpec, posture: Posture, kind: str) -> tuple[str, ...]:
    """Lets the eyes or the head turn to the left and down; without a target they look where they always look.

    Parts that follow their servos without weight are enough for a gaze.

    Args:
        spec: the infant; it is changed.
        posture: its posture.
        kind: "eyes": both eyes turn together in the held head; "head": the head turns with the eyes fixed in it.

    Returns:
        Names of the joints.
    """
    if kind == "head":
        _turn_head(spec, posture)
    else:
        _turn_eyes(spec)
    gain = (_HEAD if kind == "head" else _EYE).gain
    for name in GAZE:
        servo = spec.add_actuator(name=f"{name}_servo", target=name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
        servo.set_to_position(kp=gain, dampratio=1.0, inheritrange=True)
    return GAZE


def _turn_head(spec: mujoco.MjSpec, posture: Posture) -> None:
    """Lets the head turn about an upright axis, then about its axis from ear to ear.

    It does not touch the trunk; the arm can push it.
    """
    head = spec.body("head")
    _add_hinges(head, GAZE, (posture.head.T @ [0, 0, 1], np.array([0.0, 1.0, 0.0])), _HEAD)
    spec.add_exclude(bodyname1="head", bodyname2="trunk")


def _turn_eyes(spec: mujoco.MjSpec) -> None:
    """Lets the eyes turn about their centers: about the axis that points up in their frames, then about the one to the left."""
    for camera_name in (EYE_CAMERA, LEFT_EYE_CAMERA):
        camera = spec.camera(camera_name)
        if camera is None:
            continue
        side = camera_name.split("_")[0]
        names = GAZE if camera_name == EYE_CAMERA else tuple(f"left_{name}" for name in GAZE)
        axes = np.empty(9)
        mujoco.mju_quat2Mat(axes, np.array(camera.quat))
        right, up = axes.reshape(3, 3).T[:2]
        center = np.array(spec.geom(f"{side}_eyeball").pos)
        eye = spec.body("head").add_body(name=f"{side}_eye_in_head", pos=center)
        _add_hinges(eye, names, (up, -right), _EYE)
        _move(spec, eye, camera, center)
        _move_iris(spec, eye, side, center)
    if spec.camera(LEFT_EYE_CAMERA) is not None:
        for name in GAZE:
            follows = spec.add_equality(type=mujoco.mjtEq.mjEQ_JOINT, name1=f"left_{name}", name2=name)
            follows.data[:5] = [0, 1, 0, 0, 0]


def _add_hinges(body: mujoco.MjsBody, names: tuple[str, ...], axes: tuple[np.ndarray, ...], drive: _Drive) -> None:
    """Makes a part light, and adds the hinges that turn it."""
    body.explicitinertial, body.ipos = True, [0, 0, 0]
    body.mass, body.inertia = drive.mass, [drive.inertia] * 3
    for name, axis, most in zip(names, axes, GAZE_DEGREES, strict=True):
        body.add_joint(
            name=name,
            type=mujoco.mjtJoint.mjJNT_HINGE,
            axis=axis,
            range=np.deg2rad([-most, most]),
            limited=True,
            armature=drive.armature,
        )


def _move(spec: mujoco.MjSpec, eye: mujoco.MjsBody, camera: mujoco.MjsCamera, center: np.ndarray) -> None:
    """Puts the camera of the head onto the eye, at the same place."""
    name, place, quat, fovy = camera.name, np.array(camera.pos) - center, np.array(camera.quat), camera.fovy
    spec.delete(camera)
    eye.add_camera(name=name, pos=place, quat=quat, fovy=fovy)


def _move_iris(spec: mujoco.MjSpec, eye: mujoco.MjsBody, side: str, center: np.ndarray) -> None:
    iris = spec.geom(f"{side}_iris")
    kept = {name: np.array(getattr(iris, name)) for name in ("pos", "quat", "size", "rgba")}
    kept["pos"] = kept["pos"] - center
    kind, name = iris.type, iris.name
    spec.delete(iris)
    eye.add_geom(name=name, type=kind, mass=0, contype=0, conaffinity=0, **kept)
