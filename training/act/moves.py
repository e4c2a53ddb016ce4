"""The movements of a reach in real physics: with and without looks, and filmed."""

import itertools
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from agents.mind.agent import MentalImageryAgent
from infant_env.envs.simulated import hands_of
from infant_env.senses.vision import Format

from ..show.film import Film
from .goals import Goal
from .parts import End


def without_looking(
    env: gym.Env[Any, Any],
    config: Any,
    name: str,
    poses: NDArray[np.float32],
    goals: Sequence[Goal],
    format: Format,
    numbers: range,
) -> list[End]:
    """Moves to some of these poses (N, J), rad, with the gazes of their goals, in real physics and without correction."""
    body: Any = env.unwrapped
    ends = []
    for number in tqdm(numbers, desc=f"reach, {name}", unit="goal"):
        env.reset(seed=config.seed + number)
        observation, info = body.hold(body.action_for(poses[number], goals[number].gaze), 2 * config.steps)
        ends.append(end_of(observation, info, format))
    return ends


def move_agent(env: gym.Env[Any, Any], config: Any, number: int, agent: MentalImageryAgent) -> tuple[End, float]:
    """Moves the agent, with looks if it has any, until it makes no more corrections; also the seconds of its thinking."""
    env.reset(seed=config.seed + number)
    body: Any = env.unwrapped
    observation, info = body.hold(agent.action(), 2 * config.steps)
    spent = 0.0
    while not agent.done:
        start = time.perf_counter()
        agent.look(observation)
        spent += time.perf_counter() - start
        while agent.on_its_way:
            body.hold(agent.action(), 1)
        observation, info = body.hold(agent.action(), config.steps)
    return replace(
        end_of(observation, info, agent.imagination.format), looks=len(agent.looks), ideas=agent.trying + 1
    ), spent


def end_of(observation: dict[str, NDArray[Any]], info: dict[str, Any], format: Format) -> End:
    """What came of a reach."""
    return End(observation["joints"], hands_of(info), format.squeeze(observation["eye"]))


def instructive(ends: list[End]) -> list[int]:
    """Numbers of the goals, alternately with and without a change of the agent's hypothesis."""
    changed, kept = ([k for k, end in enumerate(ends) if (end.ideas > 1) == wanted] for wanted in (True, False))
    paired = itertools.chain.from_iterable(itertools.zip_longest(changed, kept))
    return [k for k in paired if k is not None]


def film_reaches(
    config: Any,
    env: gym.Env[Any, Any],
    agent: MentalImageryAgent,
    goals: list[Goal],
    shown: list[int],
    film: Film,
    still: int = 0,
) -> None:
    """Films the reaches for some goals; the last frame stands for `still` more frames."""
    for number in shown:
        goal = goals[number]
        observation, info = env.reset(seed=config.seed + number)
        agent.set_goal(goal.picture, gaze=goal.gaze)
        for _ in range(2 * config.steps * (config.looks + 1)):
            observation, *_, info = env.step(agent.act(observation))
            body: Any = env.unwrapped
            film.add(body.data, observation, agent, info, goal.error_in_words(hands_of(info), body.arm))
            if agent.done and np.abs(observation["joint_velocities"]).max() < 0.05:
                break
    film.hold(still)
    film.close()
    print(f"film: {film.video.path}")
