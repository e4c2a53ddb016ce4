"""Poses of a data set in a disturbed world: noise, other light, another room, a moved camera, a new sleeve, hidden parts.

Frames are rendered again, and only the scene of one frame changes, never the body's model. Their random numbers depend on
the seed, the kind of disturbance and the sample, so that further kinds or samples leave the others as they are.
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import mujoco
import numpy as np
from numpy.typing import NDArray

from infant_env.body.checks import check_choice
from infant_env.body.model import ArmModel
from infant_env.senses.camera import EyeCamera
from infant_env.senses.noise import add_to_frame, noise_of
from infant_env.senses.sense import EYE
from infant_env.senses.vision import LUMA

from ..data.dataset import Dataset
from .other_room import other_room

Floats = NDArray[np.float64]
Pictures = NDArray[np.float32]
Frames = NDArray[np.uint8]

NOISE = 0.02, 0.05, 0.1
"""Standard deviations of the noise of preprocessed pictures."""
AS_THEY_ARE, OTHER_ROOM = "as they are", "another wall and floor"
LIGHT = {AS_THEY_ARE: 1.0, "light x 0.7": 0.7, "light x 0.9": 0.9, "light x 1.1": 1.1, "light x 1.4": 1.4}
"""How much light there is, relative to the data set's."""
HIDDEN = 21 / 64
"""Share of the columns that a stripe hides."""
_DARK, _BRIGHT = np.array([0.45, 0.10, 0.10]), np.array([0.98, 0.80, 0.40])  # of the new sleeve, red and yellow
_LOW = np.deg2rad(30)  # the other lamp's angle above the horizon
_NOISE_STARTS = 2**20  # places at which the noise of a frame can begin


@dataclass(frozen=True)
class Moment:
    """One pose that is about to be drawn."""

    arm: ArmModel
    state: mujoco.MjData
    hand: Floats
    """Where the hand is that the picture shows, (3,), m."""
    hand_size: float
    """How far the hand reaches from there, m."""

    @property
    def eye(self) -> Floats:
        """Where the eye's camera is, (3,), m."""
        return np.array(self.state.cam_xpos[self._camera])

    @property
    def axes(self) -> Floats:
        """The camera's axes to the right, upwards and backwards, its rows, (3, 3)."""
        return self.state.cam_xmat[self._camera].reshape(3, 3).T

    @property
    def high(self) -> float:
        """Half the height of the picture at the distance 1."""
        return float(np.tan(np.deg2rad(self.arm.model.cam_fovy[self._camera]) / 2))

    @property
    def _camera(self) -> int:
        return int(self.arm.model.camera(self.arm.eye_camera).id)


Change = Callable[[Moment, np.random.Generator, mujoco.MjvScene], None]
"""Changes the scene of one frame."""


def disturbed_frames(
    data: Dataset, samples: NDArray[np.int64], seed: int, kinds: Sequence[str] | None = None
) -> Iterator[tuple[str, Frames]]:
    """What the eye sees of poses of a data set, each kind of disturbance in turn, the undisturbed frames first.

    With more or less light, frames are multiplied and cut at 255, as a camera does. Stronger lamps would give the same where
    they shine (1 pixel in 10,000 of the infant's frames is cut without them), but MuJoCo's lamps do not light the wall.

    Args:
        data: the data set; its body is rendered, with its gaze, acuity and noise of the eye.
        samples: n indices.
        seed: of the random disturbances.
        kinds: some of `KINDS`; None: all.

    Yields:
        The kind, and its frames, (n, H, W, 3), uint8.

    Raises:
        UserError: a kind is unknown.
    """
    usual = None
    for kind in KINDS if kinds is None else kinds:
        check_choice("kind", kind, KINDS)
        if kind in LIGHT:
            usual = _frames(data, samples, seed, AS_THEY_ARE) if usual is None else usual
            yield kind, np.rint(usual * np.float32(LIGHT[kind])).clip(0, 255).astype(np.uint8)
        else:
            yield kind, _frames(data, samples, seed, kind)


def disturbed_pictures(pictures: Pictures, random: np.random.Generator) -> Iterator[tuple[str, Pictures]]:
    """Preprocessed pictures with noise and with hidden stripes, each kind in turn.

    Args:
        pictures: of any format, (n, side, side) or (n, 3, side, side), in [0, 1].
        random: random numbers.

    Yields:
        The kind, and its pictures, of the same shape.
    """
    for level in NOISE:
        noise = random.normal(0, level, pictures.shape)
        yield f"noise, standard deviation {level:g}", (pictures + noise).clip(0, 1).astype(np.float32)
    width = round(HIDDEN * pictures.shape[-1])
    starts = random.integers(0, pictures.shape[-1] - width, len(pictures))
    colors = random.random((len(pictures), *pictures.shape[1:-2], 1, 1), np.float32)
    for kind, color in (("a third hidden", np.full_like(colors, 0.5)), ("a third hidden, any color", colors)):
        hidden = pictures.copy()
        for picture, start, own in zip(hidden, starts, color, strict=True):
            picture[..., start : start + width] = own
        yield kind, hidden


def disturbances(data: Dataset, samples: NDArray[np.int64], seed: int) -> Iterator[tuple[str, Pictures]]:
    """All kinds of `disturbed_frames` and `disturbed_pictures`, preprocessed in the data set's format, (n, *format.shape)."""
    for kind, frames in disturbed_frames(data, samples, seed):
        pictures = np.stack([data.format.squeeze(frame) for frame in frames])
        yield kind, pictures
        if kind == AS_THEY_ARE:
            yield from disturbed_pictures(pictures, np.random.default_rng(seed))


def _frames(data: Dataset, samples: NDArray[np.int64], seed: int, kind: str) -> Frames:
    """Frames of the data set's poses, (n, H, W, 3), whose scene changes as this kind says."""
    arm = other_room(data.arm) if kind == OTHER_ROOM else data.arm
    camera, state, noise = EyeCamera(arm, data.eye_size, data.acuity), arm.new_data(), noise_of(data.senses, EYE)
    frames = np.empty((len(samples), *data.eye_size, 3), np.uint8)
    for frame, sample in zip(frames, samples, strict=True):
        random = np.random.default_rng([seed, zlib.crc32(kind.encode()), int(sample)])
        arm.pose(state, data.joints[sample], data.gaze[sample])
        moment = _moment(arm, state, int(data.shows_hands[sample].argmax()))
        change = CHANGES.get(kind)
        frame[:] = camera.render_changed(state, partial(change, moment, random) if change else None)
        if noise:
            add_to_frame(frame, noise, int(random.integers(_NOISE_STARTS)))
    camera.close()
    return frames


def _moment(arm: ArmModel, state: mujoco.MjData, number: int) -> Moment:
    place, geoms = np.array(arm.hand_positions(state)[number]), list(arm.hands.values())[number].geoms
    reaches = np.linalg.norm(state.geom_xpos[geoms] - place, axis=1) + arm.model.geom_rbound[geoms]
    return Moment(arm, state, place, float(reaches.max()))


def _lamps_elsewhere(moment: Moment, random: np.random.Generator, scene: mujoco.MjvScene) -> None:
    """Puts all lamps on the opposite side, 30 degrees above the horizon; a scene without lamps has the light at the eye."""
    center = moment.arm.model.stat.center
    lights = scene.lights[: scene.nlight]
    for light in [each for each in lights if not each.headlight] or lights:
        directional = light.type == mujoco.mjtLightType.mjLIGHT_DIRECTIONAL
        shines = np.array(light.dir if directional else center - light.pos, float)
        flat = shines[:2] if np.hypot(*shines[:2]) > 0.1 * np.linalg.norm(shines) else moment.axes[0, :2]
        turned = np.array([*(-np.cos(_LOW) * flat / np.hypot(*flat)), -np.sin(_LOW)])
        light.pos[:] = center - turned * np.linalg.norm(center - light.pos)
        light.dir[:], light.headlight = turned, False


def _camera_turned(moment: Moment, random: np.random.Generator, scene: mujoco.MjvScene) -> None:
    """Turns the camera, and the light at it, by 3 degrees about any axis."""
    axis, turn = random.standard_normal(3), np.empty(9)
    quat = np.empty(4)
    mujoco.mju_axisAngle2Quat(quat, axis / np.linalg.norm(axis), np.deg2rad(3))
    mujoco.mju_quat2Mat(turn, quat)
    rotation = turn.reshape(3, 3)
    for camera in scene.camera:
        camera.forward[:], camera.up[:] = rotation @ camera.forward, rotation @ camera.up
    for light in scene.lights[: scene.nlight]:
        if light.headlight:
            light.dir[:] = rotation @ light.dir


def _camera_shifted(moment: Moment, random: np.random.Generator, scene: mujoco.MjvScene) -> None:
    """Shifts the camera, and the light at it, by 1 cm at a right angle to its direction; so it does not enter the head."""
    angle = random.uniform(0, 2 * np.pi)
    shift = 0.01 * (np.array([np.cos(angle), np.sin(angle)]) @ moment.axes[:2])
    for camera in scene.camera:
        camera.pos[:] += shift
    for light in scene.lights[: scene.nlight]:
        if light.headlight:
            light.pos[:] += shift


def _other_sleeve(moment: Moment, random: np.random.Generator, scene: mujoco.MjvScene) -> None:
    """Colors the arm without its hand from red (where it was dark) to yellow; an arm that is all hand is colored too."""
    arm = moment.arm
    hands = np.any([hand.geoms for hand in arm.hands.values()], axis=0)
    sleeve = arm.arm_geoms & ~hands if (arm.arm_geoms & ~hands).any() else arm.arm_geoms
    for geom in scene.geoms[: scene.ngeom]:
        if geom.objtype == mujoco.mjtObj.mjOBJ_GEOM and sleeve[geom.objid]:
            bright = float(255 * LUMA @ geom.rgba[:3])
            geom.rgba[:3], geom.matid = (1 - bright) * _DARK + bright * _BRIGHT, -1


def _toy(moment: Moment, random: np.random.Generator, scene: mujoco.MjvScene) -> None:
    """Adds a ball or a box of any color in front of the hand, at three tenths of the way to the eye, a little beside it."""
    sight = moment.eye - moment.hand
    size = 0.5 * moment.hand_size
    place = moment.hand + 0.3 * sight + size * 0.6 * random.standard_normal(2) @ moment.axes[:2]
    turn = np.linalg.qr(random.standard_normal((3, 3)))[0]
    shapes = mujoco.mjtGeom.mjGEOM_SPHERE, mujoco.mjtGeom.mjGEOM_BOX
    shape = shapes[random.integers(2)]
    _add(scene, shape, np.full(3, size), place, turn * np.sign(np.linalg.det(turn)), random.random(3))


def _rail(moment: Moment, random: np.random.Generator, scene: mujoco.MjvScene) -> None:
    """Adds a bar of any color across the picture, at half the hand's distance, an eighth of the picture high."""
    far = 0.5 * float(np.linalg.norm(moment.eye - moment.hand))
    right, up, back = moment.axes
    place = moment.eye + far * (random.uniform(-0.6, 0.6) * moment.high * up - back)
    half = far * np.array([10.0, moment.high / 8, moment.high / 8])
    _add(scene, mujoco.mjtGeom.mjGEOM_BOX, half, place, np.stack([right, up, back], axis=1), random.random(3))


def _add(
    scene: mujoco.MjvScene, shape: mujoco.mjtGeom, size: Floats, place: Floats, turn: Floats, color: Floats
) -> None:
    mujoco.mjv_initGeom(scene.geoms[scene.ngeom], shape, size, place, turn.ravel(), np.array([*color, 1.0], np.float32))
    scene.ngeom += 1


CHANGES: dict[str, Change] = {
    "light from another side": _lamps_elsewhere,
    "camera turned by 3 degrees": _camera_turned,
    "camera shifted by 1 cm": _camera_shifted,
    "a sleeve of another color": _other_sleeve,
    "a toy in front of the hand": _toy,
    "a rail in front": _rail,
}
"""The kinds of disturbance that change the scene."""
KINDS = *LIGHT, *CHANGES, OTHER_ROOM
"""The kinds of `disturbed_frames`."""
