"""Builds the simulated infant in memory: a scene, a seated body, arms that move.

World: x forward, y to the infant's left, z up, origin on the mat between the sitting bones. All shapes have the measures
of 12 months here and are scaled segment by segment with the anthropometry. Only the arms that move have joints.
"""

import mujoco
import numpy as np

from .anthropometry import Anthropometry
from .arms import Arms, Posture
from .infant_arm import add_arm, add_servos
from .parts import (
    BROW,
    CHEEK,
    CREAM,
    FLOOR,
    HAIR,
    IRIS,
    LIPS,
    MAT,
    MAT_RIM,
    PYJAMAS,
    SKIN,
    TROUSERS,
    WHITE,
    Part,
    quaternion,
)

EYE_CAMERA = "right_eye"
LEFT_EYE_CAMERA = "left_eye"
OUTSIDE_CAMERA = "outside"

EYE_FOVY = 90.0
"""Vertical field of view of the eye's camera, degrees; at 300x500 the horizontal one is 118 degrees."""


def build(size: Anthropometry, arms: Arms) -> mujoco.MjSpec:
    """The infant of these measures on a mat, with these arms that move, ready to compile."""
    spec = mujoco.MjSpec()
    spec.modelname = "infant"
    spec.compiler.degree = False
    spec.option.timestep = 0.005
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.jacobian = mujoco.mjtJacobian.mjJAC_DENSE  # MuJoCo 4.0.0's sparse solver computes wrong accelerations
    scene = _add_scene(spec)
    reference = Anthropometry.at(12.0)
    trunk = _add_trunk(scene, size, reference)
    _add_outside_camera(scene, size.sitting_height / reference.sitting_height, arms.posture)
    _add_head(trunk, size, reference, arms.posture)
    for side in (-1, 1):
        _add_leg(trunk, side, size, reference)
        add_arm(trunk, side, size, reference, arms)
    add_servos(spec, size, reference, arms)
    return spec


def add_left_eye(spec: mujoco.MjSpec, size: Anthropometry) -> str:
    """Adds the camera of the left eye: as high and as far in front as that of the right eye, and looking in the same direction.

    Returns:
        Its name.
    """
    right = spec.camera(EYE_CAMERA)
    place = right.pos + np.array([0, size.eye_distance, 0])
    right.parent.add_camera(name=LEFT_EYE_CAMERA, pos=place, quat=right.quat, fovy=right.fovy)
    return LEFT_EYE_CAMERA


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
        rgb1=[0.72, 0.79, 0.84],
        rgb2=[0.72, 0.79, 0.84],
        width=8,
        height=8,
    )
    return scene


def _add_outside_camera(scene: Part, scale: float, posture: Posture) -> None:
    """Adds a camera in front, on the side of the arm that moves, that sees the infant and its raised arm."""
    position, target = scale * np.array(posture.outside), scale * np.array(posture.outside_target)
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


def _add_head(trunk: Part, size: Anthropometry, reference: Anthropometry, posture: Posture) -> None:
    """Adds the head; its origin is the pivot on the neck, 3 cm above the level of the chin.

    The eye's camera sits 2 mm in front of the right eyeball, where the cornea is, and looks along the eye. The field of
    view is 118 x 90 degrees, so it ends 47 degrees to the left of the face's forward direction and 60 below it. The tip of
    the nose lies 70 degrees to the left and the cheeks behind the camera: neither is in the picture.
    """
    girth = size.head_circumference / reference.head_circumference
    pivot = (0.0, 0.0, size.sitting_height - 0.142 * girth)
    head = trunk.child("head", pivot, posture.head, (girth, girth, girth))
    skull, jaw = ((0.004, 0, 0.062), (0.0803, 0.0640, 0.0800)), ((0.020, 0, 0.010), (0.0530, 0.0560, 0.0400))
    cheeks = ((0.030, -0.025, 0.012), (0.0380, 0.0360, 0.0300)), ((0.030, 0.025, 0.012), (0.0380, 0.0360, 0.0300))
    head.blend("skull", (0.012, 0, 0.035), (skull, jaw, *cheeks), SKIN)
    head.ellipsoid("hair", (-0.007, 0, 0.080), (0.0800, 0.0685, 0.0690), HAIR, pitch=-16)
    head.capsule("tuft", (0.005, 0.004, 0.147), (0.030, -0.008, 0.143), 0.007, HAIR)
    head.ellipsoid("nose", (0.0820, 0, 0.0260), (0.0080, 0.0085, 0.0070), SKIN)
    gaze = np.array(posture.eyes @ [1, 0, 0])
    apart = size.eye_distance / reference.eye_distance / girth
    for side, name in ((-1, "right"), (1, "left")):
        eye = np.array([0.0695, side * 0.0215 * apart, 0.045])
        head.ellipsoid(f"{name}_cheek", (0.0470, side * 0.0315, 0.0105), (0.0230, 0.0225, 0.0190), CHEEK)
        head.capsule(f"{name}_lips", (0.0745, 0, 0.0015), (0.0715, side * 0.0105, 0.0045), 0.0026, LIPS)
        head.ellipsoid(f"{name}_ear", (-0.004, side * 0.066, 0.038), (0.011, 0.006, 0.017), SKIN)
        head.ellipsoid(f"{name}_eyeball", eye, (0.0105, 0.0122, 0.0108), WHITE)
        head.ellipsoid(f"{name}_eyelid", eye + np.array([-0.0012, 0, 0.0038]), (0.0110, 0.0128, 0.0104), SKIN)
        iris, (yaw, pitch) = eye + 0.0060 * gaze, (posture.eye_yaw, posture.eye_pitch)
        head.ellipsoid(f"{name}_iris", iris, (0.0050, 0.0072, 0.0072), IRIS, yaw=yaw, pitch=pitch)
        head.capsule(f"{name}_brow", (0.0815, side * 0.0150, 0.0675), (0.0745, side * 0.0310, 0.0660), 0.0021, BROW)
    right_eye = np.array([0.0695, -0.0215 * apart, 0.045])
    head.camera(EYE_CAMERA, right_eye + 0.0125 * gaze, posture.eyes, EYE_FOVY)


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
