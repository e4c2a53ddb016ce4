"""The board behind the infant, which shows the map: its pictures, the neuron at a click, and the place of a neuron."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw
from torch import Tensor
from torch.nn import functional as F

from agents.mind.som_autoencoder import SomAutoencoder
from agents.som import quality as map_quality
from infant_env.body.built_in.parts import quaternion

from ..show.film import as_seen, colored, font
from ..show.map_figures import ASKED, joint_angles, tile_pictures
from .studio import spoken

HEAD, FOOT = 0.09, 0.09
"""Height of the lines above and below the map, as shares of its side."""


@dataclass(frozen=True)
class Board:
    """A square map that stands upright in the world, with a line of text above and below.

    Attributes:
        center: center of the map, shape (3,), m.
        facing: horizontal direction of its front, degrees about z from x.
        side: length of a side of the map, m.
        shape: rows and columns of the map.
    """

    center: tuple[float, float, float]
    facing: float
    side: float
    shape: tuple[int, int]

    @property
    def axes(self) -> NDArray[np.float64]:
        """Directions to the right, down, and away from a viewer: the columns of (3, 3)."""
        turn = np.deg2rad(self.facing)
        front = np.array([np.cos(turn), np.sin(turn), 0.0])
        return np.stack([np.cross([0.0, 0.0, 1.0], front), [0.0, 0.0, -1.0], -front], axis=1)

    @property
    def wxyz(self) -> NDArray[np.float64]:
        """Orientation of the picture, a quaternion (4,)."""
        return quaternion(self.axes)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the whole picture, m."""
        return self.side, self.side * (1 + HEAD + FOOT)

    @property
    def middle(self) -> NDArray[np.float64]:
        """Center of the whole picture, shape (3,), m."""
        return np.array(self.center) + self.axes[:, 1] * self.side * (FOOT - HEAD) / 2

    def neuron_at(self, origin: ArrayLike, direction: ArrayLike) -> tuple[int, int] | None:
        """Row and column of the neuron that a ray hits; None if it misses the map or comes from behind."""
        start, along = np.asarray(origin, float), np.asarray(direction, float)
        away = self.axes[:, 2]
        if along @ away <= 1e-9:
            return None
        hit = start + along * ((np.array(self.center) - start) @ away / (along @ away))
        right, down = (hit - self.center) @ self.axes[:, :2] / self.side + 0.5
        row, column = int(np.floor(down * self.shape[0])), int(np.floor(right * self.shape[1]))
        inside = 0 <= row < self.shape[0] and 0 <= column < self.shape[1]
        return (row, column) if inside else None

    def place_of(self, row: float, column: float, before: float = 0.0) -> NDArray[np.float64]:
        """Center of a neuron, shape (3,), m, moved by `before` metres in front of the board."""
        shares = np.array([(column + 0.5) / self.shape[1] - 0.5, (row + 0.5) / self.shape[0] - 0.5])
        return np.array(self.center) + self.axes[:, :2] @ (shares * self.side) - before * self.axes[:, 2]


_DOWN, _ACROSS = 20, 12  # tiles of the decoded pictures
_TILE = (60, 100)  # rows and columns of a tile
_SIDE = 480  # pixels of the other layers
ATLAS, U_MATRIX = "decoded pictures", "U-matrix"

Picture = NDArray[np.uint8]


class MapPictures:
    """Draws the layers of a map; it draws each constant layer only once.

    Attributes:
        still: names of the constant layers.
        live: names of the layers that follow the infant, with the modalities of their query.
    """

    def __init__(self, mind: SomAutoencoder, joints: tuple[str, ...], eye_size: tuple[int, int]) -> None:
        self._eye_size = eye_size
        self._mind, self._joints = mind, [f"joint: {name}" for name in spoken(joints)]
        self.still = (ATLAS, *self._joints, U_MATRIX)
        self.live = {f"activity, asked by {name}": modalities for name, modalities in ASKED.items()}
        self._drawn: dict[str, Picture] = {}

    def draw(self, layer: str, query: Mapping[str, Tensor]) -> Picture:
        """A layer with a line of text above and below, for a `Board`.

        Args:
            layer: one of `still` or `live`.
            query: what the infant sees (latents) and feels (normalized joints) now, shape (1, D) and (1, J).
        """
        if layer in self.live:
            activity = self._mind.som.activity({name: query[name] for name in self.live[layer]})[0]
            plane = _small(activity)
            limits = float(np.percentile(plane, 2)), float(plane.max())
            return _with_colors(plane, layer.capitalize(), "fits badly", "fits well", *limits)
        if layer not in self._drawn:
            self._drawn[layer] = self._draw_still(layer)
        return self._drawn[layer]

    def _draw_still(self, layer: str) -> Picture:
        if layer == ATLAS:
            return self._draw_atlas()
        if layer == U_MATRIX:
            plane = _small(map_quality.u_matrix(self._mind.som))
            limits = np.percentile(plane, (0.5, 99.5))
            return _with_colors(plane, "U-matrix: neurons and their neighbors", "alike", "unlike", *limits)
        plane = _small(torch.from_numpy(joint_angles(self._mind)[self._joints.index(layer)]))
        low, high = float(plane.min()), float(plane.max())
        return _with_colors(plane, layer.removeprefix("joint: ").capitalize(), f"{low:.0f}°", f"{high:.0f}°", low, high)

    def _draw_atlas(self) -> Picture:
        """The decoded pictures of neurons in a grid, at the eye's aspect."""
        rows, columns = min(_DOWN, self._mind.som.shape[0]), min(_ACROSS, self._mind.som.shape[1])
        inner = (_TILE[0] - 4, _TILE[1] - 4)
        pictures = tile_pictures(self._mind, rows, columns)
        tiles = np.array([[as_seen(picture, self._eye_size, inner) for picture in row] for row in pictures])
        framed = np.pad(tiles, ((0, 0), (0, 0), (2, 2), (2, 2), (0, 0)), constant_values=255)
        wide = framed.transpose(0, 2, 1, 3, 4).reshape(rows * _TILE[0], columns * _TILE[1], 3)
        square = Image.fromarray(wide).resize((_DOWN * _TILE[0],) * 2, Image.Resampling.BILINEAR)
        return _with_text(
            np.asarray(square), "What its neurons imagine: click one", "each tile: the picture of a neuron"
        )


def _small(plane: Tensor) -> NDArray[np.float32]:
    """Means over squares of neurons: a plane (X, Y) with at most 480 rows and columns."""
    side = -(-max(plane.shape) // _SIDE)
    return F.avg_pool2d(plane[None].float(), side, ceil_mode=True)[0].cpu().numpy()


def _with_colors(plane: NDArray[np.float32], title: str, least: str, most: str, low: float, high: float) -> Picture:
    """A plane in viridis, with a bar that explains the colors."""
    square = Image.fromarray(colored(plane, low, high)).resize((_SIDE, _SIDE), Image.Resampling.NEAREST)
    return _with_bar(_with_text(np.asarray(square), title, ""), least, most)


def _with_text(square: Picture, title: str, foot: str) -> Picture:
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
    """A bar of the colors between two words, in the line below the map."""
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
