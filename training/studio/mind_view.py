"""Eye and mind, side by side: seen, imagined from the joints, recalled from vision, and how the two differ."""

import numpy as np
from numpy.typing import NDArray

from infant_env.senses.modalities import VISION
from infant_env.senses.vision import to_gray

from ..show.film import as_seen, colored
from .infant import Moment
from .stage import Stage

SIZE = (168, 280)
"""Rows and columns of a picture on the page."""
_STRONG = 0.35  # luminance: a difference that is drawn in full color

Picture = NDArray[np.uint8]


class MindView:
    """Four pictures, renewed at every control step.

    Attributes:
        pictures: what they show now: seen, imagined, recalled, difference, (168, 280, 3) uint8 each.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage, blank = stage, np.full((*SIZE, 3), 255, np.uint8)
        gui = stage.server.gui
        self._seen = gui.add_image(blank, label="The eye sees")
        self._imagined = gui.add_image(blank, label="Joints imagine")
        self._recalled = gui.add_image(blank, label="Vision recalls")
        self._difference = gui.add_image(blank, label="Their difference")
        self.pictures: list[Picture] = [blank] * 4
        stage.infant.listeners.append(self._show)

    def _show(self, moment: Moment) -> None:
        agent, eye = self._stage.agent, moment.observation["eye"]
        seen = to_gray(eye)
        imagined = agent.imagine(moment.joints[None])[0]
        recalled = agent.imagination.mind.predict(VISION, seen[None], "local_linear")[VISION][0].float().cpu().numpy()
        difference = colored(imagined - recalled, -_STRONG, _STRONG, "PuOr_r")
        shown = (eye, imagined, recalled, difference)
        self.pictures = [as_seen(picture, eye.shape[:2], SIZE) for picture in shown]
        handles = (self._seen, self._imagined, self._recalled, self._difference)
        for handle, picture in zip(handles, self.pictures, strict=True):
            handle.image = picture
        self._imagined.label = f"Joints imagine: off by {np.abs(imagined - seen).mean():.3f}"
        self._recalled.label = f"Vision recalls: off by {np.abs(recalled - seen).mean():.3f}"
