"""The command line: `infant-arm COMMAND`, also `python -m training COMMAND`."""

import importlib
import os
import sys
from typing import Any, get_args

import tyro

from infant_env.errors import UserError

COMMANDS = {
    "doctor": "doctor",
    "collect": "data.collect",
    "train-ae": "train.autoencoder",
    "train-som": "train.som",
    "train-generator": "train.generator",
    "train-glance": "train.glance",
    "train-regressor": "train.regressor",
    "train-pixel-som": "train.pixel_som",
    "train-baseline": "methods.baseline",
    "train-world-model": "train.world_model",
    "calibrate": "train.calibration",
    "evaluate": "compare.evaluate",
    "ablate": "compare.ablate",
    "tune": "compare.tune",
    "reach": "act.reach",
    "plan": "act.plan",
    "imagery": "act.imagery",
    "train-rl": "rl.train",
    "report": "report",
    "reproduce": "reproduce",
    "bench": "bench.command",
    "studio": "studio.app",
}
"""Where each command's `Config` and `run` are."""


def main(argv: list[str] | None = None) -> int:
    """Runs one command.

    Args:
        argv: the words after the program's name; those of the process by default.

    Returns:
        The exit status: 0, 2 when the input was bad (with one line on stderr that says how), 130 when interrupted.
    """
    argv = sys.argv[1:] if argv is None else argv
    _prepare_environment()
    argv = _in_todays_words(argv)
    asked = argv[:1] if argv[:1] and argv[0] in COMMANDS else COMMANDS  # one command loads its own libraries alone
    modules = {command: _module(command) for command in asked}
    try:
        command, config = _parse(argv, modules)
        modules[command].run(config)
    except (UserError, OSError) as error:
        print(f"infant-arm: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ninfant-arm: interrupted; the same command goes on where it stopped", file=sys.stderr)
        return 130
    return 0


def _prepare_environment() -> None:
    """What libraries read when they are first loaded, unless the user chose otherwise.

    EGL where there is no display; and threads that wait without spinning, which beside another busy process is up to 60
    times faster.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY", "MUJOCO_GL"} & os.environ.keys():
        os.environ["MUJOCO_GL"] = "egl"


def _module(command: str) -> Any:
    return importlib.import_module(f".{COMMANDS[command]}", __package__)


def _parse(argv: list[str], modules: dict[str, Any]) -> tuple[str, Any]:
    """The command and its config; tyro prints help or what is wrong, and exits."""
    parsers = {command: module.Config for command, module in modules.items()}
    config = tyro.extras.subcommand_cli_from_dict(
        parsers, prog="infant-arm", description=__doc__, args=argv, config=(tyro.conf.OmitArgPrefixes,)
    )
    return next(command for command in parsers if type(config) in configs_of(command).values()), config


def configs_of(command: str) -> dict[str, Any]:
    """The Configs of a command by its words: one, or one for each of the things that it trains."""
    parser = _module(command).Config
    alternatives = [get_args(each) for each in get_args(parser)]  # of a union: each Config with its word
    return {f"{command} {marked.name}": config for config, marked in alternatives} or {command: parser}


def _in_todays_words(argv: list[str]) -> list[str]:
    """`train-baseline --method NAME ...`, as version 0.1 wanted it, is `train-baseline NAME ...` today."""
    words = [part for word in argv for part in (word.split("=", 1) if word.startswith("--method=") else [word])]
    if words[:1] != ["train-baseline"] or "--method" not in words[:-1]:
        return argv
    at = words.index("--method")
    return ["train-baseline", words[at + 1], *words[1:at], *words[at + 2 :]]
