"""The card of a shared run or data set: what it is, how it was made, its figures, licence and citation."""

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath

from ..act import reach
from ..data.info import DatasetInfo, collect_line, read_info
from ..measure import error_tables
from ..runs import folder as runs
from ..runs.metrics import Metrics
from ..show import tables
from .citation import PACKAGE, citation
from .manifest import DATA_SET, Kind

_SIZES = ((1e3, "n<1K"), (1e4, "1K<n<10K"), (1e5, "10K<n<100K"), (1e6, "100K<n<1M"), (1e7, "1M<n<10M"))


def card_of(folder: Path, kind: Kind, license: str) -> str:
    """The card, Markdown with the front matter of Hugging Face.

    Args:
        folder: the folder of the run or the data set.
        kind: which of them it is.
        license: name of the licence.

    Raises:
        DamagedFileError: a file that tells about it is damaged.
    """
    parts = _of_data_set(read_info(folder), license) if kind == DATA_SET else _of_run(folder, license)
    return (
        "\n\n".join([*parts, f"## Licence\n\n{license}", f"## Citation\n\n```yaml\n{citation().rstrip()}\n```"]) + "\n"
    )


def _of_data_set(info: DatasetInfo, license: str) -> list[str]:
    recipe, size = info.recipe, len_category(info.recipe.samples)
    title = f"{recipe.samples:,} poses of an infant's arm, seen and felt"
    (rows, columns), joints = recipe.eye_size, len(info.body.joint_names)
    named = ", ".join(info.body.joint_names)
    head = {
        "license": license,
        "pretty_name": title,
        "task_categories": ["robotics"],
        "size_categories": [size],
        "tags": [PACKAGE, "mental-imagery", "self-organizing-map", "developmental-robotics"],
    }
    return [
        _front_matter(head),
        f"# {title}",
        f"A simulated infant moved its arm at random and watched it ({PACKAGE}). Each sample has a frame of its eye "
        f"({rows}x{columns} pixels, RGB), the angles of {joints} joints ({named}), and the place of "
        "the hand.",
        f"## How it was made\n\n```\n{_line(collect_line(Path('DATA'), info))}\n```",
        _versions(info.versions),
        "## How to open it\n\n```\ninfant-arm pull --address ADDRESS --folder DATA\n```\n\n"
        '```python\nfrom training import Dataset\n\ndata = Dataset.open("DATA")\n```\n\n'
        "The samples are HDF5 files; `index.h5` shows all of them to h5py.",
    ]


def _of_run(folder: Path, license: str) -> list[str]:
    told, results = runs.provenance(folder), runs.metrics_of(folder)
    title = "An infant that learned where its arm is by watching it"
    head = {
        "license": license,
        "library_name": PACKAGE,
        "pipeline_tag": "robotics",
        "tags": [PACKAGE, "mental-imagery", "self-organizing-map", "developmental-robotics"],
    }
    lines = dict.fromkeys(_line(line) for line in told.command.values())
    return [
        _front_matter(head),
        f"# {title}",
        f"Networks and the map of a simulated infant ({PACKAGE}): it imagines what it would see in a pose, "
        "and reaches for pictures.",
        "## How it was made\n\n```\n" + "\n".join(lines) + "\n```",
        _versions(told.versions),
        *_figures(results),
        "## How to open it\n\n```\ninfant-arm pull --address ADDRESS --folder RUN\n```\n\n"
        '```python\nfrom agents import MentalImageryAgent\n\nagent = MentalImageryAgent.load("RUN")\n```\n\n'
        "The data set is not part of it; with it in `RUN/dataset`, all commands of infant-arm work.",
    ]


def _figures(results: Metrics) -> list[str]:
    """The results of a run, as far as they were measured."""
    parts = []
    if results.table1:
        table = tables.as_markdown(*error_tables.table1(results.table1))
        parts.append(f"## Errors on the test poses\n\nMean absolute error, mean ± standard deviation.\n\n{table}")
    for kind, rows in results.reach.items():
        parts.append(f"## Reaching for goals ({kind})\n\n{tables.as_markdown(*reach.table(rows))}")
    return parts


def len_category(samples: int) -> str:
    """Hugging Face's name for a number of samples."""
    return next((name for most, name in _SIZES if samples < most), "n>10M")


def _versions(versions: dict[str, str]) -> str:
    return "Versions: " + ", ".join(f"{name} {version}" for name, version in versions.items()) + "."


def _line(line: str) -> str:
    """A command line without the folders of the machine on which it ran."""
    words = [
        re.sub(r"^(--[\w-]+=)?(/.*)$", lambda m: (m[1] or "") + PurePath(m[2]).name, word) for word in shlex.split(line)
    ]
    return shlex.join(words)


def _front_matter(head: Mapping[str, str | Sequence[str]]) -> str:
    """YAML between two lines of dashes; JSON's values are YAML's too."""
    return "\n".join(["---", *(f"{name}: {json.dumps(value)}" for name, value in head.items()), "---"])
