"""The command line: `infant-arm COMMAND`, also `python -m training COMMAND`."""

import importlib
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from typing import Any, get_args

import tyro

from agents.tools.files import DamagedFileError
from infant_env.errors import UserError

from .runs.device import prepare_environment

COMMANDS = {
    "doctor": "doctor",
    "bodies": "bodies.command",
    "collect": "data.collect",
    "import": "exchange.command",
    "export": "exchange.export",
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
    "pack": "sharing.pack",
    "push": "sharing.push",
    "pull": "sharing.pull",
    "reach": "act.reach",
    "self-touch": "act.self_touch",
    "plan": "act.plan",
    "imagery": "act.imagery",
    "study": "studies.command",
    "train-rl": "rl.train",
    "report": "report",
    "reproduce": "reproduce",
    "bench": "bench.command",
    "studio": "studio.app",
}
"""The module of each command, which holds its `Config` and `run`."""


def main(argv: list[str] | None = None) -> int:
    """Runs one command.

    Args:
        argv: the words after the program's name; by default those of the process.

    Returns:
        The exit status: 0; 2 if the input was wrong (one line on stderr says how to mend it); 130 if the user interrupted it.
    """
    argv = sys.argv[1:] if argv is None else argv
    prepare_environment()
    argv = _translate_old_words(argv)
    commands = (
        argv[:1] if argv[:1] and argv[0] in COMMANDS else COMMANDS
    )  # a known command loads only its own libraries
    modules = {command: _module(command) for command in commands}
    try:
        command, config = _parse(argv, modules)
        modules[command].run(config)
    except (UserError, OSError) as error:
        print(f"infant-arm: {' '.join(str(error).split())}{_advice(error)}", file=sys.stderr)
        return 2
    except (MemoryError, RuntimeError) as error:
        if not _is_lack_of_memory(error):
            raise
        print(
            f"infant-arm: not enough memory ({' '.join(str(error).split())}); choose smaller settings", file=sys.stderr
        )
        return 2
    except KeyboardInterrupt:
        print("\ninfant-arm: interrupted; the same command goes on where it stopped", file=sys.stderr)
        return 130
    return 0


def _is_lack_of_memory(error: Exception) -> bool:
    """Whether numpy or torch had too little memory; torch has no class of its own for that of the CPU."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or "can't allocate memory" in str(error)
    )


def _advice(error: Exception) -> str:
    """The command that mends a damaged file of a run, as the end of the message."""
    if not isinstance(error, DamagedFileError):
        return ""
    from .methods import mend  # here: a command that only collects does not need it

    return mend.advice(error)


def _module(command: str) -> Any:
    return importlib.import_module(f".{COMMANDS[command]}", __package__)


def _parse(argv: list[str], modules: dict[str, Any]) -> tuple[str, Any]:
    """The command and its config; on `--help` or wrong words, tyro prints a text and exits."""
    parsers = {command: module.Config for command, module in modules.items()}
    with _one_line_for_a_users_mistake():
        config = tyro.extras.subcommand_cli_from_dict(
            parsers, prog="infant-arm", description=__doc__, args=argv, config=(tyro.conf.OmitArgPrefixes,)
        )
    return next(command for command in parsers if type(config) in configs_of(command).values()), config


@contextmanager
def _one_line_for_a_users_mistake() -> Iterator[None]:
    """Raises the UserError of a Config again, where tyro would draw a box around it and exit."""
    said = io.StringIO()
    try:
        with redirect_stderr(said):
            yield
    except SystemExit as exit_:
        cause: BaseException | None = exit_
        while cause is not None and not isinstance(cause, UserError):
            cause = cause.__context__
        if cause is not None:
            raise cause from None
        sys.stderr.write(said.getvalue())
        raise


def configs_of(command: str) -> dict[str, Any]:
    """The Configs of a command by its words: one Config, or one for each subcommand."""
    parser = _module(command).Config
    alternatives = [get_args(each) for each in get_args(parser)]  # each Config of a union with its word
    return {f"{command} {marked.name}": config for config, marked in alternatives} or {command: parser}


def _translate_old_words(argv: list[str]) -> list[str]:
    """Turns version 0.1's `train-baseline --method NAME` into `train-baseline NAME`; `collect --env ID` into `import env ID`."""
    words = [
        part for word in argv for part in (word.split("=", 1) if word.startswith(("--method=", "--env=")) else [word])
    ]
    if words[:1] == ["collect"] and "--env" in words[:-1]:  # a short form of `import env ID ...`
        at = words.index("--env")
        return ["import", "env", words[at + 1], *words[1:at], *words[at + 2 :]]
    if words[:1] != ["train-baseline"] or "--method" not in words[:-1]:
        return argv
    at = words.index("--method")
    return ["train-baseline", words[at + 1], *words[1:at], *words[at + 2 :]]
