"""The arm of a data set, as far as scores need it: its joints, and where its hands are in any pose."""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray

from agents.world.arm_chain import ArmChain
from infant_env.body.model import ArmModel
from infant_env.errors import UserError

from ..data.dataset import Dataset

Floats = NDArray[np.float32]
_WITHIN = 0.01  # m; a chain with a larger mean error of the hand is not used


@dataclass(frozen=True)
class RecordedArm:
    """The arm of a recording: a chain of hinges that is fitted to the hand's positions, if these are known."""

    joint_names: tuple[str, ...]
    joint_ranges: Floats
    """Lower and upper end of each joint's range, shape (J, 2), rad."""
    chain: ArmChain | None
    """None: the place of the hand is unknown."""
    remark: str
    """How well the place of the hand is known, in words."""

    @property
    def hands(self) -> tuple[str, ...]:
        """Names of the hands whose place is known: one or none."""
        return () if self.chain is None else ("hand",)

    def normalize(self, joints: NDArray[np.floating]) -> NDArray[np.floating]:
        """Joints (N, J) in rad, scaled to [0, 1] by their ranges."""
        low, high = self.joint_ranges.T
        return (joints - low) / (high - low)

    def denormalize(self, normalized: NDArray[np.floating]) -> NDArray[np.floating]:
        """The inverse of `normalize`."""
        low, high = self.joint_ranges.T
        return low + normalized * (high - low)

    def hand_positions(self, normalized: Floats) -> Floats:
        """Positions of the hands in some poses, normalized joints (N, J) -> (N, H, 3), m."""
        if self.chain is None:
            return np.empty((len(normalized), 0, 3), np.float32)
        joints = torch.from_numpy(np.asarray(self.denormalize(normalized), np.float64))
        return self.chain.hand(joints).float().numpy()[:, None]


Arm = ArmModel | RecordedArm
_KNOWN: WeakKeyDictionary[Dataset, RecordedArm] = WeakKeyDictionary()  # a fit takes some seconds


def arm_of(data: Dataset) -> Arm:
    """The arm of a data set: its simulated body; of a recording what its training split tells."""
    if not data.recorded:
        return data.arm
    if data not in _KNOWN:
        _KNOWN[data] = RecordedArm(data.joint_names, data.joint_ranges, *_chain(data))
    return _KNOWN[data]


def _chain(data: Dataset) -> tuple[ArmChain | None, str]:
    """The chain that explains where the hand of a recording is, and how well it does."""
    if not data.knows_hand:
        return (
            None,
            "The recording does not know where the hand is, so there are no errors of the hand (import it with --hand).",
        )
    train, test = (torch.from_numpy(data.split(name)) for name in ("train", "test"))
    joints, hands = (torch.from_numpy(values).double() for values in (data.joints, data.hand_position))
    try:
        chain = ArmChain.fit(joints[train], hands[train], within=_WITHIN)
    except UserError as error:
        return None, f"There are no errors of the hand: {error}."
    off = float((chain.hand(joints[test]) - hands[test]).norm(dim=1).median())
    return chain, (
        "Errors of the hand are those of a chain of hinges that was fitted to the recorded positions of the hand; in the test "
        f"poses it is {1000 * off:.1f} mm off (median)."
    )
