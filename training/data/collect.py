"""`infant-arm collect`: the infant babbles, a data set is written."""

import dataclasses
import errno
import multiprocessing
import multiprocessing.connection
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import imageio.v3 as iio
import numpy as np
from tqdm import tqdm

from agents.babbling import NOT_VISIBLE, PENETRATES, BabblingAgent
from agents.tools.files import remove_leftovers, replacing, write_json
from infant_env.body.model import ArmModel
from infant_env.errors import UserError
from infant_env.senses.camera import EyeCamera

from ..runs.config import check_counts
from ..runs.device import Device
from ..runs.folder import versions
from . import dataset
from .dataset import Dataset

_BYTES_PER_PIXEL = 0.8  # gzip'ed frame, its share of the cache, and some room
REASONS = (PENETRATES, NOT_VISIBLE)


@dataclass(frozen=True)
class Config:
    """Let the arm babble and write a data set."""

    out: Path
    """Folder of the data set."""
    samples: int = 20_000
    """Poses to keep (paper: 20,000)."""
    eye_size: tuple[int, int] = (300, 500)
    """Rows and columns of a picture (paper: 300x500)."""
    age_months: float = 12.0
    """Age of the infant."""
    min_arm_in_view: float = 0.01
    """A pose is kept when the arm takes this share of the pixels or more."""
    mjcf: Path | None = None
    """Another body than the infant: its MJCF file; also give --arm-joints, --eye-camera and --arm-bodies."""
    arm_joints: tuple[str, ...] = ()
    """Names of the other body's arm joints."""
    eye_camera: str = "eye"
    """Name of the other body's camera."""
    arm_bodies: tuple[str, ...] = ()
    """Names of the other body's arm bodies, the hand last."""
    shard_size: int = 250
    """Samples in one sealed file; a kill loses at most this many per worker."""
    seed: int = 0
    """Sample i depends on the seed and i alone."""
    workers: int = os.cpu_count() or 1
    """Processes that babble side by side; any number gives the same data."""
    device: Device = "auto"
    """Nothing is computed on it: rendering takes the graphics card where there is one."""

    def __post_init__(self) -> None:
        check_counts(self, "samples", "shard_size", "workers")
        if not 0 <= self.min_arm_in_view < 1:
            raise UserError(f"got min_arm_in_view={self.min_arm_in_view}, expected a share of the pixels, 0 to 1")

    def identity(self) -> dict[str, Any]:
        """What the data depend on, as JSON."""
        fields = dataclasses.asdict(self)
        for name in ("out", "workers", "device"):
            del fields[name]
        return fields | {
            "mjcf": str(self.mjcf.resolve()) if self.mjcf else None,
            "eye_size": list(self.eye_size),
            "arm_joints": list(self.arm_joints),
            "arm_bodies": list(self.arm_bodies),
        }


def run(config: Config) -> Dataset:
    """Collects what is still missing of a data set, with a progress bar; resumes where a kill stopped it."""
    prepare(config)
    remove_leftovers(config.out)
    lengths = dataset.shard_lengths(config.identity())
    missing = [k for k, samples in enumerate(lengths) if not dataset.shard_is_whole(config.out, k, samples)]
    _check_space(config, sum(lengths[k] for k in missing))
    done = config.samples - sum(lengths[k] for k in missing)
    with tqdm(total=config.samples, initial=done, desc="collect", unit="pose", smoothing=0.1) as bar:
        for poses in _collect(config, missing):
            bar.update(poses)
    dataset.write_index(config.out, lengths)
    info = dataset.read_info(config.out)
    with h5py.File(config.out / "index.h5") as index:
        rejected = index["rejected"][:].sum(axis=0)
    counts = {"accepted": config.samples, "rejected": dict(zip(REASONS, map(int, rejected), strict=True))}
    write_json(config.out / "dataset.json", info | counts)
    return Dataset.open(config.out)


def arm_model(config: dict[str, Any]) -> ArmModel:
    """The body that a data set's config speaks of."""
    if config["mjcf"] is None:
        return ArmModel.infant(config["age_months"])
    if not config["arm_joints"] or not config["arm_bodies"]:
        raise UserError("got mjcf without arm_joints or arm_bodies, expected the names of its arm's joints and bodies")
    return ArmModel.from_mjcf(config["mjcf"], config["arm_joints"], config["eye_camera"], config["arm_bodies"])


def prepare(config: Config) -> None:
    """Makes the folder and its `dataset.json`, or checks that what lies there is this data set.

    Raises:
        UserError: the folder holds something else.
    """
    arm = arm_model(config.identity())
    body = {
        "fingerprint": arm.fingerprint,
        "joint_names": list(arm.joint_names),
        "joint_ranges": np.asarray(arm.joint_ranges).tolist(),
    }
    if (config.out / "dataset.json").exists():
        _check_same(config, dataset.read_info(config.out), body)
    else:
        if config.out.exists() and any(not path.name.startswith(".") for path in config.out.iterdir()):
            raise UserError(f"{config.out} is not empty and holds no data set; choose another folder with --out")
        camera = {"name": arm.eye_camera, "size": list(config.eye_size)}
        head = {"schema": dataset.SCHEMA, "config": config.identity(), "body": body, "camera": camera}
        write_json(config.out / "dataset.json", head | {"versions": versions()})
    if not (config.out / "background.png").exists():
        eye = EyeCamera(arm, config.eye_size)
        with replacing(config.out / "background.png") as temporary:
            iio.imwrite(temporary, eye.background(), extension=".png")
        eye.close()


def _check_same(config: Config, info: dict[str, Any], body: dict[str, Any]) -> None:
    wanted, found = config.identity() | body, info["config"] | info["body"]
    other = [f"{key} {found.get(key)} (asked for: {wanted[key]})" for key in wanted if wanted[key] != found.get(key)]
    if other:
        raise UserError(f"{config.out} holds another data set: {'; '.join(other)}; choose another folder with --out")


def _check_space(config: Config, samples: int) -> None:
    rows, columns = config.eye_size
    needed = samples * (rows * columns * _BYTES_PER_PIXEL + 20_000)
    free = shutil.disk_usage(config.out).free
    if free < needed:
        raise UserError(
            f"{config.out} has {free / 1e9:.1f} GB free, expected about {needed / 1e9:.1f} GB for {samples} samples; "
            "free some space or choose another disk with --out"
        )


def _collect(config: Config, shards: list[int]) -> Iterator[int]:
    """Collects the shards, in this process or in several; yields how many poses came since the last time."""
    workers = min(config.workers, len(shards))
    if workers <= 1:
        yield from _babble(config, shards)
        return
    context = multiprocessing.get_context("spawn")  # a fork would inherit a GL context that does not survive it
    processes: dict[multiprocessing.connection.Connection[Any, Any], Any] = {}
    for k in range(workers):
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(config, shards[k::workers], sender), daemon=True)
        process.start()
        sender.close()
        processes[receiver] = process
    try:
        yield from _gather(processes)
    finally:
        for process in processes.values():
            process.terminate()
            process.join()


def _gather(processes: dict[Any, Any]) -> Iterator[int]:
    waiting: set[Any] = set(processes)
    while waiting:
        receiver: Any
        for receiver in multiprocessing.connection.wait(waiting):
            try:
                message = receiver.recv()
            except EOFError:
                waiting.discard(receiver)
                processes[receiver].join()
                if processes[receiver].exitcode:
                    raise UserError(
                        f"a collecting process ended with status {processes[receiver].exitcode}; what it had sealed is "
                        "kept, run the same command again to go on"
                    ) from None
                continue
            if isinstance(message, Exception):
                raise message
            yield message


def _work(config: Config, shards: list[int], sender: Any) -> None:
    """The life of one worker process; ends by itself when its parent is gone."""
    try:
        for poses in _babble(config, shards):
            sender.send(poses)
    except (BrokenPipeError, KeyboardInterrupt):
        pass
    except (UserError, OSError, RuntimeError) as error:
        sender.send(UserError(str(error)))


def _babble(config: Config, shards: list[int]) -> Iterator[int]:
    agent = BabblingAgent(arm_model(config.identity()), config.eye_size, config.seed, config.min_arm_in_view)
    lengths = dataset.shard_lengths(config.identity())
    try:
        for shard in shards:
            samples = []
            for i in range(shard * config.shard_size, shard * config.shard_size + lengths[shard]):
                samples.append(agent.sample(i))
                yield 1
            _seal(config.out, shard, samples)
    finally:
        agent.close()


def _seal(folder: Path, shard: int, samples: list[Any]) -> None:
    columns = {
        name: np.array([getattr(sample, name) for sample in samples], dtype)
        for name, dtype in (
            ("eye", np.uint8), ("joints", np.float32), ("hand_position", np.float32),
            ("arm_in_view", np.float32), ("hand_in_view", np.float32),
        )
    }  # fmt: skip
    columns["rejected"] = np.array([[s.rejected[reason] for reason in REASONS] for s in samples], np.int32)
    try:
        dataset.write_shard(folder, shard, columns)
    except OSError as error:
        full = error.errno == errno.ENOSPC or "No space left" in str(error)
        hint = "free some space" if full else "mend the disk"
        raise UserError(
            f"shard {shard} could not be written to {folder} ({error}); all sealed shards are kept, {hint} and run the "
            "same command again to go on"
        ) from None
