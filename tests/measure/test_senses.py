"""Every sense of a data set goes through map, scores and tables by its entry."""

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces

import infant_env  # noqa: F401 (registers the environments)
from agents.mind.agent import MentalImageryAgent
from agents.mind.imagination import Hypotheses, Imagination
from agents.mind.som_autoencoder import AUTOENCODER, SomAutoencoder
from agents.networks.generator import luminance
from agents.networks.moving_eye import background_at
from agents.rl.image_goals import LatentObservation
from agents.rl.sb3 import LatentExtractor
from infant_env.errors import UserError
from infant_env.senses.skin.patches import Patches
from training import report
from training.act import imagery, reach
from training.act.disturbed_world import KINDS, disturbed_frames
from training.act.imagery import strange_pictures
from training.compare import evaluate
from training.compare.config import Config as Evaluation
from training.compare.judge import score, truth_of
from training.data import collect
from training.data.dataset import Dataset
from training.measure import error_tables
from training.measure.senses import MAPPINGS, features, given, sources_of, true
from training.methods.readings import JointsReading
from training.runs.metrics import Error
from training.train import autoencoder, calibration, generator, glance, regressor, som
from training.train.baselines import latent_mlp

SENSES = ("vision", "proprioception", "vision_left", "gaze", "touch")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("senses")
    options = {"gaze": "eyes", "look": "hand", "eyes": "both", "touch": True, "touching": True}
    settings = collect.Config(
        folder / "dataset", 60, (60, 100), 30, workers=1, senses={"joints": (4.0, 0.0)}, **options
    )
    data = collect.run(settings)
    autoencoder.run(autoencoder.Config(folder, data=data.path, epochs=1, device="cpu"))
    som.run(som.Config(folder, rows=12, columns=12, device="cpu"))
    return folder


@pytest.fixture(scope="module")
def data(run: Path) -> Dataset:
    return Dataset.open(run / "dataset")


def test_sources_are_each_sense_alone_and_vision_with_what_says_more_about_it():
    assert sources_of(["proprioception", "vision"]) == [("vision",), ("proprioception",)]
    alone = [(name,) for name in SENSES]
    together = [("vision", "vision_left"), ("vision", "gaze"), ("vision", "vision_left", "gaze")]
    assert sources_of(SENSES) == alone + together


def test_the_map_holds_all_senses(run: Path, data: Dataset):
    assert tuple(features(run, data, "train", torch.device("cpu"))) == SENSES
    mind = SomAutoencoder.load(run)
    assert mind.som.modalities == {"vision": 8, "proprioception": 5, "vision_left": 8, "gaze": 2, "touch": 3}


def test_errors_between_all_senses_are_told(run: Path, capsys: pytest.CaptureFixture[str]):
    result = evaluate.run(Evaluation(run, device="cpu"))
    found = set(result.table1["som_ae"]) - {"overall"}  # type: ignore[union-attr]
    assert {f"{source}->{wanted}" for source in SENSES for wanted in SENSES} <= found
    assert {"vision+gaze->proprioception", "vision+vision_left+gaze->touch"} <= found
    assert "vision+gaze->vision" not in found
    text = capsys.readouterr().out
    assert "Between all senses" in text
    assert "vision and left eye and gaze" in text
    assert "along the line of sight" in text
    assert "train-generator" in text
    assert "train-regressor" in text
    assert "latent_mlp" not in text, "it needs a gaze that is held"
    assert "left eye" in report.run(report.Config(run, device="cpu")).read_text()


def test_overall_is_the_mean_of_the_papers_mappings_alone(run: Path):
    row = evaluate.run(Evaluation(run, device="cpu")).table1["som_ae"]  # type: ignore[union-attr]
    assert row["overall"].mae == pytest.approx(np.mean([row[mapping].mae for mapping in MAPPINGS]), rel=1e-5)


def test_a_table_of_two_senses_needs_no_further_table():
    assert error_tables.between_senses({"som_ae": {mapping: Error(0.1, 0.0) for mapping in MAPPINGS}}) is None


def test_methods_get_felt_joints_and_are_scored_by_the_true_ones(data: Dataset):
    rows = data.split("test")
    felt, pose = given(data, rows)["proprioception"], true(data, rows)["proprioception"]
    spread = np.rad2deg((felt - pose) * (data.joint_ranges[:, 1] - data.joint_ranges[:, 0])).std()
    assert spread == pytest.approx(4.0, rel=0.4)
    assert given(data, rows)["gaze"] is not None
    np.testing.assert_array_equal(true(data, rows)["gaze"], given(data, rows)["gaze"])


def test_a_known_gaze_changes_what_the_map_recalls_and_draws(run: Path, data: Dataset):
    mind, rows = SomAutoencoder.load(run), data.split("test")[:4]
    seen = {"vision": data.pictures[rows]}
    left, right = (mind.predict_from({**seen, "gaze": np.full((4, 2), gaze, np.float32)}) for gaze in (0.0, 1.0))
    assert not torch.equal(left["proprioception"], right["proprioception"])
    assert not torch.equal(left["vision"], right["vision"])
    assert left["vision_left"].shape == (4, 64, 64)


def test_the_views_of_a_moving_eye_are_what_it_sees_without_the_arm(data: Dataset):
    views = data.views(3, 3)
    assert views.shape == (3, 3, 64, 64)
    np.testing.assert_allclose(views[1, 1], data.background, atol=1e-6)
    assert np.abs(views[0, 1] - views[2, 1]).mean() > 0.01
    left, down = data.pixel_directions
    assert left[0, 0] == -left[0, -1] > 50, "half of 118 degrees, at the middle of the last pixel"
    assert down[-1, 0] == -down[0, 0] == pytest.approx(44.5, abs=0.3)
    rows = data.split("test")[:3]
    gaze = torch.from_numpy(data.normalized_gaze[rows])
    between = background_at(torch.from_numpy(data.views(31, 21)), gaze).numpy()
    assert np.abs(between - data.backgrounds(rows)).mean() < 0.01


class Found:
    """Stands in for an imagination, whose search takes a second a picture: always the same hypotheses, and what it was told."""

    def __init__(self, found: Hypotheses) -> None:
        self.hypotheses_of_all, self.told = found, list[Any]()

    def hypotheses(self, pictures: Any, count: int, gaze: Any) -> Hypotheses:
        assert len(pictures) == len(gaze)
        self.told.append(gaze)
        return self.hypotheses_of_all


def test_the_agent_looks_where_its_goal_was_seen_and_reaches(run: Path, data: Dataset):
    for module in (generator, glance, regressor):
        module.run(module.Config(run, data=data.path, epochs=1, device="cpu"))
    calibration.run(calibration.Config(run, samples=4, device="cpu"))
    imagination = Imagination.load(run)
    rows = data.split("test")[:2]
    empty = imagination.generator.backgrounds(
        torch.from_numpy(np.hstack([data.normalized_joints, data.normalized_gaze])[rows])
    )
    assert np.abs(luminance(empty).numpy() - data.backgrounds(rows)).mean() < 0.01
    agent = MentalImageryAgent(imagination, looks=1)
    agent.see_goal(data.eye(rows[0]), data.gaze[rows[0]])
    assert agent.hypotheses.joints.shape == (1, 5, 5)  # type: ignore[union-attr]
    np.testing.assert_allclose(agent.action()[5:], 2 * data.normalized_gaze[rows[0]] - 1, atol=1e-5)
    with pytest.raises(UserError, match=r"^got a gaze of shape \(1, 3\), expected finite angles in rad: \(1, 2\)$"):
        agent.see_goal(data.eye(rows[0]), np.zeros(3))
    settings = reach.Config(run, goals=2, looks=1, bound=True, video=True, video_goals=1, device="cpu")
    reached = reach.run(settings)
    assert {"imagination", "looks", "bound", "som_ae", "regressor"} <= reached.keys()
    assert reached["bound"].arm_iou > reached["looks"].arm_iou, "the true eye draws what is seen at the goal's gaze"
    seen = data.squeezed_to(imagination.format)
    found = Found(imagination.hypotheses(seen.pictures[rows], 2, seen.felt_gaze[rows]))
    strange = imagery.impossible(found, found.hypotheses_of_all, rows, seen, np.random.default_rng(0))  # type: ignore[arg-type]
    disturbed, _ = imagery.disturbed(found, rows, seen, 2, 0)  # type: ignore[arg-type]
    assert {"empty view", "mirrored", "age 1 months"} <= strange.keys()
    assert set(KINDS) <= disturbed.keys()
    assert len(found.told) == 10 + 17
    for gaze in found.told:
        np.testing.assert_array_equal(gaze, data.felt_gaze[rows])


def test_the_cnn_learns_with_the_gaze_and_is_told_it(run: Path, data: Dataset, tmp_path: Path):
    network = regressor.run(regressor.Config(tmp_path, data=data.path, epochs=1, batch_size=16, device="cpu"))
    images, gazes = torch.from_numpy(data.pictures[:2]), torch.from_numpy(data.normalized_gaze[:2])
    told, straight = network.predict(images, gazes), network.predict(images)
    assert torch.equal(straight, network.predict(images, torch.full((2, 2), 0.5)))
    assert not torch.allclose(told, straight)
    again = regressor.STAGE.trained(tmp_path, data, torch.device("cpu"))
    errors, *_ = score(JointsReading(again), truth_of(data, data.split("test")), ("vision", "gaze"))
    assert errors.keys() == {"vision->proprioception", "vision+gaze->proprioception"}


def test_disturbed_and_impossible_pictures_are_seen_at_the_gazes_of_their_poses(data: Dataset):
    rows = data.split("test")[:3]
    _, frames = next(disturbed_frames(data, rows, seed=0))
    np.testing.assert_array_equal(frames, data.eye(rows))
    kinds = strange_pictures(data, rows, np.random.default_rng(0))
    empty = next(pictures for kind, pictures in kinds if kind == "empty view")
    assert np.abs(empty - data.backgrounds(rows)).max() < 0.01
    assert np.abs(empty[0] - empty[1]).max() > 0.1, "another gaze"


def test_policies_see_latents_that_know_the_gaze(run: Path, data: Dataset):
    mind = SomAutoencoder.load(run)
    env = LatentObservation(gym.make("InfantArm-v0", arm=data.arm, eye_size=data.eye_size), mind)
    joints, gaze = data.joints[0], data.gaze[0]
    observation, _ = env.reset(options={"joints": joints, "gaze": gaze})
    told = mind.latents(data.pictures[:1], data.normalized_gaze[:1])[0].numpy()
    np.testing.assert_allclose(observation["latents"], told, atol=0.05)
    assert not np.allclose(told, mind.latents(data.pictures[:1])[0].numpy(), atol=0.1)
    np.testing.assert_allclose(observation["gaze"], gaze, atol=1e-6)
    with pytest.raises(UserError, match="of an eye that moves, expected one of an eye that is held"):
        LatentExtractor(spaces.Dict(eye=spaces.Box(0, 255, (3, 60, 100), np.uint8)), run / AUTOENCODER)


def test_what_needs_an_eye_that_does_not_move_says_so(run: Path, data: Dataset):
    with pytest.raises(UserError, match="needs an eye that does not move, expected a data set of --gaze held"):
        latent_mlp.STAGE.run(latent_mlp.Config(run, data=data.path, device="cpu"))


def test_touch_may_be_missing_in_some_samples(tmp_path: Path):
    settings = collect.Config(tmp_path / "dataset", 300, (36, 60), 150, seed=6, workers=1, touch=True)
    data = collect.run(settings)
    touched = ~np.isnan(data.touched_place).any(axis=1)
    np.testing.assert_array_equal(touched, data.touch[:, ~Patches.of(data.arm).on(data.arm.arm_geoms)].any(axis=1))
    assert 0 < touched[data.split("test")].mean() < 1
    autoencoder.run(autoencoder.Config(tmp_path, data=data.path, epochs=1, device="cpu"))
    som.run(som.Config(tmp_path, rows=6, columns=6, device="cpu"))
    table = evaluate.run(Evaluation(tmp_path, device="cpu")).table1["som_ae"]  # type: ignore[union-attr]
    assert {"touch->touch", "touch->proprioception", "vision->touch"} <= table.keys()
    assert np.isfinite([error.mae for error in table.values()]).all()
    assert report.run(report.Config(tmp_path, device="cpu")).exists()
