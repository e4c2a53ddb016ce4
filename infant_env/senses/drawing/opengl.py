"""Opens and frees OpenGL contexts without side effects on other contexts, threads or forked processes."""

import os
import sys
from typing import Any

import mujoco

_inherited: list[Any] = []
"""Contexts of the parent process. A forked child keeps them: to free one here could wait for ever."""
_forked_too_late = False
"""Whether this process was forked after its parent had opened OpenGL."""
_opened = False
"""Whether `open_context` has opened OpenGL in this process or in a parent of it."""


def open_context(model: mujoco.MjModel) -> tuple[Any, mujoco.MjrContext]:
    """Opens an OpenGL context of the model's offscreen size with MuJoCo's resources; it is not current afterwards.

    Raises:
        RuntimeError: there is no OpenGL library or no display, or the process was forked after OpenGL had been opened;
            the message says how to mend it.
    """
    global _opened
    if _forked_too_late:
        raise RuntimeError(
            "got a process that was forked after OpenGL had been opened, expected a process that opens OpenGL itself: a fork "
            'does not copy the drawing threads; start workers with "spawn" (vector_kwargs={"context": "spawn"} of '
            'gym.make_vec, or multiprocessing.get_context("spawn")), or draw nothing before they start'
        )
    try:
        gl = mujoco.GLContext(model.vis.global_.offwidth, model.vis.global_.offheight)
        _opened = True
        with gl.as_current():
            context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100.value)
            mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, context)
        context.readDepthMap = mujoco.mjtDepthMap.mjDEPTH_ZEROFAR.value  # 1 near, 0 far: exact far away too
        return gl, context
    except Exception as error:  # each backend fails in its own way
        raise RuntimeError(_advice(error)) from error


def free(gl: Any, context: mujoco.MjrContext, process: int) -> None:
    """Frees a context of `open_context`; it becomes current first, because otherwise another context would lose resources.

    Args:
        gl: the OpenGL context.
        context: MuJoCo's resources.
        process: number of the process that opened the context.
    """
    if os.getpid() != process:
        _inherited.append((gl, context))
        return
    with gl.as_current():
        context.free()
    gl.free()


def _after_fork() -> None:
    global _forked_too_late
    display = getattr(sys.modules.get("mujoco.egl"), "EGL_DISPLAY", None)  # other code may have opened it
    _forked_too_late = _forked_too_late or _opened or display is not None


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_after_fork)


def _advice(error: Exception) -> str:
    return (
        f"MuJoCo could not open an OpenGL context (MUJOCO_GL={os.environ.get('MUJOCO_GL')!r}): {error!r}\n"
        "Without a display, render in software; install the libraries once:\n"
        "    apt-get install -y libegl1 libgl1-mesa-dri\n"
        "and set the variable before Python starts:\n"
        "    export MUJOCO_GL=egl\n"
        "If EGL is not available: apt-get install -y libosmesa6, and export MUJOCO_GL=osmesa"
    )
