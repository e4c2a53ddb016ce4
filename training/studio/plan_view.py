"""The infant plans a way from one picture to another: first it imagines the film, then it moves."""

import threading
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.mind.planning import PosePlanner
from infant_env.body.servos import CONTROL_HZ
from infant_env.envs.simulated import hands_of

from ..act.goals import gazes_of
from .infant import Behavior
from .pictures import Cell, Chosen, TestPictures, grid
from .studio import Studio


class PlanView:
    """Lets the user choose two pictures, and shows the imagined film between them, then the real one."""

    def __init__(self, studio: Studio, pictures: TestPictures) -> None:
        self._studio, self._pictures = studio, pictures
        self._makes_planner = False  # a thread makes the planner
        gui = studio.server.gui
        gui.add_markdown("**Choose two pictures**: it imagines the way from one to the other, then it moves.")
        self._numbers = [
            gui.add_slider(word, min=1, max=len(pictures), step=1, initial_value=min(k + 1, len(pictures)))
            for k, word in enumerate(("from", "to"))
        ]
        for slider in self._numbers:
            studio.when(slider.on_update, lambda event: self._choose(), "ends")
        studio.when(gui.add_button("Two at random").on_click, self._at_random)
        self._button = gui.add_button("Imagine the way, then go", color="blue")
        studio.when(self._button.on_click, self._start)
        self._shown = self._ends
        self._film = gui.add_image(self._grid(), label="Pictures and films")
        self._result = gui.add_markdown("")

    @property
    def _ends(self) -> list[Chosen]:
        return [self._pictures[slider.value] for slider in self._numbers]

    def _grid(self, imagined: NDArray[Any] | None = None, real: NDArray[Any] | None = None) -> NDArray[np.uint8]:
        first, last = self._shown
        cells = [
            Cell(f"from: {first.name}", first.frame),
            Cell(f"to: {last.name}", last.frame),
            Cell("imagined film", imagined),
            Cell("real film", real),
        ]
        return grid(cells, 2, self._studio.data.eye_size)

    def _choose(self) -> None:
        self._shown = self._ends
        self._film.image = self._grid()
        self._result.content = ""

    def _at_random(self, event: Any) -> None:
        for slider in self._numbers:
            slider.value = self._pictures.at_random(self._studio.infant.random)
        self._choose()

    def _start(self, event: Any) -> None:
        if self._studio.agent.knows_ways:
            self._shown = self._ends
            self._studio.infant.perform(self._go(), partial(self._studio.show_error, event.client))
        elif not self._makes_planner:
            self._makes_planner = True
            self._studio.say("It **finds out which poses are familiar**. This takes some seconds, only once.")
            threading.Thread(target=self._make_planner, args=(event,), name="planner", daemon=True).start()

    def _make_planner(self, event: Any) -> None:
        """Makes the planner in its own thread, so that the infant goes on; then starts."""
        try:
            agent = self._studio.agent
            agent.planner = PosePlanner(agent.imagination.mind, progress=self._studio.progress)
        except Exception as error:  # the page must go on
            self._studio.show_error(event.client, error)
        else:
            self._studio.infant.do(lambda: self._start(event))
        finally:
            self._makes_planner = False
            self._studio.progress(None)

    def _go(self) -> Behavior:
        agent, infant = self._studio.agent, self._studio.infant
        first, last = self._shown
        ends = gazes_of([first.goal, last.goal])
        found = agent.imagination.hypotheses(np.stack([first.goal.picture, last.goal.picture]), 1, ends)
        way = agent.plan(*found.joints[:, 0].cpu().numpy())
        gazes = None if ends is None else np.linspace(ends[0], ends[1], len(way))  # (T, 2)
        film = agent.imagine(way, gazes)
        infant.look(None if gazes is None else gazes[0])
        self._studio.say(f"It **imagines** the way: {len(way)} pictures, {(len(way) - 1) / CONTROL_HZ:.1f} s.")
        for picture in film:
            self._film.image = self._grid(picture)
            yield way[0]
        for _ in range(15):
            yield way[0]
        self._studio.say("Now it **goes** there.")
        depth = 0.0
        for k, (joints, picture) in enumerate(zip(way, film, strict=True)):
            infant.look(None if gazes is None else gazes[k])
            yield joints
            depth = max(depth, infant.moment.info["penetration"])
            self._film.image = self._grid(picture, infant.moment.observation["eye"])
        for _ in range(12):
            yield way[-1]
        self._film.image = self._grid(film[-1], infant.moment.observation["eye"])
        hands = last.goal.error_in_words(hands_of(infant.moment.info), self._studio.data.arm)
        assert hands is not None
        touch = "It touched something on the way." if depth > 0 else "It touched nothing on the way."
        self._result.content = f"At the end, compared with the second picture: **{hands}**. {touch}"
        self._studio.say(f"**Arrived**: {hands}.")
