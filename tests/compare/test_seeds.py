import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from training import reproduce
from training.compare import seeds
from training.runs import folder as runs


def test_several_seeds_end_with_mean_and_spread(tiny_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    shutil.copytree(tiny_run, tmp_path / "seed0")
    before = (tmp_path / "seed0" / "som.safetensors").stat().st_mtime_ns
    reproduce.run(reproduce.Config("tiny", tmp_path, seeds=2, workers=1))
    assert (tmp_path / "seed0" / "som.safetensors").stat().st_mtime_ns == before  # it was there
    name, both = "som_ae, vision->joints, MAE", json.loads((tmp_path / seeds.NAME).read_text())
    tables = [runs.metrics_of(tmp_path / f"seed{seed}").table1 for seed in (0, 1)]
    expected = [table["som_ae"]["vision->proprioception"].mae for table in tables]
    assert both["figures"][name] == expected
    assert expected[0] != expected[1]
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith(name))
    shown = [float(cell) for cell in row.removeprefix(name).split()]
    assert shown == pytest.approx(
        [np.mean(expected), abs(expected[0] - expected[1]) / np.sqrt(2), min(expected), max(expected)], abs=1e-4
    )


def test_no_seed_at_all_is_refused():
    with pytest.raises(ValueError, match="got --seeds 0, expected"):
        reproduce.Config(seeds=0)
