"""What a study is: a question, a measurement for each seed, and what the rows of all seeds say."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from matplotlib.figure import Figure

from ...runs.config import OnCluster, RunConfig, Seeds
from .rows import Row, Rows

Table = tuple[Sequence[str], Sequence[Sequence[str]]]
"""Header and rows."""


@dataclass(frozen=True)
class StudyConfig(RunConfig, OnCluster):
    """The settings that all studies have."""

    seeds: Seeds = 10
    """Number of seeds, one after the other; on a cluster at the same time."""

    def all_seeds(self) -> Iterable[int]:
        """The seeds."""
        return range(self.seed, self.seed + self.seeds)


@dataclass(frozen=True)
class Criterion:
    """A figure of people or infants that a study is held against."""

    what: str
    """What is compared."""
    expected: str
    """Its value in the literature, with the source."""
    found: str
    """The value that was measured; or why it cannot be measured."""
    met: bool | None
    """Whether they agree; None: it was not measured."""

    @property
    def verdict(self) -> str:
        """The verdict in words."""
        return {True: "reproduced", False: "not reproduced", None: "not measured"}[self.met]


@dataclass(frozen=True)
class Findings:
    """What the rows of all seeds say."""

    came_out: Sequence[str]
    """Sentences; the page begins with the first one, and ends with all."""
    criteria: Sequence[Criterion] = ()
    figures: Mapping[str, Figure] = field(default_factory=dict)
    """Figures by their captions' first words, which name their files."""
    captions: Mapping[str, str] = field(default_factory=dict)
    """Captions of the figures, by the same names."""
    tables: Mapping[str, Table] = field(default_factory=dict)
    """Further tables by title."""


@dataclass(frozen=True)
class Study:
    """A study; the module of each one has it as `STUDY`.

    Each finished seed is kept, and on a cluster each has its own process. So `judge` must depend on the settings and the
    rows alone, and `prepare` must do nothing that belongs to one seed.
    """

    name: str
    """Its word on the command line, and the name of its folder."""
    question: str
    known: str
    """What was known before it was run, with sources."""
    method: str
    """With the sources of all parameters."""
    config: type[StudyConfig]
    """Its settings; no other study has the same class."""
    prepare: Callable[[Any], Callable[[int], Iterable[Row]]]
    """Settings -> the function that measures a seed; the rows that it returns all have the same columns."""
    judge: Callable[[Any, Rows], Findings]
    """Settings and the rows of all seeds -> what they say."""
    changed: Sequence[str] = ()
    """What was changed in method or criteria after a first look at results, one sentence each; the page says so."""
    part: str = ""
    """Its own folder in that of its name, if several studies share a command."""


@dataclass(frozen=True)
class Studies:
    """Studies that share a command; the settings say which of them runs."""

    name: str
    """Its word on the command line, and the name of their folder."""
    config: type[StudyConfig]
    """Their settings; no other study has the same class."""
    of: Callable[[Any], Study]
    """Settings -> the study that runs."""
