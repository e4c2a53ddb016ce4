"""Cameras: the infant's eye, and a view of the infant from outside."""

import copy
import os
import weakref
from collections.abc import Iterator
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from ..body.checks import check_choice
from ..body.model import ArmModel
from . import opengl
from .acuity import Blur, pixels_per_degree

HAND_IN_VIEW = 0.003
"""A picture "shows the hand" if at least this share of its pixels does."""

_OPTION = mujoco.MjvOption()
_COUNTING_ROWS = 60
"""Rows of the small frame in which the arm's and the hand's pixels are counted."""


class _Screen:
    """An offscreen OpenGL context with settings that are fast in software rendering.

    Vertices, multisampling and shadows cost most of the time there, not pixels. With few vertices and neither of the
    others, a frame takes a twentieth of the time or less. The model itself keeps its settings.

    The first frame opens the context; `close` or garbage collection frees it, and the next frame opens it again. The
    context is current only while a frame is drawn, so any thread may draw the next one, and other contexts are unaffected.

    Args:
        model: the body.
        size: rows and columns of the largest frame, (H, W).
    """

    def __init__(self, model: mujoco.MjModel, size: tuple[int, int]) -> None:
        self._model, self._size = model, size
        self._opened: tuple[Any, mujoco.MjrContext, mujoco.MjvScene] | None = None
        self._process = 0  # number of the process that opened the context
        self._free: weakref.finalize[Any, Any] | None = None

    def draw(
        self, model: mujoco.MjModel, data: mujoco.MjData, camera: mujoco.MjvCamera, size: tuple[int, int]
    ) -> NDArray[np.uint8]:
        """A new RGB frame of the camera, shape (H, W, 3), uint8."""
        frame = np.empty((*size, 3), np.uint8)
        self._render(model, data, camera, size, frame, None)
        return frame[::-1].copy()

    def depth(self, data: mujoco.MjData, camera: mujoco.MjvCamera, size: tuple[int, int]) -> NDArray[np.float32]:
        """Depth of each pixel along the camera's axis, shape (H, W), float32, m, as in `mujoco.Renderer`."""
        buffer = np.empty(size, np.float32)
        self._render(self._model, data, camera, size, None, buffer, ids=True)
        extent, clipping = self._model.stat.extent, self._model.vis.map
        near, far = clipping.znear * extent, clipping.zfar * extent
        depth = near * far / (near + buffer[::-1].astype(np.float64) * (far - near))  # MuJoCo's depth is 1 near, 0 far
        return depth.astype(np.float32)

    def geom_counts(self, data: mujoco.MjData, camera: mujoco.MjvCamera, size: tuple[int, int]) -> NDArray[np.int64]:
        """The number of pixels that show each geom, shape (ngeom,)."""
        frame = np.empty((*size, 3), np.uint8)
        scene = self._render(self._model, data, camera, size, frame, None, ids=True)
        numbers = frame.astype(np.int32) @ np.array([1, 256, 65536], np.int32)
        drawn = np.bincount(numbers.ravel(), minlength=scene.ngeom + 1)
        counts = np.zeros(self._model.ngeom, np.int64)
        for geom in scene.geoms[: scene.ngeom]:
            if geom.objtype == mujoco.mjtObj.mjOBJ_GEOM:
                counts[geom.objid] += drawn[geom.segid + 1]
        return counts

    def close(self) -> None:
        """Frees the context; a second call does nothing."""
        if self._free is not None:
            self._free()
        self._opened = self._free = None

    def _render(
        self,
        model: mujoco.MjModel,
        data: mujoco.MjData,
        camera: mujoco.MjvCamera,
        size: tuple[int, int],
        frame: NDArray[np.uint8] | None,
        depth: NDArray[np.float32] | None,
        ids: bool = False,
    ) -> mujoco.MjvScene:
        """Draws one frame, bottom row first, and returns the scene; with `ids`, each pixel's bytes encode its geom's number."""
        if self._opened is None or self._process != os.getpid():
            self._opened = self._open()
        gl, context, scene = self._opened
        mujoco.mjv_updateScene(model, data, _OPTION, None, camera, mujoco.mjtCatBit.mjCAT_ALL.value, scene)
        scene.flags[mujoco.mjtRndFlag.mjRND_SEGMENT] = ids
        scene.flags[mujoco.mjtRndFlag.mjRND_IDCOLOR] = ids
        viewport = mujoco.MjrRect(0, 0, size[1], size[0])
        with gl.as_current():
            mujoco.mjr_render(viewport, scene, context)
            mujoco.mjr_readPixels(frame, depth, viewport, context)
        return scene

    def _open(self) -> tuple[Any, mujoco.MjrContext, mujoco.MjvScene]:
        fast = copy.copy(self._model)
        fast.vis.quality.numslices, fast.vis.quality.numstacks = 16, 8
        fast.vis.quality.offsamples = 0
        fast.vis.global_.offheight, fast.vis.global_.offwidth = self._size
        gl, context = opengl.open_context(fast)
        scene = mujoco.MjvScene(fast, maxgeom=self._model.ngeom + 100)
        for flag in (mujoco.mjtRndFlag.mjRND_SHADOW, mujoco.mjtRndFlag.mjRND_REFLECTION):
            scene.flags[flag] = False
        self._process = os.getpid()
        self._free = weakref.finalize(self, opengl.free, gl, context, self._process)
        self._free.atexit = False  # contexts end with the process
        return gl, context, scene


class EyeCamera:
    """The cameras of the infant's eyes: of the right eye, or of those that its body has.

    Frames depend only on the pose, not on earlier frames: equal poses give equal bytes. The first frame opens OpenGL. It
    raises a `RuntimeError` with advice if there is no OpenGL, or if the process was forked after OpenGL had been opened.
    Pickled and deep-copied cameras open contexts of their own.

    Args:
        arm: the body.
        size: rows and columns of the frames, (H, W).
        acuity: frames are blurred to this acuity, cycles per degree; None: no blur.
    """

    def __init__(self, arm: ArmModel, size: tuple[int, int] = (300, 500), acuity: float | None = None) -> None:
        self.size = (int(size[0]), int(size[1]))
        self._arm, self.acuity = arm, acuity
        density = pixels_per_degree(arm.model, arm.eye_camera, self.size[0])
        self._blur = None if acuity is None else Blur(acuity, density)
        self._cameras = {name: _camera(arm.model, camera) for name, camera in arm.eyes.items()}
        self._small = _counting_size(self.size)
        self._screen = _Screen(arm.model, (max(self.size[0], self._small[0]), max(self.size[1], self._small[1])))

    def __reduce__(self) -> tuple[Any, ...]:
        return EyeCamera, (self._arm, self.size, self.acuity)

    def render(self, data: mujoco.MjData, eye: str = "eye") -> NDArray[np.uint8]:
        """A new RGB frame of what an eye sees, shape (H, W, 3), uint8.

        Args:
            data: the simulation, with positions.
            eye: one of the body's `ArmModel.eyes`.
        """
        return self._draw(self._arm.model, data, eye)

    def in_view(self, data: mujoco.MjData) -> tuple[float, ...]:
        """Shares of the pixels of `eye` that show the arm (or both), and each hand, in [0, 1]; counted in a small frame."""
        counts = self._screen.geom_counts(data, self._cameras["eye"], self._small)
        pixels = self._small[0] * self._small[1]
        parts = self._arm.arm_geoms, *(hand.geoms for hand in self._arm.hands.values())
        return tuple(float(counts[part].sum() / pixels) for part in parts)

    def background(self, eye: str = "eye") -> NDArray[np.uint8]:
        """What an eye sees of the same scene without the arm, RGB, shape (H, W, 3), uint8."""
        return next(self.backgrounds(np.zeros((1, len(self._arm.gaze_joints))), eye))

    def backgrounds(self, gazes: NDArray[Any], eye: str = "eye") -> Iterator[NDArray[np.uint8]]:
        """What an eye sees of the same scene without the arm.

        Args:
            gazes: angles of the gaze, shape (N, G), rad.
            eye: one of the body's `ArmModel.eyes`.

        Yields:
            N RGB frames, shape (H, W, 3), uint8.
        """
        armless = copy.copy(self._arm.model)
        armless.geom_matid[self._arm.arm_geoms] = -1
        armless.geom_rgba[self._arm.arm_geoms, 3] = 0  # MuJoCo does not draw fully transparent geoms
        data = self._arm.new_data()
        for gaze in gazes:
            self._arm.gaze.turn(data, gaze)
            mujoco.mj_forward(armless, data)
            yield self._draw(armless, data, eye)

    def _draw(self, model: mujoco.MjModel, data: mujoco.MjData, eye: str) -> NDArray[np.uint8]:
        frame = self._screen.draw(model, data, self._cameras[eye], self.size)
        return frame if self._blur is None else self._blur(frame)

    def close(self) -> None:
        """Frees the OpenGL context; the next frame opens it again."""
        self._screen.close()


class OutsideCamera:
    """A camera that sees the body from outside; `EyeCamera` explains its use of OpenGL.

    Args:
        arm: the body.
        size: rows and columns of the frames, (H, W).
        camera: name of a camera of the body's model; None: the body's own outside camera.

    Raises:
        UserError: the model has no camera of this name.
    """

    def __init__(self, arm: ArmModel, size: tuple[int, int] = (480, 640), camera: str | None = None) -> None:
        self.size = (int(size[0]), int(size[1]))
        self._arm, self._name = arm, camera
        if camera is not None:
            check_choice("camera_name", camera, [arm.model.camera(i).name for i in range(arm.model.ncam)])
        self._camera = _camera(arm.model, arm.outside_camera if camera is None else camera)
        self._screen = _Screen(arm.model, self.size)

    def __reduce__(self) -> tuple[Any, ...]:
        return OutsideCamera, (self._arm, self.size, self._name)

    def render(self, data: mujoco.MjData) -> NDArray[np.uint8]:
        """A new RGB frame of the body from outside, shape (H, W, 3), uint8."""
        return self._screen.draw(self._arm.model, data, self._camera, self.size)

    def depth(self, data: mujoco.MjData) -> NDArray[np.float32]:
        """Depth of each pixel along the camera's axis, shape (H, W), float32, m."""
        return self._screen.depth(data, self._camera, self.size)

    def pixels(self, data: mujoco.MjData, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where places in the world lie in a frame; they may lie outside of it, or behind something.

        Args:
            data: the simulation, with positions.
            places: in front of the camera, shape (N, 3), m.

        Returns:
            Row and column, shape (N, 2), pixels; (0, 0) is the upper left corner.
        """
        scene = mujoco.MjvScene(self._arm.model, maxgeom=0)
        mujoco.mjv_updateCamera(self._arm.model, data, self._camera, scene)
        middle = scene.camera[0]  # of the two for stereo, which differ only in `pos`
        forward, up = middle.forward.astype(np.float64), middle.up.astype(np.float64)
        seen = places - (scene.camera[0].pos + scene.camera[1].pos) / 2
        flat = seen @ np.stack([-up, np.cross(forward, up)], axis=1) / (seen @ forward)[:, None]
        (rows, columns), high = self.size, middle.frustum_top - middle.frustum_bottom
        return np.array([rows, columns]) / 2 + flat * middle.frustum_near / high * rows

    def close(self) -> None:
        """Frees the OpenGL context; the next frame opens it again."""
        self._screen.close()


def _camera(model: mujoco.MjModel, name: str | int) -> mujoco.MjvCamera:
    camera = mujoco.MjvCamera()
    if isinstance(name, str):
        camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        camera.fixedcamid = model.camera(name).id
    else:
        mujoco.mjv_defaultFreeCamera(model, camera)
    return camera


def _counting_size(size: tuple[int, int]) -> tuple[int, int]:
    rows, columns = size
    return _COUNTING_ROWS, max(1, round(_COUNTING_ROWS * columns / rows))
