import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec.structs import replace as replace_in

from training import cli, report
from training.rl import table as rl_table
from training.rl import train as train_rl
from training.rl.callback import LearningCallback
from training.rl.checkpoint import found as checkpoints
from training.runs.learning import Judgment, Result
from training.train import world_model as train_world_model

SMALL = {"steps": 450, "goals": 4, "judged_every": 200, "kept_every": 200, "video": False}


@pytest.fixture
def run_folder(tiny_run: Path, tmp_path: Path) -> Path:
    """A run of its own, so that no test finds what another learned."""
    return Path(shutil.copytree(tiny_run, tmp_path / "run"))


@pytest.fixture(scope="module")
def world_folder(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that has a world model too."""
    folder = Path(shutil.copytree(tiny_run, tmp_path_factory.mktemp("world") / "run"))
    train_world_model.run(train_world_model.Config(folder, check=50, pictures=2))
    return folder


def test_it_learns_is_judged_and_is_not_learned_twice(run_folder: Path, capsys: pytest.CaptureFixture[str]):
    config = train_rl.Config(run_folder, **SMALL)
    rows = train_rl.run(config)
    judgments = rows["sac_hand"].seeds[0].judgments
    assert [judgment.steps for judgment in judgments] == [200, 400, 450]
    assert all(0 <= judgment.near <= judgment.far <= 1 for judgment in judgments)
    folder = config.folder / "seed0"
    assert [path.name for path in checkpoints(folder)] == ["checkpoint-450"]
    logs = folder / "logs" / "000"
    assert "judged/near" in (logs / "progress.csv").read_text().splitlines()[0]
    assert list(logs.glob("events.out.tfevents*"))
    capsys.readouterr()
    train_rl.run(config)
    assert "is done already" in capsys.readouterr().out


def test_killed_it_goes_on_from_its_checkpoint(run_folder: Path, monkeypatch: pytest.MonkeyPatch):
    config = train_rl.Config(run_folder, **SMALL)
    judge_now = LearningCallback._judge_now

    def killed(callback: LearningCallback) -> None:
        if callback.real_steps == 400:
            raise KeyboardInterrupt
        judge_now(callback)

    monkeypatch.setattr(LearningCallback, "_judge_now", killed)
    with pytest.raises(KeyboardInterrupt):
        train_rl.run(config)
    folder = config.folder / "seed0"
    assert [path.name for path in checkpoints(folder)] == ["checkpoint-200"]
    monkeypatch.setattr(LearningCallback, "_judge_now", judge_now)
    judgments = train_rl.run(config)["sac_hand"].seeds[0].judgments
    assert [judgment.steps for judgment in judgments] == [200, 400, 450]
    assert len(list((folder / "logs").iterdir())) == 2  # the log of before is kept


def test_what_was_learned_with_other_settings_is_not_gone_on_from(run_folder: Path):
    train_rl.run(train_rl.Config(run_folder, algorithm="random", goals=2, video=False))
    with pytest.raises(ValueError, match="was trained with goals=2, now with goals=3; give a --name"):
        train_rl.run(train_rl.Config(run_folder, algorithm="random", goals=3, video=False))


def test_an_oracle_is_better_than_chance_and_films_it(run_folder: Path):
    config = train_rl.Config(run_folder, algorithm="random", goals=20)
    train_rl.run(config)
    rows = train_rl.run(replace(config, algorithm="oracle"))
    far = {name: row.seeds[0].judgments[-1].far for name, row in rows.items()}
    assert far["oracle_hand"] > 0.8 > 0.3 > far["random_hand"]
    assert (run_folder / "videos" / "rl_oracle_hand.mp4").stat().st_size > 1000
    report.run(report.Config(run_folder))
    assert "oracle_hand" in (run_folder / "report.html").read_text()
    assert (run_folder / "figures" / "learning_curves.png").exists()


@pytest.mark.parametrize(
    "keywords",
    [
        {"algorithm": "PPO", "infants": 4},
        {"algorithm": "TD3", "goal": "joints"},
        {"goal": "image"},
        {"goal": "image", "algorithm": "imagery"},
        {"goal": "image", "world_model": "residual"},
        {"observation": "latents"},
        {"observation": "pixels"},
    ],
    ids=str,
)
def test_every_way_of_learning_runs(run_folder: Path, keywords: dict):
    small = {**SMALL, "steps": 60, "goals": 2, "judged_every": 100}
    rows = train_rl.run(train_rl.Config(run_folder, **{**small, **keywords}))
    assert len(rows) == 1


@pytest.mark.parametrize(
    "keywords",
    [
        {"world_model": "dyna"},
        {"world_model": "imagined", "goal": "joints"},
        {"world_model": "imagined", "algorithm": "PPO", "infants": 4},
        {"world_model": "residual"},
    ],
    ids=str,
)
def test_every_use_of_the_world_model_runs(world_folder: Path, keywords: dict):
    config = train_rl.Config(world_folder, **{**SMALL, "steps": 60, "goals": 2, "judged_every": 100, **keywords})
    row = train_rl.run(config)[config.folder.name]
    model_steps = train_world_model.Config.steps
    assert row.seeds[0].model_steps == model_steps
    steps = rl_table.until(replace_in(row.seeds[0], judgments=[Judgment(60, 1.0, 1.0, 1.0, 1.0)]), "near", "steps")
    assert steps == model_steps + (0 if config.world_model == "imagined" else 60)


def test_its_own_idea_of_a_place_is_far_better_than_chance(world_folder: Path):
    config = train_rl.Config(world_folder, algorithm="imagery", goals=20, video=False)
    assert train_rl.run(config)["imagery_hand"].seeds[0].judgments[0].far > 0.8


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"goal": "image", "observation": "latents"}, "observes the latents already"),
        ({"world_model": "dyna", "goal": "image"}, "expected --goal hand or joints"),
        ({"algorithm": "PPO", "world_model": "dyna"}, "PPO has no replay buffer"),
        ({"algorithm": "imagery", "goal": "joints"}, "the goal is the pose itself"),
        ({"infants": -1}, "got --infants -1"),
        ({"steps": 0}, "got --steps 0"),
    ],
)
def test_bad_input_is_answered_by_one_line(tmp_path: Path, keywords: dict, message: str):
    with pytest.raises(ValueError, match=message):
        train_rl.Config(tmp_path, **keywords)


def test_a_run_without_anything_trained_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["train-rl", "--run", str(tmp_path)]) == 2
    assert "no trained autoencoder" in capsys.readouterr().err


def test_steps_until_enough_is_reached_count_those_of_the_world_model():
    judgments = [Judgment(s, s / 10, n, 1.0, 1.0) for s, n in ((1000, 0.5), (2000, 0.9), (3000, 0.8))]
    result = Result(judgments, 300.0, 500, imagined=False)
    assert rl_table.until(result, "near", "steps") == 2500
    assert rl_table.until(result, "near", "seconds") == 200
    assert rl_table.until(replace_in(result, imagined=True), "near", "steps") == 500
    assert rl_table.until(replace_in(result, judgments=judgments[:1]), "near", "steps") is None


def test_the_interval_of_equal_seeds_is_a_point_and_holds_the_mean_of_others():
    assert rl_table.interval([0.5, 0.5, 0.5]) == (0.5, 0.5, 0.5)
    mean, low, high = rl_table.interval([0.0, 1.0, 0.5])
    assert low < mean == 0.5 < high


def test_a_result_that_was_cut_off_is_made_again(run_folder: Path):
    config = train_rl.Config(run_folder, algorithm="random", goals=2, video=False)
    (before,) = train_rl.run(config)["random_hand"].seeds
    (config.folder / "seed0" / "result.json").write_text('{"judgments": [')
    assert train_rl.run(config)["random_hand"].seeds[0].judgments[0].median == before.judgments[0].median
