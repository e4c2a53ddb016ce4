"""The skeleton of every training command: check whether the result exists, record, fit, report, save, clean up."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import torch

from agents.tools import checkpoints, json_files
from agents.tools.files import DamagedFileError
from infant_env.errors import UserError
from infant_env.senses import vision

from ..data.dataset import Dataset
from ..data.recipe.recipe import Recipe
from ..runs import folder as runs
from ..runs.config import DataConfig, StageConfig, command_line
from ..runs.device import threads
from ..runs.distributed import Place, place
from ..runs.in_turn import turn
from ..runs.metrics import Metrics
from . import foreign

C = TypeVar("C", bound=StageConfig)
M = TypeVar("M")
BEFORE = "before"
"""Metadata of a setting: what version 0.1 did where nothing was said, if that is not today's default."""
Identity = dict[str, Any]
"""All that a stage's result depends on, as JSON: its settings, the data set, and the content of the files that it needs."""


class Usual(NamedTuple):
    """The default of a setting."""

    today: Any
    before: Any
    """In version 0.1, also of settings that it did not have."""


class Saved(Protocol):
    """A model with a checkpoint."""

    def save(self, path: Path, header: Mapping[str, Any], /) -> None:
        """Writes the checkpoint, completely or not at all."""


@dataclass(frozen=True)
class Work(Generic[C]):
    """One run of a stage."""

    config: C
    data: Dataset
    here: Place
    """This process's place among those that train together."""
    identity: Identity
    path: Path
    """The file that the stage makes."""
    report: dict[str, Any] = field(default_factory=dict)
    """The report for `metrics.json`, when the training is done."""

    @property
    def header(self) -> dict[str, Any]:
        """The header of the file: all that it depends on, and the report, without times."""
        return {**self.identity, checkpoints.REPORT: _without_times(self.report)}

    @property
    def device(self) -> torch.device:
        """The device of this process."""
        return self.here.device

    @property
    def checkpoint(self) -> Path:
        """The checkpoint of an unfinished training; removed at the end."""
        return self.path.with_suffix(".training.safetensors")


def save(work: Work[Any], made: Saved) -> None:
    """Saves a model with its header."""
    made.save(work.path, work.header)


@dataclass(frozen=True)
class Stage(Generic[C, M]):
    """A command that makes one file of a run."""

    command: str
    """The command on the command line."""
    title: str
    """The name of the result in messages."""
    file: str
    """The file that it makes in the run's folder."""
    kind: str
    """The kind of checkpoint; stages that need it record its content under this name."""
    config: type[C]
    fit: Callable[[Work[C]], tuple[M, Metrics]]
    """Trains; returns the model and its report for `metrics.json`."""
    load: Callable[[Path, Dataset, torch.device], M]
    """Reads the model from a run's folder."""
    save: Callable[[Work[C], Any], None] = save
    """Saves the model; `file` comes last, because it marks that the stage is done."""
    needs: tuple["Stage[Any, Any]", ...] = ()
    """The stages whose files it reads; they must run before."""
    sees: bool = True
    """Whether it reads the pictures: then the result depends on their preprocessing."""
    moving_eye: bool = False
    """Whether it can learn from an eye that moves."""
    learns_hand: bool = False
    """Whether it learns where the hand is; a recording may not know it."""
    shared: bool = False
    """Whether several processes of `torchrun` can share the work."""
    header: Callable[[Path], Mapping[str, Any]] | None = None
    """Reads from a run's folder what the file depends on; by default the checkpoint's header."""

    @property
    def name(self) -> str:
        """Its name in `config.json` and in the table of costs."""
        return self.command.replace(" ", "-")

    def learns_from(self, recipe: Recipe) -> bool:
        """Whether it can learn from data of this recipe: not all learn without the hand's places, or from an eye that moves."""
        return (recipe.knows_hand or not self.learns_hand) and (recipe.gaze == "held" or self.moving_eye)

    def run(self, config: C) -> M:
        """Makes the model, unless an equal one lies in the run's folder already; after a kill it goes on.

        Raises:
            UserError: a file that it needs is missing or damaged.
        """
        data = Dataset.open(config.data if isinstance(config, DataConfig) else runs.data_of(config.run))
        self._check_eye(data)
        self._check_needs(config.run)
        with place(config.device) as here, self._turn(config.run, here):
            identity, path = self.identity(config, data), config.run / self.file
            work = Work(config, data, here, identity, path)
            existing = self._existing(config.run, identity, data, here.device)
            done = config if existing is None else self._as_trained(config)
            if here.first and (existing is None or not self._is_recorded(done)):
                runs.record_config(config.run, self.name, done)
            if existing is not None:
                if here.first:
                    self._remove_finished(work)
                    self.restore_report(config.run)
                print(f"{self.title}: {path} is there already")
                return existing
            with runs.timed(config.run, self.name, here.first), threads(config.threads):
                made, report = self.fit(work)
                if here.first:
                    self.save(replace(work, report=json_files.plain(report)), made)
                    runs.record(config.run, report)
                    work.checkpoint.unlink(missing_ok=True)
            here.wait()
        return made

    def _as_trained(self, config: C) -> C:
        """The config with the settings of version 0.1 with which the equal model in its run's folder was trained."""
        wrote, usual = self._found(config.run).get("config", {}), usual_of(self.config)
        old = {name: wrote[name] for name, each in usual.items() if each.today != each.before and name in wrote}
        return replace(config, **old)

    @contextmanager
    def _turn(self, run: Path, here: Place) -> Iterator[None]:
        """Waits until no other training makes this file in this folder."""
        if here.count > 1 and not self.shared:
            raise UserError(f"got {here.count} processes, expected one: {self.command} does not share its work")
        with turn(run, self.name, f"trains the {self.title}") if here.first else nullcontext():
            here.wait()
            yield

    def recorded(self, run: Path) -> C | None:
        """The config of its run in a folder, from `config.json` or from the file that it made; None if it was not run.

        Raises:
            DamagedFileError: both are needed and damaged.
        """
        found = runs.recorded(run, self.name, self.config)
        if found is None and (run / self.file).exists():
            where = {"run": str(run), "data": runs.path_of_data(run)}
            known = {**self._found(run).get("config", {}), **where}
            found = json_files.fit(known, self.config, run / self.file, "train it again")
        return found

    def config_in(self, run: Path) -> C:
        """The config of its run in a folder.

        Raises:
            UserError: it was not run there, or the config is unknown.
        """
        found = self.recorded(run)
        if found is None:
            raise UserError(f"{run} holds no trained {self.title}; run `{self.line(run)}` first")
        return found

    def line(self, run: Path) -> str:
        """The command line that makes its file again, with the settings of the last training as far as they are known."""
        try:
            found = self.recorded(run)
        except UserError:
            found = None
        usual = {field.name: field.default for field in dataclasses.fields(self.config)}
        told = {name: value for name, value in runs.as_json(found).items() if value != usual[name]} if found else {}
        where = {"data": runs.path_of_data(run)} if "data" in usual else {}
        return command_line(self.command, {**told, **where, "run": str(run)})

    def restore_report(self, run: Path) -> None:
        """Writes the report of the training to `metrics.json` again, from the header of its file, if it is lost there."""
        report = self._found(run).get(checkpoints.REPORT) if (run / self.file).exists() else None
        if report and not runs.holds(run, report):
            runs.record(run, json_files.fit(report, Metrics, run / self.file, "train it again"))

    def identity(self, config: C, data: Dataset) -> Identity:
        """All that the result depends on."""
        seen = {"preprocessing": vision.VERSION} if self.sees else {}
        return {"config": runs.settings(config), "dataset": data.fingerprint, **seen, **self._given(config.run)}

    def _check_eye(self, data: Dataset) -> None:
        if not self.moving_eye:
            data.check_held_gaze(f"the {self.title}")

    def _check_needs(self, run: Path) -> None:
        for stage in self.needs:
            if not (run / stage.file).exists():
                raise DamagedFileError(
                    f"{run} holds no {stage.file}, expected a trained {stage.title}; train it first", run / stage.file
                )

    def _given(self, run: Path) -> dict[str, str]:
        """The content hashes of the files that it needs."""
        self._check_needs(run)
        return {stage.kind: checkpoints.content_hash(run / stage.file) for stage in self.needs}

    def trained(self, run: Path, data: Dataset, device: torch.device) -> M:
        """The model in a run's folder.

        Raises:
            UserError: see `check`; or the model is damaged.
        """
        self.check(run, data)
        return self.load(run, data, device)

    def check(self, run: Path, data: Dataset) -> None:
        """Checks that its file and all files that it needs were trained on this data set, on each other, and as recorded.

        Raises:
            DamagedFileError: a file is missing or damaged, or belongs to another run.
        """
        self._check_eye(data)
        for stage in self.needs:
            stage.check(run, data)
        found, given = self._found(run), self._given(run)
        if found.get("dataset", data.fingerprint) != data.fingerprint:
            raise foreign.other_data(run / self.file, data)
        other = next((stage.title for stage in self.needs if found.get(stage.kind) != given[stage.kind]), None)
        if other:
            told = f"{run / self.file} was trained on another {other} than the one in {run}; train it again"
            raise DamagedFileError(told, run / self.file)
        foreign.check_settings(run / self.file, self.name)

    def _found(self, run: Path) -> Mapping[str, Any]:
        return self.header(run) if self.header else checkpoints.read_header(run / self.file, self.kind)

    def _existing(self, run: Path, identity: Identity, data: Dataset, device: torch.device) -> M | None:
        """The model of an equal training; None if there is none, or if it or its report is damaged."""
        try:
            equal = (run / self.file).exists() and matches(identity, self._found(run), usual_of(self.config))
            return self.load(run, data, device) if equal and not runs.is_damaged(run, self.command) else None
        except DamagedFileError:
            return None

    def _remove_finished(self, work: Work[C]) -> None:
        """Removes the training's own checkpoint, if a kill came between its end and the removal; keeps those of others."""
        try:
            if matches(work.identity, checkpoints.read_header(work.checkpoint, f"{self.kind} training")):
                work.checkpoint.unlink()
        except UserError:
            pass  # there is none, or it is damaged

    def _is_recorded(self, config: C) -> bool:
        try:
            found = runs.recorded(config.run, self.name, self.config)
        except DamagedFileError:
            return False
        return found is not None and runs.settings(found) == runs.settings(config)


def usual_of(config: type[Any]) -> dict[str, Usual]:
    """The defaults of a Config's settings, today and in version 0.1, as JSON."""
    fields = dataclasses.fields(config)
    usual = {each.name: list(each.default) if isinstance(each.default, tuple) else each.default for each in fields}
    return {each.name: Usual(usual[each.name], each.metadata.get(BEFORE, usual[each.name])) for each in fields}


def matches(identity: Identity, header: Mapping[str, Any], usual: Mapping[str, Usual] = MappingProxyType({})) -> bool:
    """Whether an equal training wrote a checkpoint with this header.

    Args:
        identity: all that the training depends on.
        header: the header. Older versions may have had further settings.
        usual: defaults of the settings. Version 0.1 had others: what it made with its own counts as made with today's.
    """
    settings, others = identity.get("config", {}), {key: value for key, value in identity.items() if key != "config"}
    wrote, defaults = header.get("config", {}), {name: (value.today, value.before) for name, value in usual.items()}

    def equal(name: str, value: Any) -> bool:
        today, before = defaults.get(name, (..., ...))
        found = wrote.get(name, before)
        return bool(found == value or (value == today and found == before))

    return all(equal(name, value) for name, value in settings.items()) and others.items() <= header.items()


def _without_times(report: Any) -> Any:
    """The same JSON without the entries `seconds`: equal trainings have equal files."""
    if isinstance(report, dict):
        return {name: _without_times(value) for name, value in report.items() if name != "seconds"}
    return [_without_times(each) for each in report] if isinstance(report, list) else report
