"""What "Extend it" promises: each kind of addition, made in a copy of the house, in as many files as the page says."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the source to change."""
    for floor in ("infant_env", "agents", "training"):
        shutil.copytree(ROOT / floor, tmp_path / floor, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def add(file: Path, after: str, text: str) -> None:
    """Writes lines below the only line that says `after`."""
    content = file.read_text()
    assert content.count(after) == 1, (file, after)
    file.write_text(content.replace(after, after + text))


def run(house: Path, *commands: str) -> str:
    """Runs commands of the changed house, one after the other, in one process."""
    code = "import sys; from training import cli; sys.exit(max(cli.main(words.split()) for words in sys.argv[1:]))"
    done = subprocess.run([sys.executable, "-c", code, *commands], cwd=house, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_a_third_sense_goes_from_the_data_set_to_the_report_by_one_entry(house: Path):
    add(
        house / "training/measure/senses.py",
        'help="Influence c of the joints on the winner.",\n    ),\n',
        '    Sense("place", "place", _places, lambda told, true, _: Scores(float(abs(told - true).mean()))),\n',
    )
    add(
        house / "training/measure/senses.py",
        "return self.encode(run, data) if self.encode else torch.from_numpy(self.given(data)).flatten(1)\n",
        """

def _places(data: Dataset) -> Floats:
    low, high = data.hand_position.min(0), data.hand_position.max(0)
    return (data.hand_position - low) / (high - low)
""",
    )
    shown = run(
        house,
        "collect --out data --samples 60 --eye-size 60 100 --workers 1",
        "train-ae --data data --run run --epochs 1 --device cpu",
        "train-som --run run --rows 12 --columns 12 --place 2 --device cpu",
        "train-pixel-som --data data --run run --rows 12 --columns 12 --device cpu",
        "evaluate --run run --device cpu",
        "report --run run --device cpu",
    )
    _, header, _, *lines = shown[shown.index("Table 1") :].split("\n\n")[0].splitlines()
    rows = {line.split()[0]: line for line in lines if "(paper)" not in line}
    assert all(mapping in header for mapping in ("vision->place", "place->joints", "place->place"))
    for method in ("som_ae", "som", "knn", "constant"):  # whatever binds senses together binds the third one, too
        assert "-" not in rows[method].split()[1:], rows[method]
    assert "place-&gt;vision" in (house / "run/report.html").read_text()
