"""The map on a board behind the infant. Each browser chooses a layer; a click moves the infant to the pose of a neuron."""

from typing import Any

import numpy as np
import torch

from agents.mind import remembered_poses
from infant_env.senses.modalities import GAZE, PROPRIOCEPTION, VISION
from infant_env.senses.vision import to_gray

from ..show.film import as_seen
from .board import ATLAS, Board, MapPictures
from .infant import Moment
from .mind_view import SIZE
from .studio import Studio, spoken

_CHOSEN, _NOW = (213, 94, 0), (0, 158, 215)  # marks of the chosen neuron, and of the winner for the joints
_FACING = -34.0  # degrees
_CAMERAS = {
    "Both": ((1.42, -0.96, 0.78), (-0.12, 0.08, 0.50)),
    "The map": ((0.75, -0.50, 0.86), (-0.37, 0.25, 0.84)),
    "The infant": ((0.80, -0.52, 0.50), (0.07, -0.03, 0.235)),
}
_FIELD = np.radians(40)


class MapView:
    """Shows the map, and moves the infant to the pose of a chosen neuron.

    Attributes:
        board: the place of the map in the world.
        chosen: row and column of the neuron that was chosen last.
        browsers: what each browser shows, by client id.
    """

    def __init__(self, studio: Studio, tab: Any) -> None:
        self._studio, self._tab = studio, tab
        self._mind = studio.agent.imagination.mind
        rows, columns = self._mind.som.shape
        self.board = Board((-0.37, 0.25, 0.84), _FACING, 0.62, (rows, columns))
        self.chosen: tuple[int, int] | None = None
        self._pictures = MapPictures(self._mind, studio.infant.arm.joint_names, studio.data.eye_size)
        self.browsers: dict[int, _Browser] = {}
        gui = studio.server.gui
        gui.add_markdown(
            "**Click a neuron** on the board behind the infant: it moves to the pose of this neuron.", order=0
        )
        self._row = gui.add_slider("row", min=0, max=rows - 1, step=1, initial_value=rows // 2, order=2)
        self._column = gui.add_slider("column", min=0, max=columns - 1, step=1, initial_value=columns // 2, order=3)
        for slider in (self._row, self._column):
            studio.when(slider.on_update, lambda event: self.choose(self._row.value, self._column.value), "neuron")
        self._picture = gui.add_image(np.full((*SIZE, 3), 240, np.uint8), label="What this neuron imagines", order=4)
        self._pose = gui.add_markdown("No neuron is chosen yet.", order=5)
        studio.infant.listeners.append(self._show)
        camera = gui.add_button_group("look at", list(_CAMERAS), order=6)
        studio.when(camera.on_click, lambda event: _move_camera(event.client, *_CAMERAS[event.target.value]))
        gui.add_markdown(
            "**Blue dot**: the winner for the present joints. **Orange**: the neuron that you chose.", order=7
        )
        first = studio.server.initial_camera
        first.position, first.look_at, first.fov = *_CAMERAS["Both"], float(_FIELD)
        studio.server.on_client_connect(lambda client: studio.infant.do(lambda: self._add_browser(client)))
        studio.server.on_client_disconnect(lambda client: studio.infant.do(lambda: self._remove_browser(client)))

    def choose(self, row: int, column: int) -> None:
        """Shows the picture and the pose of a neuron, and moves the infant to this pose."""
        flat = torch.tensor([row * self._mind.som.shape[1] + column])
        picture = self._mind.pictures_of(flat)[0]
        joints = remembered_poses.of_neurons(self._mind, np.array([[row, column]]))[0].cpu().numpy()
        self._row.value, self._column.value = row, column
        self._picture.image = as_seen(picture.float().cpu().numpy(), self._studio.data.eye_size, SIZE)
        names = spoken(self._studio.infant.arm.joint_names)
        angles = (f"{name} {angle:.0f}°" for name, angle in zip(names, np.degrees(joints), strict=True))
        self._pose.content = f"**Neuron ({row}, {column})** holds: {', '.join(angles)}."
        self._studio.say(f"It takes the pose of **neuron ({row}, {column})**.")
        self._studio.infant.move_to(joints)
        if GAZE in self._mind.som.modalities:
            self._studio.infant.look(self._studio.infant.arm.gaze.denormalize(self._gaze_of(flat)))
        self.chosen = row, column
        for browser in self.browsers.values():
            self._mark_chosen(browser)

    def _click(self, event: Any) -> None:
        neuron = self.board.neuron_at(event.ray_origin, event.ray_direction)
        if neuron is not None:
            self.choose(*neuron)

    def _add_browser(self, client: Any) -> None:
        """Gives a new browser its own board."""
        with self._tab:
            layers = [*self._pictures.still, *self._pictures.live]
            dropdown = client.gui.add_dropdown("the board shows", layers, initial_value=ATLAS, order=1)
        browser = _Browser(client, self.board, dropdown, self._pictures.draw(ATLAS, {}))
        self.browsers[client.client_id] = browser
        self._studio.when(browser.image.on_click, self._click, "neuron")
        self._studio.when(dropdown.on_update, lambda event: self._redraw(browser), ("layer", client.client_id))
        self._mark_chosen(browser)
        browser.now.position = self._winner_place(self._studio.infant.moment)

    def _mark_chosen(self, browser: "_Browser") -> None:
        if self.chosen is not None:
            browser.chosen.position, browser.chosen.visible = self.board.place_of(*self.chosen, 0.005), True

    def _remove_browser(self, client: Any) -> None:
        self.browsers.pop(client.client_id, None)

    def _redraw(self, browser: "_Browser") -> None:
        query = self._query(self._studio.infant.moment)
        browser.image.image = self._pictures.draw(browser.layer.value, query)

    def _show(self, moment: Moment) -> None:
        if not self.browsers:
            return
        place = self._winner_place(moment)
        layers = {browser.layer.value for browser in self.browsers.values()} & self._pictures.live.keys()
        query = self._query(moment) if layers else {}
        drawn = {layer: self._pictures.draw(layer, query) for layer in layers}
        for browser in self.browsers.values():
            browser.now.position = place
            if browser.layer.value in drawn:
                browser.image.image = drawn[browser.layer.value]

    def _query(self, moment: Moment) -> dict[str, torch.Tensor]:
        """A query with what it sees and feels."""
        seen = to_gray(moment.observation["eye"])
        gaze = self._studio.gaze_felt(moment).get(GAZE)
        return {VISION: self._mind.latents(seen[None], gaze), PROPRIOCEPTION: self._felt(moment)}

    def _gaze_of(self, neuron: torch.Tensor) -> Any:
        """The gaze that a neuron (1,) holds, shape (2,), in [0, 1]."""
        return self._mind.som.weights_at(GAZE, neuron)[0].cpu().numpy()

    def _felt(self, moment: Moment) -> torch.Tensor:
        return self._mind.normalize(moment.joints[None]).clamp(0, 1)

    def _winner_place(self, moment: Moment) -> Any:
        """The place of the winner for the joints."""
        winner = int(self._mind.som.winners({PROPRIOCEPTION: self._felt(moment)}))
        return self.board.place_of(*divmod(winner, self._mind.som.shape[1]), 0.012)


class _Browser:
    """The parts of the page that each browser has for itself: the board, its marks, and the choice of a layer."""

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


def _move_camera(client: Any, position: tuple[float, ...], target: tuple[float, ...]) -> None:
    """Moves one browser's camera."""
    with client.atomic():
        client.camera.position, client.camera.look_at, client.camera.fov = position, target, float(_FIELD)
