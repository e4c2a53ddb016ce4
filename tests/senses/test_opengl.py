"""Pictures that nobody destroys: environments that are dropped, other libraries' contexts, threads, forked processes."""

import gc
import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import mujoco
import numpy as np
import pytest

import infant_env  # noqa: F401
from agents.babbling import BabblingAgent
from infant_env.body.model import ArmModel
from infant_env.senses.camera import EyeCamera, OutsideCamera

SMALL = (36, 60)


def seen(env: Any) -> bytes:
    return np.asarray(env.reset(seed=7)[0]["eye"]).tobytes()


def shown(env: Any) -> bytes:
    env.reset(seed=7)
    return np.asarray(env.render()).tobytes()


MAKERS: dict[str, tuple[Callable[[], Any], Callable[[Any], bytes]]] = {
    "eye": (lambda: gym.make("InfantArm-v0", eye_size=SMALL), seen),
    "outside": (lambda: gym.make("InfantArmReach-v0", render_mode="rgb_array"), shown),
    "many eyes": (lambda: gym.make_vec("InfantArmReach-v0", 2, eye_size=SMALL), seen),
    "many outside": (lambda: gym.make_vec("InfantArmReach-v0", 2, render_mode="rgb_array"), shown),
    "goal pictures": (lambda: gym.make("InfantArmReach-v0", eye_size=SMALL, goal_eye=True), seen),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_a_name_may_be_used_again_as_in_a_notebook(kind: str):
    make, look = MAKERS[kind]
    env = make()
    first = look(env)
    for _ in range(3):
        env = make()
        assert look(env) == first
        assert look(env) == first


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("in_a_circle", [False, True])
def test_an_environment_that_is_dropped_leaves_the_others_alone(kind: str, in_a_circle: bool):
    make, look = MAKERS[kind]
    kept = make()
    first = look(kept)
    dropped = make()
    look(dropped)
    if in_a_circle:
        dropped.itself = dropped  # only the garbage collector finds it
    look(kept)
    del dropped
    gc.collect()
    assert look(kept) == first
    kept.close()


def test_agents_and_cameras_that_are_dropped_leave_the_others_alone(arm: ArmModel):
    data, eye = mujoco.MjData(arm.model), EyeCamera(arm, SMALL)
    arm.pose(data, arm.joint_ranges.mean(axis=1))
    first = eye.render(data).tobytes()
    for make in (lambda: BabblingAgent(arm, SMALL).sample(0), lambda: OutsideCamera(arm, SMALL).render(data)):
        make()
        gc.collect()
        assert eye.render(data).tobytes() == first
    eye.close()


def test_the_simulator_s_own_renderer_and_ours_leave_each_other_alone(arm: ArmModel):
    data, eye = mujoco.MjData(arm.model), EyeCamera(arm, SMALL)
    arm.pose(data, arm.joint_ranges.mean(axis=1))
    renderer = mujoco.Renderer(arm.model, *SMALL)

    def theirs() -> bytes:
        renderer.update_scene(data, arm.eye_camera)
        return renderer.render().tobytes()

    ours, other = eye.render(data).tobytes(), theirs()
    assert (eye.render(data).tobytes(), theirs()) == (ours, other)
    eye.close()
    assert theirs() == other
    eye.render(data)
    renderer.close()
    assert eye.render(data).tobytes() == ours
    eye.close()


def test_nothing_is_opened_before_the_first_frame(monkeypatch: pytest.MonkeyPatch):
    from infant_env.senses.drawing import opengl

    monkeypatch.setattr(opengl, "open_context", lambda model: pytest.fail("opened OpenGL"))
    for make, _ in MAKERS.values():
        make().close()


def test_any_thread_may_step():
    env, other = (gym.make("InfantArm-v0", eye_size=SMALL) for _ in range(2))
    env.reset(seed=0), other.reset(seed=0)
    action, frames = np.full(5, 0.3, np.float32), []
    for _ in range(3):
        thread = threading.Thread(target=lambda: frames.append(env.step(action)[0]["eye"]))
        thread.start()
        thread.join()
        assert frames.pop().tobytes() == other.step(action)[0]["eye"].tobytes()
    assert env.step(action)[0]["eye"].tobytes() == other.step(action)[0]["eye"].tobytes()
    env.close(), other.close()


def test_an_environment_may_be_closed_and_dropped_by_another_thread():
    kept, env = (gym.make("InfantArm-v0", eye_size=SMALL) for _ in range(2))
    first = seen(kept)
    seen(env)
    thread = threading.Thread(target=env.close)
    thread.start()
    thread.join()
    assert seen(kept) == seen(env) == first


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing is forked here")
def test_a_forked_process_may_drop_the_infants_that_it_inherits():
    program = (
        "import gc, os, gymnasium as gym, infant_env\n"
        "env = gym.make_vec('InfantArmReach-v0', 3); env.reset(seed=0); env.step(env.action_space.sample())\n"
        "child = os.fork()\n"
        "if not child:\n    del env; gc.collect(); os._exit(7)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])); env.step(env.action_space.sample())\n"
    )
    command = [sys.executable, "-W", "ignore", "-c", program]
    assert subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout == "7\n"


PROGRAM = """
import os, sys
import gymnasium as gym, numpy as np, infant_env
drawn, name, keywords = sys.argv[1] == "drawn", sys.argv[2], eval(sys.argv[3])
if drawn:
    gym.make("InfantArm-v0", eye_size=(36, 60)).reset(seed=0)
if "Imagined" in name:
    import torch
    torch.set_num_threads(2)
    torch.rand(500, 500).exp().matmul(torch.rand(500, 500)).sum()
env = gym.make_vec(name, 2, vectorization_mode="async", vector_kwargs={"context": "fork"}, **keywords)
try:
    env.reset(seed=0)
    env.step(env.action_space.sample())
    print("stepped")
except RuntimeError as error:
    print("refused:", error)
env.close(terminate=True)
"""


def forked(drawn: bool, name: str, **keywords: Any) -> str:
    """What comes of asynchronous environments whose processes are forked, in a process of their own."""
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM, "drawn" if drawn else "clean", name, repr(keywords)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


needs_fork = pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="nothing is forked here")


@needs_fork
@pytest.mark.parametrize(
    ("name", "keywords"),
    [
        ("InfantArm-v0", {"eye_size": SMALL}),
        ("InfantArmReach-v0", {"eye_size": SMALL, "goal_eye": True}),
    ],
)
def test_forked_processes_open_their_own_eyes(name: str, keywords: dict[str, Any]):
    assert "stepped" in forked(False, name, **keywords)


@needs_fork
def test_a_process_forked_too_late_says_what_to_do():
    said = forked(True, "InfantArm-v0", eye_size=SMALL)
    assert "refused: got a process that was forked after OpenGL had been opened" in said
    assert 'vector_kwargs={"context": "spawn"}' in said
    assert "stepped" in forked(True, "InfantArmReach-v0")  # which draws nothing


@needs_fork
def test_imagined_infants_may_be_forked_after_torch_has_computed(world: Any):
    assert "stepped" in forked(False, "agents:ImaginedArmReach-v0", world=str(world.folder))
