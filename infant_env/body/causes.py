"""Why a servo does not reach its target: a table of causes that are looked up in the model."""

from collections.abc import Callable
from typing import NamedTuple

import mujoco
import numpy as np
from numpy.typing import NDArray

from .mjcf import label


class Fault(NamedTuple):
    """A joint that did not reach its target."""

    model: mujoco.MjModel
    data: mujoco.MjData
    """The simulation at the end."""
    joint: str
    servo: int
    """Number of the joint's actuator."""
    span: NDArray[np.float64]
    """Lower and upper end of the joint's range, rad."""
    miss: float
    """Distance from the target, rad."""

    @property
    def dof(self) -> int:
        """Where the joint's velocity lies in `data.qvel`."""
        return int(self.model.joint(self.joint).dofadr[0])


def cause_of(fault: Fault) -> str:
    """The likely cause, and how to mend it."""
    mujoco.mj_forward(fault.model, fault.data)
    found = (look(fault) for look in _CAUSES)
    return next(
        (cause for cause in found if cause),
        "no cause was found in the model; look at the joint in MuJoCo's viewer, or remove its actuator: then a servo is added",
    )


def ctrl_gap(model: mujoco.MjModel, servo: int, span: NDArray[np.float64]) -> float:
    """How far a joint's range reaches beyond its servo's range of controls, rad."""
    unclamped = model.opt.disableflags & mujoco.mjtDisableBit.mjDSBL_CLAMPCTRL
    if not model.actuator_ctrllimited[servo] or unclamped:
        return 0.0
    low, high = model.actuator_ctrlrange[servo]
    return float(max(low - span[0], span[1] - high, 0.0))


def _no_actuation(fault: Fault) -> str:
    disabled = fault.model.opt.disableflags & mujoco.mjtDisableBit.mjDSBL_ACTUATION
    return 'the MJCF switches all actuators off; remove actuation="disable" from its <flag>' if disabled else ""


def _group_off(fault: Fault) -> str:
    group = int(fault.model.actuator_group[fault.servo])
    off = 0 <= group < 31 and fault.model.opt.disableactuator & (1 << group)
    return f"the MJCF switches its servo off; remove {group} from actuatorgroupdisable" if off else ""


def _activation(fault: Fault) -> str:
    kind = fault.model.actuator_dyntype[fault.servo]
    if kind == mujoco.mjtDyn.mjDYN_NONE:
        return ""
    if kind == mujoco.mjtDyn.mjDYN_INTEGRATOR:
        return "its servo takes velocities (intvelocity), not positions; replace it by <position>"
    seconds = fault.model.actuator_dynprm[fault.servo, 0]
    return f"its servo follows its control slowly (time constant {seconds:g} s); remove timeconst or dyntype from it"


def _ctrlrange(fault: Fault) -> str:
    if ctrl_gap(fault.model, fault.servo, fault.span) <= fault.miss / 2:
        return ""
    low, high = fault.model.actuator_ctrlrange[fault.servo]
    return (
        f"its servo's ctrlrange is {low:.3g} to {high:.3g}, its range {fault.span[0]:.3g} to {fault.span[1]:.3g} rad; widen "
        "ctrlrange in the MJCF, or narrow the range by joint_ranges (--joint-ranges)"
    )


def _other_actuator(fault: Fault) -> str:
    model, data, moments = fault.model, fault.data, np.zeros((fault.model.nu, fault.model.nv))
    mujoco.mju_sparse2dense(moments, data.actuator_moment, data.moment_rownnz, data.moment_rowadr, data.moment_colind)
    others = [i for i in np.flatnonzero(moments[:, fault.dof]) if i != fault.servo]
    if not others:
        return ""
    return f"the actuator {label(model, int(others[0]))} drives it too; remove one of the two in the MJCF"


def _equality(fault: Fault) -> str:
    """An equality constraint with a force on the joint."""
    model, data = fault.model, fault.data
    if not data.nefc or mujoco.mj_isSparse(model):
        return ""
    jacobian = data.efc_J.reshape(data.nefc, model.nv)
    holds = (data.efc_type == mujoco.mjtConstraint.mjCNSTR_EQUALITY) & (jacobian[:, fault.dof] != 0)
    if not holds.any():
        return ""
    number = int(data.efc_id[np.flatnonzero(holds)[0]])
    kind, name = mujoco.mjtEq(model.eq_type[number]).name.removeprefix("mjEQ_").lower(), model.equality(number).name
    called = f"{name!r}" if name else f"number {number}"
    return f'the equality constraint {called} ({kind}) holds it; remove it from the MJCF, or write active="false" there'


def _force_limit(fault: Fault) -> str:
    model, data, joint = fault.model, fault.data, fault.model.joint(fault.joint).id
    force, total = abs(data.actuator_force[fault.servo]), abs(data.qfrc_actuator[fault.dof])
    limits = []
    if model.actuator_forcelimited[fault.servo]:
        limits.append(("forcerange", force, np.abs(model.actuator_forcerange[fault.servo]).min()))
    if model.jnt_actfrclimited[joint]:
        limits.append(("actuatorfrcrange", total, np.abs(model.jnt_actfrcrange[joint]).min()))
    reached = [(name, limit) for name, now, limit in limits if now >= 0.99 * limit]
    return (
        f"its servo is at its limit of {reached[0][1]:.3g} Nm; raise {reached[0][0]} in the MJCF, or make the arm lighter"
        if reached
        else ""
    )


def _friction(fault: Fault) -> str:
    loss, kp = fault.model.dof_frictionloss[fault.dof], fault.model.actuator_gainprm[fault.servo, 0]
    if loss <= 0.5 * kp * fault.miss:
        return ""
    return f"its friction holds it (frictionloss {loss:.3g} Nm); lower that in the MJCF, or raise its servo's kp"


def _spring(fault: Fault) -> str:
    stiffness = fault.model.jnt_stiffness[fault.model.joint(fault.joint).id].ravel()[0]
    pull, kp = abs(fault.data.qfrc_spring[fault.dof]), fault.model.actuator_gainprm[fault.servo, 0]
    if pull <= 0.5 * kp * fault.miss:
        return ""
    what = f"its spring (stiffness {stiffness:.3g})" if stiffness else "a tendon's spring"
    return f"{what} pulls it; remove that from the MJCF, or raise its servo's kp"


def _weight(fault: Fault) -> str:
    data, kp = fault.data, fault.model.actuator_gainprm[fault.servo, 0]
    weight = abs(data.qfrc_bias[fault.dof] - data.qfrc_gravcomp[fault.dof])
    if weight <= 0.5 * kp * fault.miss:
        return ""
    return (
        f"its servo (kp {kp:.3g}) is too weak for the arm's weight; raise kp to {10 * weight:.2g} or more in the MJCF, or write "
        'gravcomp="1" in the arm\'s bodies'
    )


def _slow(fault: Fault) -> str:
    moves = abs(fault.data.qvel[fault.dof]) > np.deg2rad(1)
    return "it is still moving; raise its servo's kp, or lower the damping, in the MJCF" if moves else ""


_CAUSES: tuple[Callable[[Fault], str], ...] = (
    _no_actuation, _group_off, _activation, _ctrlrange, _other_actuator, _equality, _force_limit, _friction, _spring, _weight,
    _slow,
)  # fmt: skip
"""Each gives a cause with its remedy, or an empty text; the first that gives one is named."""
