"""What all views of the studio share: the page, the infant, the agent and the data, and messages to the user."""

import traceback
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from agents.mind.agent import MentalImageryAgent
from infant_env.errors import UserError
from infant_env.senses.modalities import GAZE

from ..data.dataset import Dataset
from .infant import LiveInfant, Moment, retrying

Handler = Callable[[Any], None]
"""Handles an event of the page, in the infant's thread."""


@dataclass(frozen=True)
class Studio:
    """The page, and the infant that it shows."""

    server: Any
    """The `viser.ViserServer`."""
    infant: LiveInfant
    agent: MentalImageryAgent
    data: Dataset
    status: Any
    """The line of the page that says what happens."""
    bar: Any
    """The progress bar of the page."""

    def progress(self, percent: float | None) -> None:
        """Shows the progress of a long computation, 0 to 100; None hides the bar."""
        if percent is not None:
            self.bar.value = round(percent)
        self.bar.visible = percent is not None

    def gaze_felt(self, moment: Moment) -> dict[str, Tensor]:
        """The gaze as a sense of the map, by its name, in [0, 1], shape (1, 2); nothing if it is held."""
        if moment.gaze is None:
            return {}
        normalized = self.infant.arm.gaze.normalize(moment.gaze[None])
        return {GAZE: torch.from_numpy(normalized.astype(np.float32)).to(self.agent.imagination.mind.device)}

    def say(self, text: str) -> None:
        """Shows a text in the status line."""
        self.status.content = text

    def when(self, hook: Callable[[Callable[[Any], None]], Any], handler: Handler, key: Hashable = None) -> None:
        """Runs a handler in the infant's thread when the user does something; shows its error to the same user.

        Args:
            hook: registers a function for an event of the page, for example `button.on_click`.
            handler: is called with the event.
            key: of the waiting handlers with the same key, only the newest runs.
        """

        def submit(event: Any) -> None:
            if event.client is not None:  # the user caused the event, not the program
                self.infant.do(lambda: self._guarded(handler, event), key)

        hook(submit)

    def show_error(self, client: Any, error: Exception) -> None:
        """Shows an error in a user's browser: its own message if it was written for users."""
        message = str(error)
        if not isinstance(error, UserError | OSError):
            traceback.print_exception(error)
            message = f"An error inside the studio ({type(error).__name__}: {error}). The studio goes on."
        self.say("**That did not work**; see the note on the left.")
        client.add_notification("That did not work", message, color="red", auto_close_seconds=20.0)

    def _guarded(self, handler: Handler, event: Any) -> None:
        try:
            retrying(lambda: handler(event))
        except Exception as error:  # the page must go on
            self.show_error(event.client, error)


def spoken(joints: Sequence[str]) -> list[str]:
    """The joints' names for readers: `right_elbow_flexion` -> `elbow flexion`; with the side if there are several."""
    sides = {joint.partition("_")[0] for joint in joints}
    one = sides.pop() if len(sides) == 1 else ""
    return [joint.removeprefix(f"{one}_" if one in ("right", "left") else "").replace("_", " ") for joint in joints]
