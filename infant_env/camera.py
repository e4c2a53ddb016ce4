"""What the eye sees, and what an onlooker sees."""

import copy
import os
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from .body import ArmModel

_COUNTING_ROWS = 60
"""Rows of the small frame on which the arm's share of the picture is counted."""


class _Screen:
    """An offscreen OpenGL context with the settings that are fast on software rendering.

    Software rendering is bound by vertices, multisampling and shadows, not by pixels: with few of the first and none of
    the others a frame takes a twentieth of the time or less. The model itself keeps its settings.
    """

    def __init__(self, model: mujoco.MjModel, size: tuple[int, int]) -> None:
        rows, columns = size
        fast = copy.copy(model)
        fast.vis.quality.numslices, fast.vis.quality.numstacks = 16, 8
        fast.vis.quality.offsamples = 0
        fast.vis.global_.offheight, fast.vis.global_.offwidth = rows, columns
        self._gl, self._context = _open_gl(fast)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, self._context)
        self._scene = mujoco.MjvScene(fast, maxgeom=model.ngeom + 100)
        for flag in (mujoco.mjtRndFlag.mjRND_SHADOW, mujoco.mjtRndFlag.mjRND_REFLECTION):
            self._scene.flags[flag] = False
        self._option = mujoco.MjvOption()
        self._closed = False

    def show(self, model: mujoco.MjModel, data: mujoco.MjData, camera: mujoco.MjvCamera) -> None:
        """Takes over where everything is."""
        mujoco.mjv_updateScene(model, data, self._option, None, camera, mujoco.mjtCatBit.mjCAT_ALL.value, self._scene)

    def draw(self, size: tuple[int, int], ids: bool = False) -> NDArray[np.uint8]:
        """The scene's pixels, shape (H, W, 3), bottom row first; with `ids` their bytes are the geoms' numbers."""
        if self._closed:
            raise RuntimeError("the camera was closed; make a new one")
        rows, columns = size
        frame = np.empty((rows, columns, 3), np.uint8)
        viewport = mujoco.MjrRect(0, 0, columns, rows)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SEGMENT] = ids
        self._scene.flags[mujoco.mjtRndFlag.mjRND_IDCOLOR] = ids
        self._gl.make_current()
        mujoco.mjr_render(viewport, self._scene, self._context)
        mujoco.mjr_readPixels(frame, None, viewport, self._context)
        return frame

    def geom_counts(self, size: tuple[int, int], ngeom: int) -> NDArray[np.int64]:
        """How many pixels show each geom, shape (ngeom,)."""
        frame = self.draw(size, ids=True).astype(np.int32)
        drawn = np.bincount((frame @ np.array([1, 256, 65536], np.int32)).ravel(), minlength=self._scene.ngeom + 1)
        counts = np.zeros(ngeom, np.int64)
        for geom in self._scene.geoms[: self._scene.ngeom]:
            if geom.objtype == mujoco.mjtObj.mjOBJ_GEOM:
                counts[geom.objid] += drawn[geom.segid + 1]
        return counts

    def close(self) -> None:
        """Frees the context; a second call does nothing."""
        if not self._closed:
            self._closed = True
            self._gl.make_current()
            self._context.free()
            self._gl.free()


def _open_gl(model: mujoco.MjModel) -> tuple[Any, mujoco.MjrContext]:
    """A current OpenGL context of the model's offscreen size, and MuJoCo's resources on it.

    Raises:
        RuntimeError: there is no OpenGL library, or no display; says which line mends it.
    """
    try:
        gl = mujoco.GLContext(model.vis.global_.offwidth, model.vis.global_.offheight)
        gl.make_current()
        return gl, mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100.value)
    except Exception as error:  # each backend fails in its own way
        raise RuntimeError(_advice(error)) from error


def _advice(error: Exception) -> str:
    return (
        f"MuJoCo could not open an OpenGL context (MUJOCO_GL={os.environ.get('MUJOCO_GL')!r}): {error!r}\n"
        "Without a display, render in software; install the libraries once:\n"
        "    apt-get install -y libegl1 libgl1-mesa-dri\n"
        "and set the variable before Python starts:\n"
        "    export MUJOCO_GL=egl\n"
        "Where EGL is not to be had: apt-get install -y libosmesa6, and export MUJOCO_GL=osmesa"
    )


class EyeCamera:
    """The infant's right eye.

    Frames depend on the pose alone, not on what was rendered before: equal poses give equal bytes.

    A process that has opened a camera must not be forked; start workers by `spawn`.

    Args:
        arm: the body.
        size: rows and columns of the frames, (H, W).

    Raises:
        RuntimeError: there is no OpenGL; the message holds the line that mends it.
    """

    def __init__(self, arm: ArmModel, size: tuple[int, int] = (300, 500)) -> None:
        self.size = (int(size[0]), int(size[1]))
        self._arm = arm
        self._camera = _camera(arm.model, arm.eye_camera)
        self._small = _counting_size(self.size)
        self._screen = _Screen(arm.model, (max(self.size[0], self._small[0]), max(self.size[1], self._small[1])))

    def render(self, data: mujoco.MjData) -> NDArray[np.uint8]:
        """What the eye sees, RGB, shape (H, W, 3), uint8; the caller's own."""
        self._screen.show(self._arm.model, data, self._camera)
        return self._screen.draw(self.size)[::-1].copy()

    def in_view(self, data: mujoco.MjData) -> tuple[float, float]:
        """Which shares of the frame's pixels show the arm and the hand, both in [0, 1]; counted on a small frame."""
        self._screen.show(self._arm.model, data, self._camera)
        counts = self._screen.geom_counts(self._small, self._arm.model.ngeom)
        pixels = self._small[0] * self._small[1]
        return float(counts[self._arm.arm_geoms].sum() / pixels), float(counts[self._arm.hand_geoms].sum() / pixels)

    def background(self) -> NDArray[np.uint8]:
        """The same scene without the arm, RGB, shape (H, W, 3), uint8."""
        armless = copy.copy(self._arm.model)
        armless.geom_matid[self._arm.arm_geoms] = -1
        armless.geom_rgba[self._arm.arm_geoms, 3] = 0  # MuJoCo does not draw what is fully transparent
        data = mujoco.MjData(armless)
        mujoco.mj_forward(armless, data)
        self._screen.show(armless, data, self._camera)
        return self._screen.draw(self.size)[::-1].copy()

    def close(self) -> None:
        """Frees the OpenGL context."""
        self._screen.close()


class OutsideCamera:
    """An onlooker.

    Args:
        arm: the body.
        size: rows and columns of the frames, (H, W).

    Raises:
        RuntimeError: there is no OpenGL; the message holds the line that mends it.
    """

    def __init__(self, arm: ArmModel, size: tuple[int, int] = (480, 640)) -> None:
        self.size = (int(size[0]), int(size[1]))
        self._arm = arm
        self._camera = _camera(arm.model, arm.outside_camera)
        self._screen = _Screen(arm.model, self.size)

    def render(self, data: mujoco.MjData) -> NDArray[np.uint8]:
        """The body from outside, RGB, shape (H, W, 3), uint8; the caller's own."""
        self._screen.show(self._arm.model, data, self._camera)
        return self._screen.draw(self.size)[::-1].copy()

    def close(self) -> None:
        """Frees the OpenGL context."""
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
