"""Exports a data set in LeRobot's layout, version 3.0: joints and pictures (PNG, lossless) in Parquet files.

The layout is the one that https://github.com/huggingface/lerobot documents; lerobot itself is not needed.
"""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from agents.tools.files import replacing

from ...data.dataset import Dataset
from ..sources.source import library
from .episodes import AT_ONCE, episodes_of, states_of, unfinished

EYE = "observation.images.eye"
_STATES = {"joints": "observation.state", "hand_position": "observation.hand_position"}
_COUNTED = {
    "timestamp": "float32",
    "frame_index": "int64",
    "episode_index": "int64",
    "index": "int64",
    "task_index": "int64",
}
_PER_FILE, _PER_FOLDER = 500, 1000  # samples in a file, unless an episode is longer; files in a folder
_QUANTILES = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}
_PATH = "chunk-{chunk_index:03d}/file-{file_index:03d}"


def export(data: Dataset, target: Path, fps: int, task: str) -> None:
    """Writes a LeRobot data set; it has its name only when it is complete.

    Args:
        data: the data set.
        target: the folder.
        fps: frames per second that the data set tells; poses that were drawn one by one have no times.
        task: what the arm does, in words.
    """
    episodes = episodes_of(data)
    files = _packed(episodes)
    with unfinished(target, data, json.dumps(["lerobot", fps, task])) as folder:
        with tqdm(total=len(data), desc="export", unit="frame") as bar:
            for number, own in enumerate(files):
                path = folder / "data" / _place(number)
                if not path.exists():
                    _write_data(path, data, {k: episodes[k] for k in own}, fps)
                bar.update(sum(len(episodes[k]) for k in own))
        _write_episodes(folder, data, episodes, files, task)
        _write_tasks(folder, task)
        _write_text(folder / "meta" / "stats.json", _stats_of_all(data, fps, episodes))
        _write_text(folder / "meta" / "info.json", _info(data, len(episodes), fps))


def _info(data: Dataset, episodes: int, fps: int) -> dict[str, Any]:
    rows, columns = data.eye_size
    vectors = {
        _STATES[name]: {"dtype": "float32", "shape": [values.shape[1]], "names": names}
        for name, (values, names) in states_of(data).items()
    }
    counted = {name: {"dtype": dtype, "shape": [1], "names": None} for name, dtype in _COUNTED.items()}
    eye = {"dtype": "image", "shape": [rows, columns, 3], "names": ["height", "width", "channels"]}
    return {
        "codebase_version": "v3.0",
        "robot_type": None,
        "total_episodes": episodes,
        "total_frames": len(data),
        "total_tasks": 1,
        "chunks_size": _PER_FOLDER,
        "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 200,
        "fps": fps,
        "splits": {"train": f"0:{episodes}"},
        "data_path": f"data/{_PATH}.parquet",
        "video_path": None,
        "features": {EYE: eye, **vectors, **counted},
    }


def _packed(episodes: list[NDArray[np.int64]]) -> list[list[int]]:
    """The numbers of the episodes in each file."""
    files: list[list[int]] = []
    held = _PER_FILE
    for number, samples in enumerate(episodes):
        if held + len(samples) > _PER_FILE:
            files.append([])
            held = 0
        files[-1].append(number)
        held += len(samples)
    return files


def _place(file: int) -> str:
    chunk, index = divmod(file, _PER_FOLDER)
    return f"{_PATH.format(chunk_index=chunk, file_index=index)}.parquet"


def _write_data(path: Path, data: Dataset, episodes: dict[int, NDArray[np.int64]], fps: int) -> None:
    parquet = library("pyarrow.parquet", "an export for LeRobot")
    tables = (table for number, samples in episodes.items() for table in _tables(data, number, samples, fps))
    first = next(tables)
    with replacing(path, ".parquet") as temporary, parquet.ParquetWriter(temporary, first.schema) as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table)


def _tables(data: Dataset, number: int, samples: NDArray[np.int64], fps: int) -> Iterator[Any]:
    """The rows of an episode, some at a time."""
    arrow = library("pyarrow", "an export for LeRobot")
    picture = arrow.struct([("bytes", arrow.binary()), ("path", arrow.string())])
    for start in range(0, len(samples), AT_ONCE):
        part = samples[start : start + AT_ONCE]
        frames = [{"bytes": _png(f), "path": f"frame-{start + k:06d}.png"} for k, f in enumerate(data.eye(part))]
        columns = {EYE: arrow.array(frames, picture)}
        for name, (values, _) in states_of(data).items():
            kind = arrow.list_(arrow.float32(), values.shape[1])
            columns[_STATES[name]] = arrow.array(list(values[part]), kind)
        columns |= {n: arrow.array(v) for n, v in _counted(number, samples, fps, slice(start, start + AT_ONCE)).items()}
        yield arrow.table(columns)


def _counted(number: int, samples: NDArray[np.int64], fps: int, part: slice = slice(None)) -> dict[str, NDArray[Any]]:
    """The columns that count: times, frames and episodes of one episode."""
    frames = np.arange(len(samples))[part]
    columns = {"timestamp": frames / fps, "frame_index": frames, "episode_index": np.full(len(frames), number)}
    columns |= {"index": samples[part], "task_index": np.zeros(len(frames))}
    return {name: columns[name].astype(dtype) for name, dtype in _COUNTED.items()}


def _png(frame: NDArray[np.uint8]) -> bytes:
    content = io.BytesIO()
    Image.fromarray(frame).save(content, "PNG")
    return content.getvalue()


def _write_episodes(
    folder: Path, data: Dataset, episodes: list[NDArray[np.int64]], files: list[list[int]], task: str
) -> None:
    """`meta/episodes`: where each episode lies, and its statistics."""
    arrow, parquet = library("pyarrow", "an export"), library("pyarrow.parquet", "an export for LeRobot")
    file_of = {number: divmod(file, _PER_FOLDER) for file, own in enumerate(files) for number in own}
    rows = []
    for number, samples in enumerate(episodes):
        chunk, file = file_of[number]
        row = {"episode_index": number, "tasks": [task], "length": len(samples)}
        row |= {"data/chunk_index": chunk, "data/file_index": file}
        row |= {"dataset_from_index": int(samples[0]), "dataset_to_index": int(samples[-1]) + 1}
        for name, (values, _) in states_of(data).items():
            row |= {f"stats/{_STATES[name]}/{key}": value for key, value in _stats(values[samples]).items()}
        rows.append(row | {"meta/episodes/chunk_index": 0, "meta/episodes/file_index": 0})
    with replacing(folder / "meta" / "episodes" / _place(0), ".parquet") as temporary:
        parquet.write_table(arrow.Table.from_pylist(rows), temporary)


def _write_tasks(folder: Path, task: str) -> None:
    """`meta/tasks.parquet`; its metadata tell pandas that the task is the index."""
    arrow, parquet = library("pyarrow", "an export"), library("pyarrow.parquet", "an export for LeRobot")

    def column(name: str | None, kind: str, numpy_type: str, more: Any = None) -> dict[str, Any]:
        return {"name": name, "field_name": name, "pandas_type": kind, "numpy_type": numpy_type, "metadata": more}

    told = {
        "index_columns": ["task"],
        "column_indexes": [column(None, "unicode", "object", {"encoding": "UTF-8"})],
        "columns": [column("task_index", "int64", "int64"), column("task", "unicode", "object")],
        "pandas_version": "2.2.0",
    }
    table = arrow.table({"task_index": [0], "task": [task]}).replace_schema_metadata({"pandas": json.dumps(told)})
    with replacing(folder / "meta" / "tasks.parquet", ".parquet") as temporary:
        parquet.write_table(table, temporary)


def _stats_of_all(data: Dataset, fps: int, episodes: list[NDArray[np.int64]]) -> dict[str, Any]:
    """Statistics of each feature; of the pictures those of 100 frames, by color, in [0, 1]."""
    some = data.eye(np.linspace(0, len(data) - 1, min(len(data), AT_ONCE)).astype(int)) / 255
    seen = {key: [[[v]] for v in value] for key, value in _stats(some.reshape(-1, 3)).items() if key != "count"}
    counted = [_counted(number, samples, fps) for number, samples in enumerate(episodes)]
    columns = {name: np.concatenate([each[name] for each in counted])[:, None] for name in _COUNTED}
    vectors = {_STATES[name]: values for name, (values, _) in states_of(data).items()} | columns
    return {EYE: seen | {"count": [len(some)]}} | {name: _stats(values) for name, values in vectors.items()}


def _stats(values: NDArray[Any]) -> dict[str, list[Any]]:
    """Statistics of numbers (n, D), each (D,)."""
    found = {"min": values.min(0), "max": values.max(0), "mean": values.mean(0), "std": values.std(0)}
    found |= {name: np.quantile(values, share, axis=0) for name, share in _QUANTILES.items()}
    return {name: value.tolist() for name, value in found.items()} | {"count": [len(values)]}


def _write_text(path: Path, content: dict[str, Any]) -> None:
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=4))
