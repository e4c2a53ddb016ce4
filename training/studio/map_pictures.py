"""Pictures of the map for the board: what its neurons imagine and hold, how it is stretched, and its activity."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor
from torch.nn import functional as F

from agents.mind.som_autoencoder import SomAutoencoder
from agents.som import quality as map_quality
from infant_env.senses.vision import to_rgb

from ..show.film import colored, font
from ..show.map_figures import ASKED, joint_angles, tile_pictures
from .board import FOOT, HEAD
from .stage import spoken

_DOWN, _ACROSS = 20, 12  # tiles of the atlas: their pictures have the eye's aspect
_TILE = (60, 100)  # rows and columns of one
_SIDE = 480  # pixels of the other layers
ATLAS, U_MATRIX = "decoded pictures", "U-matrix"

Picture = NDArray[np.uint8]


class MapPictures:
    """Draws the layers of a map; those that stay are drawn once.

    Attributes:
        still: names of the layers that stay.
        live: names of those that follow the infant, with the modalities that they ask by.
    """

    def __init__(self, mind: SomAutoencoder, joints: tuple[str, ...]) -> None:
        self._mind, self._joints = mind, [f"joint: {spoken(name)}" for name in joints]
        self.still = (ATLAS, *self._joints, U_MATRIX)
        self.live = {f"activity, asked by {name}": modalities for name, modalities in ASKED.items()}
        self._drawn: dict[str, Picture] = {}

    def draw(self, layer: str, query: Mapping[str, Tensor]) -> Picture:
        """A layer, with a line of text above and below, as `Board` wants it.

        Args:
            layer: one of `still` or `live`.
            query: what the infant sees (latents) and feels (normalized joints) now, shape (1, width) each.
        """
        if layer in self.live:
            activity = self._mind.som.activity({name: query[name] for name in self.live[layer]})[0]
            plane = _small(activity)
            return _numbers(
                plane, layer.capitalize(), "fits badly", "fits well", float(np.percentile(plane, 2)), float(plane.max())
            )
        if layer not in self._drawn:
            self._drawn[layer] = self._still(layer)
        return self._drawn[layer]

    def _still(self, layer: str) -> Picture:
        if layer == ATLAS:
            rows, columns = min(_DOWN, self._mind.som.shape[0]), min(_ACROSS, self._mind.som.shape[1])
            tiles = np.stack(
                [to_rgb(row, (_TILE[0] - 4, _TILE[1] - 4)) for row in tile_pictures(self._mind, rows, columns)]
            )
            framed = np.pad(tiles, ((0, 0), (0, 0), (2, 2), (2, 2), (0, 0)), constant_values=255)
            wide = framed.transpose(0, 2, 1, 3, 4).reshape(rows * _TILE[0], columns * _TILE[1], 3)
            square = Image.fromarray(wide).resize((_DOWN * _TILE[0],) * 2, Image.Resampling.BILINEAR)
            return _framed(np.asarray(square), "What its neurons imagine: click one", "each tile: one neuron's picture")
        if layer == U_MATRIX:
            plane = _small(map_quality.u_matrix(self._mind.som))
            return _numbers(
                plane, "U-matrix: neurons and their neighbors", "alike", "unlike", *np.percentile(plane, (0.5, 99.5))
            )
        number = self._joints.index(layer)
        plane = _small(torch.from_numpy(joint_angles(self._mind)[number]))
        low, high = float(plane.min()), float(plane.max())
        return _numbers(plane, layer.removeprefix("joint: ").capitalize(), f"{low:.0f}°", f"{high:.0f}°", low, high)


def _small(plane: Tensor) -> NDArray[np.float32]:
    """A plane (X, Y), not larger than can be seen: means over squares of neurons."""
    side = -(-max(plane.shape) // _SIDE)
    return F.avg_pool2d(plane[None].float(), side, ceil_mode=True)[0].cpu().numpy()


def _numbers(plane: NDArray[np.float32], title: str, least: str, most: str, low: float, high: float) -> Picture:
    """A plane in viridis, and what its colors mean."""
    square = Image.fromarray(colored(plane, low, high)).resize((_SIDE, _SIDE), Image.Resampling.NEAREST)
    return _with_bar(_framed(np.asarray(square), title, ""), least, most)


def _framed(square: Picture, title: str, foot: str) -> Picture:
    """Text above and below a square."""
    side = square.shape[0]
    head, bottom = round(HEAD * side), round(FOOT * side)
    whole = Image.new("RGB", (side, head + side + bottom), "white")
    whole.paste(Image.fromarray(square), (0, head))
    pen = ImageDraw.Draw(whole)
    for text, middle in ((title, head / 2), (foot, head + side + bottom / 2)):
        pen.text((side / 2, middle), text, "black", font(round(0.045 * side)), anchor="mm")
    return np.asarray(whole)


def _with_bar(picture: Picture, least: str, most: str) -> Picture:
    """The colors' meaning in the line below: a bar between two words."""
    side = picture.shape[1]
    top, bottom = round((1 + HEAD) * side), picture.shape[0]
    whole = Image.fromarray(picture)
    pen = ImageDraw.Draw(whole)
    bar = colored(np.tile(np.linspace(0, 1, round(0.3 * side)), (round(0.04 * side), 1)), 0, 1)
    left, middle = (side - bar.shape[1]) // 2, (top + bottom) // 2
    whole.paste(Image.fromarray(bar), (left, middle - bar.shape[0] // 2))
    pen.text((left - 8, middle), least, "black", font(round(0.04 * side)), anchor="rm")
    pen.text((left + bar.shape[1] + 8, middle), most, "black", font(round(0.04 * side)), anchor="lm")
    return np.asarray(whole)
