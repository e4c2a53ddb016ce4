"""The page: the infant and its map in the middle, eye and mind on the left, what one can do on the right."""

import contextlib
import io
from pathlib import Path
from typing import Any

import viser

from agents.mind.agent import MentalImageryAgent

from ..data.dataset import Dataset
from ..runs import folder as runs
from ..runs.device import Device, pick_device
from .body_view import BodyView
from .infant import LiveInfant
from .map_view import MapView
from .mind_view import MindView
from .pictures import TestPictures
from .plan_view import PlanView
from .reach_view import ReachView
from .recorder import Recorder
from .stage import Stage

_WELCOME = "**Hello!** Drag a slider: the infant moves its arm, and on the left you see what it sees and imagines."
_LEFT, _RIGHT = 226, 350  # pixels


class Page:
    """The studio of one run, served until it is closed.

    Args:
        run: the run's folder.
        host: address that the page is served on.
        port: of the page; the next free one when it is taken.
        seed: of the poses and pictures that are drawn at random.
        device: where to imagine.

    Raises:
        UserError: the run lacks what the studio shows.
    """

    def __init__(self, run: Path, host: str, port: int, seed: int, device: Device) -> None:
        data = Dataset.open(runs.data_of(run))
        agent = MentalImageryAgent.load(run, device=pick_device(device))
        self.infant = LiveInfant(data.arm, data.eye_size, seed)
        self.server = _quiet_server(host, port)
        self._add_main_panel(data, agent)
        self.infant.start()

    @property
    def address(self) -> str:
        """Where the page is."""
        host = self.server.get_host()
        return f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{self.server.get_port()}"

    def close(self) -> None:
        """Ends the infant and the page."""
        self.infant.close()
        self.server.stop()

    def _add_main_panel(self, data: Dataset, agent: MentalImageryAgent) -> None:
        gui = self.server.gui
        status, bar = gui.add_markdown(_WELCOME), gui.add_progress_bar(0, visible=False, animated=True)
        self.stage = Stage(self.server, self.infant, agent, data, status, bar)
        pictures = TestPictures(data)
        tabs = gui.add_tab_group()
        with tabs.add_tab("Body"):
            self.body = BodyView(self.stage)
        map_tab = tabs.add_tab("Map")
        with map_tab:
            self.map = MapView(self.stage, map_tab)
        with tabs.add_tab("Reach"):
            self.reach = ReachView(self.stage, pictures)
        with tabs.add_tab("Plan"):
            self.plan = PlanView(self.stage, pictures)
        panel = gui.add_panel()
        with panel.add_tab("Eye and mind"):
            self.mind = MindView(self.stage)
        Recorder(self.stage, self.mind, self.reach)
        panel.dock_left()
        panel.set_width(_LEFT)
        gui.main_panel.dock_right()
        gui.main_panel.set_width(_RIGHT)


def _quiet_server(host: str, port: int) -> Any:
    """A server without share button, logo or words in the terminal."""
    with contextlib.redirect_stdout(io.StringIO()):
        server = viser.ViserServer(host, port, label="The infant's studio", verbose=False)
    server.gui.configure_theme(show_logo=False, show_share_button=False)
    server.gui.set_panel_label("The infant's studio")
    return server
