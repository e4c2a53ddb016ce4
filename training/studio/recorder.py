"""Records a film of what the studio shows; the browser downloads it."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infant_env.body.servos import CONTROL_HZ
from infant_env.senses.vision import to_gray

from ..show.film import PANEL, Video, as_seen, fit, ideas, map_picture, what_it_sees
from ..show.outside_view import OutsideView
from .infant import Moment
from .mind_view import MindView
from .reach_view import ReachView
from .studio import Studio

_MAX_FRAMES = CONTROL_HZ * 300  # five minutes


class Recorder:
    """A button that starts a film, ends it, and sends it to the user's browser."""

    def __init__(self, studio: Studio, mind: MindView, reach: ReachView) -> None:
        self._studio, self._mind, self._reach = studio, mind, reach
        self._button = studio.server.gui.add_button("Record a film")
        self._video: Video | None = None
        self._outside: OutsideView | None = None
        self._frames = 0
        studio.when(self._button.on_click, self._toggle)
        studio.infant.listeners.append(self._add)
        studio.infant.body_listeners.append(lambda arm: self._close_camera())

    def _toggle(self, event: Any) -> None:
        if self._video is None:
            path = Path(tempfile.mkdtemp(prefix="studio")) / "studio.mp4"
            self._video, self._frames = Video(path), 0
            self._button.label = "End the film and keep it"
            self._studio.say("**Recording**: one frame for each step while something moves.")
            self._studio.infant.show_again()
        else:
            self._send(event.client)

    def _send(self, client: Any) -> None:
        assert self._video is not None
        video, self._video = self._video, None
        self._button.label = "Record a film"
        self._close_camera()
        video.close()
        client.send_file_download("studio.mp4", video.path.read_bytes())
        video.path.unlink()
        video.path.parent.rmdir()
        self._studio.say(f"The film of **{self._frames / CONTROL_HZ:.1f} s** is in the note on the left.")

    def _close_camera(self) -> None:
        """Closes the outside camera, which belongs to one body."""
        if self._outside is not None:
            self._outside.close()
            self._outside = None

    def _add(self, moment: Moment) -> None:
        if self._video is None or self._frames >= _MAX_FRAMES:
            return
        infant = self._studio.infant
        self._outside = self._outside or OutsideView(infant.arm, PANEL, infant.touch is not None)
        self._frames += 1
        self._video.add(self._panels(moment))

    def _panels(self, moment: Moment) -> list[tuple[str, NDArray[np.uint8]]]:
        """Six panels; while it reaches, they show its goal and its hypotheses."""
        assert self._outside is not None
        agent, eye = self._studio.agent, moment.observation["eye"]
        activity = agent.imagination.activity(to_gray(eye)[None], moment.gaze)[0].cpu().numpy()
        _, imagined, recalled, difference = self._mind.pictures
        panels = [
            ("from outside", self._outside.render(self._studio.infant.data)),
            what_it_sees(moment.observation),
            ("imagined from its joints", fit(imagined)),
        ]
        if self._reach.under_way and agent.goal is not None:
            panels += [
                ("its goal", as_seen(agent.goal, eye.shape[:2])),
                ("what it thinks of; framed: what it tries", ideas(agent, eye.shape[:2])),
            ]
        else:
            panels += [("recalled from vision", fit(recalled)), ("difference", fit(difference))]
        return [*panels, ("the map's activity for what it sees", map_picture(activity))]
