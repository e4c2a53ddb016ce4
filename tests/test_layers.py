"""The house: one floor stands on the next and never looks up."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = ("infant_env", "agents", "training", "examples")
MODULES = sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Top-level names of the packages that a module imports, anywhere in it; its own package by its folder's name."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module.split(".")[0] if node.module and not node.level else path.relative_to(ROOT).parts[0])
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_downwards(path: Path):
    floor = FLOORS.index(path.relative_to(ROOT).parts[0])
    assert not imported(path) & set(FLOORS[floor + 1 :])


@pytest.mark.parametrize("path", [m for m in MODULES if m.relative_to(ROOT).parts[0] != "examples"], ids=str)
def test_imports_inside_a_package_are_relative(path: Path):
    own = path.relative_to(ROOT).parts[0]
    absolute = {
        node.module.split(".")[0]
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module and not node.level
    }
    assert own not in absolute


def test_the_environment_needs_neither_torch_nor_stable_baselines():
    for path in (ROOT / "infant_env").rglob("*.py"):
        assert not imported(path) & {"torch", "stable_baselines3"}, path


def test_one_file_of_the_agents_imports_stable_baselines():
    users = [path.name for path in (ROOT / "agents").rglob("*.py") if "stable_baselines3" in imported(path)]
    assert users in ([], ["sb3.py"])
