"""Eye and mind: what the eyes see, what the joints imagine, what vision recalls, and the difference of the last two."""

import numpy as np
from numpy.typing import NDArray

from agents.mind.som_autoencoder import Array
from infant_env.senses.modalities import VISION
from infant_env.senses.sense import EYE, EYE_LEFT
from infant_env.senses.vision import to_gray

from ..show.film import as_seen, colored
from .infant import Moment
from .studio import Studio

SIZE = (168, 280)
"""Rows and columns of a picture on the page."""
_STRONG = 0.35  # difference of gray values that gets the full color

Picture = NDArray[np.uint8]


class MindView:
    """Four pictures, updated after every control step, and that of the left eye if both eyes see.

    Attributes:
        pictures: seen, imagined, recalled, and the difference, (168, 280, 3) uint8 each.
        left: seen by the left eye, of the same shape; white if only one eye sees.
    """

    def __init__(self, studio: Studio) -> None:
        self._studio, self._agent, blank = studio, studio.agent, np.full((*SIZE, 3), 255, np.uint8)
        self._recalls = "Vision and gaze recall" if studio.infant.arm.gaze_joints else "Vision recalls"
        labels = ("The eye sees", "Joints imagine", self._recalls, "Their difference")
        if EYE_LEFT in studio.infant.arm.eyes:
            self._left = studio.server.gui.add_image(blank, label="The left eye sees")
            labels = ("The right eye sees", *labels[1:])
        self._images = [studio.server.gui.add_image(blank, label=label) for label in labels]
        self.pictures: list[Picture] = [blank] * len(labels)
        self.left: Picture = blank
        studio.infant.listeners.append(self._show)

    def _show(self, moment: Moment) -> None:
        agent, eye, left = self._agent, moment.observation[EYE], moment.observation.get(EYE_LEFT)
        if left is not None:
            self.left = as_seen(left, left.shape[:2], SIZE)
            self._left.image = self.left
        seen, format = to_gray(eye), agent.imagination.format
        drawn = agent.imagine(moment.joints[None], moment.gaze)[0]
        imagined = format.gray(drawn)
        known: dict[str, Array] = {VISION: seen[None], **self._studio.gaze_felt(moment)}
        recalled = agent.imagination.mind.predict_from(known, "local_linear")[VISION][0].float().cpu().numpy()
        difference = colored(imagined - recalled, -_STRONG, _STRONG, "PuOr_r")
        self.pictures = [as_seen(picture, eye.shape[:2], SIZE) for picture in (eye, drawn, recalled, difference)]
        for image, picture in zip(self._images, self.pictures, strict=True):
            image.image = picture
        self._images[1].label = f"Joints imagine: off by {np.abs(imagined - seen).mean():.3f}"
        self._images[2].label = f"{self._recalls}: off by {np.abs(recalled - seen).mean():.3f}"
