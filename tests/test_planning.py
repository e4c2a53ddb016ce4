from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.autoencoder import ConvAutoencoder
from agents.planning import PosePlanner
from agents.som import MultiModalSom
from agents.som_autoencoder import SomAutoencoder
from infant_env.arm_env import CONTROL_HZ
from training import plan

RANGES = np.array([[-1.0, 1.0], [0.0, 2.0]])


def mind(hole: float) -> SomAutoencoder:
    """A map whose neurons fill a square of two joints evenly, but for a hole around the middle."""
    x = torch.linspace(0, 1, 32)
    joints = torch.stack(torch.meshgrid(x, x, indexing="ij"), 2)
    away = joints - 0.5
    radius = away.norm(dim=2, keepdim=True)
    joints = torch.where(radius < hole, 0.5 + away / radius.clamp(min=1e-6) * hole, joints)
    som = MultiModalSom({"vision": torch.zeros(32, 32, 2), "proprioception": joints})
    return SomAutoencoder(ConvAutoencoder(torch.zeros(64, 64), 2, 2), som, RANGES)


def closest(way: np.ndarray) -> float:
    """How near a way comes to the middle of the square, normalized."""
    return float(np.linalg.norm((way - RANGES[:, 0]) / 2 - 0.5, axis=1).min())


def test_it_goes_around_a_hole_of_the_map():
    planner = PosePlanner(mind(hole=0.25))
    start, goal = np.array([-0.9, 1.0]), np.array([0.9, 1.05])
    assert closest(planner.straight(start, goal)) < 0.05
    assert closest(planner.plan(start, goal)) > 0.2


def test_without_a_hole_it_goes_straight():
    planner = PosePlanner(mind(hole=0.0))
    start, goal = np.array([-0.5, 0.5]), np.array([0.5, 1.5])
    assert np.array_equal(planner.plan(start, goal), planner.straight(start, goal))


angles = st.lists(st.floats(-1, 1, width=32), min_size=2, max_size=2)


@given(angles, angles, st.floats(0.5, 10))
@settings(max_examples=25, deadline=None)
def test_a_way_keeps_its_ends_the_speed_limit_and_the_ranges(a: list[float], b: list[float], speed: float):
    planner = PosePlanner(mind(hole=0.2), speed)
    start, goal = (np.float32(pose) + np.float32([0, 1]) for pose in (a, b))
    way = planner.plan(start, goal)
    assert np.allclose(way[[0, -1]], [start, goal], atol=1e-5)
    assert np.abs(np.diff(way, axis=0)).max() * CONTROL_HZ <= speed * 1.001 + 1e-3
    assert ((way >= RANGES[:, 0] - 1e-5) & (way <= RANGES[:, 1] + 1e-5)).all()
    assert np.array_equal(way, planner.plan(start, goal))


@pytest.mark.parametrize("pose", [[0.0], [0.0, np.nan], [0.0, 3.0], [[0.0, 1.0]]])
def test_a_pose_that_the_body_cannot_take_is_refused(pose: list[float]):
    with pytest.raises(ValueError, match="expected"):
        PosePlanner(mind(hole=0.2)).plan(np.array(pose), np.array([0.0, 1.0]))
    with pytest.raises(ValueError, match="expected rad/s above 0"):
        PosePlanner(mind(hole=0.2), speed=0)


def test_the_command_compares_ways_and_films_them(tiny_run: Path):
    rows = plan.run(plan.Config(tiny_run, pairs=3, video=True, video_pairs=1))
    assert set(rows) == {"straight line", "planned"}
    assert rows["straight line"]["length"] == pytest.approx(1, abs=1e-3)
    assert rows["planned"]["length"] >= 1 - 1e-3
    assert (tiny_run / "videos" / "plan.mp4").stat().st_size > 1000
