"""Every number that a user can give: it fits, or one line names the option, what came, and what was expected."""

import dataclasses
import math
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import Meta

from infant_env.errors import UserError
from training import cli
from training.runs.config import Checked, option
from training.train.autoencoder import Config as Autoencoder

CONFIGS = {words: config for command in cli.COMMANDS for words, config in cli.configs_of(command).items()}
REQUIRED = {
    "run": Path("run"),
    "data": Path("data"),
    "out": Path("out"),
    "what": "map_size",
    "part": "env",
    "source": Path("recorded"),
    "table": Path("joints.csv"),
    "joints": ("elbow",),
    "folder": Path("run"),
    "address": "memory://run",
}
REQUIRED["file"] = Path("arm.xml")
WHOLE = [0, -1, 2**31, 2**63, 10**400]
FRACTIONS = [math.nan, math.inf, -math.inf, -1.0, 0.0, 1e300]


def number(hint: Any) -> type | None:
    """Whether a field holds whole numbers, other numbers, or neither."""
    if hint in (int, float):
        return hint
    inner = get_args(hint)[:1] if get_origin(hint) is Annotated else get_args(hint)
    return next((kind for kind in map(number, inner) if kind is not None), None)


def hints(config: Any) -> dict[str, Any]:
    """The types of a Config's fields."""
    found = get_type_hints(config, include_extras=True)
    return {field.name: found[field.name] for field in dataclasses.fields(config)}


NUMBERS = [
    (words, name, kind)
    for words, config in CONFIGS.items()
    for name, hint in hints(config).items()
    if (kind := number(hint))
]


def made(words: str, **changes: Any) -> Any:
    """The Config of a command."""
    config = CONFIGS[words]
    needed = {f.name for f in dataclasses.fields(config) if f.default is f.default_factory is dataclasses.MISSING}
    needed |= {"run"} & {f.name for f in dataclasses.fields(config)}  # `reach` needs it unless the infant is packed
    return config(**{name: value for name, value in REQUIRED.items() if name in needed} | changes)


def shape(words: str, name: str, value: Any) -> Any:
    """The value as this field holds it: alone, or among others in a tuple."""
    usual = getattr(made(words), name)
    if isinstance(usual, tuple):
        return (*usual[:-1], value)
    if isinstance(usual, dict):
        return {"elbow": value}
    return (value,) if name == "goal_joints" else value


def refusal(words: str, name: str, value: Any) -> str | None:
    """The line with which a command refuses a value; None if it takes it."""
    try:
        made(words, **{name: shape(words, name, value)})
    except UserError as error:
        return str(error)
    return None


@pytest.mark.parametrize("words", CONFIGS)
def test_every_command_checks_its_numbers(words: str):
    assert issubclass(CONFIGS[words], Checked)
    assert made(words)


@pytest.mark.parametrize(("words", "name", "kind"), NUMBERS, ids=str)
def test_a_number_out_of_range_is_refused_by_its_option(words: str, name: str, kind: type):
    taken = []
    for value in WHOLE if kind is int else FRACTIONS:
        line = refusal(words, name, value)
        if line is None:
            taken.append(value)
        else:
            assert line.startswith(f"got {option(name)} ") or f" {option(name)} " in line, line
            assert ", expected " in line
            assert "\n" not in line
    assert all(math.isfinite(value) for value in taken)
    assert kind is float or all(0 <= value < 2**63 for value in taken)


@example(("evaluate", "seeds", int), [1])
@given(st.sampled_from(NUMBERS), st.integers() | st.floats() | st.booleans() | st.text(max_size=3) | st.just([1]))
def test_whatever_stands_in_a_field_is_taken_or_refused_in_one_line(field: tuple[str, str, type], value: Any):
    words, name, _ = field
    line = refusal(words, name, value)
    assert line is None or (option(name) in line and "\n" not in line)


def test_only_numbers_of_poses_have_no_limits():
    """A pose is compared with the ranges of the body's joints."""
    free = {
        (words, name)
        for words, name, _ in NUMBERS
        if not any(isinstance(mark, Meta) for mark in marks(hints(CONFIGS[words])[name]))
    }
    poses = {(words, name) for words in ("collect", "reproduce") for name in ("rest_pose", "joint_ranges", "locked")}
    recorded = {(words, "joint_ranges") for words in CONFIGS if words.startswith("import ")}
    assert free == {("reach", "goal_joints")} | poses | recorded


def marks(hint: Any) -> list[Any]:
    """All annotations in a type."""
    own = list(get_args(hint)[1:]) if get_origin(hint) is Annotated else []
    return own + [mark for part in get_args(hint) if not isinstance(part, Meta) for mark in marks(part)]


@pytest.mark.parametrize(
    ("given_words", "line"),
    [
        ("train-som --run R --last-sigma -1", "got --last-sigma -1.0, expected a finite number from 0.01 up to 10,000"),
        (
            "train-ae --data D --run R --threads 0",
            "got --threads 0, expected a whole number from 1 up to 1,024, such as 1",
        ),
        (
            "train-ae --data D --run R --side 70",
            "got --side 70, expected a whole number from 16 up to 1,024 divisible by 16, such as 64",
        ),
        (
            "train-ae --data D --run R --width 100000000000000000000",
            "got --width 100000000000000000000, expected a whole number from 1 up to 1,024, such as 32",
        ),
        (
            "collect --out O --eye-size 300 0",
            "got --eye-size 300 0, expected a whole number from 1 up to 8,192, such as 300 500",
        ),
        (
            "train-som --run R --vision 0 --proprioception 0",
            "got --vision 0 --proprioception 0, expected one of them above 0",
        ),
    ],
)
def test_the_line_names_what_the_user_wrote(given_words: str, line: str, capsys: pytest.CaptureFixture[str]):
    assert cli.main(given_words.split()) == 2
    assert capsys.readouterr().err == f"infant-arm: {line}\n"


def test_numbers_of_other_libraries_are_numbers():
    import numpy as np

    assert Autoencoder(Path("run"), data=Path("data"), epochs=np.int64(3), learning_rate=np.float32(0.1)).epochs == 3


@pytest.mark.parametrize(
    "error", [MemoryError("Unable to allocate 7 TiB"), torch.OutOfMemoryError("CUDA out of memory")]
)
def test_too_little_memory_is_one_line(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    from training import doctor

    def hungry(config: doctor.Config) -> None:
        raise error

    monkeypatch.setattr(doctor, "run", hungry)
    assert cli.main(["doctor"]) == 2
    assert "choose smaller settings" in capsys.readouterr().err


def test_torch_says_the_words_by_which_a_lack_of_memory_is_known():
    with pytest.raises(RuntimeError) as raised:
        torch.empty(2**55)
    assert cli._is_lack_of_memory(raised.value)
    assert not cli._is_lack_of_memory(RuntimeError("shapes differ"))
