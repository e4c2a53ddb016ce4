"""`infant-arm doctor`: checks that everything is here that the other commands need, and says how to mend what is missing."""

import os
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from infant_env.errors import UserError

from .runs import folder as runs
from .runs.config import Checked, Seed
from .runs.device import Device, pick_device

_SMALL = (60, 100)
_FINGER_ON_NOSE = (60, 48, 13, 142, 3)  # degrees
_OTHER_RENDERER = "try MUJOCO_GL=osmesa (apt-get install -y libosmesa6)"


@dataclass(frozen=True)
class Config(Checked):
    """Check Python, packages, rendering, the senses, torch and disk space, and say how to mend what is wrong."""

    out: Path = Path(".")
    """The folder for data sets and runs."""
    seed: Seed = 0
    """Has no effect: the checks draw nothing at random."""
    device: Device = "auto"
    """The device to check."""


def run(config: Config) -> None:
    """Prints one line per check.

    Raises:
        UserError: a check failed.
    """
    failed = []
    for name, check in _checks(config).items():
        try:
            print(f"ok    {name}: {check()}")
        except Exception as error:  # reported like any other, and the next check runs
            failed.append(name)
            print(f"WRONG {name}: {error}")
    if failed:
        raise UserError(f"mend first: {', '.join(failed)} (see above)")


def _checks(config: Config) -> dict[str, Callable[[], str]]:
    return {
        "python": _python,
        "packages": lambda: ", ".join(f"{name} {version}" for name, version in runs.versions().items()),
        "rendering": _rendering,
        "both eyes": _both_eyes,
        "gaze": _gaze,
        "touch": _touch,
        "torch": lambda: _torch(config.device),
        "disk": lambda: _disk(config.out),
    }


def _python() -> str:
    hint = ", but not in a virtual environment; `make setup` makes one in .venv"
    return sys.version.split()[0] + (hint if sys.prefix == sys.base_prefix else "")


def _rendering() -> str:
    from infant_env.body.model import ArmModel
    from infant_env.senses.camera import EyeCamera

    arm = ArmModel.infant()
    data = arm.new_data()
    arm.pose(data, arm.joint_ranges.mean(axis=1))
    eye = EyeCamera(arm)
    eye.render(data)
    start = time.perf_counter()
    for _ in range(20):
        frame = eye.render(data)
    milliseconds = (time.perf_counter() - start) / 20 * 1e3
    renderer = _renderer()
    eye.close()
    if not frame.std() > 0:
        raise RuntimeError(f"{renderer} draws empty pictures; {_OTHER_RENDERER}")
    software = any(name in renderer.lower() for name in ("llvmpipe", "softpipe", "swrast", "mesa offscreen"))
    return (
        f"MUJOCO_GL={os.environ.get('MUJOCO_GL', '(unset)')}, {renderer} ({'software' if software else 'hardware'}), "
        f"{milliseconds:.1f} ms a 300x500 frame"
    )


def _both_eyes() -> str:
    from infant_env.envs.arm_env import InfantArmEnv

    env = InfantArmEnv(eyes="both", eye_size=_SMALL)
    observation, _ = env.reset(seed=0)
    env.close()
    differs = (observation["eye"] != observation["eye_left"]).any(axis=2).mean()
    if not differs:
        raise RuntimeError(f"both eyes see the same frame; {_OTHER_RENDERER}")
    return f"two frames, which differ in {differs:.0%} of their pixels"


def _gaze() -> str:
    from infant_env.envs.arm_env import InfantArmEnv

    env = InfantArmEnv(gaze="eyes", eye_size=_SMALL)
    before, _ = env.reset(seed=0)
    action = env.action_for(before["joints"])
    action[-2:] = 1.0  # to the left and down, as far as it goes
    after, _ = env.hold(action, 12)
    env.close()
    left, down = np.degrees(after["gaze"])
    if min(left, down) < 10 or (before["eye"] == after["eye"]).all():
        raise RuntimeError(
            f"the eyes turned {left:.0f} degrees to the left and {down:.0f} degrees down, expected 30 and 20, and a new frame; "
            "another version of mujoco may mend it"
        )
    return f"the eyes turned {left:.0f} degrees to the left and {down:.0f} degrees down"


def _touch() -> str:
    from infant_env.body.model import ArmModel
    from infant_env.senses.skin.touch import Touch

    arm = ArmModel.infant()
    touch, data = Touch(arm), arm.new_data()
    arm.place(data, np.radians(_FINGER_ON_NOSE))
    pressed = [name for name, force in zip(touch.names, touch.felt(data), strict=True) if force > 0]
    if "nose" not in pressed:
        felt = ", ".join(pressed) or "nothing"
        raise RuntimeError(f"a finger on the nose is felt as {felt}; another version of mujoco may mend it")
    return f"a finger on the nose is felt by {len(pressed)} of {len(touch.names)} patches of skin: {', '.join(pressed)}"


def _renderer() -> str:
    from OpenGL import GL

    name = GL.glGetString(GL.GL_RENDERER)
    return name.decode() if name else "an unnamed renderer"


def _torch(device: Device) -> str:
    import torch

    chosen = pick_device(device)
    place = torch.cuda.get_device_name(chosen) if chosen.type == "cuda" else f"{torch.get_num_threads()} threads"
    policy = os.environ.get("OMP_WAIT_POLICY", "(unset)")
    return f"{torch.__version__} on {chosen.type}, {place}, OMP_WAIT_POLICY={policy}"


def _disk(out: Path) -> str:
    folder = out.resolve()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 1e9
    if free < 4:
        raise RuntimeError(f"{free:.1f} GB free in {folder}, the paper preset needs about 4 GB; free some space")
    return f"{free:.0f} GB free in {folder}; the paper preset needs about 4 GB"
