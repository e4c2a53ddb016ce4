"""The infant reaches for a picture: the page shows its trials, its hypotheses, its looks, and the error after each look."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from agents.mind.agent import MentalImageryAgent
from infant_env.envs.simulated import hands_of

from ..act.goals import Goal, goal_picture, imagined_goals
from .infant import Behavior
from .pictures import Cell, Chosen, TestPictures, grid
from .studio import Studio

_ROUNDS = ("recalled and guessed", *(f"after round {number}" for number in range(1, 4)))
_MAX_STEPS = 300  # control steps of a reach
_STILL = 0.05  # rad/s


class ReachView:
    """Lets the user choose a goal picture and lets the agent reach for it, without a pause or step by step."""

    def __init__(self, studio: Studio, pictures: TestPictures) -> None:
        self._studio, self._pictures = studio, pictures
        self._chosen = pictures[1]
        self._stepping, self._has_hypotheses = False, False
        self._reaching: Behavior | None = None
        self._looks: list[str] = []  # the error at each look
        self._grid = partial(grid, eye_size=studio.data.eye_size)
        gui = studio.server.gui
        gui.add_markdown("**Choose a picture**, then let the infant reach for it.")
        self._number = gui.add_slider("test picture", min=1, max=len(pictures), step=1, initial_value=1)
        studio.when(self._number.on_update, lambda event: self._choose(pictures[self._number.value]), "goal")
        others = gui.add_button_group("or", ["Random", "Imagine one"])
        studio.when(others.on_click, self._choose_otherwise)
        upload = gui.add_upload_button("A picture file ...", mime_type="image/*", color="gray")
        studio.when(upload.on_upload, self._read_file)
        studio.when(gui.add_button("Reach for it").on_click, self._play)
        steps = gui.add_button_group("or", ["One step", "Stop"])
        studio.when(steps.on_click, self._step_or_stop)
        self._goal_and_eye = gui.add_image(self._grid([Cell("goal", self._chosen.frame), Cell("sees now", None)], 2))
        self._thoughts = gui.add_image(self._grid([Cell("", None)] * 6, 3), label="What it thinks of", visible=False)
        self._text = gui.add_markdown("")

    @property
    def under_way(self) -> bool:
        """Whether the infant reaches for a goal and has its hypotheses."""
        return self._has_hypotheses and self._reaching is not None and self._studio.infant.behavior is self._reaching

    def _choose(self, chosen: Chosen) -> None:
        self._studio.infant.stop()
        self._chosen = chosen
        self._thoughts.visible, self._text.content = False, ""
        self._goal_and_eye.image = self._grid([Cell(f"goal: {chosen.name}", chosen.frame), Cell("sees now", None)], 2)
        self._studio.say(f"The goal is **{chosen.name}**. Press **Reach for it**.")

    def _choose_otherwise(self, event: Any) -> None:
        random = self._studio.infant.random
        if event.target.value == "Random":
            number = self._pictures.at_random(random)
            self._number.value = number
            self._choose(self._pictures[number])
        else:
            imagination, arm = self._studio.agent.imagination, self._studio.infant.arm
            goal = imagined_goals(imagination, arm, 1, int(random.integers(2**31)))[0]
            self._choose(Chosen.imagined("imagined", goal))

    def _read_file(self, event: Any) -> None:
        file = event.target.value
        frame = goal_picture(Path(file.name), file.content, self._studio.data.eye_size)
        self._choose(Chosen("your picture", Goal(self._studio.agent.imagination.format.squeeze(frame)), frame))

    def _play(self, event: Any) -> None:
        self._stepping = False
        self._begin(event.client)

    def _step_or_stop(self, event: Any) -> None:
        if event.target.value == "Stop":
            self._studio.infant.stop()
            self._studio.say("It **stopped**.")
        else:
            self._stepping = True
            self._begin(event.client)

    def _begin(self, client: Any) -> None:
        """Goes on with the present reach, or begins a new one."""
        infant = self._studio.infant
        infant.waiting = False
        if infant.behavior is None or infant.behavior is not self._reaching:
            self._looks, self._has_hypotheses, self._reaching = [], False, self.reach(self._chosen)
            infant.perform(self._reaching, partial(self._studio.show_error, client))

    def reach(self, chosen: Chosen) -> Behavior:
        """The infant thinks, moves, looks, and corrects itself."""
        agent, infant = self._studio.agent, self._studio.infant
        self._studio.say("It **thinks**: which pose may show this?")
        yield None
        yield from self._think(chosen)
        self._studio.say("It **goes** to the likeliest pose.")
        infant.look(agent.gaze)
        for _ in range(_MAX_STEPS):
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

    def _think(self, chosen: Chosen) -> Behavior:
        """Shows the trials in its head, then the hypotheses."""
        agent, goal = self._studio.agent, chosen.goal
        try:
            for number, (joints, errors) in enumerate(agent.imagination.rounds(goal.picture, goal.gaze)):
                self._studio.progress(100 * (number + 1) / (len(_ROUNDS) + 1))
                self._show_trials(_ROUNDS[number], joints, errors, goal)
                yield None
                yield from self._pause()
            agent.set_goal(goal.picture, gaze=goal.gaze)
            self._has_hypotheses = True
        finally:
            self._studio.progress(None)
        self._show_hypotheses()
        yield from self._pause()

    def _pause(self) -> Behavior:
        """In the step-by-step mode, waits until the user wants the next step."""
        if self._stepping:
            text, self._studio.infant.waiting = self._text.content, True
            self._text.content = f"{text} *It waits for your next step.*"
            yield None
            self._text.content = text

    def _show_trials(self, title: str, joints: Tensor, errors: Tensor, goal: Goal) -> None:
        """The best six of its trials, as it imagines them."""
        pictures = self._studio.agent.imagine(joints[:6], goal.gaze)
        cells = [Cell(f"off by {e:.4f}", p) for e, p in zip(errors[:6].sqrt().tolist(), pictures, strict=True)]
        self._thoughts.image = self._grid(cells, 3)
        self._thoughts.label = f"Tried in its head: best {len(cells)} of {len(errors)}, {title}"
        self._thoughts.visible = True

    def _show_hypotheses(self) -> None:
        """Its hypotheses with their probabilities; a frame marks the hypothesis that it tries now."""
        agent = self._studio.agent
        found = agent.hypotheses
        assert found is not None
        cells = [
            Cell(f"{share:.0%}", picture, k == agent.trying)
            for k, (picture, share) in enumerate(
                zip(agent.imagine(found.joints[0], agent.gaze), found.probabilities[0].tolist(), strict=True)
            )
            if not found.repeated[0, k]
        ]
        self._thoughts.image = self._grid(cells, 3)
        self._thoughts.label = "Its hypotheses, and how probable they are"
        self._text.content = _doubt(agent)

    def _show_look(self, chosen: Chosen) -> None:
        agent = self._studio.agent
        self._show_hypotheses()
        hands, off = self._measure(chosen)
        self._looks.append(hands or f"{off:.4f}")
        self._text.content = f"{_doubt(agent)}Error at each look: {'; '.join(self._looks)}."
        self._show_goal_and_eye(chosen, "sees now")
        self._studio.say(f"**Look {len(agent.looks)}**: {_errors(hands, off)}.")

    def _show_end(self, chosen: Chosen) -> None:
        self._show_goal_and_eye(chosen, "sees at the end")
        looks = len(self._studio.agent.looks)
        self._studio.say(f"**Done** after {looks} look{'s' if looks != 1 else ''}: {_errors(*self._measure(chosen))}.")

    def _show_goal_and_eye(self, chosen: Chosen, caption: str) -> None:
        eye = self._studio.infant.moment.observation["eye"]
        self._goal_and_eye.image = self._grid([Cell(f"goal: {chosen.name}", chosen.frame), Cell(caption, eye)], 2)

    def _measure(self, chosen: Chosen) -> tuple[str | None, float]:
        """Errors of the hands in words (None if their places in the goal are unknown) and of the picture (mean)."""
        moment = self._studio.infant.moment
        hands = chosen.goal.error_in_words(hands_of(moment.info), self._studio.data.arm)
        return hands, self._studio.agent.compare(moment.observation)


def _errors(hands: str | None, off: float) -> str:
    """Both errors as text."""
    text = f"the picture is off by {off:.4f}"
    return text if hands is None else f"{hands}, {text}"


def _doubt(agent: MentalImageryAgent) -> str:
    return "**It doubts** that its body can show this. " if agent.impossible else ""
