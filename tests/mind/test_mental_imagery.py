import shutil
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

import infant_env  # noqa: F401
from agents.mind.agent import MentalImageryAgent
from agents.mind.imagination import Hypotheses
from agents.rl.sb3 import InfantVecEnv
from infant_env.senses.vision import COLOR
from training.data.dataset import Dataset


@pytest.fixture
def agent(tiny_run: Path) -> MentalImageryAgent:
    return MentalImageryAgent.load(tiny_run)


@pytest.fixture(scope="module")
def data(tiny_run: Path) -> Dataset:
    return Dataset.open(tiny_run / "dataset")


@pytest.fixture
def env() -> gym.Env:
    return gym.make("InfantArm-v0", eye_size=(60, 100))


def found(joints: torch.Tensor, errors: float = 1e-3) -> Hypotheses:
    """What an agent may have thought of: poses (K, J), the likeliest first."""
    count = len(joints)
    probabilities, none = torch.linspace(0.6, 0.1, count)[None], torch.zeros(1, count, dtype=torch.bool)
    misfit = torch.full((1, count), errors)
    return Hypotheses(joints[None], probabilities, misfit, misfit.log(), none, torch.zeros(1, 3), torch.zeros(1))


def test_it_goes_to_the_likeliest_pose_and_looks(agent: MentalImageryAgent, data: Dataset, env: gym.Env):
    agent.see_goal(data.eye(3))
    assert np.array_equal(agent.goal, COLOR.squeeze(data.eye(3)))
    assert np.array_equal(agent.targets, agent.hypotheses.joints[0, 0].numpy())
    agent.set_goal(
        COLOR.squeeze(data.eye(3)), found(torch.from_numpy(data.joints[[3, 4]]))
    )  # poses that the body can take
    first = data.joints[3]
    assert np.array_equal(agent.targets, first)
    observation, _ = env.reset(seed=0)
    for _ in range(150):
        action = agent.act(observation)
        assert env.action_space.contains(action)
        observation, *_ = env.step(action)
        if agent.done:
            break
    assert agent.done
    assert 1 <= len(agent.looks) <= 5
    assert np.degrees(np.abs(agent.looks[0].joints - first)).max() < 5
    env.close()


@pytest.mark.parametrize(("left", "held"), [(0.3, "best"), (0.9, "first")])
def test_in_the_end_it_holds_what_looked_best_or_its_first_idea_where_no_correction_helped(
    agent: MentalImageryAgent, data: Dataset, left: float, held: str
):
    goal, other = data.eye(3), data.eye(5)
    agent.set_goal(COLOR.squeeze(goal), found(torch.rand(5, 5)))
    while not agent.done:
        share = (1.0, left, *[0.95] * 3)[len(agent.looks)]  # of the difference between the two frames
        seen = np.round(goal + share * (other.astype(float) - goal)).astype(np.uint8)
        agent.look({"eye": seen, "joints": agent.targets})
    assert agent.best_look is agent.looks[1]
    assert np.array_equal(agent.targets, agent.looks[1 if held == "best" else 0].joints)


def test_a_picture_that_is_the_goal_ends_it_at_once(agent: MentalImageryAgent, data: Dataset):
    agent.see_goal(data.eye(3))
    agent.look({"eye": data.eye(3), "joints": agent.targets})
    assert agent.done
    assert len(agent.looks) == 1


def test_a_correction_that_does_not_help_makes_it_try_another_hypothesis(agent: MentalImageryAgent, data: Dataset):
    joints = torch.stack([torch.full((5,), value) for value in (0.1, 0.5)])
    agent.set_goal(COLOR.squeeze(data.eye(3)), found(joints, errors=1e-6))
    for _ in range(2):
        agent.look({"eye": data.eye(7), "joints": agent.targets})
    assert np.array_equal(agent.targets, joints[1].numpy())


def test_an_arm_that_its_body_holds_up_takes_a_way_around_once(agent: MentalImageryAgent, data: Dataset):
    goal, there, elsewhere = COLOR.squeeze(data.eye(3)), torch.from_numpy(data.joints[3]), data.joints[4]
    agent.set_goal(goal, found(there[None]))
    held_up = {"eye": data.eye(4), "joints": elsewhere}
    agent.look(held_up)
    assert agent.on_its_way
    assert agent.looks == []
    way = []
    while agent.on_its_way:
        agent.action()
        way.append(agent.sent)
    assert np.allclose(way[0], elsewhere)
    assert np.array_equal(way[-1], agent.targets)
    agent.look(held_up)  # it cannot get there: so it looks where it is
    assert not agent.on_its_way
    assert len(agent.looks) == 1


def test_with_its_eyes_closed_it_never_looks(tiny_run: Path, data: Dataset, env: gym.Env):
    agent = MentalImageryAgent.load(tiny_run, looks=0)
    agent.see_goal(data.eye(3))
    observation, _ = env.reset(seed=0)
    for _ in range(20):
        observation, *_ = env.step(agent.act(observation))
    assert agent.looks == []
    env.close()


def test_it_can_imagine_its_own_goal(agent: MentalImageryAgent, data: Dataset):
    agent.imagine_goal(data.joints[4])
    imagined = agent.imagine(data.joints[4:5])
    assert np.array_equal(agent.goal.ravel(), agent.imagination.in_usual_view(imagined).pictures[0].numpy())


def test_comparing_the_goal_with_itself_finds_no_difference(agent: MentalImageryAgent, data: Dataset):
    agent.see_goal(data.eye(3))
    assert agent.compare({"eye": data.eye(3)}) == 0
    assert agent.compare({"eye": data.eye(5)}) > 0


def test_without_a_goal_it_says_so(agent: MentalImageryAgent, data: Dataset):
    for method in (agent.look, agent.compare):
        with pytest.raises(ValueError, match="no goal; give it one with see_goal"):
            method({"eye": data.eye(0), "joints": data.joints[0]})


class ImageGoal(gym.Wrapper):
    """A wrapper as a user would write it: the goal's frame stands in the observation."""

    def __init__(self, env: gym.Env, goal: np.ndarray) -> None:
        super().__init__(env)
        self.frame = goal
        self.observation_space = gym.spaces.Dict({**env.observation_space.spaces, "goal": env.observation_space["eye"]})

    def reset(self, **keywords):
        observation, info = self.env.reset(**keywords)
        return {**observation, "goal": self.frame}, info

    def step(self, action):
        observation, *rest = self.env.step(action)
        return {**observation, "goal": self.frame}, *rest


def test_stable_baselines_evaluates_it_as_a_policy(agent: MentalImageryAgent, data: Dataset):
    env = ImageGoal(gym.make("InfantArm-v0", eye_size=(60, 100), max_episode_steps=15), data.eye(3))
    with pytest.warns(UserWarning, match="Monitor"):
        reward, _ = evaluate_policy(agent, env, n_eval_episodes=1)
    assert reward == 0
    assert np.array_equal(agent.goal, COLOR.squeeze(data.eye(3)))
    env.close()


def test_in_a_new_episode_it_starts_with_its_first_idea(agent: MentalImageryAgent, data: Dataset):
    agent.see_goal(data.eye(3))
    first = agent.targets
    agent.look({"eye": data.eye(5), "joints": agent.targets})
    observation = {"eye": data.eye(5), "joints": data.joints[5], "joint_velocities": np.zeros(5, np.float32)}
    agent.predict(observation, episode_start=np.array([True]))
    assert np.array_equal(agent.targets, first)
    assert agent.looks == []


def test_a_run_without_calibration_says_what_to_run(tiny_run: Path, tmp_path: Path):
    copy = Path(shutil.copytree(tiny_run, tmp_path / "copy"))
    (copy / "calibration.json").write_text("{")
    with pytest.raises(ValueError, match=r"calibration\.json is damaged"):
        MentalImageryAgent.load(copy)
    (copy / "calibration.json").unlink()
    with pytest.raises(ValueError, match="calibrate first"):
        MentalImageryAgent.load(copy)


def reaching(**kind: Any) -> Any:
    return {"eye_size": (60, 100), "goal_eye": True, "reward": "dense", **kind}


def test_where_there_is_a_reward_its_evaluation_says_something(agent: MentalImageryAgent):
    env = Monitor(gym.make("InfantArmReach-v0", **reaching()))
    rewards, lengths = evaluate_policy(agent, env, n_eval_episodes=2, return_episode_rewards=True)
    assert lengths == [25, 25]
    assert all(-25 < reward < 0 for reward in rewards)
    assert agent.goal is not None
    env.close()


@pytest.mark.parametrize("how", ["native", "gymnasium", "stable-baselines3"])
def test_one_agent_thinks_for_many_infants_each_with_its_own_goal(agent: MentalImageryAgent, how: str):
    if how == "native":
        env = InfantVecEnv(gym.make_vec("InfantArmReach-v0", 3, **reaching()))
    elif how == "gymnasium":
        env = InfantVecEnv(gym.make_vec("InfantArmReach-v0", 3, vectorization_mode="sync", **reaching()))
    else:
        env = DummyVecEnv([lambda: gym.make("InfantArmReach-v0", **reaching())] * 3)
    env.seed(4)
    observations = env.reset()
    actions, _ = agent.predict(observations, episode_start=np.ones(3, bool))
    assert (actions.shape, actions.dtype) == ((3, 5), np.float32)
    for i in range(3):
        alone = MentalImageryAgent(agent.imagination)
        mine = alone.predict({key: values[i] for key, values in observations.items()}, episode_start=np.array([True]))[
            0
        ]
        assert actions[i] == pytest.approx(mine, abs=1e-3)  # thought of together, the last digits differ
    again, _ = agent.predict(observations, episode_start=np.zeros(3, bool))
    assert np.array_equal(actions, again)
    rewards, lengths = evaluate_policy(agent, env, n_eval_episodes=3, return_episode_rewards=True, warn=False)
    assert lengths == [25] * 3
    assert all(-25 < reward < 0 for reward in rewards)
    env.close()


def test_goals_that_come_together_are_thought_of_together(agent: MentalImageryAgent, monkeypatch: pytest.MonkeyPatch):
    env = gym.make_vec("InfantArmReach-v0", 4, **reaching())
    thought: list[int] = []
    think = agent.imagination.hypotheses

    def counted(pictures: Any, count: int = 5) -> Hypotheses:
        thought.append(len(pictures))
        return think(pictures, count)

    monkeypatch.setattr(agent.imagination, "hypotheses", counted)
    observations, _ = env.reset(seed=0)
    for _ in range(3):
        actions, _ = agent.predict(observations)
        observations, *_ = env.step(actions)
    assert thought == [4]
    observations, _ = env.reset(options={"reset_mask": np.array([False, True, False, True])})
    agent.predict(observations, episode_start=np.array([False, True, False, True]))
    assert thought == [4, 2]
    env.close()


def test_a_goal_given_by_hand_is_that_of_all_infants(agent: MentalImageryAgent, data: Dataset):
    env = gym.make_vec("InfantArm-v0", 2, eye_size=(60, 100))
    agent.see_goal(data.eye(3))
    actions, _ = agent.predict(env.reset(seed=0)[0])
    assert np.array_equal(actions[0], actions[1])
    env.close()


@pytest.mark.parametrize(
    ("kind", "wanted"), [({}, r"expected `eye`.*eye_size=\(300, 500\)"), ({"eye_size": (60, 100)}, "goal_eye=True")]
)
def test_what_an_observation_lacks_is_said(agent: MentalImageryAgent, kind: dict[str, Any], wanted: str):
    env = gym.make("InfantArmReach-v0", **kind)
    with pytest.raises(ValueError, match=wanted):
        agent.predict(env.reset(seed=0)[0])
    env.close()
