"""What docs/extend.md promises: each addition, made in a copy of the source as the page says, works and touches so many files."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "extend.md").read_text()
SECTIONS = {kind: (int(files), text) for kind, files, text in re.findall(
    r"^## Add an? (\w+)\n\nThis takes (\d) files(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL
)}  # fmt: skip
BLOCK = re.compile(r"^```\{code-block\} (\w+)\n:caption: (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the source to change."""
    for floor in ("infant_env", "agents", "training"):
        shutil.copytree(ROOT / floor, tmp_path / floor, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tests").mkdir()
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path / "tests")
    return tmp_path


def change(file: Path, old: str, new: str) -> None:
    content = file.read_text()
    assert content.count(old) == 1, f"{file.name} has {content.count(old)} times:\n{old}"
    file.write_text(content.replace(old, new))


def added(kind: str, house: Path) -> set[str]:
    """Makes an addition as the page says; the files that it touches."""
    touched = set()
    for language, name, text in BLOCK.findall(SECTIONS[kind][1]):
        file = house / name
        touched.add(name)
        if language == "diff":
            lines = text.splitlines(keepends=True)
            old, new = ("".join(line[1:] for line in lines if line[0] != sign) for sign in "+-")
            change(file, old, new)
        else:
            assert not file.exists()
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
    return touched


def run(house: Path, *words: str) -> str:
    """Runs Python in the changed house."""
    environment = os.environ | {"PYTHONPATH": str(house)}
    done = subprocess.run([sys.executable, *words], cwd=house, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout


def commands(house: Path, *lines: str) -> str:
    """Runs commands of the changed house, one after the other, in one process."""
    code = "import sys; from training import cli; sys.exit(max(cli.main(words.split()) for words in sys.argv[1:]))"
    return run(house, "-c", code, *lines)


def rows(shown: str) -> tuple[str, dict[str, str]]:
    """Header and rows of Table 1, without the paper's."""
    _, header, _, *lines = shown[shown.index("Table 1") :].split("\n\n")[0].splitlines()
    return header, {line.split()[0]: line for line in lines if "(paper)" not in line}


@pytest.mark.parametrize("kind", SECTIONS)
def test_an_addition_touches_as_many_files_as_the_page_says_and_its_test_passes(kind: str, house: Path):
    touched = added(kind, house)
    assert len(touched) == SECTIONS[kind][0]
    (test,) = (name for name in touched if name.startswith("tests/"))
    run(house, "-m", "pytest", "-q", "-p", "no:cacheprovider", test)


def test_all_four_kinds_are_there():
    assert {kind: files for kind, (files, _) in SECTIONS.items()} == {
        "method": 4, "modality": 8, "body": 3, "command": 3
    }  # fmt: skip


def test_a_new_method_has_its_command_and_its_row(house: Path, tiny_run: Path):
    added("method", house)
    shutil.copytree(tiny_run, house / "run")
    shown = commands(
        house,
        "train-baseline linear --data run/dataset --run run --epochs 1 --device cpu",
        "evaluate --run run --device cpu",
    )
    assert rows(shown)[1]["linear"].split()[1:3] != ["-", "-"]


PIPELINE = (
    "train-ae --data data --run run --epochs 1 --device cpu",
    "train-som --run run --rows 12 --columns 12 --{sense} 2 --device cpu",
    "train-pixel-som --data data --run run --rows 12 --columns 12 --device cpu",
    "evaluate --run run --device cpu",
    "report --run run --device cpu",
)


def test_a_new_modality_goes_from_the_environment_to_the_report(house: Path):
    added("modality", house)
    collect = "collect --out data --samples 60 --eye-size 60 100 --workers 1"
    shown = commands(house, collect, *(line.format(sense="effort") for line in PIPELINE))
    check_third_sense(house, "effort", shown)


def test_a_third_sense_goes_from_the_data_set_to_the_report_by_one_entry(house: Path):
    table = house / "training/measure/senses.py"
    entry = '    Sense("place", "place", _places, lambda told, true, _: Scores(float(abs(told - true).mean()))),\n'
    last = "        sensed=lambda data: data.info.recipe.touch,\n        always=False,\n    ),\n"
    change(table, last, last + entry)
    place = "    low, high = data.hand_position.min(0), data.hand_position.max(0)\n"
    place += "    return (data.hand_position - low) / (high - low)\n\n\n"
    change(table, "SENSES = (\n", f"def _places(data: Dataset) -> Floats:\n{place}SENSES = (\n")
    collect = "collect --out data --samples 60 --eye-size 60 100 --workers 1"
    shown = commands(house, collect, *(line.format(sense="place") for line in PIPELINE))
    check_third_sense(house, "place", shown)


def check_third_sense(house: Path, name: str, shown: str) -> None:
    """Whatever binds senses together binds the third one, too."""
    _, header, _, *lines = shown[shown.index("Between all senses") :].split("\n\n")[0].splitlines()
    assert all(f"-> {label}" in header for label in ("vision", "joints", name))
    told = [line.split() for line in lines]
    for method in ("som_ae", "som", "knn", "constant"):
        mine = [cells[1:] for cells in told if cells[0] == method]
        assert [cells[0] for cells in mine] == ["vision", "joints", name]
        assert not any("-" in cells for cells in mine), mine
    assert f"-&gt; {name}" in (house / "run" / "report.html").read_text()
