"""The house: floors and rooms as docs/house.md draws them; nobody looks up, and nobody goes in a circle."""

import ast
import importlib
import re
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from infant_env.former_names import NAMES

ROOT = Path(__file__).parent.parent
FLOORS = ("infant_env", "agents", "training", "examples")
MOST_FILES = 12
FILES = sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))
TABLE = dict(re.findall(r"^\| `([\w/.]+)` \| (.+) \|$", (ROOT / "docs" / "house.md").read_text(), re.MULTILINE))
ROOMS = list(TABLE)
"""Ground first; a room is a folder, or a file on the roof of its floor."""


def module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module(path): path for path in FILES}


@cache
def imported(path: Path) -> frozenset[str]:
    """Full names of the modules that a file imports, anywhere in it, also for types alone."""
    found = set()
    package = module(path) if path.name == "__init__.py" else module(path).rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            found |= {f"{source}.{a.name}" if f"{source}.{a.name}" in MODULES else source for a in node.names}
    return frozenset(found)


def room(name: str) -> str | None:
    """The innermost room of a module; None for the door of a floor."""
    path = MODULES[name].relative_to(ROOT).as_posix()
    return max((r for r in ROOMS if path == r or path.startswith(f"{r}/")), key=len, default=None)


def test_every_file_has_a_room_of_the_table():
    doors = {f"{floor}/__init__.py" for floor in FLOORS} | {"training/__main__.py"}
    homeless = {module(path) for path in FILES if room(module(path)) is None}
    assert homeless == {module(ROOT / door) for door in doors if (ROOT / door).exists()} | {
        module(path) for path in (ROOT / "examples").rglob("*.py")
    }


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_is_what_its_own_first_sentence_says(name: str):
    path = ROOT / name if name.endswith(".py") else ROOT / name / "__init__.py"
    sentence = ast.get_docstring(ast.parse(path.read_text()))
    assert sentence is not None
    assert sentence.splitlines()[0] == TABLE[name]


@pytest.mark.parametrize(
    "folder", sorted({path.parent for path in FILES}), ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_a_room_has_at_most_twelve_files(folder: Path):
    assert len([path for path in folder.glob("*.py") if path.name != "__init__.py"]) <= MOST_FILES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_point_downwards(path: Path):
    mine, floor = room(module(path)), FLOORS.index(path.relative_to(ROOT).parts[0])
    for name in imported(path):
        above = name.split(".")[0] in FLOORS[floor + 1 :]
        assert not above, f"{name} is on a higher floor"
        theirs = room(name) if name in MODULES else None
        if mine is not None and theirs is not None and mine != theirs:
            assert ROOMS.index(theirs) < ROOMS.index(mine), f"{name} is in a higher room"


def test_no_files_import_each_other_in_a_circle():
    graph = {name: {other for other in imported(path) if other in MODULES} for name, path in MODULES.items()}
    doors = {
        name for name, path in MODULES.items() if path.name == "__init__.py"
    }  # rooms' faces hand out what is inside
    inside = {name: others - doors for name, others in graph.items() if name not in doors}
    try:
        TopologicalSorter(inside).prepare()
    except CycleError as error:
        pytest.fail(f"a circle: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("path", [f for f in FILES if f.relative_to(ROOT).parts[0] != "examples"], ids=str)
def test_imports_inside_a_floor_are_relative(path: Path):
    own = path.relative_to(ROOT).parts[0]
    absolute = {
        node.module.split(".")[0]
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module and not node.level
    }
    assert own not in absolute


def test_the_environment_needs_neither_torch_nor_stable_baselines():
    for path in (ROOT / "infant_env").rglob("*.py"):
        assert not {name.split(".")[0] for name in imported(path)} & {"torch", "stable_baselines3"}, path


@pytest.mark.parametrize(("former", "now"), NAMES.items())
def test_what_users_of_0_1_imported_is_still_found(former: str, now: str):
    with pytest.warns(DeprecationWarning, match=f"{former} is now {now}"):
        module = importlib.import_module(former)
    assert module is importlib.import_module(now)
    del sys.modules[former]


def test_one_file_of_the_agents_imports_stable_baselines():
    users = [
        path.name
        for path in (ROOT / "agents").rglob("*.py")
        if "stable_baselines3" in {name.split(".")[0] for name in imported(path)}
    ]
    assert users == ["sb3.py"]


RUNS_CODE = {
    *("eval", "exec", "compile", "__import__", "pickle.load", "pickle.loads", "cloudpickle.load", "cloudpickle.loads"),
    *("torch.load", "yaml.load", "joblib.load", "VecNormalize.load", "model.load_replay_buffer", "os.system"),
}
"""Calls that run code of the file that they read, or of the text that they get."""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_file_that_is_read_can_run_code(path: Path):
    for node in ast.walk(ast.parse(path.read_text())):
        called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
        assert called not in RUNS_CODE, f"{path}:{node.lineno} calls {called}"
        if called == "np.load":
            settings = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            assert settings.get("allow_pickle") == "False", f"{path}:{node.lineno} may read a pickle"
