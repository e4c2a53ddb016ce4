"""`infant-arm bodies`: lists what an MJCF file holds, and proposes a command that takes it as the body."""

import dataclasses
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import tyro

from infant_env.body.description import Body
from infant_env.body.mjcf import load
from infant_env.body.model import ArmModel
from infant_env.body.raw.mjcf_files import MjcfFiles
from infant_env.errors import UserError
from infant_env.senses.camera import HAND_IN_VIEW

from ..data.first_look import limit_of, look
from ..runs.config import Checked, Seed
from ..runs.device import Device
from ..show import tables
from .listing import Camera, Joint, cameras_of, joints_of, longest_arm, tree_of
from .viewpoint import FEW, LOOKED, best_viewpoint, visible

_OFTEN = 0.5
"""A camera is proposed if it sees the hand in this share of the poses or more."""


@dataclass(frozen=True)
class Config(Checked):
    """List joints, cameras, bodies, actuators and keyframes of an MJCF file, and propose a command that takes it as the body."""

    file: tyro.conf.Positional[Path]
    """The MJCF file."""
    arm_joints: tuple[str, ...] = ()
    """Joints of the arm for the proposal; by default the longest chain of hinges with ranges."""
    seed: Seed = 0
    """Has no effect: the cameras are always tried with the same poses."""
    device: Device = "auto"
    """Has no effect."""


def run(config: Config) -> None:
    """Prints the lists and the proposal.

    Raises:
        UserError: the file cannot be read.
    """
    _, model = load(config.file)
    for title, content in _lists(model):
        print(f"{title}\n{content}\n")
    print("Proposal\n" + "\n".join(proposal(config.file, model, config.arm_joints)))


def _lists(model: mujoco.MjModel) -> list[tuple[str, str]]:
    joints = [[_named(j.name), j.kind, _range(j), j.moves, ", ".join(j.driven_by) or "-"] for j in joints_of(model)]
    cameras = [[_named(c.name), c.on, c.toward or "-", f"{c.fovy:.0f}"] for c in cameras_of(model)]
    return [
        ("Bodies", "\n".join(tree_of(model))),
        ("Joints", tables.as_text(["joint", "kind", "range (rad, m)", "moves", "driven by"], joints)),
        ("Cameras", tables.as_text(["camera", "on", "turns toward", "fovy (deg)"], cameras) if cameras else "none"),
        ("Keyframes", ", ".join(_named(model.key(number).name) for number in range(model.nkey)) or "none"),
    ]


def _named(name: str) -> str:
    return name or "(no name)"


def _range(joint: Joint) -> str:
    return f"{joint.low:.2f} .. {joint.high:.2f}" if np.isfinite(joint.low) else "none"


def proposal(path: Path, model: mujoco.MjModel, joints: tuple[str, ...] = ()) -> list[str]:
    """Lines that say how to take this body: a command, and before it what the MJCF lacks.

    Args:
        path: the MJCF file.
        model: what it holds.
        joints: names of the arm's joints; by default the longest chain that can be used.
    """
    new_servos = False
    if not joints:
        joints, driven = (tuple(j.name for j in longest_arm(model, whatever)) for whatever in (False, True))
        if len(joints) < len(driven):  # actuators that are no servos drive some of these
            joints, new_servos = driven, True
    if not joints:
        return ["It has no hinges with names and ranges, which an arm needs; give them names and ranges in the MJCF."]
    keyframe = model.key(0).name if model.nkey and model.key(0).name else None
    free = any(joint.kind == "free" for joint in joints_of(model))
    body = Body(mjcf=str(path), joints=joints, keyframe=keyframe, new_servos=new_servos)
    why = ""
    for hold_others in (True,) if free else (False, True):
        try:
            return _with_camera(dataclasses.replace(body, hold_others=hold_others), path, model)
        except UserError as error:
            why = why or str(error)
    return [f"With --arm-joints {' '.join(joints)}: {why}"]


def _with_camera(body: Body, path: Path, model: mujoco.MjModel) -> list[str]:
    """The command with the camera that sees the hand best, after the lines of a camera that must be added."""
    name, files = "eye", MjcfFiles.read(path)
    while name in {camera.name for camera in cameras_of(model)}:
        name += "_"
    wrapped = _wrapped(files, path, f'<camera name="{name}"/>')
    arm = ArmModel.of(dataclasses.replace(body, eye_camera=name), files=wrapped)
    cameras = [camera.name for camera in cameras_of(model) if camera.name and not _moves(arm, camera)]
    views = {camera: look(dataclasses.replace(arm, eye_camera=camera), LOOKED, FEW) for camera in cameras}
    best = max(views, key=lambda camera: visible(views[camera]), default=None)
    if best is not None and visible(views[best])[0] >= _OFTEN:
        return [_command(path, body, best, views[best].hand)]
    viewpoint, seen = best_viewpoint(arm)
    own = path.with_name(f"{path.stem}_eye.xml")
    return [
        f"{'No camera stands still and sees the hand often' if model.ncam else 'It has no camera'}. Write {own}:",
        *_wrapped_text(path, viewpoint.as_mjcf(name)).splitlines(),
        "and then run",
        _command(own, body, name, seen.hand),
    ]


def _moves(arm: ArmModel, camera: Camera) -> bool:
    """Whether a camera hangs on the arm or turns toward it, so that it sees another room in each pose."""
    return any(body is not None and _is_on_arm(arm, body) for body in (camera.on, camera.toward))


def _is_on_arm(arm: ArmModel, body: str) -> bool:
    below, number = (
        {int(each) for each in arm.model.jnt_bodyid[arm.model.dof_jntid[arm.dof_ids]]},
        arm.model.body(body).id,
    )
    while number and number not in below:
        number = int(arm.model.body_parentid[number])
    return bool(number)


def _wrapped_text(path: Path, camera: str) -> str:
    return f'<mujoco>\n  <include file="{path.name}"/>\n  <worldbody>{camera}</worldbody>\n</mujoco>'


def _wrapped(files: MjcfFiles, path: Path, camera: str) -> MjcfFiles:
    """The files with a camera more, as a new MJCF beside the first would give them."""
    return MjcfFiles(_wrapped_text(path, camera).encode(), {**files.includes, path.name: files.xml}, files.assets)


def _command(path: Path, body: Body, camera: str, hand: Any) -> str:
    words = ["infant-arm", "reproduce", "--preset", "tiny", "--mjcf", str(path), "--arm-joints", *body.joints]
    words += ["--eye-camera", camera]
    words += ["--keyframe", body.keyframe] if body.keyframe else []
    words += ["--hold-others"] if body.hold_others else []
    words += ["--new-servos"] if body.new_servos else []
    limit = limit_of(hand)
    words += ["--min-hand-in-view", f"{limit:g}"] if limit is not None and limit < HAND_IN_VIEW else []
    return shlex.join([*words, "--out", f"runs/{path.stem}"])
