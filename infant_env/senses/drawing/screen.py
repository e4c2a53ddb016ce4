"""A screen: it draws frames of a simulation, depths, and which geom each pixel shows."""

import copy
import os
import weakref
from collections.abc import Callable
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from . import opengl

Edit = Callable[[mujoco.MjvScene], None]
"""Changes a scene before it is drawn."""

_OPTION = mujoco.MjvOption()


class Screen:
    """An offscreen OpenGL context with settings that are fast in software rendering.

    Vertices, multisampling and shadows cost most of the time there, not pixels. With few vertices and neither of the
    others, a frame takes a twentieth of the time or less. The model itself keeps its settings.

    The first frame opens the context; `close` or garbage collection frees it, and the next frame opens it again. The
    context is current only while a frame is drawn, so any thread may draw the next one, and other contexts are unaffected.
    It can draw other models of the same kind too; then it gets their meshes, which takes less time than another context.

    Args:
        model: the body.
        size: rows and columns of the largest frame, (H, W).
    """

    def __init__(self, model: mujoco.MjModel, size: tuple[int, int]) -> None:
        self._model, self._size = model, size
        self._opened: tuple[Any, mujoco.MjrContext, mujoco.MjvScene] | None = None
        self._process = 0  # number of the process that opened the context
        self._meshes = model  # the model whose meshes the context has
        self._free: weakref.finalize[Any, Any] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return Screen, (self._model, self._size)

    def draw(
        self,
        model: mujoco.MjModel,
        data: mujoco.MjData,
        camera: mujoco.MjvCamera,
        size: tuple[int, int],
        edit: Edit | None = None,
    ) -> NDArray[np.uint8]:
        """A new RGB frame of the camera, shape (H, W, 3), uint8; `edit` changes the scene before it is drawn."""
        frame = np.empty((*size, 3), np.uint8)
        self._render(model, data, camera, size, frame, None, edit=edit)
        return frame[::-1].copy()

    def depth(
        self, model: mujoco.MjModel, data: mujoco.MjData, camera: mujoco.MjvCamera, size: tuple[int, int]
    ) -> NDArray[np.float32]:
        """Depth of each pixel along the camera's axis, shape (H, W), float32, m, as in `mujoco.Renderer`."""
        buffer = np.empty(size, np.float32)
        self._render(model, data, camera, size, None, buffer, ids=True)
        extent, clipping = model.stat.extent, model.vis.map
        near, far = clipping.znear * extent, clipping.zfar * extent
        depth = near * far / (near + buffer[::-1].astype(np.float64) * (far - near))  # MuJoCo's depth is 1 near, 0 far
        return depth.astype(np.float32)

    def geom_counts(
        self,
        model: mujoco.MjModel,
        data: mujoco.MjData,
        camera: mujoco.MjvCamera,
        size: tuple[int, int],
        edit: Edit | None = None,
    ) -> NDArray[np.int64]:
        """The number of pixels that show each geom, shape (ngeom,)."""
        frame = np.empty((*size, 3), np.uint8)
        scene = self._render(model, data, camera, size, frame, None, ids=True, edit=edit)
        numbers = frame.astype(np.int32) @ np.array([1, 256, 65536], np.int32)
        drawn = np.bincount(numbers.ravel(), minlength=scene.ngeom + 1)
        counts = np.zeros(model.ngeom, np.int64)
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
        edit: Edit | None = None,
    ) -> mujoco.MjvScene:
        """Draws one frame, bottom row first, and returns the scene; with `ids`, each pixel's bytes encode its geom's number."""
        if self._opened is None or self._process != os.getpid():
            self._opened = self._open()
        gl, context, scene = self._opened
        mujoco.mjv_updateScene(model, data, _OPTION, None, camera, mujoco.mjtCatBit.mjCAT_ALL.value, scene)
        if edit is not None:
            edit(scene)
        scene.flags[mujoco.mjtRndFlag.mjRND_SEGMENT] = ids
        scene.flags[mujoco.mjtRndFlag.mjRND_IDCOLOR] = ids
        viewport = mujoco.MjrRect(0, 0, size[1], size[0])
        with gl.as_current():
            if model is not self._meshes:
                for mesh in range(model.nmesh):
                    mujoco.mjr_uploadMesh(model, context, mesh)
                self._meshes = model
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
        self._process, self._meshes = os.getpid(), self._model
        self._free = weakref.finalize(self, opengl.free, gl, context, self._process)
        self._free.atexit = False  # contexts end with the process
        return gl, context, scene
