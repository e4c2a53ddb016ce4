"""The notebooks of examples/: each is a pair of a script and an .ipynb that say the same, and runs at a small size."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import imageio.v3 as iio
import jupytext
import matplotlib
import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
SMALLER = {
    "infant_in_ten_minutes": ("for _ in range(100)", "for _ in range(40)"),
    "your_own_arm": ("SAMPLES, EPOCHS, SIDE = 600, 30, 150", "SAMPLES, EPOCHS, SIDE = 30, 2, 12"),
    "map_on_any_data": ("SIDE = 60", "SIDE = 20"),
}
"""The line of settings in each notebook, and what the test puts there."""
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(autouse=True)
def no_window() -> Iterator[None]:
    """Figures are drawn, and shown nowhere."""
    before = matplotlib.get_backend()
    matplotlib.use("Agg")
    yield
    matplotlib.use(before)


def run_script(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """Runs a notebook's script at a small size; returns what it defined."""
    usual, smaller = SMALLER[name]
    code = (EXAMPLES / f"{name}.py").read_text()
    assert usual in code
    monkeypatch.chdir(folder)
    defined: dict[str, object] = {"__name__": "notebook"}
    exec(compile(code.replace(usual, smaller), name, "exec", dont_inherit=True), defined)
    return defined


@pytest.mark.parametrize("name", SMALLER)
def test_both_files_of_a_notebook_say_the_same_and_hold_no_outputs(name: str):
    script, notebook = (jupytext.read(EXAMPLES / f"{name}{end}") for end in (".py", ".ipynb"))
    cells = [[(cell.cell_type, cell.source) for cell in each.cells] for each in (script, notebook)]
    assert cells[0] == cells[1], f"run `jupytext --to ipynb examples/{name}.py`"
    assert all(not cell.get("outputs") for cell in notebook.cells)
    assert notebook.cells[0].cell_type == "markdown"
    assert json.loads((EXAMPLES / f"{name}.ipynb").read_text())["nbformat"] == 4


def test_every_notebook_is_tested():
    assert {path.stem for path in EXAMPLES.glob("*.ipynb")} == SMALLER.keys()


def test_the_infant_in_ten_minutes_films_a_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    defined = run_script("infant_in_ten_minutes", tmp_path, monkeypatch)
    assert len(iio.imread(tmp_path / "reach.mp4")) > 5
    assert defined["apart"] < 2  # cm


def test_your_own_arm_learns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    defined = run_script("your_own_arm", tmp_path, monkeypatch)
    assert defined["recalled"].shape == (6, 2)


def test_the_map_on_any_data_recalls_a_missing_sense(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    defined = run_script("map_on_any_data", tmp_path, monkeypatch)
    assert defined["apart"].median() < 0.1  # of an arm of length 2
    assert defined["right"] > 0.8


def test_a_film_is_shown_within_a_notebook(tmp_path: Path):
    from training.show import InlineFilm

    (tmp_path / "film.mp4").write_bytes(b"film")
    shown = InlineFilm(tmp_path / "film.mp4", width=300)._repr_html_()
    assert re.fullmatch(r'<video .*width="300" src="data:video/mp4;base64,ZmlsbQ=="></video>', shown)
