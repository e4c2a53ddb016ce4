"""Small recordings of a drawn arm of two joints, as users have them: pictures, videos, LeRobot data sets, Minari data sets."""

import json
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

NAMES = "shoulder", "elbow"
LOSSLESS = {"codec": "libx264rgb", "output_params": ["-crf", "0"], "pixelformat": "rgb24", "macro_block_size": 2}
ROOM = np.broadcast_to(np.linspace(60, 160, 60).astype(np.uint8)[:, None], (36, 60, 3))
_PIXELS = np.stack(np.meshgrid(np.linspace(-1, 1, 60), np.linspace(0.9, -0.3, 36)), -1)


def poses(count: int, seed: int = 0) -> NDArray[np.float64]:
    """Random poses, (count, 2), rad."""
    return np.random.default_rng(seed).uniform([-1.2, 0.1], [1.2, 1.6], (count, 2)).round(6)


def hands(joints: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where the hand is, (N, 3), m."""
    return _places(joints)[:, 2]


def frames(joints: NDArray[np.float64]) -> NDArray[np.uint8]:
    """What the camera sees, (N, 36, 60, 3)."""
    drawn = np.repeat(ROOM[None], len(joints), 0)
    for frame, places in zip(drawn, _places(joints)[..., :2], strict=True):
        for start, end, value in zip(places, places[1:], (230, 15), strict=False):
            along = np.clip((_PIXELS - start) @ (end - start) / ((end - start) ** 2).sum(), 0, 1)
            frame[np.linalg.norm(_PIXELS - start - along[..., None] * (end - start), axis=-1) < 0.08] = value
    return drawn


def _places(joints: NDArray[np.float64]) -> NDArray[np.float64]:
    turned = np.cumsum(joints, 1)
    steps = np.stack([np.sin(turned), np.cos(turned), 0 * turned], -1) * np.array([0.45, 0.3])[:, None]
    return np.concatenate([np.zeros((len(joints), 1, 3)), np.cumsum(steps, 1)], 1)


def write_csv(path: Path, columns: dict[str, Any]) -> Path:
    """A table with a header."""
    rows = zip(*columns.values(), strict=True)
    path.write_text("\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)]) + "\n")
    return path


def write_pictures(folder: Path, joints: NDArray[np.float64]) -> Path:
    """A folder with `frame-0.png`, ... and `joints.csv`."""
    folder.mkdir(parents=True)
    for k, frame in enumerate(frames(joints)):
        iio.imwrite(folder / f"frame-{k}.png", frame)
    places = dict(zip("xyz", hands(joints).T, strict=True))
    write_csv(folder / "joints.csv", dict(zip(NAMES, joints.T, strict=True)) | places)
    return folder


def write_video(path: Path, joints: NDArray[np.float64]) -> Path:
    """A video that loses nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    iio.imwrite(path, frames(joints), plugin="FFMPEG", fps=10, **LOSSLESS)
    return path


CAMERA = "observation.images.top"


def write_lerobot(folder: Path, joints: NDArray[np.float64], lengths: list[int], version: str) -> Path:
    """A LeRobot data set with a video, by the layout that LeRobot documents for this version."""
    v3 = version.startswith("v3")
    episodes = np.arange(len(lengths)).repeat(lengths)
    numbers = np.concatenate([np.arange(length) for length in lengths])
    table = pa.table(
        {
            "observation.state": pa.array(list(joints.astype(np.float32)), pa.list_(pa.float32(), 2)),
            "timestamp": pa.array((numbers / 10).astype(np.float32)),
            "frame_index": numbers,
            "episode_index": episodes,
            "index": np.arange(len(joints)),
            "task_index": np.zeros(len(joints), int),
        }
    )
    starts = np.cumsum([0, *lengths])
    videos, data = (folder / name for name in ("videos", "data"))
    told = [{"episode_index": k, "tasks": ["wave"], "length": length} for k, length in enumerate(lengths)]
    (folder / "meta").mkdir(parents=True)
    if v3:
        _parquet(data / "chunk-000" / "file-000.parquet", table)
        write_video(videos / CAMERA / "chunk-000" / "file-000.mp4", joints)
        for k, row in enumerate(told):
            row |= {"data/chunk_index": 0, "data/file_index": 0}
            row |= {f"videos/{CAMERA}/chunk_index": 0, f"videos/{CAMERA}/file_index": 0}
            row |= {
                f"videos/{CAMERA}/from_timestamp": starts[k] / 10,
                f"videos/{CAMERA}/to_timestamp": starts[k + 1] / 10,
            }
        _parquet(folder / "meta" / "episodes" / "chunk-000" / "file-000.parquet", pa.Table.from_pylist(told))
    else:
        for k, length in enumerate(lengths):
            _parquet(data / "chunk-000" / f"episode_{k:06d}.parquet", table.slice(starts[k], length))
            write_video(videos / "chunk-000" / CAMERA / f"episode_{k:06d}.mp4", joints[starts[k] : starts[k + 1]])
        (folder / "meta" / "episodes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in told))
    names = {"motors": list(NAMES)}
    info = {
        "codebase_version": version,
        "fps": 10,
        "chunks_size": 1000,
        "total_episodes": len(lengths),
        "total_frames": len(joints),
        "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
        if v3
        else "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
        "video_path": "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
        if v3
        else "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4",
        "features": {
            CAMERA: {"dtype": "video", "shape": [36, 60, 3], "names": ["height", "width", "channels"]},
            "observation.state": {"dtype": "float32", "shape": [2], "names": names},
            **{
                name: {"dtype": "int64", "shape": [1], "names": None}
                for name in ("frame_index", "episode_index", "index")
            },
        },
    }
    (folder / "meta" / "info.json").write_text(json.dumps(info))
    return folder


def _parquet(path: Path, table: pa.Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)
