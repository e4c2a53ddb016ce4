"""`render_mode="human"` under a virtual display, and without one."""

import os
import shutil
import subprocess
import sys
import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import infant_env  # noqa: F401

needs_display = pytest.mark.skipif(
    shutil.which("xvfb-run") is None, reason="needs Debian's xvfb; make test installs it"
)

WINDOWS = """
import subprocess, time
import gymnasium as gym, numpy as np, infant_env

def windows():
    found = subprocess.run(["xdotool", "search", "--onlyvisible", "--name", "MuJoCo : infant"], capture_output=True, text=True)
    return found.stdout.split()

envs = [gym.make("InfantArmReach-v0", render_mode="human") for _ in range(2)]
plain = gym.make("InfantArmReach-v0")
action = np.full(5, 0.3, np.float32)
for env in (*envs, plain):
    env.reset(seed=0)
start = time.monotonic()
for _ in range(24):
    seen, felt, _ = (env.step(action)[0] for env in (*envs, plain))
    assert all((seen[key] == felt[key]).all() for key in felt)
assert .9 < time.monotonic() - start, "faster than real time"
assert all((seen[key] == plain.unwrapped._observation()[key]).all() for key in seen), "the window changed the physics"
assert len(windows()) == 2
envs[0].close()
time.sleep(1)
assert len(windows()) == 1
subprocess.run(["xdotool", "key", "--window", windows()[0], "space"], check=True)
time.sleep(.5)
paused = subprocess.Popen(["bash", "-c", f"sleep 1; xdotool key --window {windows()[0]} space"])
start = time.monotonic()
envs[1].reset(seed=0)
for _ in range(3):
    envs[1].step(action)
assert .7 < time.monotonic() - start, "it did not pause"
paused.wait()
subprocess.run(["xdotool", "windowkill", windows()[0]], check=True)
time.sleep(.5)
for _ in range(3):
    envs[1].step(action)
assert not windows(), "a window that was closed came back"
envs[1].close()
many = gym.make_vec("InfantArm-v0", 2, render_mode="human", eye_size=(36, 60))
many.reset(seed=0)
many.step(many.action_space.sample())
assert many.render() == (None, None)
assert len(windows()) == 1
many.close()
print("all well")
"""


@needs_display
@pytest.mark.skipif(shutil.which("xdotool") is None, reason="needs Debian's xdotool; make test installs it")
def test_each_environment_has_a_window_of_its_own_in_real_time():
    command = ["xvfb-run", "-a", "-s", "-screen 0 1280x800x24", sys.executable, "-W", "error", "-c", WINDOWS]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert "all well" in result.stdout, result.stderr


@pytest.fixture
def no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.skipif(sys.platform != "linux", reason="displays have other names here")
@pytest.mark.usefixtures("no_display")
@pytest.mark.parametrize("many", [False, True])
def test_without_a_display_it_warns_once(many: bool):
    env: Any = (
        gym.make_vec("InfantArmReach-v0", 2, render_mode="human")
        if many
        else gym.make("InfantArmReach-v0", render_mode="human")
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env.reset(seed=0)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for _ in range(3):
            env.step(np.zeros(env.action_space.shape, np.float32))
    assert ["shows nothing: there is no display" in str(one.message) for one in told] == [True]
    env.close()


@pytest.mark.skipif(sys.platform != "linux", reason="displays have other names here")
def test_a_display_that_cannot_be_opened_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(os.environ, "DISPLAY", ":987")
    env = gym.make("InfantArmReach-v0", render_mode="human")
    env.reset(seed=0)
    with pytest.warns(UserWarning, match="no window can be opened on the display :987"):
        env.step(np.zeros(5, np.float32))
    env.close()


def test_nothing_is_left_behind_in_matplotlib():
    program = (
        "import sys, gymnasium as gym, infant_env\n"
        "env = gym.make('InfantArmReach-v0', render_mode='human'); env.reset(seed=0)\n"
        "env.step(env.action_space.sample()); env.close()\n"
        "print('matplotlib' in sys.modules)\n"
    )
    environment = {name: value for name, value in os.environ.items() if "DISPLAY" not in name}
    result = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "False"
