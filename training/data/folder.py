"""What a folder holds before a data set is written to it, or goes on there."""

from pathlib import Path

from agents.tools.files import DamagedFileError
from infant_env.body.raw.mjcf_files import BODY
from infant_env.errors import UserError

from .background import BACKGROUND
from .info import DatasetInfo, info_in_shards, read_info


def found_in(folder: Path) -> DatasetInfo | None:
    """The description of the data set in a folder; None if there is none, or only a damaged one of version 0.1."""
    try:
        return read_info(folder)
    except DamagedFileError:
        return info_in_shards(folder)


def other_than_shards(folder: Path, found: DatasetInfo, wanted: DatasetInfo) -> DatasetInfo:
    """The description in the shards, if they hold the wanted data set and `dataset.json` is that of another one."""
    own = info_in_shards(folder)
    return own if own is not None and own.identity() == wanted.identity() else found


def check_empty(folder: Path) -> None:
    """Raises a UserError if a folder without shards holds anything else than what the start of a collection leaves."""
    if folder.exists() and not all(map(_is_of_a_start, folder.iterdir())):
        raise UserError(f"{folder} is not empty and holds no data set; choose another folder with --out")


def check_same(folder: Path, found: DatasetInfo, wanted: DatasetInfo) -> None:
    """Raises a UserError if a folder holds another data set than the wanted one."""
    there, asked = ({**part["config"], **part["body"]} for part in (found.identity(), wanted.identity()))
    keys = [key for key in asked | there if asked.get(key) != there.get(key)]
    if keys:
        other = "; ".join(f"{key} {there.get(key)} (asked for: {asked.get(key)})" for key in keys)
        kept = f", or go on with its own body: --mjcf {folder / BODY}" if keys == ["fingerprint"] else ""
        raise UserError(f"{folder} holds another data set: {other}; choose another folder with --out{kept}")


def _is_of_a_start(path: Path) -> bool:
    """Whether a file in a folder without shards is one that a collection writes at its start."""
    return path.name.startswith(".") or path.name in ("dataset.json", BACKGROUND, BODY)
