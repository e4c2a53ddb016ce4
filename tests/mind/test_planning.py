from functools import cache
from pathlib import Path

import mujoco
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.mind.planning import PosePlanner
from agents.mind.som_autoencoder import SomAutoencoder
from agents.networks.autoencoder import ConvAutoencoder
from agents.som.som import MultiModalSom
from infant_env.body.model import ArmModel
from infant_env.body.servos import CONTROL_HZ
from training import cli
from training.act import plan

RANGES = np.array([[-1.0, 1.0], [0.0, 2.0]], np.float32)
LEFT, RIGHT = np.array([-0.9, 1.0]), np.array([0.9, 1.05])


def mind(hole: float) -> SomAutoencoder:
    """A map whose neurons fill a square of two joints evenly, but for a hole around the middle."""
    x = torch.linspace(0, 1, 32)
    joints = torch.stack(torch.meshgrid(x, x, indexing="ij"), 2)
    away = joints - 0.5
    radius = away.norm(dim=2, keepdim=True)
    joints = torch.where(radius < hole, 0.5 + away / radius.clamp(min=1e-6) * hole, joints)
    som = MultiModalSom({"vision": torch.zeros(32, 32, 2), "proprioception": joints})
    return SomAutoencoder(ConvAutoencoder(torch.zeros(64, 64), 2, 2), som, RANGES)


@cache
def planner(hole: float, speed: float = 3.0) -> PosePlanner:
    """Made once: it learns what is familiar."""
    return PosePlanner(mind(hole), speed)


def closest(way: np.ndarray) -> float:
    """How near a way comes to the middle of the square, normalized."""
    return float(np.linalg.norm((way - RANGES[:, 0]) / 2 - 0.5, axis=1).min())


def test_it_goes_around_a_hole_of_the_map():
    assert closest(planner(0.25).straight(LEFT, RIGHT)) < 0.05
    assert closest(planner(0.25).plan(LEFT, RIGHT)) > 0.2


def test_without_a_hole_it_goes_straight():
    start, goal = np.array([-0.5, 0.5]), np.array([0.5, 1.5])
    assert np.array_equal(planner(0.0).plan(start, goal), planner(0.0).straight(start, goal))


def test_nowhere_to_go_is_a_way_too():
    assert np.array_equal(planner(0.25).plan(LEFT, LEFT), np.float32([LEFT, LEFT]))


angles = st.lists(st.floats(-1, 1, width=32), min_size=2, max_size=2)


@given(angles, angles, st.sampled_from([0.5, 3.0]))
@settings(max_examples=25)
def test_a_way_keeps_its_ends_the_speed_limit_and_the_ranges(a: list[float], b: list[float], speed: float):
    start, goal = (np.float32(pose) + np.float32([0, 1]) for pose in (a, b))
    way = planner(0.25, speed).plan(start, goal)
    assert np.array_equal(way[[0, -1]], [start, goal])
    assert np.abs(np.diff(way, axis=0)).max() * CONTROL_HZ <= speed + 1e-4  # to float32's rounding
    assert ((way >= RANGES[:, 0]) & (way <= RANGES[:, 1])).all()
    assert np.array_equal(way, planner(0.25, speed).plan(start, goal))


def test_it_starts_and_ends_at_rest():
    steps = np.abs(np.diff(planner(0.25).plan(LEFT, RIGHT), axis=0)).max(1) * CONTROL_HZ  # rad/s
    assert max(steps[0], steps[-1]) < 0.1 * steps.max()


def test_the_same_map_and_seed_give_the_same_way():
    assert np.array_equal(PosePlanner(mind(0.25)).plan(LEFT, RIGHT), planner(0.25).plan(LEFT, RIGHT))


def test_it_plans_where_gradients_are_off():
    with torch.inference_mode():
        assert np.array_equal(planner(0.25).plan(LEFT, RIGHT), PosePlanner(mind(0.25)).plan(LEFT, RIGHT))


@pytest.mark.parametrize("pose", [[0.0], [0.0, np.nan], [0.0, 3.0], [[0.0, 1.0]]])
def test_a_pose_that_the_body_cannot_take_is_refused(pose: list[float]):
    with pytest.raises(ValueError, match="expected one angle in rad per joint"):
        planner(0.25).plan(np.array(pose), np.array([0.0, 1.0]))


@pytest.mark.parametrize("speed", [0.0, np.nan, -1.0])
def test_a_speed_that_leads_nowhere_is_refused(speed: float):
    with pytest.raises(ValueError, match="expected rad/s above 0"):
        PosePlanner(mind(0.25), speed)


def test_contact_is_looked_for_between_the_poses_too(arm: ArmModel):
    state = mujoco.MjData(arm.model)
    low, high = arm.joint_ranges.T
    poses = np.random.default_rng(0).uniform(low, high, (300, 5)).astype(np.float32)
    depths = np.array([plan.deepest(pose[None], arm, state) for pose in poses])
    free, touching = poses[depths == 0][0], poses[depths.argmax()]
    across = np.stack([free, 2 * touching - free])  # the middle of it touches
    assert plan.deepest(across, arm, state) >= depths.max() - 1e-6


def test_the_command_compares_ways_and_films_them(tiny_run: Path):
    rows = plan.run(plan.Config(tiny_run, pairs=3, video=True, video_pairs=1))
    assert set(rows) == {"straight line", "planned"}
    assert rows["straight line"].length == pytest.approx(1, abs=1e-3)
    assert rows["planned"].length >= 1 - 1e-3
    assert all(row.fastest <= 3.0 + 1e-4 for row in rows.values())
    assert (tiny_run / "videos" / "plan.mp4").stat().st_size > 1000


def test_a_run_that_was_not_trained_is_answered_by_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["plan", "--run", str(tmp_path)]) == 2
    assert "no trained autoencoder" in capsys.readouterr().err
