"""Measures the seeds of a study; each finished one is kept, so that a kill loses at most one per process."""

from dataclasses import dataclass
from pathlib import Path

from msgspec import Struct
from tqdm import tqdm

from agents.mind.imagination import CALIBRATION
from agents.tools import checkpoints, json_files
from agents.tools.files import DamagedFileError, checksum, write_json

from ...data.dataset import Dataset
from ...data.latents import latents_file
from ...measure.senses import SENSES
from ...runs import folder as runs
from ...runs.device import cluster_of
from ...runs.pool import Task, run_all
from .rows import Rows, of_seed
from .study import Study, StudyConfig

Number = int | float


class _Kept(Struct, frozen=True):
    """A finished seed's file."""

    key: str
    rows: list[dict[str, str | Number | None]]


def folder_of(study: Study, config: StudyConfig) -> Path:
    """The folder of a study in the run's."""
    return config.run / "studies" / study.name / study.part


def measured(study: Study, config: StudyConfig) -> Rows:
    """The rows of all seeds, with a progress bar; those of finished seeds with the same settings and models are read."""
    key, folder, found = key_of(config), folder_of(study, config), Rows()
    missing = tuple(seed for seed in config.all_seeds() if _kept(_path(folder, seed), key) is None)
    if missing and cluster_of(config.cluster):
        asked = {f"seed {seed}": Measurement(study, config, key, (seed,)) for seed in missing}
        tasks = [Task(name, measure, each, folder / "study.log") for name, each in asked.items()]
        run_all(tasks, config.run, 1, config.cluster)
    elif missing:
        measure(Measurement(study, config, key, missing))
    for seed in config.all_seeds():
        rows = _kept(_path(folder, seed), key)
        assert rows is not None
        found += of_seed(seed, rows)
    return found


@dataclass(frozen=True)
class Measurement:
    """Seeds of a study to measure."""

    study: Study
    config: StudyConfig
    key: str
    """What the rows depend on, see `key_of`."""
    seeds: tuple[int, ...]


def measure(asked: Measurement) -> None:
    """Measures seeds one after the other, and writes the rows of each."""
    of_one = asked.study.prepare(asked.config)
    for seed in tqdm(asked.seeds, desc=asked.study.name, unit="seed"):
        rows = json_files.plain([dict(row) for row in of_one(seed)])
        write_json(_path(folder_of(asked.study, asked.config), seed), {"key": asked.key, "rows": rows})


def _path(folder: Path, seed: int) -> Path:
    return folder / "seeds" / f"{seed}.json"


def _kept(path: Path, key: str) -> Rows | None:
    """The rows of a finished seed; a damaged file, or one of other settings or models, counts as none."""
    try:
        kept = json_files.read(path, _Kept, "it is measured again")
    except (FileNotFoundError, DamagedFileError):
        return None
    if kept.key != key:
        return None
    return Rows({name: float("nan") if value is None else value for name, value in row.items()} for row in kept.rows)


def key_of(config: StudyConfig) -> str:
    """What the rows of a seed depend on: the settings, other data sets too, the models and the poses."""
    given = runs.as_json(config)
    settings = {name: value for name, value in given.items() if name not in ("run", "device", "seed", "seeds")}
    files = {*config.run.glob("*.safetensors"), *config.run.glob(CALIBRATION)}
    caches = {latents_file(sense.name) for sense in SENSES}
    models = {file.name: checkpoints.file_hash(file) for file in files if file.name not in caches}
    data = Dataset.open(runs.data_of(config.run))
    data.check_simulated("this study")
    return checksum({"settings": settings, "models": models, "data": data.fingerprint})
