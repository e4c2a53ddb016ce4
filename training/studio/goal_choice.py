"""Pictures to reach for, or to plan between: the test pictures that show the hand."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infant_env.senses.vision import to_gray, to_rgb

from ..act.goals import Goal
from ..data.dataset import Dataset


@dataclass(frozen=True)
class Chosen:
    """A goal, and how it is shown."""

    name: str
    goal: Goal
    frame: NDArray[np.uint8]
    """RGB, of any size of the eye's aspect."""

    @classmethod
    def imagined(cls, name: str, goal: Goal) -> "Chosen":
        """A goal of which there is no more than its preprocessed picture."""
        return cls(name, goal, to_rgb(goal.picture))


class TestPictures:
    """The test pictures that show the hand, numbered from 1.

    Raises:
        ValueError: there are none.
    """

    __test__ = False  # no test of pytest's

    def __init__(self, data: Dataset) -> None:
        self._data = data
        test = data.split("test")
        self._samples = test[data.shows_hand[test]]
        if not len(self._samples):
            raise ValueError(f"{data.path} has no test picture that shows the hand; collect more samples")

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, number: int) -> Chosen:
        """The picture of this number, read from disk."""
        sample = int(self._samples[number - 1])
        eye = self._data.eye(sample)
        goal = Goal(to_gray(eye), self._data.joints[sample], self._data.hand_position[sample])
        return Chosen(f"test picture {number}", goal, eye)

    def at_random(self, random: np.random.Generator) -> int:
        """Some picture's number."""
        return int(random.integers(1, len(self) + 1))
