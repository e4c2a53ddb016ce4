"""What all views of the studio share: the page, the infant, its mind, its data; and how they talk to the user."""

import traceback
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from agents.mind.agent import MentalImageryAgent
from infant_env.errors import UserError

from ..data.dataset import Dataset
from .infant import LiveInfant, patiently

Job = Callable[[Any], None]
"""Answers an event of the page, in the infant's thread."""


@dataclass(frozen=True)
class Stage:
    """The page and whom it shows."""

    server: Any
    """The `viser.ViserServer`."""
    infant: LiveInfant
    agent: MentalImageryAgent
    data: Dataset
    status: Any
    """The page's line that tells what goes on."""
    bar: Any
    """The page's progress bar."""

    def progress(self, percent: float | None) -> None:
        """How far something that takes long has come, 0 to 100; None when it is over."""
        if percent is not None:
            self.bar.value = round(percent)
        self.bar.visible = percent is not None

    def say(self, text: str) -> None:
        """Tells what goes on."""
        self.status.content = text

    def when(self, hook: Callable[[Callable[[Any], None]], Any], job: Job, key: Hashable = None) -> None:
        """Does a job in the infant's thread when the user does something, and tells the same user when that fails.

        Args:
            hook: of a handle of the page, such as `button.on_click`.
            job: given the event.
            key: of what waits under the same key, the newest alone is done.
        """

        def told(event: Any) -> None:
            if event.client is not None:  # a browser's doing, not the program's own
                self.infant.do(lambda: self._guarded(job, event), key)

        hook(told)

    def report(self, client: Any) -> Callable[[Exception], None]:
        """What tells a user that something failed."""
        return lambda error: self.tell(client, error)

    def tell(self, client: Any, error: Exception) -> None:
        """Shows in a user's browser what failed: the error's own words when it was made for users."""
        words = str(error)
        if not isinstance(error, UserError | OSError):
            traceback.print_exception(error)
            words = f"Something went wrong inside ({type(error).__name__}: {error}). The studio goes on."
        self.say("**That did not work**; see the note on the left.")
        client.add_notification("That did not work", words, color="red", auto_close_seconds=20.0)

    def _guarded(self, job: Job, event: Any) -> None:
        try:
            patiently(lambda: job(event))
        except Exception as error:  # the page lives on
            self.tell(event.client, error)


def spoken(joint: str) -> str:
    """A joint's name for people: `right_elbow_flexion` -> `elbow flexion`."""
    return joint.removeprefix("right_").replace("_", " ")
