"""Pictures of the studio: grids of small pictures, and the pictures that serve as goals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from infant_env.senses.vision import Format

from ..act.goals import Goal
from ..data.dataset import Dataset
from ..show.film import as_seen, font

_WIDE, _GAP, _CAPTION = 640, 10, 30  # pixels; the page shows them at half that size
_FRAME = "#D55E00"


@dataclass(frozen=True)
class Cell:
    """One picture of a grid: RGB of any size, uint8, or as an agent sees it; None leaves the cell empty."""

    caption: str
    picture: NDArray[np.generic] | None
    framed: bool = False


def grid(cells: Sequence[Cell], across: int, eye_size: tuple[int, int] = (300, 500)) -> NDArray[np.uint8]:
    """One picture with a grid of cells, each picture at the eye's aspect, in the middle of a box of 5:3.

    Args:
        cells: the pictures with their captions.
        across: cells in a row.
        eye_size: rows and columns of the eye's frames.

    Returns:
        RGB, 640 columns wide, uint8.
    """
    wide = (_WIDE - _GAP * (across - 1)) // across
    high, down = round(wide * 3 / 5), -(-len(cells) // across)
    whole = Image.new("RGB", (_WIDE, down * (high + _CAPTION + _GAP)), "white")
    pen = ImageDraw.Draw(whole)
    for k, cell in enumerate(cells):
        x, y = k % across * (wide + _GAP), k // across * (high + _CAPTION + _GAP)
        pen.text((x + 2, y + 2), cell.caption, _FRAME if cell.framed else "black", font(22))
        box = (x, y + _CAPTION, x + wide - 1, y + _CAPTION + high - 1)
        pen.rectangle(box, "#eeeeee")
        if cell.picture is not None:
            whole.paste(Image.fromarray(as_seen(cell.picture, eye_size, (high, wide))), box[:2])
        if cell.framed:
            pen.rectangle(box, outline=_FRAME, width=4)
    return np.asarray(whole)


@dataclass(frozen=True)
class Chosen:
    """A goal, with its name and frame on the page."""

    name: str
    goal: Goal
    frame: NDArray[np.uint8]
    """RGB of any size; the page shows it at the eye's aspect."""

    @classmethod
    def imagined(cls, name: str, goal: Goal) -> "Chosen":
        """A goal that has only a preprocessed picture."""
        return cls(name, goal, Format.of(goal.picture.shape).to_rgb(goal.picture))


class TestPictures:
    """The test pictures that show the hand, numbered from 1.

    Args:
        data: the data set.
        format: the format of the agent's pictures.

    Raises:
        UserError: there is no such picture.
    """

    __test__ = False  # pytest must not collect it

    def __init__(self, data: Dataset, format: Format) -> None:
        self._data, self._format = data, format
        test = data.split("test")
        data.check_shows_hand(test, "test picture")
        self._samples = test[data.shows_hand[test]]

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, number: int) -> Chosen:
        """The picture with this number, read from disk."""
        sample = int(self._samples[number - 1])
        eye = self._data.eye(sample)
        hands, shown = self._data.hand_positions[sample], self._data.shows_hands[sample]
        gaze = None if self._data.body.gaze == "held" else self._data.felt_gaze[sample]
        goal = Goal(self._format.squeeze(eye), self._data.joints[sample], hands, shown, gaze)
        return Chosen(f"test picture {number}", goal, eye)

    def at_random(self, random: np.random.Generator) -> int:
        """The number of a random picture."""
        return int(random.integers(1, len(self) + 1))
