"""The page: the infant and its map in the middle, eye and mind on the left, the controls on the right."""

from pathlib import Path

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
from .server import serve
from .server.door import Door
from .studio import Studio

_WELCOME = "**Hello!** Drag a slider: the infant moves its arm. On the left you see what it sees and imagines."
_LEFT, _RIGHT = 226, 350  # pixels


class Page:
    """The page of the studio for one run; it is served until it is closed.

    Args:
        run: the run's folder.
        host: address at which the page is served.
        port: port of the page; the next free one if it is in use.
        seed: seed of all random poses and pictures.
        device: where the networks compute.

    Raises:
        UserError: the run lacks something that the studio shows.
    """

    def __init__(self, run: Path, host: str, port: int, seed: int, device: Device) -> None:
        data = Dataset.open(runs.data_of(run))
        data.check_seen_arm("the studio")
        data.check_simulated("the studio")
        agent = MentalImageryAgent.load(run, device=pick_device(device))
        senses = {"acuity": data.acuity, "senses": data.senses, "touch": data.info.recipe.touch}
        self.infant = LiveInfant(data.arm, data.eye_size, seed, **senses)
        self.door = Door(host)
        self.server = serve.start(self.door, port, "The infant's studio")
        self._add_main_panel(data, agent)
        self.infant.start()

    @property
    def address(self) -> str:
        """The address of the page, with the token if other machines can connect."""
        return self.door.address(self.server.get_port())

    def close(self) -> None:
        """Stops the infant and the server."""
        self.infant.close()
        self.server.stop()

    def _add_main_panel(self, data: Dataset, agent: MentalImageryAgent) -> None:
        gui = self.server.gui
        gui.configure_theme(show_logo=False, show_share_button=False)
        status, bar = gui.add_markdown(_WELCOME), gui.add_progress_bar(0, visible=False, animated=True)
        self.studio = Studio(self.server, self.infant, agent, data, status, bar)
        pictures = TestPictures(data, agent.imagination.format)
        tabs = gui.add_tab_group()
        with tabs.add_tab("Body"):
            self.body = BodyView(self.studio)
        map_tab = tabs.add_tab("Map")
        with map_tab:
            self.map = MapView(self.studio, map_tab)
        with tabs.add_tab("Reach"):
            self.reach = ReachView(self.studio, pictures)
        with tabs.add_tab("Plan"):
            self.plan = PlanView(self.studio, pictures)
        panel = gui.add_panel()
        with panel.add_tab("Eye and mind"):
            self.mind = MindView(self.studio)
        Recorder(self.studio, self.mind, self.reach)
        panel.dock_left()
        panel.set_width(_LEFT)
        gui.main_panel.dock_right()
        gui.main_panel.set_width(_RIGHT)
