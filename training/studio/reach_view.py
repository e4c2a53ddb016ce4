"""The infant reaches for a picture: its hypotheses, the tries in its head, its looks and corrections, and the error."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from infant_env.senses.vision import to_gray

from ..act.goals import Goal, imagined_goals, read_picture
from .infant import Act
from .pictures import Cell, Chosen, TestPictures, grid
from .stage import Stage

_ROUNDS = ("recalled", "after round 1", "after round 2")
_MOST = 300  # control steps of a reach
_STILL = 0.05  # rad/s


class ReachView:
    """Chooses a goal picture and lets the agent reach for it, in one go or step by step.

    Attributes:
        result: what the page tells of the last look: hand's error in cm (None where it is not known) and picture's error.
    """

    def __init__(self, stage: Stage, pictures: TestPictures) -> None:
        self._stage, self._pictures = stage, pictures
        self._chosen = pictures[1]
        self._stepping, self._thought = False, False
        self._reaching: Act | None = None
        self._looks: list[str] = []  # how far off it was at each
        self.result: tuple[float | None, float] | None = None
        self._grid = partial(grid, eye_size=stage.data.eye_size)
        gui = stage.server.gui
        gui.add_markdown("**Choose a picture**, then let it reach for that.")
        self._number = gui.add_slider("test picture", min=1, max=len(pictures), step=1, initial_value=1)
        stage.when(self._number.on_update, lambda event: self._choose(pictures[self._number.value]), "goal")
        others = gui.add_button_group("or", ["Random", "Imagine one"])
        stage.when(others.on_click, self._other)
        upload = gui.add_upload_button("A picture file ...", mime_type="image/*", color="gray")
        stage.when(upload.on_upload, self._read)
        stage.when(gui.add_button("Reach for it").on_click, self._play)
        steps = gui.add_button_group("or", ["One step", "Stop"])
        stage.when(steps.on_click, self._step_or_stop)
        self._story = gui.add_image(self._grid([Cell("goal", self._chosen.frame), Cell("sees now", None)], 2))
        self._thoughts = gui.add_image(self._grid([Cell("", None)] * 6, 3), label="What it thinks of", visible=False)
        self._tale = gui.add_markdown("")

    @property
    def at_it(self) -> bool:
        """Whether the infant reaches now, and has thought of where to."""
        doing = self._stage.infant.doing
        return self._thought and doing is not None and doing is self._reaching

    def _choose(self, chosen: Chosen) -> None:
        self._stage.infant.rest()
        self._chosen = chosen
        self._thoughts.visible, self._tale.content = False, ""
        self._story.image = self._grid([Cell(f"goal: {chosen.name}", chosen.frame), Cell("sees now", None)], 2)
        self._stage.say(f"The goal is **{chosen.name}**. Press **Reach for it**.")

    def _other(self, event: Any) -> None:
        random = self._stage.infant.random
        if event.target.value == "Random":
            number = self._pictures.at_random(random)
            self._number.value = number
            self._choose(self._pictures[number])
        else:
            imagination, arm = self._stage.agent.imagination, self._stage.infant.arm
            goal = imagined_goals(imagination, arm, 1, int(random.integers(2**31)))[0]
            self._choose(Chosen.imagined("imagined", goal))

    def _read(self, event: Any) -> None:
        file = event.target.value
        frame = read_picture(Path(file.name), file.content, self._stage.data.eye_size)
        self._choose(Chosen("your picture", Goal(to_gray(frame)), frame))

    def _play(self, event: Any) -> None:
        self._stepping = False
        self._begin(event.client)

    def _step_or_stop(self, event: Any) -> None:
        if event.target.value == "Stop":
            self._stage.infant.rest()
            self._stage.say("It **stopped**.")
        else:
            self._stepping = True
            self._begin(event.client)

    def _begin(self, client: Any) -> None:
        """Goes on, or begins."""
        infant = self._stage.infant
        infant.waiting = False
        if infant.doing is None or infant.doing is not self._reaching:
            self._looks, self._thought, self._reaching = [], False, self._act(self._chosen)
            infant.perform(self._reaching, self._stage.report(client))

    def _act(self, chosen: Chosen) -> Act:
        """What the infant does: think, go, look, correct."""
        agent, infant = self._stage.agent, self._stage.infant
        self._stage.say("It **thinks**: which pose may show this?")
        yield None
        yield from self._thinking(chosen)
        self._stage.say("It **goes** to the likeliest pose.")
        for _ in range(_MOST):
            looks = len(agent.looks)
            agent.act(infant.moment.observation)
            if len(agent.looks) > looks:
                self._show_look(chosen)
                yield from self._pause()
            yield agent.sent
            if agent.done and np.abs(infant.moment.observation["joint_velocities"]).max() < _STILL:
                break
        for _ in range(5):
            yield agent.targets
        self._show_end(chosen)

    def _thinking(self, chosen: Chosen) -> Act:
        """The tries in its head, then the hypotheses that are left."""
        agent = self._stage.agent
        try:
            for number, (joints, errors) in enumerate(agent.imagination.rounds(chosen.goal.picture)):
                self._stage.progress(100 * (number + 1) / (len(_ROUNDS) + 1))
                self._show_tries(_ROUNDS[number], joints, errors)
                yield None
                yield from self._pause()
            agent.set_goal(chosen.goal.picture)
            self._thought = True
        finally:
            self._stage.progress(None)
        self._show_ideas()
        yield from self._pause()

    def _pause(self) -> Act:
        """In steps: until the user wants the next one."""
        if self._stepping:
            told, self._stage.infant.waiting = self._tale.content, True
            self._tale.content = f"{told} *It waits for your next step.*"
            yield None
            self._tale.content = told

    def _show_tries(self, title: str, joints: Tensor, errors: Tensor) -> None:
        """The best six of the poses that it tries in its head, as it imagines them."""
        pictures = self._stage.agent.imagine(joints[:6])
        cells = [Cell(f"off by {e:.4f}", p) for e, p in zip(errors[:6].sqrt().tolist(), pictures, strict=True)]
        self._thoughts.image = self._grid(cells, 3)
        self._thoughts.label = f"Tried in its head: best {len(cells)} of {len(errors)}, {title}"
        self._thoughts.visible = True

    def _show_ideas(self) -> None:
        """Its hypotheses with their probabilities; framed the one that it is at."""
        agent = self._stage.agent
        assert agent.hypotheses is not None
        found = agent.hypotheses
        cells = [
            Cell(f"{share:.0%}", picture, k == agent.trying)
            for k, (picture, share, repeated) in enumerate(
                zip(
                    agent.imagine(found.joints[0]),
                    found.probabilities[0].tolist(),
                    found.repeated[0].tolist(),
                    strict=True,
                )
            )
            if not repeated
        ]
        self._thoughts.image = self._grid(cells, 3)
        self._thoughts.label = "Its hypotheses, and how probable they are"
        self._tale.content = "**It doubts** that its body can show this at all." if agent.impossible else ""

    def _show_look(self, chosen: Chosen) -> None:
        agent = self._stage.agent
        self._show_ideas()
        hand, off = self._measure(chosen)
        self._looks.append(f"{off:.4f}" if hand is None else f"{hand:.1f} cm")
        doubt = "**It doubts** that its body can show this. " if agent.impossible else ""
        self._tale.content = f"{doubt}Off at each look: {', '.join(self._looks)}."
        self._show_story(chosen, "sees now")
        self._stage.say(f"**Look {len(agent.looks)}**: {_told(hand, off)}.")

    def _show_end(self, chosen: Chosen) -> None:
        self.result = hand, off = self._measure(chosen)
        self._show_story(chosen, "came to")
        looks = len(self._stage.agent.looks)
        self._stage.say(f"**Done** after {looks} look{'s' if looks != 1 else ''}: {_told(hand, off)}.")

    def _show_story(self, chosen: Chosen, caption: str) -> None:
        eye = self._stage.infant.moment.observation["eye"]
        self._story.image = self._grid([Cell(f"goal: {chosen.name}", chosen.frame), Cell(caption, eye)], 2)

    def _measure(self, chosen: Chosen) -> tuple[float | None, float]:
        """How far hand (cm; None when the goal's is unknown) and picture (mean absolute difference) are off."""
        moment, there = self._stage.infant.moment, chosen.goal.hand_position
        hand = None if there is None else 100 * float(np.linalg.norm(moment.info["hand_position"] - there))
        return hand, self._stage.agent.compare(moment.observation)


def _told(hand: float | None, off: float) -> str:
    """Both errors in words."""
    words = f"the picture is off by {off:.4f}"
    return words if hand is None else f"the hand is {hand:.1f} cm off, {words}"
