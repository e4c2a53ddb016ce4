"""Files of a run that belong to another run or to another data set."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agents.tools import checkpoints
from agents.tools.files import DamagedFileError
from infant_env.errors import UserError

from ..data.dataset import Dataset
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


def check_settings(path: Path, trained: Mapping[str, Any], recorded: Mapping[str, Any] | None) -> None:
    """Checks that a model was trained with the settings that `config.json` lists for it.

    Args:
        path: the model's file.
        trained: the settings in its header.
        recorded: the settings in `config.json`; None if it does not list them.

    Raises:
        DamagedFileError: they differ: the file belongs to another run, or a later training was stopped.
    """
    both = trained.keys() & (recorded or {}).keys()
    different = sorted(name for name in both if recorded is not None and trained[name] != recorded[name])
    if different and recorded is not None:
        was, wanted = (", ".join(f"{n}={of[n]}" for n in different) for of in (trained, recorded))
        raise DamagedFileError(f"{path} was trained with {was}, but {CONFIG} lists {wanted}; train it again", path)


def _trained_on(path: Path) -> str | None:
    """The fingerprint of the data set of a checkpoint; None if it is unknown."""
    try:
        return checkpoints.read_header(path, None).get("dataset")
    except UserError:
        return None
