"""Whether the trained parts of an imagination, in one folder, were trained on each other and on one data set."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..tools import checkpoints
from ..tools.files import DamagedFileError


def check_together(headers: Mapping[Path, Mapping[str, Any]]) -> None:
    """Checks that files belong together.

    Args:
        headers: the header of each file. `dataset` identifies its data set. An entry that is the name of another file, without
            its ending, is that file's checksum at the time of the training.

    Raises:
        DamagedFileError: a file was trained on another data set than the first one, or on another file than the one that is
            there.
    """
    first = next(iter(headers))
    files = {path.stem: path for path in headers}
    for path, header in headers.items():
        if header.get("dataset", own := headers[first].get("dataset")) != own and own is not None:
            raise DamagedFileError(
                f"{path} was trained on another data set than {first.name} in the same folder; train it again", path
            )
        for name in sorted(header.keys() & files.keys() - {path.stem}):
            if header[name] != checkpoints.content_hash(files[name]):
                raise DamagedFileError(
                    f"{path} was trained with another {name} than the one in the same folder; train it again", path
                )
