"""`infant-arm study NAME --run RUN`: how a map copes with samples that change while it learns."""

from collections.abc import Callable

from agents.tools.files import replacing

from ..runs.device import pick_device, threads
from ..runs.in_turn import in_turn
from . import forget, new_body
from .config import Config, Prepared, Study

_STUDIES: dict[Study, Callable[[Config, Prepared], str]] = {"forget": forget.run, "new-body": new_body.run}


@in_turn("study", "studies a changing world")
def run(config: Config) -> str:
    """Does one study, prints its table and writes it to `studies/NAME.txt` in the run's folder."""
    with threads(1):  # the same bytes on any machine, and CPU seconds that can be compared
        text = _STUDIES[config.study](config, Prepared.of(config.run, pick_device(config.device)))
    legend = (
        f"study {config.study}: {config.rows}x{config.rows} neurons, {config.seeds} seed(s). Mean absolute error of the "
        "joints that the winner recalls from vision, on test samples."
    )
    print(f"{legend}\n{text}")
    with replacing(config.run / "studies" / f"{config.study}.txt") as path:
        path.write_text(f"{legend}\n{text}\n")
    return text
