import dataclasses
import shutil
from pathlib import Path

import mujoco
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from agents.networks.generator import PictureGenerator
from agents.tools import least_squares
from agents.world import arm_chain
from agents.world.arm_chain import ArmChain
from agents.world.chain_dynamics import ChainDynamics, moments
from agents.world.servo_response import ServoResponse, Transitions, solve
from agents.world.world_model import WORLD_MODEL, WorldModel
from infant_env.body.model import ArmModel
from training import report
from training.bench import command as benchmark
from training.data.babbled_motion import babble
from training.train import world_model as train_world_model

RANGES = torch.tensor([[-1.0, 1.0], [0.0, 2.0], [-0.5, 0.5]])
RANDOM = torch.Generator().manual_seed(0)


def chain() -> ArmChain:
    return ArmChain(
        torch.eye(3), torch.tensor([[0.0, 0, 0], [0, 0, -0.1], [0, 0, -0.2]]), torch.tensor([0.1, 0, -0.25])
    )


def response() -> ServoResponse:
    """Three joints, each link two masses of 50 g."""
    places = torch.rand(3, 6, generator=RANDOM) * 0.2
    sizes = torch.tensor([0.05, 0.05, 9.0, 0.6, 1.5, 0.05, 0.002]).log().expand(3, -1)
    return ServoResponse(chain(), RANGES, torch.cat([places, sizes], 1))


def world() -> WorldModel:
    generator = PictureGenerator(torch.rand(64, 64, generator=RANDOM), joint_count=3, width=4, points=3)
    return WorldModel(response(), generator.eval(), torch.tensor([[0.0, 1.0, 0.0], [0.5, 0.5, 0.1]]))


def test_robust_least_squares_find_a_line_among_outliers():
    x = torch.linspace(-1, 1, 20, dtype=torch.float64)
    y = 3 * x + 1
    y[::5] += 100
    found, _ = least_squares.fit(lambda p: (p[0] * x + p[1] - y) / 1e-3, torch.zeros(2, dtype=torch.float64), 100, 1e-9)
    assert found == pytest.approx([3, 1], abs=1e-3)


def test_equations_are_solved():
    roots = torch.rand(4, 4, 7, generator=RANDOM)
    matrices = torch.einsum("ijb,kjb->ikb", roots, roots) + torch.eye(4)[..., None]
    solution = torch.rand(4, 7, generator=RANDOM)
    vectors = torch.einsum("ijb,jb->ib", matrices, solution)
    assert torch.allclose(solve(matrices, vectors), solution, atol=1e-4)


def test_a_pendulum_weighs_and_swings_as_it_should():
    """1 kg at .5 m on a hinge along y: inertia m l^2, no drag of its own, and m g l sideways."""
    pendulum = ArmChain(torch.tensor([[0.0, 1, 0]]), torch.zeros(1, 3), torch.tensor([0.0, 0, -0.5]))
    dynamics = ChainDynamics(pendulum, moments(torch.tensor([[[0.0, 0, -0.5]]]), torch.ones(1, 1)))
    motion = dynamics(torch.tensor([[0.0, torch.pi / 2]]), torch.tensor([[3.0, 3.0]]))
    assert motion.inertia.flatten().tolist() == pytest.approx([0.25, 0.25])
    assert motion.drag.flatten().tolist() == pytest.approx([0, 0], abs=1e-6)
    assert motion.weight.abs().flatten().tolist() == pytest.approx([0, 9.81 * 0.5], abs=1e-5)


def test_the_dynamics_are_those_of_the_simulator(arm: ArmModel):
    """Mass matrix and drag of the infant's arm, from the simulator's own masses."""
    data, model = mujoco.MjData(arm.model), arm.model
    mujoco.mj_forward(model, data)  # all joints at 0: the resting pose
    first = int(model.dof_bodyid[arm.dof_ids[0]])
    links, rows = [first, first + 1, first + 2], []
    for body in links:
        rotation = data.ximat[body].reshape(3, 3)
        second = rotation @ np.diag(model.body_inertia[body].sum() / 2 - model.body_inertia[body]) @ rotation.T
        rows.append(_moments(second, data.xipos[body], model.body_mass[body]))
    inertias = torch.zeros(5, 10, dtype=torch.float64)
    inertias[2], inertias[4] = rows[0], rows[1] + rows[2]
    axes, points = (torch.from_numpy(part[arm.dof_ids].copy()) for part in (data.xaxis, data.xanchor))
    dynamics = ChainDynamics(ArmChain(axes, points, torch.zeros(3).double()), inertias)
    random = np.random.default_rng(0)
    q, v = arm.any_pose(random), random.normal(0, 3, 5)
    data.qpos[arm.qpos_ids], data.qvel[arm.dof_ids] = q, v
    mujoco.mj_forward(model, data)
    full = np.zeros((model.nv, model.nv))
    mujoco.mj_fullM(model, data, full)
    found = dynamics(torch.from_numpy(q)[:, None], torch.from_numpy(v)[:, None])
    assert found.inertia[..., 0].numpy() == pytest.approx(full - np.diag(model.dof_armature), abs=1e-9)
    weight = found.weight[:, 0].numpy()
    assert weight == pytest.approx(data.qfrc_gravcomp, abs=1e-9)
    assert found.drag[:, 0].numpy() + weight == pytest.approx(data.qfrc_bias, abs=1e-9)


def _moments(second: np.ndarray, place: np.ndarray, mass: float) -> Tensor:
    """A body's moments (see `agents.world.chain_dynamics.moments`)."""
    square = np.zeros((4, 4))
    square[:3, :3] = second + mass * np.outer(place, place)
    square[:3, 3] = mass * place
    square[3, 3] = mass
    return torch.tensor([square[a, b] for a in range(4) for b in range(a, 4)])


def test_a_chain_is_learned_from_where_the_hand_was(arm: ArmModel):
    motion = babble(arm, 75, seed=1)
    joints, hands = torch.from_numpy(motion.felt[:, 1:, :5]).flatten(0, 1), torch.from_numpy(motion.hands).flatten(0, 1)
    learned, other = ArmChain.fit(joints, hands), babble(arm, 50, seed=2)
    apart = learned.to("cpu").hand(torch.from_numpy(other.felt[:, 1:, :5])) - torch.from_numpy(other.hands)
    assert apart.norm(dim=-1).max() < 1e-3
    with pytest.raises(ValueError, match="expected 22 or more"):
        ArmChain.fit(joints[:10], hands[:10])
    with pytest.raises(ValueError, match="no chain of 1 hinges explains"):
        ArmChain.fit(joints[:, :1], hands)


def test_a_chain_is_fitted_to_noisy_hands_if_that_much_is_allowed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(arm_chain, "_STARTS", 3)
    random, (low, high) = torch.Generator().manual_seed(1), RANGES.T.double()
    joints = low + (high - low) * torch.rand(60, 3, generator=random, dtype=torch.float64)
    true = chain().double().hand(joints)
    noisy = true + 0.002 * torch.randn(60, 3, generator=random, dtype=torch.float64)
    with pytest.raises(ValueError, match="no chain of 3 hinges explains better than 3 mm"):
        ArmChain.fit(joints, noisy)
    found = ArmChain.fit(joints, noisy, within=0.005)
    assert (found.hand(joints) - true).norm(dim=1).mean() < 0.002  # the noise is averaged out


def test_a_reached_target_is_kept_exactly():
    actions = torch.rand(20, 3, generator=RANDOM) * 2 - 1
    joints = RANGES[:, 0] + (actions + 1) / 2 * (RANGES[:, 1] - RANGES[:, 0])
    after, velocities = response().step(joints, torch.zeros(20, 3), actions)
    assert torch.equal(after, joints)
    assert not velocities.any()


def test_the_arm_comes_to_its_targets():
    joints, velocities, actions = torch.zeros(1, 3), torch.zeros(1, 3), torch.tensor([[0.5, -0.3, 0.9]])
    for _ in range(50):
        joints, velocities = response().step(joints, velocities, actions)
    assert joints[0].tolist() == pytest.approx([0.5, 0.7, 0.45], abs=2e-3)


@settings(max_examples=30)
@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=9, max_size=9))
def test_joints_stay_in_their_ranges_whatever_the_action(numbers: list[float]):
    state = torch.tensor(numbers).view(3, 1, 3)
    joints, velocities = state[0].clamp(*RANGES.T), state[1].clamp(-50, 50)
    for _ in range(3):
        joints, velocities = response().step(joints, velocities, state[2])
        assert bool(((joints >= RANGES[:, 0]) & (joints <= RANGES[:, 1])).all())
        assert bool(velocities.isfinite().all())


def test_many_arms_move_as_each_alone():
    joints = torch.rand(5, 3, generator=RANDOM) * (RANGES[:, 1] - RANGES[:, 0]) + RANGES[:, 0]
    velocities, actions = torch.randn(5, 3, generator=RANDOM), torch.rand(5, 3, generator=RANDOM)
    model = world()
    together = model.step(joints, velocities, actions)
    for k in range(5):
        alone = model.step(joints[k : k + 1], velocities[k : k + 1], actions[k : k + 1])
        for part, whole in zip(alone, together, strict=True):
            assert torch.allclose(part[0], whole[k], atol=1e-5)
    pictures = model.draw(joints)
    assert pictures.shape == (5, 64, 64)
    assert torch.allclose(model.draw(joints[:1])[0], pictures[0], atol=1e-5)


def test_too_few_transitions_are_refused():
    nothing = Transitions(*torch.zeros(5, 3, 3))
    with pytest.raises(ValueError, match="got 3 transitions, expected 26 or more"):
        ServoResponse.fit(chain(), RANGES, nothing)


def test_it_survives_the_disk_and_knows_its_generator(tmp_path: Path):
    model = world()
    with pytest.raises(ValueError, match="expected those of one arm"):
        WorldModel(model.response, model.generator, torch.zeros(1, 4))
    with pytest.raises(ValueError, match="expected a trained world model"):
        WorldModel.load(tmp_path)
    model.generator.save(tmp_path / "generator.safetensors")
    model.save(tmp_path)
    joints, actions = model.poses, torch.ones(2, 3)
    loaded = WorldModel.load(tmp_path)
    for first, second in zip(
        (*model.step(joints, joints, actions), model.hand(joints), model.draw(joints), model.poses),
        (*loaded.step(joints, joints, actions), loaded.hand(joints), loaded.draw(joints), loaded.poses),
        strict=True,
    ):
        assert torch.equal(first, second)
    PictureGenerator(torch.zeros(64, 64), joint_count=3, width=4, points=3).save(tmp_path / "generator.safetensors")
    with pytest.raises(ValueError, match="another generator than"):
        WorldModel.load(tmp_path)


def test_the_command_learns_measures_and_reports(
    tiny_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], one_thread: None
):
    run = tmp_path / "run"
    shutil.copytree(tiny_run, run)
    config = train_world_model.Config(run, steps=50, check=50, pictures=2, device="cpu")
    model = train_world_model.run(config)
    assert "picture, MAE" in capsys.readouterr().out
    content = (run / WORLD_MODEL).read_bytes()
    train_world_model.run(config)
    assert "is there already" in capsys.readouterr().out
    (run / WORLD_MODEL).unlink()
    train_world_model.run(config)
    assert (run / WORLD_MODEL).read_bytes() == content
    motion = babble(ArmModel.infant(), 25, seed=5)
    felt = torch.from_numpy(motion.felt[0])
    after, _ = model.step(felt[:-1, :5], felt[:-1, 5:], torch.from_numpy(motion.actions[0]))
    assert (after - felt[1:, :5]).abs().median() < 0.05
    assert (run / "figures" / "world_model.png").exists()
    assert "<h2>The world model</h2>" in report.run(report.Config(run, device="cpu")).read_text()
    ratios = benchmark.run(benchmark.Config("world", run, repeats=2, rounds=1, infants=4, device="cpu"))
    assert len(ratios) == 5
    with pytest.raises(ValueError, match="got bench world without --run"):
        benchmark.run(benchmark.Config("world"))
    with pytest.raises(ValueError, match="got --steps 0, expected"):
        dataclasses.replace(config, steps=0)
    (run / "generator.safetensors").unlink()
    with pytest.raises(ValueError, match="expected a trained generator"):
        train_world_model.run(config)
