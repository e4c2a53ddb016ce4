"""How to mend a run: which command makes a damaged file again, and reports that are lost in `metrics.json`."""

from pathlib import Path

from infant_env.errors import UserError

from ..data.info import read_info
from ..runs.folder import path_of_data
from ..train import world_model
from .registry import METHODS, STAGES

_STATE = ".training.safetensors"
_ALL = (*STAGES.values(), world_model.STAGE)


def advice(error: UserError) -> str:
    """The end of an error's message: the command that makes its file again; nothing if no command does."""
    path = getattr(error, "path", None)
    stage = next((stage for stage in _ALL if path is not None and stage.file == _made(path)), None)
    if path is None or stage is None:
        return ""
    first = f" from the beginning: delete {path}, then run" if path.name.endswith(_STATE) else ":"
    return f"{first} `{stage.line(path.parent)}`"


def restore_reports(run: Path) -> None:
    """Writes the reports of all trainings to `metrics.json` again, from the models' files, if they are lost there."""
    for stage in _ALL:
        stage.restore_report(run)


def missing(run: Path) -> list[str]:
    """What a run could also have: a line for each quick method that is not trained there, with the command that trains it."""
    recipe = read_info(Path(path_of_data(run))).recipe
    return [
        f"{method.name}: not trained; `{method.stages[-1].line(run)}` adds it to the table"
        for method in METHODS
        if method.stages and not method.slow and not method.is_trained(run)
        if method.learns_from(recipe)
    ]


def _made(path: Path) -> str:
    """The name of the file that a training makes, from the name of the file of its state."""
    if not path.name.endswith(_STATE):
        return path.name
    return path.name.removesuffix(_STATE).split(".")[0] + ".safetensors"  # one training can have several states
