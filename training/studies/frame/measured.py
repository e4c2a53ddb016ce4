"""Measures the seeds of a study one after the other; each finished one is kept, so that a kill loses at most one."""

from pathlib import Path

from msgspec import Struct
from tqdm import tqdm

from agents.mind.imagination import CALIBRATION
from agents.tools import checkpoints, json_files
from agents.tools.files import DamagedFileError, checksum, write_json

from ...data.dataset import Dataset
from ...data.latents import LATENTS, LATENTS_LEFT
from ...runs import folder as runs
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
    key, folder, found = key_of(config), folder_of(study, config) / "seeds", Rows()
    measure = None
    for seed in tqdm(config.all_seeds(), desc=study.name, unit="seed"):
        path = folder / f"{seed}.json"
        rows = _kept(path, key)
        if rows is None:
            measure = measure or study.prepare(config)
            write_json(path, {"key": key, "rows": json_files.plain([dict(row) for row in measure(seed)])})
            rows = _kept(path, key)
        assert rows is not None
        found += of_seed(seed, rows)
    return found


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
    models = {file.name: checkpoints.file_hash(file) for file in files if file.name not in (LATENTS, LATENTS_LEFT)}
    data = Dataset.open(runs.data_of(config.run)).fingerprint
    return checksum({"settings": settings, "models": models, "data": data})
