"""The agents by name, and those that a user enters by a file."""

import importlib
import importlib.util
from pathlib import Path

from agents.tools.checkpoints import file_hash
from infant_env.errors import UserError

from .entry import GoalAgent

AGENTS = {
    "imagery": "imagery:Imagery",
    "sac_her": "actor_critic:ActorCritic",
    "gcbc": "cloning:Cloning",
    "latent_cem": "planning:LatentPlanning",
    "lexa_small": "explorer:Explorer",
    "constant": "trivial:Constant",
    "random": "trivial:Random",
}
"""Module and class of each agent; its libraries are loaded when it is needed."""


def new_agent(name: str) -> GoalAgent:
    """An agent that has learned nothing.

    Args:
        name: one of `AGENTS`, or a file and a class such as `my_agent.py:MyAgent`.

    Raises:
        UserError: there is no such agent, or its class lacks a method.
    """
    if name in AGENTS:
        module, word = AGENTS[name].split(":")
        own: GoalAgent = getattr(importlib.import_module(f".{module}", __package__), word)()
        return own
    path, _, word = name.rpartition(":")
    if not path.endswith(".py") or not Path(path).is_file():
        raise UserError(
            f"got --agent {name}, expected one of {', '.join(AGENTS)}, or a file and a class such as my_agent.py:MyAgent"
        )
    specification = importlib.util.spec_from_file_location(Path(path).stem, path)
    assert specification is not None
    assert specification.loader is not None
    content = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(content)
    kind = getattr(content, word, None)
    if not isinstance(kind, type):
        raise UserError(
            f"got --agent {name}, but {path} has no class {word}; expected the name of a class in that file"
        )
    missing = [method for method in ("learn", "see_goal", "act") if not callable(getattr(kind, method, None))]
    if missing:
        raise UserError(
            f"got --agent {name}, whose class lacks {', '.join(missing)}; add what docs/benchmark_goals.md shows"
        )
    agent: GoalAgent = kind()
    return agent


def label_of(name: str) -> str:
    """The agent's name in tables and files: its own, or that of its class."""
    return name.rpartition(":")[2]


def content_of(name: str) -> str:
    """A checksum of a user's file; empty for the built-in agents."""
    return "" if name in AGENTS else file_hash(Path(name.rpartition(":")[0]))
