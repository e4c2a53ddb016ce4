from pathlib import Path

import numpy as np
import pytest

from training import report
from training.act import imagery
from training.act.imagery import auroc


def test_the_area_under_the_curve_of_a_hand_made_case():
    assert auroc(np.float32([3, 2]), np.float32([1, 2])) == pytest.approx(3.5 / 4)
    assert auroc(np.float32([1]), np.float32([2, 3])) == 0


def test_the_command_measures_hypotheses_doubt_and_disturbances(tiny_run: Path, capsys: pytest.CaptureFixture[str]):
    found = imagery.run(imagery.Config(tiny_run, goals=8))
    every, some = found.hypotheses.all, found.hypotheses.show_the_hand
    assert 0 <= every.hand_first <= every.hand_any <= 1
    assert some.pictures == every.pictures == 8
    assert found.impossible["noise"].auroc == found.impossible["noise"].auroc_hand == 1
    assert {"age 1 months", "all of these", "test pictures"} <= set(found.impossible)
    assert found.disturbed["as they are"].median > 0
    assert found.disturbed.keys() == found.disturbed_calibration.keys()
    assert 0 <= min(found.disturbed_calibration.values()) <= max(found.disturbed_calibration.values()) <= 1
    assert {"noise, standard deviation 0.1", "a third hidden", "light x 0.7", "another wall and floor"} <= set(
        found.disturbed
    )
    assert "Goals that its body cannot show" in capsys.readouterr().out
    report.run(report.Config(tiny_run))
    assert "Probabilities and frequencies" in (tiny_run / "report.html").read_text()
    assert (tiny_run / "figures" / "reliability.png").stat().st_size > 1000
