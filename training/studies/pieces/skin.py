"""An infant that moves its hand with closed eyes, feels where it touches itself, and remembers how it came there."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from agents.som_training.coarse_to_fine import train
from infant_env.body.model import ArmModel
from infant_env.envs.arm_env import InfantArmEnv
from infant_env.senses.modalities import PROPRIOCEPTION, TOUCH
from infant_env.senses.skin.touched_place import TouchedPlace
from infant_env.tasks.reachable import reachable
from infant_env.tasks.touch_task import TouchTask

from .eye import Floats, Places

COME, PRESS = 12, 25
"""Control steps to the pose from which the arm comes, and on to the contact; as in `infant-arm self-touch`."""
INFLUENCE = 8.0
"""Of touch on the winner; chosen on the validation split of babbled contacts, see `measure.senses`."""


class Movement(NamedTuple):
    """A movement, and how it ended."""

    come: Places
    """The pose from which the hand came, (J,), rad."""
    joints: Places
    """The pose at the end, (J,), rad."""
    patch: int | None
    """The patch that the hand presses most, if it touches any."""
    in_view: bool
    """Whether the hand is within 15 degrees of the gaze."""


class Skin:
    """The body in real physics, and its skin.

    Args:
        arm: the body.
    """

    def __init__(self, arm: ArmModel) -> None:
        self.arm, self._env = arm, InfantArmEnv(arm=arm, eye_size=(36, 60), touch=True)
        touch = self._env.touch
        assert touch is not None
        self._touch, self._task, self._place = touch, TouchTask(arm, touch, "told"), TouchedPlace(arm)
        self.names = touch.names
        """Names of the P patches."""
        self.places: Floats = self._place.places
        """Their places in [0, 1], (P, 3)."""
        self.patches = np.flatnonzero(self._place.counts)
        """Numbers of the patches that a map can hold."""
        self.reachable = np.array([patch for patch in reachable(arm, touch).patches if self._place.counts[patch]])
        """Those that a hand can touch."""
        self._data = arm.new_data()

    def reset(self, seed: int) -> None:
        """Begins anew."""
        self._env.reset(seed=seed)

    def move(self, come: Places, pose: Places) -> Movement:
        """Goes to a pose and from there to another one."""
        self._env.hold(self._env.action_for(come), COME)
        self._env.hold(self._env.action_for(pose), PRESS)
        by_hand = self._touch.touched_by_hands(self._env.data).any(0) & self._place.counts
        pressed = np.where(by_hand, self._touch.felt(self._env.data), 0)
        patch = int(pressed.argmax()) if pressed.max() > 0 else None
        joints = np.array(self._env.data.qpos[self.arm.qpos_ids])
        return Movement(come, joints, patch, self._task.in_view(self._env.data))

    def valid_pose(self, random: np.random.Generator) -> Places:
        """A random pose in which the arm does not penetrate the body, (J,), rad."""
        return self.arm.valid_pose(self._data, random)

    def any_pose(self, random: np.random.Generator) -> Places:
        """A random pose, in which the arm may be stopped by the body, (J,), rad."""
        return self.arm.any_pose(random)

    def parts(self, patches: NDArray[np.bool_]) -> float:
        """Share of the body's patches that are among these, (P,): a score of BabyBench 2025."""
        return float(np.mean(self._task.shares_touched(patches[None])))


class Memory:
    """Remembered contacts of a body, and the map of them."""

    def __init__(self, skin: Skin) -> None:
        self._skin = skin
        self.contacts: list[Movement] = []

    def add(self, movement: Movement) -> None:
        """Remembers a movement that ended with a contact."""
        if movement.patch is not None:
            self.contacts.append(movement)

    def nearest(self, place: Floats) -> Movement:
        """The contact that was nearest to a place (3,)."""
        places = self._places()
        return self.contacts[int(((places - place) ** 2).sum(1).argmin())]

    def _places(self) -> Floats:
        """Where the contacts were, (N, 3)."""
        return self._skin.places[[contact.patch or 0 for contact in self.contacts]]

    def successes(self, patches: NDArray[np.int64], side: int, seed: int) -> Floats:
        """Which of some patches feel the hand, if a map of the contacts recalls the pose, (R,).

        The arm comes from where it came in the remembered contact with the most similar pose.

        Args:
            patches: numbers of the patches, (R,).
            side: rows and columns of the map.
            seed: its seed.
        """
        skin, arm = self._skin, self._skin.arm
        if len(self.contacts) < 2:
            return np.zeros(len(patches), np.float32)
        joints = np.array([contact.joints for contact in self.contacts])
        samples = {
            TOUCH: torch.from_numpy(self._places()),
            PROPRIOCEPTION: torch.from_numpy(arm.normalize(joints).astype(np.float32)),
        }
        som = train(samples, (side, side), {TOUCH: INFLUENCE, PROPRIOCEPTION: 1.0}, seed)
        recalled = som.recall({TOUCH: torch.from_numpy(skin.places[patches])}, PROPRIOCEPTION).clamp(0, 1)
        skin.reset(seed)
        felt = []
        for patch, pose in zip(patches, arm.denormalize(recalled.numpy().astype(np.float64)), strict=True):
            come = self.contacts[int(((joints - pose) ** 2).sum(1).argmin())].come
            felt.append(skin.move(come, pose).patch == patch)
        return np.array(felt, np.float32)
