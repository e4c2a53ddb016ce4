"""The one skeleton of all that is trained: is it there already, record, fit, report, save, clean up."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import torch

from agents.tools import checkpoints, json_files
from agents.tools.files import DamagedFileError
from infant_env.errors import UserError
from infant_env.senses import vision

from ..data.dataset import Dataset
from ..runs import folder as runs
from ..runs.config import DataConfig, StageConfig
from ..runs.device import threads
from ..runs.distributed import Place, place
from ..runs.metrics import Metrics

C = TypeVar("C", bound=StageConfig)
M = TypeVar("M")
Identity = dict[str, Any]
"""What a stage's result depends on, as JSON: its settings, the data set, and the content of the files that it begins with."""


class Saved(Protocol):
    """What can be put on disk."""

    def save(self, path: Path, header: Mapping[str, Any], /) -> None:
        """Writes it whole, or not at all."""


@dataclass(frozen=True)
class Work(Generic[C]):
    """One stage under way."""

    config: C
    data: Dataset
    here: Place
    """This process's place among those that train together."""
    identity: Identity
    path: Path
    """The file that is made."""

    @property
    def device(self) -> torch.device:
        """Where to compute."""
        return self.here.device

    @property
    def under_way(self) -> Path:
        """A training that is not done; removed when it is."""
        return self.path.with_suffix(".training.safetensors")


def save(work: Work[Any], made: Saved) -> None:
    """Saves what knows how to save itself, with what it depends on in the header."""
    made.save(work.path, work.identity)


@dataclass(frozen=True)
class Stage(Generic[C, M]):
    """A command that makes one file of a run."""

    command: str
    """Its words on the command line."""
    title: str
    """What the terminal calls it."""
    file: str
    """What it makes, in the run's folder."""
    kind: str
    """The kind of checkpoint; stages that begin with it note its content under this name."""
    config: type[C]
    fit: Callable[[Work[C]], tuple[M, Metrics]]
    """Trains; gives what was made, and its report for `metrics.json`."""
    load: Callable[[Path, Dataset, torch.device], M]
    """Reads what it made from a run's folder."""
    save: Callable[[Work[C], Any], None] = save
    """Puts it on disk; the file comes last: it says that all is done."""
    needs: tuple["Stage[Any, Any]", ...] = ()
    """The stages that must come before: it begins with what they made."""
    sees: bool = True
    """Whether it begins with the pictures: then it depends on how they were preprocessed."""
    shared: bool = False
    """Whether several processes can do it together, as `torchrun` starts them."""
    header: Callable[[Path], Mapping[str, Any]] | None = None
    """What the file in a run's folder depends on; by default a checkpoint's header."""

    @property
    def name(self) -> str:
        """Its name in `config.json`, and in the table of what everything took."""
        return self.command.replace(" ", "-")

    def run(self, config: C) -> M:
        """Makes it, unless the same lies in the run's folder already; goes on where a kill stopped it.

        Raises:
            UserError: what it begins with is missing or damaged.
        """
        data = Dataset.open(config.data if isinstance(config, DataConfig) else runs.data_of(config.run))
        identity, path = self.identity(config, data), config.run / self.file
        with place(config.device) as here:
            self._check_alone(here)
            there = self._there(config.run, identity, data, here.device)
            if here.first and (there is None or not self._is_recorded(config.run)):
                runs.record_config(config.run, self.name, config)
            if there is not None:
                print(f"{self.title}: {path} is there already")
                return there
            with runs.timed(config.run, self.name, here.first), threads(config.threads):
                work = Work(config, data, here, identity, path)
                made, report = self.fit(work)
                if here.first:
                    runs.record(config.run, report)
                    self.save(work, made)
                    work.under_way.unlink(missing_ok=True)
            here.wait()
        return made

    def recorded(self, run: Path) -> C | None:
        """With what it was run in a run's folder, by `config.json` or by what it made; None when it was not run.

        Raises:
            DamagedFileError: both are needed, and damaged.
        """
        found = runs.recorded(run, self.name, self.config)
        if found is None and (run / self.file).exists():
            where = {"run": str(run), "data": str(runs.data_of(run))}
            known = {**self._found(run).get("config", {}), **where}
            found = json_files.fit(known, self.config, run / self.file, f"run `infant-arm {self.command}` again")
        return found

    def config_in(self, run: Path) -> C:
        """With what it was run in a run's folder.

        Raises:
            UserError: it was not run there, or that is not known.
        """
        found = self.recorded(run)
        if found is None:
            raise UserError(f"{run} holds no trained {self.title}; run `infant-arm {self.command} --run {run}` first")
        return found

    def identity(self, config: C, data: Dataset) -> Identity:
        """What the result depends on."""
        seen = {"preprocessing": vision.VERSION} if self.sees else {}
        return {"config": runs.settings(config), "dataset": data.fingerprint, **seen, **self._given(config.run)}

    def _given(self, run: Path) -> dict[str, str]:
        """The content of the files that it begins with."""
        for stage in self.needs:
            if not (run / stage.file).exists():
                raise UserError(
                    f"{run} holds no {stage.file}, expected a trained {stage.title}; train it first: "
                    f"`infant-arm {stage.command} --run {run}`"
                )
        return {stage.kind: checkpoints.content_hash(run / stage.file) for stage in self.needs}

    def trained(self, run: Path, data: Dataset, device: torch.device) -> M:
        """What it made in a run's folder.

        Raises:
            UserError: it is missing, damaged, or was trained on other files than lie beside it.
        """
        found, given = self._found(run), self._given(run)
        for stage in self.needs:
            if found.get(stage.kind) != given[stage.kind]:
                raise UserError(
                    f"{run / self.file} was trained on another {stage.title} than lies in {run}; run "
                    f"`infant-arm {self.command}` again, or delete it"
                )
        return self.load(run, data, device)

    def _found(self, run: Path) -> Mapping[str, Any]:
        return self.header(run) if self.header else checkpoints.read_header(run / self.file, self.kind)

    def _there(self, run: Path, identity: Identity, data: Dataset, device: torch.device) -> M | None:
        """What an equal training made; None when there is none, or it or its report is damaged."""
        try:
            equal = (run / self.file).exists() and matches(identity, self._found(run))
            return self.load(run, data, device) if equal and not runs.is_damaged(run, self.command) else None
        except DamagedFileError:
            return None

    def _is_recorded(self, run: Path) -> bool:
        try:
            return runs.recorded(run, self.name, self.config) is not None
        except DamagedFileError:
            return False

    def _check_alone(self, here: Place) -> None:
        if here.count > 1 and not self.shared:
            raise UserError(f"got {here.count} processes, expected one: {self.command} does not share its work")


def matches(identity: Identity, header: Mapping[str, Any]) -> bool:
    """Whether a checkpoint with this header is of an equal training; it may have had further settings in former versions."""
    settings, others = identity.get("config", {}), {key: value for key, value in identity.items() if key != "config"}
    return settings.items() <= header.get("config", {}).items() and others.items() <= header.items()
