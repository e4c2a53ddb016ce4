"""The map on a board behind the infant: every browser chooses what it shows, a click moves the infant to a neuron's pose."""

from typing import Any

import numpy as np
import torch

from agents.mind import remembered_poses
from infant_env.senses.modalities import PROPRIOCEPTION, VISION
from infant_env.senses.vision import to_gray

from ..show.film import as_seen
from .board import ATLAS, Board, MapPictures
from .infant import Moment
from .mind_view import SIZE
from .stage import Stage, spoken

_CHOSEN, _NOW = (213, 94, 0), (0, 158, 215)  # marks of the neuron that was clicked, and of the one that fits best
_FACING = -34.0  # degrees
_CAMERAS = {
    "Both": ((1.42, -0.96, 0.78), (-0.12, 0.08, 0.50)),
    "The map": ((0.75, -0.50, 0.86), (-0.37, 0.25, 0.84)),
    "The infant": ((0.80, -0.52, 0.50), (0.07, -0.03, 0.235)),
}
_FIELD = np.radians(40)


class MapView:
    """Shows the map, and sends the infant to the pose that a neuron holds.

    Attributes:
        board: where the map is in the world.
        chosen: row and column of the neuron that the infant was sent to last.
    """

    def __init__(self, stage: Stage, tab: Any) -> None:
        self._stage, self._tab = stage, tab
        self._mind = stage.agent.imagination.mind
        rows, columns = self._mind.som.shape
        self.board = Board((-0.37, 0.25, 0.84), _FACING, 0.62, (rows, columns))
        self.chosen: tuple[int, int] | None = None
        self._pictures = MapPictures(self._mind, stage.infant.arm.joint_names, stage.data.eye_size)
        self.browsers: dict[int, _Browser] = {}
        gui = stage.server.gui
        gui.add_markdown(
            "**Click a neuron** on the board behind the infant: it moves to the pose that the neuron holds.", order=0
        )
        self._row = gui.add_slider("row", min=0, max=rows - 1, step=1, initial_value=rows // 2, order=2)
        self._column = gui.add_slider("column", min=0, max=columns - 1, step=1, initial_value=columns // 2, order=3)
        for slider in (self._row, self._column):
            stage.when(slider.on_update, lambda event: self.choose(self._row.value, self._column.value), "neuron")
        self._picture = gui.add_image(np.full((*SIZE, 3), 240, np.uint8), label="What this neuron imagines", order=4)
        self._pose = gui.add_markdown("No neuron is chosen yet.", order=5)
        stage.infant.listeners.append(self._show)
        camera = gui.add_button_group("look at", list(_CAMERAS), order=6)
        stage.when(camera.on_click, lambda event: _look(event.client, *_CAMERAS[event.target.value]))
        gui.add_markdown(
            "**Blue dot**: the neuron that fits the joints best now. **Orange**: the one that you chose.", order=7
        )
        first = stage.server.initial_camera
        first.position, first.look_at, first.fov = *_CAMERAS["Both"], float(_FIELD)
        stage.server.on_client_connect(lambda client: stage.infant.do(lambda: self._welcome(client)))
        stage.server.on_client_disconnect(lambda client: stage.infant.do(lambda: self._forget(client)))

    def choose(self, row: int, column: int) -> None:
        """Shows what a neuron holds, and sends the infant there."""
        flat = torch.tensor([row * self._mind.som.shape[1] + column])
        picture = self._mind.autoencoder.decode(self._mind.som.weights_at(VISION, flat))[0]
        joints = remembered_poses.of_neurons(self._mind, np.array([[row, column]]))[0].cpu().numpy()
        self._row.value, self._column.value = row, column
        self._picture.image = as_seen(picture.float().cpu().numpy(), self._stage.data.eye_size, SIZE)
        names = self._stage.infant.arm.joint_names
        angles = (f"{spoken(name)} {angle:.0f}°" for name, angle in zip(names, np.degrees(joints), strict=True))
        self._pose.content = f"**Neuron ({row}, {column})** holds: {', '.join(angles)}."
        self._stage.say(f"It takes the pose of **neuron ({row}, {column})**.")
        self._stage.infant.go(joints)
        self.chosen = row, column
        for browser in self.browsers.values():
            browser.chosen.position = self.board.place_of(row, column, 0.005)
            browser.chosen.visible = True

    def _click(self, event: Any) -> None:
        neuron = self.board.neuron_at(event.ray_origin, event.ray_direction)
        if neuron is not None:
            self.choose(*neuron)

    def _welcome(self, client: Any) -> None:
        """A board of its own for a new browser."""
        with self._tab:
            layers = [*self._pictures.still, *self._pictures.live]
            dropdown = client.gui.add_dropdown("the board shows", layers, initial_value=ATLAS, order=1)
        browser = _Browser(client, self.board, dropdown, self._pictures.draw(ATLAS, {}))
        self.browsers[client.client_id] = browser
        self._stage.when(browser.image.on_click, self._click, "neuron")
        self._stage.when(dropdown.on_update, lambda event: self._redraw(browser), ("layer", client.client_id))
        if self.chosen is not None:
            browser.chosen.position, browser.chosen.visible = self.board.place_of(*self.chosen, 0.005), True
        browser.now.position = self._best(self._stage.infant.moment)

    def _forget(self, client: Any) -> None:
        self.browsers.pop(client.client_id, None)

    def _redraw(self, browser: "_Browser") -> None:
        query = self._query(self._stage.infant.moment)
        browser.image.image = self._pictures.draw(browser.layer.value, query)

    def _show(self, moment: Moment) -> None:
        if not self.browsers:
            return
        best = self._best(moment)
        asked = {browser.layer.value for browser in self.browsers.values()} & self._pictures.live.keys()
        query = self._query(moment) if asked else {}
        drawn = {layer: self._pictures.draw(layer, query) for layer in asked}
        for browser in self.browsers.values():
            browser.now.position = best
            if browser.layer.value in drawn:
                browser.image.image = drawn[browser.layer.value]

    def _query(self, moment: Moment) -> dict[str, torch.Tensor]:
        """What it sees and feels, as the map is asked."""
        seen = to_gray(moment.observation["eye"])
        return {VISION: self._mind.latents(seen[None]), PROPRIOCEPTION: self._felt(moment)}

    def _felt(self, moment: Moment) -> torch.Tensor:
        return self._mind.normalize(moment.joints[None]).clamp(0, 1)

    def _best(self, moment: Moment) -> Any:
        """Where the neuron is that fits the joints best."""
        winner = int(self._mind.som.winners({PROPRIOCEPTION: self._felt(moment)}))
        return self.board.place_of(*divmod(winner, self._mind.som.shape[1]), 0.012)


class _Browser:
    """What one browser has of its own: the board, its marks, and the choice of what it shows."""

    def __init__(self, client: Any, board: Board, layer: Any, picture: Any) -> None:
        self.layer = layer
        with client.atomic():
            self.image = client.scene.add_image(
                "/map",
                picture,
                *board.size,
                wxyz=board.wxyz,
                position=board.middle,
                cast_shadow=False,
                receive_shadow=False,
            )
            self.chosen, self.now = (
                client.scene.add_icosphere(f"/{name}", radius=radius, color=color, cast_shadow=False, visible=visible)
                for name, radius, color, visible in (("chosen", 0.014, _CHOSEN, False), ("now", 0.009, _NOW, True))
            )


def _look(client: Any, position: tuple[float, ...], target: tuple[float, ...]) -> None:
    """Moves one browser's camera."""
    with client.atomic():
        client.camera.position, client.camera.look_at, client.camera.fov = position, target, float(_FIELD)
