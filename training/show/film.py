"""The film of a reach: the infant from outside, its view, its goal, what it imagines, and the map's activity."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import imageio.v2 as iio
import mujoco
import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from agents.mind.agent import MentalImageryAgent
from agents.tools.files import replacing
from infant_env.body.model import ArmModel
from infant_env.body.servos import CONTROL_HZ
from infant_env.senses.modalities import GAZE
from infant_env.senses.sense import EYE, EYE_LEFT
from infant_env.senses.vision import Format, to_gray

from .outside_view import OutsideView

PANEL = (288, 480)
"""Rows and columns of a panel."""
_LABEL_ROWS = 32
_TRIED = "#D55E00"


class Video:
    """Writes an MP4 of 25 frames a second; the file appears when it is closed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = ExitStack()
        self._writer = iio.get_writer(
            self._file.enter_context(replacing(path, ".mp4")),
            format="FFMPEG",
            fps=CONTROL_HZ,
            codec="libx264",
            quality=8,
            macro_block_size=16,
        )

    def add(self, panels: list[tuple[str, NDArray[np.uint8]]]) -> None:
        """Adds one frame: panels with their labels, three in a row."""
        framed = [_labelled(label, picture) for label, picture in panels]
        rows = [np.concatenate(framed[k : k + 3], axis=1) for k in range(0, len(framed), 3)]
        self._writer.append_data(np.concatenate(rows))

    def close(self) -> None:
        """Finishes the file."""
        self._writer.close()
        self._file.close()


class Film:
    """The film of a reach; every frame has six panels.

    Args:
        path: the file; it appears when the film is closed.
        arm: the body that the outside camera shows.
        touch: whether it feels touch; then the view from outside shows where its skin is touched.
    """

    def __init__(self, path: Path, arm: ArmModel, touch: bool = False) -> None:
        self.video = Video(path)
        self._outside = OutsideView(arm, PANEL, touch)
        self._last: list[tuple[str, NDArray[np.uint8]]] = []

    def add(
        self,
        data: mujoco.MjData,
        observation: dict[str, NDArray[Any]],
        agent: MentalImageryAgent,
        info: dict[str, Any],
        hand_error: str | None,
    ) -> None:
        """Adds one frame; `hand_error` says how far the hand is from its goal, if that is known."""
        assert agent.goal is not None
        size = observation[EYE].shape[:2]
        seen = to_gray(observation[EYE])
        imagined = agent.imagine(observation["joints"][None], observation.get(GAZE))[0]
        activity = agent.imagination.activity(seen[None], observation.get(GAZE))[0].cpu().numpy()
        self._last = [
            (_outside(agent, info, hand_error, self._outside.feels), self._outside.render(data)),
            what_it_sees(observation),
            (f"goal; what it sees differs by {agent.compare(observation):.4f}", as_seen(agent.goal, size)),
            ("imagined from its joints", as_seen(imagined, size)),
            ("the map's activity for what it sees", map_picture(activity)),
            ("what it thinks of; framed: what it tries", ideas(agent, size)),
        ]
        self.video.add(self._last)

    def hold(self, frames: int) -> None:
        """Shows the last frame for some more frames."""
        for _ in range(frames):
            self.video.add(self._last)

    def close(self) -> None:
        """Finishes the file."""
        self.video.close()
        self._outside.close()


def fit(picture: NDArray[np.uint8], size: tuple[int, int] = PANEL) -> NDArray[np.uint8]:
    """An RGB picture at another size, rows and columns."""
    return np.asarray(Image.fromarray(picture).resize(size[::-1], Image.Resampling.BOX))


def inside(eye_size: tuple[int, int], box: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of the largest frame with the eye's aspect in a box of the paper's aspect, 3:5."""
    wider = (eye_size[1] * 3) / (eye_size[0] * 5)
    return max(1, round(box[0] / max(wider, 1))), max(1, round(box[1] * min(wider, 1)))


def as_seen(picture: NDArray[Any], eye_size: tuple[int, int], box: tuple[int, int] = PANEL) -> NDArray[np.uint8]:
    """A picture with the eye's aspect in the middle of a white box.

    Args:
        picture: RGB of any size, (H, W, 3), uint8, or preprocessed, (64, 64) or (3, 64, 64), in [0, 1].
        eye_size: rows and columns of the eye's frames.
        box: rows and columns of the box.
    """
    size = inside(eye_size, box)
    shown = fit(picture, size) if picture.dtype == np.uint8 else Format.of(picture.shape).to_rgb(picture, size)
    whole = np.full((*box, 3), 255, np.uint8)
    top, left = ((side - length) // 2 for side, length in zip(box, size, strict=True))
    whole[top : top + size[0], left : left + size[1]] = shown
    return whole


def what_it_sees(frames: Mapping[str, NDArray[Any]]) -> tuple[str, NDArray[np.uint8]]:
    """Label and panel of what an infant sees: its eye's frame or, half as large, the left and the right one side by side.

    Args:
        frames: frames by the names of the eyes, such as an observation, RGB of any size, (H, W, 3), uint8.
    """
    size = frames[EYE].shape[:2]
    if EYE_LEFT not in frames:
        return "what its eye sees", as_seen(frames[EYE], size)
    return "what its left and its right eye see", side_by_side([frames[EYE_LEFT], frames[EYE]], size)


def side_by_side(
    pictures: Sequence[NDArray[Any]], eye_size: tuple[int, int], box: tuple[int, int] = PANEL
) -> NDArray[np.uint8]:
    """Two pictures, each at the eye's aspect and half as large, in the middle of a white box; see `as_seen`."""
    gap = box[1] // 60
    half = (box[0] - gap) // 2, (box[1] - gap) // 2
    whole = np.full((*box, 3), 255, np.uint8)
    top = (box[0] - half[0]) // 2
    for picture, left in zip(pictures, (0, box[1] - half[1]), strict=True):
        whole[top : top + half[0], left : left + half[1]] = as_seen(picture, eye_size, half)
    return whole


def colored(plane: NDArray[Any], low: float, high: float, colors: str = "viridis") -> NDArray[np.uint8]:
    """A plane of numbers (H, W) in one of matplotlib's color maps, from low to high -> RGB, (H, W, 3)."""
    table = (colormaps[colors](np.arange(256))[:, :3] * 255).astype(np.uint8)
    return table[np.clip((plane - low) * (255 / max(high - low, 1e-12)), 0, 255).astype(np.uint8)]


def map_picture(activity: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Activity (X, Y) <= 0 in viridis with a white ring around the winner, centered on a panel."""
    square = Image.fromarray(colored(activity, float(np.percentile(activity, 1)), float(activity.max()))).resize(
        (PANEL[0], PANEL[0]), Image.Resampling.BOX
    )
    x, y = np.array(np.unravel_index(activity.argmax(), activity.shape)) / activity.shape * PANEL[0]
    ImageDraw.Draw(square).ellipse((y - 6, x - 6, y + 6, x + 6), outline="white", width=2)
    panel = Image.new("RGB", PANEL[::-1], "white")
    panel.paste(square, ((PANEL[1] - PANEL[0]) // 2, 0))
    return np.asarray(panel)


def _outside(agent: MentalImageryAgent, info: dict[str, Any], hand_error: str | None, names_touch: bool) -> str:
    words = ["from outside"]
    if hand_error is not None:
        words.append(hand_error)
    words.append(f"{len(agent.looks)} looks" + (", done" if agent.done else ""))
    if info["penetration"] > 0 and not names_touch:
        words.append("touches something")
    return ", ".join(words)


def ideas(agent: MentalImageryAgent, eye_size: tuple[int, int]) -> NDArray[np.uint8]:
    """Pictures of the agent's hypotheses with their probabilities, at the eye's aspect, the likeliest first."""
    assert agent.hypotheses is not None
    panel = Image.new("RGB", PANEL[::-1], "white")
    pen, (rows, columns) = ImageDraw.Draw(panel), (PANEL[0] // 2 - 30, PANEL[1] // 3 - 8)
    pictures = agent.imagine(agent.hypotheses.joints[0], agent.gaze)
    for k, (picture, share) in enumerate(zip(pictures, agent.hypotheses.probabilities[0].tolist(), strict=True)):
        if agent.hypotheses.repeated[0, k]:
            continue
        x, y = 4 + k % 3 * (columns + 8), 26 + k // 3 * (rows + 30)
        panel.paste(Image.fromarray(as_seen(picture, eye_size, (rows, columns))), (x, y))
        pen.text((x, y - 25), f"{share:.0%}", "black", font(18))
        if k == agent.trying:
            pen.rectangle((x - 3, y - 3, x + columns + 2, y + rows + 2), outline=_TRIED, width=3)
    return np.asarray(panel)


def _labelled(label: str, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    bar = Image.new("RGB", (PANEL[1], _LABEL_ROWS), "white")
    ImageDraw.Draw(bar).text((8, 5), label, "black", font(18))
    return np.concatenate([np.asarray(bar), picture])


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font for text in pictures; size in pixels."""
    return ImageFont.load_default(size)
