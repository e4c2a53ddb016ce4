import re
import subprocess
import sys
from pathlib import Path

import pytest

from training import cli
from training.data.dataset import Dataset
from training.methods.baseline import BASELINES


def said(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    """Exit status and stderr of a command."""
    capsys.readouterr()
    status = cli.main([str(word) for word in words])
    return status, capsys.readouterr().err


@pytest.mark.parametrize("command", [*cli.COMMANDS, *(stage.command for stage in BASELINES.values())])
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as exit_:
        cli.main([*command.split(), "--help"])
    assert exit_.value.code == 0
    shown = capsys.readouterr().out
    if command == "train-baseline":
        assert all(name in shown for name in BASELINES)
    elif command == "study":
        assert all(name in shown for name in ("conflict", "forget", "whose"))
    elif command in ("import", "export"):
        assert all(name in shown for name in ("lerobot", "minari"))
    else:
        assert "--seed" in shown
        assert "--device" in shown


def test_all_commands_are_listed(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as exit_:
        cli.main(["--help"])
    assert exit_.value.code == 0
    shown = capsys.readouterr().out
    assert all(re.search(rf"\b{command}\b", shown) for command in cli.COMMANDS)


def test_the_module_is_the_console_script():
    done = subprocess.run(
        [sys.executable, "-m", "training", "collect", "--help"], capture_output=True, text=True, check=True
    )
    assert "--samples" in done.stdout


def test_collecting_does_not_load_torch():
    code = "import sys; from training.data import collect, dataset; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["collect", "--out", "{tmp}/d", "--age-months", "77"], "77"),
        (
            ["collect", "--out", "{tmp}/d", "--mjcf", "{tmp}/none.xml", "--arm-joints", "a", "--arm-bodies", "b"],
            "none.xml",
        ),
        (["train-ae", "--data", "{tmp}/none", "--run", "{tmp}/r"], "no dataset.json"),
        (["train-som", "--run", "{tmp}/none"], "no trained autoencoder"),
        (["evaluate", "--run", "{tmp}/none"], "no trained autoencoder"),
        (["reach", "--run", "{tmp}/none"], "no trained autoencoder"),
        (["report", "--run", "{tmp}/none"], "no trained autoencoder"),
    ],
)
def test_bad_input_is_answered_by_one_line(
    words: list[str], wanted: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    status, error = said(capsys, *(word.format(tmp=tmp_path) for word in words))
    assert status == 2
    assert error.count("\n") == 1
    assert error.startswith("infant-arm: ")
    assert wanted in error


def test_a_senseless_setting_is_answered_by_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["collect", "--out", str(tmp_path), "--samples", "-1"]) == 2
    wanted = "got --samples -1, expected a whole number from 1 up to 1,000,000,000, such as 20000"
    assert capsys.readouterr().err == f"infant-arm: {wanted}\n"


def test_a_word_that_is_no_option_is_answered_with_status_2(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as exit_:
        cli.main(["collect", "--colour", "blue"])
    assert exit_.value.code == 2
    assert "--colour" in capsys.readouterr().err


def test_cuda_is_refused_where_there_is_none(small_data: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    status, error = said(capsys, "train-ae", "--data", small_data.path, "--run", tmp_path / "run", "--device", "cuda")
    assert (status, "no CUDA device" in error) == (2, True)


def test_the_doctor_finds_this_machine_well(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    assert cli.main(["doctor", "--out", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"ok +rendering: .* ms a 300x500 frame", shown)
    assert re.search(r"ok +both eyes: two frames, which differ in [1-9]\d*% of their pixels", shown)
    assert re.search(r"ok +gaze: the eyes turned 30 degrees to the left and 20 degrees down", shown)
    assert re.search(r"ok +touch: a finger on the nose is felt by 2 of 525 patches of skin: .*nose", shown)
    assert "WRONG" not in shown


@pytest.mark.parametrize("name", ["autoencoder.safetensors", "som.safetensors"])
def test_a_damaged_checkpoint_is_answered_by_one_line(
    name: str, tiny_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    import shutil

    copy = Path(shutil.copytree(tiny_run, tmp_path / "copy"))
    path = copy / name
    path.write_bytes(path.read_bytes()[:1000])
    status, error = said(capsys, "evaluate", "--run", copy)
    assert (status, error.count("\n")) == (2, 1)
    assert name in error
    assert "damaged" in error


def test_a_fault_of_the_project_shows_its_traceback(monkeypatch: pytest.MonkeyPatch):
    from training import doctor

    def broken(config: doctor.Config) -> None:
        list(zip([1], [], strict=True))

    monkeypatch.setattr(doctor, "run", broken)
    with pytest.raises(ValueError, match="zip"):
        cli.main(["doctor"])


def test_a_users_mistake_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    from infant_env import UserError
    from training import doctor

    def mistaken(config: doctor.Config) -> None:
        raise UserError("got 1,\nexpected 2")

    monkeypatch.setattr(doctor, "run", mistaken)
    assert cli.main(["doctor"]) == 2
    assert capsys.readouterr().err == "infant-arm: got 1, expected 2\n"
