"""The infant plans from one picture to another: it imagines the film, then it moves."""

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.mind.planning import PosePlanner
from infant_env.body.servos import CONTROL_HZ

from .infant import Act
from .pictures import Cell, Chosen, TestPictures, grid
from .stage import Stage


class PlanView:
    """Chooses two pictures, shows the imagined film between them, then the real one."""

    def __init__(self, stage: Stage, pictures: TestPictures) -> None:
        self._stage, self._pictures = stage, pictures
        self._learning = False
        gui = stage.server.gui
        gui.add_markdown("**Choose two pictures**: it imagines the way from one to the other, then goes it.")
        self._numbers = [
            gui.add_slider(word, min=1, max=len(pictures), step=1, initial_value=min(k + 1, len(pictures)))
            for k, word in enumerate(("from", "to"))
        ]
        for slider in self._numbers:
            stage.when(slider.on_update, lambda event: self._choose(), "ends")
        stage.when(gui.add_button("Two at random").on_click, self._at_random)
        self._button = gui.add_button("Imagine the way, then go it", color="blue")
        stage.when(self._button.on_click, self._start)
        self._shown = self._ends
        self._film = gui.add_image(self._drawn(None, None), label="Pictures and films")
        self._tale = gui.add_markdown("")

    @property
    def _ends(self) -> list[Chosen]:
        return [self._pictures[slider.value] for slider in self._numbers]

    def _drawn(self, imagined: NDArray[Any] | None, real: NDArray[Any] | None) -> NDArray[np.uint8]:
        first, last = self._shown
        cells = [
            Cell(f"from: {first.name}", first.frame),
            Cell(f"to: {last.name}", last.frame),
            Cell("imagined film", imagined),
            Cell("real film", real),
        ]
        return grid(cells, 2, self._stage.data.eye_size)

    def _choose(self) -> None:
        self._shown = self._ends
        self._film.image = self._drawn(None, None)
        self._tale.content = ""

    def _at_random(self, event: Any) -> None:
        for slider in self._numbers:
            slider.value = self._pictures.at_random(self._stage.infant.random)
        self._choose()

    def _start(self, event: Any) -> None:
        if self._stage.agent.knows_ways:
            self._shown = self._ends
            self._stage.infant.perform(self._act(), self._stage.report(event.client))
        elif not self._learning:
            self._learning = True
            self._stage.say("It **learns which poses are familiar**; that takes some seconds, once.")
            threading.Thread(target=self._learn, args=(event,), name="planner", daemon=True).start()

    def _learn(self, event: Any) -> None:
        """In a thread of its own, so that the infant goes on; then starts."""
        try:
            agent = self._stage.agent
            agent.planner = PosePlanner(agent.imagination.mind, progress=self._stage.progress)
        except Exception as error:  # the page lives on
            self._stage.tell(event.client, error)
        else:
            self._stage.infant.do(lambda: self._start(event))
        finally:
            self._learning = False
            self._stage.progress(None)

    def _act(self) -> Act:
        agent, infant = self._stage.agent, self._stage.infant
        first, last = self._shown
        found = agent.imagination.hypotheses(np.stack([first.goal.picture, last.goal.picture]), 1)
        way = agent.plan(*found.joints[:, 0].cpu().numpy())
        film = agent.imagine(way)
        self._stage.say(f"It **imagines** the way: {len(way)} pictures, {(len(way) - 1) / CONTROL_HZ:.1f} s.")
        for picture in film:
            self._film.image = self._drawn(picture, None)
            yield way[0]
        for _ in range(15):
            yield way[0]
        self._stage.say("Now it **goes** there.")
        depth = 0.0
        for joints, picture in zip(way, film, strict=True):
            yield joints
            depth = max(depth, infant.moment.info["penetration"])
            self._film.image = self._drawn(picture, infant.moment.observation["eye"])
        for _ in range(12):
            yield way[-1]
        self._film.image = self._drawn(film[-1], infant.moment.observation["eye"])
        there = last.goal.hand_position
        assert there is not None
        miss = 100 * float(np.linalg.norm(infant.moment.info["hand_position"] - there))
        touched = "It touched its body on the way." if depth > 0 else "It touched nothing on the way."
        self._tale.content = f"The hand ended **{miss:.1f} cm** from where it is in the second picture. {touched}"
        self._stage.say(f"**Arrived**, {miss:.1f} cm off.")
