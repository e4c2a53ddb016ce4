"""A test of another body's servos: they must hold poses and reach others."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, Protocol

import mujoco
import numpy as np
from numpy.typing import NDArray

from ..errors import UserError
from .causes import Fault, cause_of, ctrl_gap

CONTROL_HZ = 25
"""Actions per second."""

UNSTABLE = slice(mujoco.mjtWarning.mjWARN_BADQPOS.value, mujoco.mjtWarning.mjWARN_BADQACC.value + 1)
"""Indices of MuJoCo's warning counters for positions, velocities and accelerations that are huge or not finite."""

TOLERANCE = np.deg2rad(6.0)
"""A servo that ends farther from its target fails, rad.

Measured in degrees: SO-101 0.0, ALOHA 2.7, UR5e 1.5, Shadow hand 4.8; servos that cannot hold miss by 20 to 130.
"""
_SLIDE = 0.02  # m; a slide that is not the arm's fails if it moves farther
_PAIRS = 4
_SECONDS, _LOOKS = 1.0, 5
_STEP = np.deg2rad(20.0)
"""The way from a pose to the next target in the test, rad; strong robots with long ranges need seconds for the whole way."""


class Arm(Protocol):
    """What the test needs of an `ArmModel`, which explains these."""

    @property
    def model(self) -> mujoco.MjModel:
        """See `ArmModel`."""

    @property
    def joint_names(self) -> tuple[str, ...]:
        """See `ArmModel`."""

    @property
    def joint_ranges(self) -> NDArray[np.float64]:
        """See `ArmModel`."""

    @property
    def qpos_ids(self) -> NDArray[np.int64]:
        """See `ArmModel`."""

    @property
    def dof_ids(self) -> NDArray[np.int64]:
        """See `ArmModel`."""

    @property
    def actuator_ids(self) -> NDArray[np.int64]:
        """See `ArmModel`."""

    def new_data(self) -> mujoco.MjData:
        """See `ArmModel`."""

    def pose(self, data: mujoco.MjData, joints: NDArray[Any]) -> None:
        """See `ArmModel`."""

    def valid_pose(self, data: mujoco.MjData, random: np.random.Generator) -> NDArray[np.float64]:
        """See `ArmModel`."""


def self_test(arm: Arm) -> None:
    """Holds four valid poses for 1 s, moves 20 degrees from each toward the next, and looks where the joints are.

    Contacts are switched off meanwhile, because a pose that an obstacle blocks is no fault of a servo. The other joints must
    stay at rest for 1 s with contacts.

    Raises:
        UserError: a joint ends more than 6 degrees from its target, another joint does not stay, the physics become unstable,
            control steps of 40 ms are impossible, or no valid pose was found. The message names the joint and the cause.
    """
    _check_timestep(arm.model.opt.timestep)
    _check_ctrlranges(arm)
    data, random = arm.new_data(), np.random.default_rng(0)
    poses = [arm.valid_pose(data, random) for _ in range(_PAIRS + 1)]
    _check_others(arm, data, poses[0])
    with _without_contacts(arm.model):
        for start, goal in pairwise(poses):
            arm.pose(data, start)
            for part in range(_LOOKS):
                _simulate(arm, data, _SECONDS / _LOOKS)
                _check_targets(arm, data, start, f"it was held for {(part + 1) * _SECONDS / _LOOKS:g} s")
            near = start + np.clip(goal - start, -_STEP, _STEP)
            data.ctrl[arm.actuator_ids] = near
            _simulate(arm, data, _SECONDS)
            _check_targets(arm, data, near, f"it was approached for {_SECONDS:g} s")


def _check_timestep(timestep: float) -> None:
    steps = 1 / (CONTROL_HZ * timestep)
    if round(steps) < 1 or abs(steps / round(steps) - 1) > 0.01:
        raise UserError(
            f"got the timestep {timestep:g} s, expected one that divides a control step of {1000 / CONTROL_HZ:g} ms; write "
            '<option timestep="0.002"/> in the MJCF'
        )


def _check_ctrlranges(arm: Arm) -> None:
    """Random poses can miss a range of controls that is a little too narrow."""
    gaps = [ctrl_gap(arm.model, servo, span) for servo, span in zip(arm.actuator_ids, arm.joint_ranges, strict=True)]
    worst = int(np.argmax(gaps))
    if gaps[worst] > TOLERANCE:
        raise _miss(arm, arm.new_data(), worst, gaps[worst], "it is an end of the range")


def _check_targets(arm: Arm, data: mujoco.MjData, targets: NDArray[np.float64], when: str) -> None:
    misses = np.abs(data.qpos[arm.qpos_ids] - targets)
    worst = int(np.argmax(misses))
    if misses[worst] > TOLERANCE:
        raise _miss(arm, data, worst, misses[worst], when)


def _miss(arm: Arm, data: mujoco.MjData, joint: int, miss: float, when: str) -> UserError:
    fault = Fault(arm.model, data, arm.joint_names[joint], int(arm.actuator_ids[joint]), arm.joint_ranges[joint], miss)
    return UserError(
        f"the joint {fault.joint!r} misses its target by {np.rad2deg(miss):.1f} degrees when {when}, expected at most "
        f"{np.rad2deg(TOLERANCE):.0f}: {cause_of(fault)}"
    )


def _check_others(arm: Arm, data: mujoco.MjData, pose: NDArray[np.float64]) -> None:
    """Raises a UserError if a joint that is not the arm's does not stay at rest; free joints may fall."""
    model, first, now = arm.model, np.empty(arm.model.nv), np.zeros(arm.model.nv)
    arm.pose(data, pose)
    before = data.qpos.copy()
    _simulate(arm, data, _SECONDS)
    mujoco.mj_differentiatePos(model, first, 1.0, before, data.qpos)
    now[:] = np.abs(first)
    for joint in range(model.njnt):
        kind, start = model.jnt_type[joint], model.jnt_dofadr[joint]
        if kind == mujoco.mjtJoint.mjJNT_FREE or model.jnt_qposadr[joint] in arm.qpos_ids:
            continue
        moved = now[start : start + (3 if kind == mujoco.mjtJoint.mjJNT_BALL else 1)].max()
        slides = kind == mujoco.mjtJoint.mjJNT_SLIDE
        if moved > (_SLIDE if slides else TOLERANCE):
            way = f"{100 * moved:.0f} cm" if slides else f"{np.rad2deg(moved):.0f} degrees"
            called, carried = model.joint(joint).name, model.body(model.jnt_bodyid[joint]).name
            name = repr(called) if called else f"of the body {carried!r}"
            raise UserError(
                f"the joint {name}, which is not the arm's, moves by {way} in {_SECONDS:g} s at rest, expected one that stays; "
                "lock it by hold_others=True (--hold-others), or rest where its servo holds it (keyframe, rest_pose)"
            )


def _simulate(arm: Arm, data: mujoco.MjData, seconds: float) -> None:
    model = arm.model
    mujoco.mj_step(model, data, round(seconds / model.opt.timestep))
    if any(warning.number for warning in data.warning[UNSTABLE]):
        raise UserError(
            f"the simulation becomes unstable within {seconds:g} s, expected servos that hold a pose; shorten the timestep "
            f"({model.opt.timestep:g} s) in the MJCF, or {_calm(arm, data)}"
        )


def _calm(arm: Arm, data: mujoco.MjData) -> str:
    """Advice on the joint that became unstable."""
    model, warning = arm.model, data.warning[mujoco.mjtWarning.mjWARN_BADQACC.value]
    if warning.number and warning.lastinfo not in arm.dof_ids:
        joint = model.joint(model.dof_jntid[warning.lastinfo])
        return f"lock the joint {joint.name!r}, which is not the arm's, by hold_others=True (--hold-others)"
    step, inertia = model.opt.timestep, model.dof_M0[arm.dof_ids]
    kp, kv = model.actuator_gainprm[arm.actuator_ids, 0], -model.actuator_biasprm[arm.actuator_ids, 2]
    stiffest = arm.joint_names[int(np.argmax((kp * step + kv) * step / inertia))]
    return f"lower kp and kv of the stiffest servo, that of the joint {stiffest!r}"


@contextmanager
def _without_contacts(model: mujoco.MjModel) -> Iterator[None]:
    flags = model.opt.disableflags
    model.opt.disableflags = flags | mujoco.mjtDisableBit.mjDSBL_CONTACT
    try:
        yield
    finally:
        model.opt.disableflags = flags
