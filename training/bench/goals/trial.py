"""An agent is tried: one episode for each goal."""

import time
from typing import Any

import gymnasium as gym
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from infant_env.errors import UserError
from infant_env.senses.vision import to_gray

from ...measure.metrics import arm_iou
from .agents.entry import Action, GoalAgent
from .goals import Goals

EPISODE = 50
"""Control steps of an episode, 2 s; an agent may stop earlier."""
_FIRST_START = 7_000_000  # seeds of the starting poses, far from those of learning


class Outcome(Struct, frozen=True):
    """How an agent did, goal by goal."""

    hand_cm: list[float]
    """Distance between the hand and that of the goal at the end of the episode."""
    arm_iou: list[float]
    """Intersection over union of the arms in the last picture and in the goal's."""
    steps: list[int]
    """Control steps that the agent took."""
    thinking_ms: list[float]
    """Processor milliseconds in which the agent thought."""


def tried(agent: GoalAgent, name: str, goals: Goals) -> Outcome:
    """Tries every goal once, from a random pose that is the same for all agents.

    Args:
        agent: an agent that has learned.
        name: its name, for error messages.
        goals: the goals.

    Raises:
        UserError: an action has a wrong shape, or is not finite.
    """
    env = gym.make("infant_env:InfantArm-v0", max_episode_steps=EPISODE + 1, disable_env_checker=True)
    rows = [_tried_once(agent, name, env, goals, number) for number in range(len(goals))]
    env.close()
    return Outcome(*(list(column) for column in zip(*rows, strict=True)))


def _tried_once(
    agent: GoalAgent, name: str, env: gym.Env[Any, Any], goals: Goals, number: int
) -> tuple[float, float, int, float]:
    goal = goals[number]
    observation, info = env.reset(seed=_FIRST_START + number)
    start = time.process_time()
    agent.see_goal(goal.eye.copy())
    thought, steps = time.process_time() - start, 0
    while steps < EPISODE:
        start = time.process_time()
        action = agent.act(observation)
        thought += time.process_time() - start
        if action is None:
            break
        observation, *_, info = env.step(_checked(action, name, env.action_space.shape))
        steps += 1
    apart = 100 * float(np.linalg.norm(info["hand_position"] - goal.hand))
    seen, wanted, empty = (to_gray(frame) for frame in (observation["eye"], goal.eye, goals.background))
    return apart, float(arm_iou(seen[None], wanted[None], empty)[0]), steps, 1000 * thought


def _checked(action: Action, name: str, shape: tuple[int, ...] | None) -> NDArray[np.float32]:
    given = np.asarray(action, np.float32)
    if given.shape != shape or not np.isfinite(given).all():
        raise UserError(
            f"got from {name} the action {np.array2string(given, precision=2)}, expected {shape} finite numbers in [-1, 1], or "
            "None to stop"
        )
    return given
