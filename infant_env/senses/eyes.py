"""The eyes of infants whose bodies may differ, and how they see their arms."""

from collections.abc import Sequence

import mujoco
import numpy as np
from numpy.typing import NDArray

from ..body.model import ArmModel
from .camera import EyeCamera
from .seen.seen import Seen
from .seen.seen_arm import SeenArm
from .sensing import Sensing


class Eyes:
    """The eyes of some infants; those with equal bodies share a camera, and all cameras share an OpenGL context.

    Args:
        arms: each infant's body.
        size: rows and columns of the frames, (H, W).
        acuities: each infant's acuity, cycles per degree; None: no blur.
        seen: how each infant sees its arm; None: as it is.
    """

    def __init__(
        self,
        arms: Sequence[ArmModel],
        size: tuple[int, int],
        acuities: Sequence[float | None],
        seen: Sequence[Seen | None],
    ) -> None:
        self._acuities = list(acuities)
        self._first = EyeCamera(arms[0], size, acuities[0])
        self.seen: list[SeenArm | None] = [None] * len(arms)
        """What each infant sees in the place of its arm."""
        self.change(arms)
        self.show(seen)

    def change(self, arms: Sequence[ArmModel]) -> None:
        """Takes other bodies, one for each infant."""
        kinds = list(zip(arms, self._acuities, strict=True))
        cameras = {kind: self._first.like(*kind) for kind in dict.fromkeys(kinds)}
        self.cameras = [cameras[kind] for kind in kinds]
        """Each infant's eyes."""
        self._arms = list(arms)
        self.show([None if each is None else each.seen for each in self.seen])

    def show(self, seen: Sequence[Seen | None]) -> None:
        """Sets how each infant sees its arm."""
        pairs = list(zip(self._arms, seen, strict=True))
        made: dict[tuple[ArmModel, int], SeenArm] = {}
        for arm, how in pairs:
            if how is not None and (arm, id(how)) not in made:
                made[arm, id(how)] = SeenArm(arm, how)
        self.seen = [None if how is None else made[arm, id(how)] for arm, how in pairs]

    @property
    def lags(self) -> list[float]:
        """By how much later than the rest of the picture each infant sees its arm, ms."""
        return [0.0 if each is None else each.seen.delay_ms for each in self.seen]

    def see(self, data: mujoco.MjData, infant: int = 0, sensing: Sensing | None = None) -> dict[str, NDArray[np.uint8]]:
        """Frames of what an infant sees, RGB, shape (H, W, 3), uint8, by name.

        Args:
            data: its simulation, with positions.
            infant: whose eyes.
            sensing: its senses; None: they are perfect.
        """
        camera, seen = self.cameras[infant], self.seen[infant]
        if sensing is not None:
            return sensing.see(camera, data, infant, seen)
        return {name: camera.render(data, name, seen) for name in self._arms[infant].eyes}

    def close(self) -> None:
        """Frees the OpenGL contexts; the next frame opens them again."""
        for camera in {self._first, *self.cameras}:
            camera.close()
