"""The film of self-touch: the infant from outside, the patches of its skin, and the map's activity."""

from pathlib import Path

import mujoco
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from infant_env.body.model import ArmModel
from infant_env.senses.camera import OutsideCamera
from infant_env.senses.skin.touch import MOST_FORCE, Touch

from .film import PANEL, Video, colored, map_picture
from .outside_view import OutsideView

_PATCH, _WANTED = (120, 120, 120), "#0072B2"
_SMALL, _LARGE, _RING = (
    1.5,
    5.0,
    12.0,
)  # radius of a patch, of a touched one, and of the ring around the wanted one, pixels


class TouchFilm:
    """Every frame has three panels: where the infant is touched, all patches of its skin, and the map's activity.

    Args:
        path: the file; it appears when the film is closed.
        arm: the body.
    """

    def __init__(self, path: Path, arm: ArmModel) -> None:
        self.video = Video(path)
        self._outside, self._skin = OutsideView(arm, PANEL, touch=True), SkinView(arm, PANEL)

    def add(self, data: mujoco.MjData, patch: int, title: str, activity: NDArray[np.float32]) -> None:
        """Adds one frame.

        Args:
            data: the simulation, with current positions and contacts.
            patch: number of the patch that feels pressed.
            title: text above the view from outside.
            activity: the map's activity for the place that feels pressed, shape (X, Y).
        """
        panels = [
            (title, self._outside.render(data)),
            (f"its skin; ring: {self._skin.name_of(patch)}", self._skin.render(data, patch)),
            ("the map's activity for this place", map_picture(activity)),
        ]
        self.video.add(panels)

    def close(self) -> None:
        """Finishes the file."""
        self.video.close()
        self._outside.close()
        self._skin.close()


class SkinView:
    """Frames of all patches of a body's skin, from outside: dots, also of hidden patches; bright ones are touched.

    Args:
        arm: the body.
        size: rows and columns of the frames.
    """

    def __init__(self, arm: ArmModel, size: tuple[int, int]) -> None:
        self._camera, self._touch = OutsideCamera(arm, size), Touch(arm)

    def name_of(self, patch: int) -> str:
        """The name of a patch, in words."""
        return self._touch.names[patch].replace("_", " ")

    def render(self, data: mujoco.MjData, wanted: int) -> NDArray[np.uint8]:
        """A new RGB frame, shape (H, W, 3), uint8, with a ring around the wanted patch."""
        faint = 255 - (255 - self._camera.render(data)) // 3
        picture = Image.fromarray(faint.astype(np.uint8))
        pen, forces = ImageDraw.Draw(picture), self._touch.felt(data)
        colors = colored(forces[None], 0, MOST_FORCE, "plasma")[0]
        places = self._camera.pixels(data, self._touch.centers(data))
        for patch in np.argsort(forces, kind="stable").tolist():
            pressed = forces[patch] > 0
            color = tuple(colors[patch].tolist()) if pressed else _PATCH
            pen.ellipse(_around(places[patch], _LARGE if pressed else _SMALL), color)
        pen.ellipse(_around(places[wanted], _RING), outline=_WANTED, width=3)
        return np.asarray(picture)

    def close(self) -> None:
        """Frees the camera."""
        self._camera.close()


def _around(place: NDArray[np.float64], radius: float) -> tuple[float, float, float, float]:
    row, column = place.tolist()
    return column - radius, row - radius, column + radius, row + radius
