"""Files of a run that belong to another run or to another data set."""

from pathlib import Path
from typing import Any

from agents.mind.calibration import Calibration
from agents.mind.imagination import CALIBRATION
from agents.mind.som_autoencoder import AUTOENCODER, SOM
from agents.tools import checkpoints
from agents.tools.files import DamagedFileError
from infant_env.errors import UserError

from ..data.dataset import Dataset
from ..runs import folder as runs
from ..runs.folder import CONFIG


def other_data(path: Path, data: Dataset) -> UserError:
    """The error for a checkpoint that was trained on another data set.

    If no checkpoint of the run was trained on this data set, then not the checkpoint is wrong, but the data set.
    """
    run = path.parent
    if data.fingerprint in map(_trained_on, run.glob("*.safetensors")):
        return DamagedFileError(f"{path} was trained on another data set than {data.path}; train it again", path)
    told = f"the models in {run} were trained on another data set than {data.path}, which {CONFIG} lists"
    own = run / "dataset"
    if own.exists() and own.resolve() != data.path.resolve() and Dataset.open(own).fingerprint == _trained_on(path):
        return UserError(f"{told}; delete {run / CONFIG} and run the same command again: it finds {own}")
    return UserError(
        f"{told}; move the data set of this training to {own} and delete {run / CONFIG}, or train all again in another folder"
    )


def check_settings(path: Path, command: str) -> None:
    """Checks that a model was trained with the settings that `config.json` lists for it.

    Args:
        path: the model's file.
        command: the command's name in `config.json`.

    Raises:
        DamagedFileError: they differ: the file belongs to another run, or a later training was stopped.
        UserError: the file belongs to this run, and `config.json` to another.
    """
    run, told = path.parent, _difference(path, command)
    if not told:
        return
    autoencoder = run / AUTOENCODER
    at_home = _header(run / SOM).get("autoencoder") == checkpoints.content_hash(autoencoder)
    if at_home and _difference(autoencoder, "train-ae"):
        raise UserError(f"{told}; the models belong together, so delete {run / CONFIG} and run the same command again")
    raise DamagedFileError(f"{told}; train it again", path)


def _difference(path: Path, command: str) -> str:
    """How the settings of a model differ from those in `config.json`, in words; empty if they do not."""
    trained, recorded = _header(path).get("config", {}), runs.recorded(path.parent, command, dict[str, Any]) or {}
    different = sorted(name for name in trained.keys() & recorded.keys() if trained[name] != recorded[name])
    was, wanted = (", ".join(f"{name}={of[name]}" for name in different) for of in (trained, recorded))
    return f"{path} was trained with {was}, but {CONFIG} lists {wanted}" if different else ""


def _header(path: Path) -> dict[str, Any]:
    """The header of a checkpoint, or what a calibration depends on; empty if it is unknown."""
    try:
        is_calibration = path.name == CALIBRATION
        return Calibration.header(path) if is_calibration else checkpoints.read_header(path, None)
    except UserError:
        return {}


def _trained_on(path: Path) -> str | None:
    """The fingerprint of the data set of a checkpoint; None if it is unknown."""
    return _header(path).get("dataset")
