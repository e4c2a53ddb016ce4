"""A LeRobot data set of version 2 or 3: Parquet files with the joints, and videos or pictures in Parquet.

The layout is the one that https://github.com/huggingface/lerobot documents; lerobot itself is not needed.
"""

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray
from PIL import Image

from infant_env.errors import UserError
from infant_env.given import shown

from .source import Floats, Frame, Key, Source, digest_of, found, joined, library
from .tables import numbers_of
from .videos import frames_of

INFO = "meta/info.json"


class _Feature(Struct):
    """A column, or a camera."""

    dtype: str
    names: Any = None


class _Info(Struct):
    """What is read of `meta/info.json`."""

    codebase_version: str
    fps: Annotated[float, Meta(gt=0)]
    features: dict[str, _Feature]
    data_path: str
    video_path: str | None = None
    chunks_size: Annotated[int, Meta(ge=1)] = 1000


_SEEN = "video", "image"  # what cameras see, by the way it is stored
_AT_ONCE = 64  # rows of pictures that are read together


def lerobot_source(folder: Path, eye: str | None, joints: Sequence[str], hand: Sequence[str]) -> Source:
    """A LeRobot data set as a source.

    Args:
        folder: its folder, which holds `meta`, `data` and `videos`.
        eye: the feature of the camera; None: the only one.
        joints: features of the joints, or parts of them, such as `observation.state[0:5]`.
        hand: features with the hand's position, three numbers together; or none.

    Raises:
        UserError: it is no such data set, a feature or a file is missing, or its frames have gaps.
    """
    layout = _Layout(folder)
    camera = layout.camera(eye)
    angles, names = joined(joints, lambda key: layout.vectors(key, "--joints"))
    hands = joined(hand, lambda key: layout.vectors(key, "--hand"))[0] if hand else None
    files: list[bytes | Path] = [folder / INFO, *layout.data_files]
    if layout.info.features[camera].dtype == "video":
        places = layout.places(camera)
        files += dict.fromkeys(path for path, _ in places)
        _check_there(dict.fromkeys(path for path, _ in places))

        def frames(rows: NDArray[np.int64]) -> Iterator[Frame]:
            return frames_of([places[row] for row in rows])
    else:

        def frames(rows: NDArray[np.int64]) -> Iterator[Frame]:
            return layout.pictures(camera, rows)

    told = repr((camera, list(joints), list(hand))).encode()
    return Source(camera, names, angles, hands, layout.episodes, digest_of([told, *files]), frames)


@dataclass(frozen=True)
class _Layout:
    """The files of one data set."""

    folder: Path

    @cached_property
    def info(self) -> _Info:
        """The content of `meta/info.json`."""
        path = self.folder / INFO
        try:
            info = msgspec.json.decode(path.read_bytes(), type=_Info)
        except FileNotFoundError:
            raise UserError(f"{self.folder} holds no {INFO}, expected the folder of a LeRobot data set") from None
        except ValueError as error:
            raise UserError(f"{path} is damaged or of another format ({error})") from None
        if not info.codebase_version.startswith(("v2.", "v3.")):
            told = f"{path} has the version {info.codebase_version!r}, expected v2.0, v2.1 or v3.0"
            raise UserError(f"{told}; convert it with lerobot")
        return info

    @property
    def is_v3(self) -> bool:
        return self.info.codebase_version.startswith("v3.")

    def camera(self, eye: str | None) -> str:
        """The feature of the camera."""
        cameras = {name: f for name, f in self.info.features.items() if f.dtype in _SEEN}
        if eye is None and len(cameras) != 1:
            raise UserError(f"{self.folder} has the cameras {shown(list(cameras))}, expected one of them as --eye")
        name = eye or next(iter(cameras))
        found(name, cameras, "--eye", self.folder)
        return name

    @cached_property
    def data_files(self) -> list[Path]:
        """The Parquet files of the data, in the order of their frames."""
        if self.is_v3:
            files = sorted((self.folder / "data").glob("*/*.parquet"))
        else:
            files = [self._of_episode(self.info.data_path, one) for one in self._told_episodes]
        _check_there(files or [self.folder / "data"])
        return files

    @cached_property
    def _told_episodes(self) -> dict[int, dict[str, Any]]:
        """What `meta` tells of each episode, by its number."""
        if self.is_v3:
            files = sorted((self.folder / "meta" / "episodes").glob("*/*.parquet"))
            _check_there(files or [self.folder / "meta" / "episodes"])
            rows = [row for path in files for row in _table(path, None).to_pylist()]
        else:
            path = self.folder / "meta" / "episodes.jsonl"
            _check_there([path])
            try:
                rows = [json.loads(line) for line in path.read_text().splitlines() if line]
            except ValueError as error:
                raise UserError(f"{path} is damaged ({error})") from None
        if not all(isinstance(row, dict) and isinstance(row.get("episode_index"), int) for row in rows):
            raise UserError(f"{self.folder / 'meta'} has an episode without an episode_index, expected one for each")
        return {row["episode_index"]: row for row in rows}

    def _of_episode(self, template: str, episode: int, **more: str) -> Path:
        """The path of a file of version 2, from its template in `meta/info.json`."""
        return self._path(template, episode_chunk=episode // self.info.chunks_size, episode_index=episode, **more)

    def _path(self, template: str, **parts: Any) -> Path:
        try:
            return self.folder / template.format(**parts)
        except (LookupError, ValueError, TypeError):
            raise UserError(
                f"{self.folder / INFO} has the path {template!r}, expected one with {list(parts)}"
            ) from None

    @cached_property
    def _columns(self) -> dict[str, list[Any]]:
        """The columns without pictures, of all frames."""
        names = [name for name, f in self.info.features.items() if f.dtype not in _SEEN]
        tables = [_table(path, names).to_pydict() for path in self.data_files]
        return {name: [value for each in tables for value in each.get(name, [])] for name in names}

    def vectors(self, key: Key, option: str) -> tuple[Floats, list[str] | None]:
        """The numbers of a feature, (N, D), and their names."""
        column = found(key.name, self._columns, option, self.folder)
        values = numbers_of(column, key.name, self.folder)
        if len(values) != len(self.episodes):
            raise UserError(f"{self.folder} has {len(values)} values of {key.name} and {len(self.episodes)} frames")
        return values, _names(self.info.features[key.name].names, values[0].size)

    @cached_property
    def episodes(self) -> NDArray[np.int64]:
        """The number of the episode of each frame, (N,); checks that no frame is missing."""
        missing = next((n for n in ("episode_index", "frame_index") if not self._columns.get(n)), None)
        if missing:
            raise UserError(f"{self.folder} has no column {missing}, expected the columns of a LeRobot data set")
        episodes, numbers = (np.array(self._columns[name], np.int64) for name in ("episode_index", "frame_index"))
        unknown = set(episodes.tolist()) - set(self._told_episodes)
        if unknown:
            raise UserError(f"{self.folder} has frames of episode {min(unknown)}, which its meta does not tell of")
        for episode, told in self._told_episodes.items():
            own, length = numbers[episodes == episode], told.get("length")
            if length is not None and len(own) != length:
                raise UserError(
                    f"episode {episode} of {self.folder} has {len(own)} frames, expected {length} as meta tells"
                )
            gap = np.flatnonzero(own != np.arange(len(own)))
            if len(gap):
                raise UserError(f"episode {episode} of {self.folder} lacks frame {gap[0]}, expected all from 0 on")
        if not len(episodes):
            raise UserError(f"{self.folder} has no frames")
        return episodes

    def places(self, camera: str) -> list[tuple[Path, int]]:
        """The video, and the number in it, of each frame."""
        template = self.info.video_path or ""
        starts: dict[int, tuple[Path, int]] = {}
        for episode in np.unique(self.episodes).tolist():
            if not self.is_v3:
                starts[episode] = self._of_episode(template, episode, video_key=camera), 0
                continue
            names = (f"videos/{camera}/{name}" for name in ("chunk_index", "file_index", "from_timestamp"))
            chunk, file, first = (found(name, self._told_episodes[episode], "--eye", self.folder) for name in names)
            path = self._path(template, video_key=camera, chunk_index=chunk, file_index=file)
            starts[episode] = path, round(first * self.info.fps)
        numbers = self._columns["frame_index"]
        firsts = (starts[episode] for episode in self.episodes.tolist())
        return [(path, first + number) for (path, first), number in zip(firsts, numbers, strict=True)]

    def pictures(self, camera: str, rows: NDArray[np.int64]) -> Iterator[Frame]:
        """Some frames that lie as pictures in the Parquet files."""
        wanted, at = set(rows.tolist()), 0
        parquet = library("pyarrow.parquet", "a LeRobot data set")
        for path in self.data_files:
            with parquet.ParquetFile(path) as file:
                if at + file.metadata.num_rows > rows[0]:
                    for batch in file.iter_batches(_AT_ONCE, columns=[camera]):
                        yield from (
                            _decoded(batch.column(0)[k].as_py(), self.folder, at + k)
                            for k in range(len(batch))
                            if at + k in wanted
                        )
                        at += len(batch)
                else:
                    at += file.metadata.num_rows


def _names(told: Any, count: int) -> list[str] | None:
    """Names of a vector's numbers: a list, a dictionary with one list, or a dictionary of the numbers' places by name."""
    if isinstance(told, dict) and told and isinstance(next(iter(told.values())), list):
        told = next(iter(told.values()))
    names = [str(name) for name in told or ()]
    return names if len(names) == count else None


def _decoded(cell: Any, folder: Path, row: int) -> Frame:
    try:
        content = cell["bytes"] if cell.get("bytes") else (folder / cell["path"]).read_bytes()
        with Image.open(io.BytesIO(content)) as picture:
            return np.array(picture.convert("RGB"))
    except Exception:  # Pillow raises errors of many types for damaged pictures
        raise UserError(f"{folder} has a picture in row {row + 1} that cannot be read; is it damaged?") from None


def _table(path: Path, columns: list[str] | None) -> Any:
    parquet = library("pyarrow.parquet", "a LeRobot data set")
    try:
        known = parquet.read_schema(path).names
        return parquet.read_table(path, columns=columns and [name for name in columns if name in known])
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read as a Parquet file ({error})") from None


def _check_there(paths: Any) -> None:
    missing = next((path for path in paths if not path.is_file()), None)
    if missing is not None:
        raise UserError(f"{missing} is missing, expected it in a LeRobot data set; is the download complete?")
