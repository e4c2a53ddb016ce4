"""`infant-arm study NAME --run RUN`: one study, from its first seed to its page.

A study is a file of this folder with a `STUDY`; nothing else lists them.
"""

import importlib
import pkgutil
from typing import Annotated, Any, Union

import matplotlib
import tyro

from ..runs.device import threads
from ..runs.in_turn import in_turn
from .frame import page
from .frame.measured import folder_of, measured
from .frame.study import Studies, Study, StudyConfig


def found() -> list[Study | Studies]:
    """The studies of this folder, by name."""
    names = [module.name for module in pkgutil.iter_modules(importlib.import_module(__package__).__path__)]
    modules = (importlib.import_module(f".{name}", __package__) for name in names)
    return sorted((module.STUDY for module in modules if hasattr(module, "STUDY")), key=lambda study: study.name)


STUDIES: dict[type[StudyConfig], Study | Studies] = {study.config: study for study in found()}
"""All studies by the classes of their settings."""
Config: Any = Union[  # noqa: UP007 (any number of members)
    tuple(Annotated[study.config, tyro.conf.subcommand(study.name)] for study in STUDIES.values())
]
"""The Config of any study; each has its own."""


def study_of(config: StudyConfig) -> Study:
    """The study that has these settings."""
    study = STUDIES[type(config)]
    return study.of(config) if isinstance(study, Studies) else study


@in_turn("study", "studies a changing body")
def run(config: StudyConfig) -> str:
    """Measures the seeds that are missing, prints the tables, and writes the page to `studies/NAME` in the run's folder."""
    matplotlib.use("Agg")  # needs no display
    study = study_of(config)
    with threads(1):  # the same bytes on any machine, and CPU seconds that can be compared
        rows = measured(study, config)
    text = page.write(study, config, folder_of(study, config), rows, study.judge(config, rows))
    print(text)
    return text
