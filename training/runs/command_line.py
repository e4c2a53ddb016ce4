"""The command line of a command with given settings."""

import shlex
from collections.abc import Mapping
from typing import Any


def command_line(command: str, settings: Mapping[str, Any]) -> str:
    """The line that runs a command.

    Args:
        command: the command's words, such as `train-baseline dnm`.
        settings: its settings, as JSON; one without a value is left out, and so is a choice by the program (`auto`).
    """
    words = ["infant-arm", *command.split()]
    for name, value in settings.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        elif isinstance(value, list | tuple):
            words += [f"--{flag}", *map(str, value)] if value else []
        elif value not in (None, "auto"):
            words += [f"--{flag}", str(value)]
    return shlex.join(words)
