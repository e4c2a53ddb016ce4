"""MuJoCo's interactive viewer of the infant, in a separate process."""

import contextlib
import os
import subprocess
import sys
import time
import weakref
from typing import Any

import mujoco
import numpy as np
from gymnasium import logger

from ..body.model import ArmModel
from . import window


class Viewer:
    """MuJoCo's viewer for one simulation, in real time: turn and zoom with the mouse, pull at bodies, pause with the space bar.

    Several viewers in one process would crash (MuJoCo 4.0.0), so each has its own process. Without a display it shows
    nothing, and warns once when the simulation moves. A window that the user closes stays closed.

    Args:
        arm: the body.
        camera: name or number of the first camera; in the window, Esc switches to the free camera.
    """

    def __init__(self, arm: ArmModel, camera: str | int) -> None:
        self._arm, self._camera = arm, camera
        self._state = np.empty(mujoco.mj_stateSize(arm.model, window.STATE))
        self._process: subprocess.Popen[bytes] | None = None
        self._missing = ""  # reason why there is no window
        self._warned = False
        self._anchor = 0.0, 0.0  # wall and simulated time, s, from which the pace is computed

    def __reduce__(self) -> tuple[Any, ...]:
        return Viewer, (self._arm, self._camera)

    def like(self, arm: ArmModel) -> "Viewer":
        """The viewer of another body; this one is closed. A window that the user closed stays closed."""
        other, missing = Viewer(arm, self._camera), self._missing
        self.close()
        other._missing, other._warned = missing, self._warned
        return other

    def show(self, data: mujoco.MjData) -> None:
        """Shows a simulation; waits while it is paused and until as much real time has passed as simulated time.

        Args:
            data: the simulation; it receives the forces by which the user pulls.
        """
        if self._process is None and not self._missing:
            self._open()
        if self._process is None:
            self._warn(data.time)
            return
        mujoco.mj_getState(self._arm.model, data, self._state, window.STATE)
        forces = self._exchange(self._process, self._state.tobytes(), data.xfrc_applied.nbytes + 1)
        if forces is None:  # the user closed the window
            self.close()
            self._missing, self._warned = "its window was closed", True
            return
        paused, pulls = forces[0], np.frombuffer(forces, np.float64, offset=1)
        data.xfrc_applied[:] = pulls.reshape(data.xfrc_applied.shape)
        self._keep_pace(data.time, bool(paused))

    def close(self) -> None:
        """Closes the window; the next `show` opens another."""
        if self._process is not None:
            _end(self._process)
        self._process, self._missing = None, ""

    def _open(self) -> None:
        """Starts the window's process."""
        self._missing = _obstacle()
        if self._missing:
            return
        command = [sys.executable, "-m", window.__name__]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        model = np.empty(mujoco.mj_sizeModel(self._arm.model), np.uint8)
        mujoco.mj_saveModel(self._arm.model, None, model)
        camera = self._camera if isinstance(self._camera, int) else self._arm.model.camera(self._camera).id
        head = np.array([camera, len(model)], np.int64).tobytes()
        if self._exchange(process, head + model.tobytes(), 1) is None:
            _end(process)
            self._missing = f"no window can be opened on the display {os.environ.get('DISPLAY', '')}"
            return
        self._process = process
        weakref.finalize(self, _end, process)

    def _exchange(self, process: "subprocess.Popen[bytes]", message: bytes, size: int) -> bytes | None:
        """Sends a message and waits for an answer of this size; None if the window is gone."""
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(message)
            process.stdin.flush()
        except OSError:
            return None
        answer = process.stdout.read(size)
        return answer if len(answer) == size else None

    def _keep_pace(self, simulated: float, paused: bool) -> None:
        wall, since = self._anchor
        ahead = wall + simulated - since - time.monotonic()
        if (
            paused or simulated < since or ahead < -0.5 or ahead > 60
        ):  # a pause, a new episode, or slower than real time
            self._anchor = time.monotonic(), simulated
        elif ahead > 0:
            time.sleep(ahead)

    def _warn(self, simulated: float) -> None:
        if simulated > 0 and not self._warned:
            self._warned = True
            logger.warn(
                f'render_mode="human" shows nothing: {self._missing}; run it on a machine with a display, or get frames '
                'with render_mode="rgb_array"'
            )


def _obstacle() -> str:
    """The reason why no window can open; empty if one may."""
    if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys():
        return "there is no display (DISPLAY is not set)"
    if sys.platform == "darwin":
        return "on macOS MuJoCo's viewer runs only under `mjpython`"
    return ""


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Closes the pipes, which ends the window's process, and waits for its end."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):  # unwritten data has no reader any more
                pipe.close()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
