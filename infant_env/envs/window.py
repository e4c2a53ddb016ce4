"""`python -m infant_env.envs.window`: the process of one viewer; `viewer.Viewer` starts it and exchanges data by pipes."""

import os
import sys
import time
from typing import BinaryIO

import mujoco
import numpy as np

STATE = mujoco.mjtState.mjSTATE_INTEGRATION.value
"""The parts of a simulation's state that are sent."""
_SPACE_KEY = 32
_PAUSED = 0.02  # s between two updates of a paused window


def main() -> None:
    """Reads the camera's number, the model's size and the model, then states; answers each state with the user's input.

    It sends 1 byte when the window is open. Then for each state it sends 1 byte, whether the window was paused, and the forces
    by which the user pulls, (nbody, 6) float64. It ends when the window or the pipe is closed.
    """
    given, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # other prints go to stderr and do not disturb the answers
    camera, size = np.frombuffer(given.read(16), np.int64).tolist()
    model = mujoco.MjModel.from_binary_path("body.mjb", {"body.mjb": given.read(size)})
    import glfw

    if glfw.init():
        _show(model, camera, given, answers)


def _show(model: mujoco.MjModel, camera: int, given: BinaryIO, answers: BinaryIO) -> None:
    from mujoco import viewer  # needs a display

    data, paused = mujoco.MjData(model), False

    def press(key: int) -> None:
        nonlocal paused
        paused ^= key == _SPACE_KEY

    window = viewer.launch_passive(model, data, key_callback=press, show_left_ui=False, show_right_ui=False)
    if camera >= 0:
        with window.lock():
            window.cam.type, window.cam.fixedcamid = mujoco.mjtCamera.mjCAMERA_FIXED.value, camera
    state = np.empty(mujoco.mj_stateSize(model, STATE))
    _answer(answers, b"1")
    while window.is_running():
        received = given.read(state.nbytes)
        if len(received) < state.nbytes:
            break
        mujoco.mj_setState(model, data, np.frombuffer(received), STATE)
        mujoco.mj_forward(model, data)
        window.sync()
        was_paused = paused
        while paused and window.is_running():
            time.sleep(_PAUSED)
            window.sync()
        if not window.is_running():
            break
        _answer(answers, bytes([was_paused]) + data.xfrc_applied.tobytes())
    window.close()


def _answer(answers: BinaryIO, message: bytes) -> None:
    answers.write(message)
    answers.flush()


if __name__ == "__main__":
    main()
