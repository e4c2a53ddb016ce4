"""Measures a large data set, made by repetition of some poses: `python docs/measure_large.py FOLDER [SAMPLES] [epoch]`.

Prints how long it takes to open, how fast the autoencoder trains from disk and from memory, and the memory of the map's training.
The word `epoch` makes it train a whole epoch both ways, and leaves out the map.
1,000,000 samples of 60x100 pixels need about 18 GB of disk.
"""

import os
import resource
import statistics
import sys
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import h5py
import torch
from msgspec import structs
from tqdm import tqdm

from agents.som_training.coarse_to_fine import train
from agents.tools.files import write_json
from training.data import collect, shards
from training.data import pictures as pictures_of_data
from training.data.dataset import Dataset
from training.runs.device import threads
from training.runs.distributed import Place
from training.train import autoencoder

SHARD, SIZE = 250, (60, 100)
BATCHES, TURNS = 40, 8
"""Batches in a turn and turns of a short measurement; the first turn does not count."""
EPOCH_TURNS = 20
"""Turns of a whole epoch."""


def repeated(folder: Path, samples: int) -> Path:
    """A data set whose shards all hold the same poses."""
    one = collect.run(collect.Config(folder / "one", SHARD, SIZE, SHARD, workers=1))
    many = folder / f"repeated-{samples}"
    if (many / "dataset.json").exists():
        return many
    info = structs.replace(one.info, recipe=structs.replace(one.info.recipe, samples=samples), accepted=None)
    columns = {name: one.column(name) for name in h5py.File(shards.shard_path(one.path, 0))}
    for shard in tqdm(range(len(info.recipe.lengths)), desc="repeat", unit="shard"):
        path = shards.shard_path(many, shard)
        if not shard:
            shards.write_shard(many, shard, columns, info)
            content, pictures = path.read_bytes(), shards.cache_path(many, shard).read_bytes()
            continue
        path.write_bytes(content)
        with h5py.File(path, "r+") as file:
            file.attrs["sha256"] = shards._seal(shard, file.attrs["dataset"], columns)
        shards.cache_path(many, shard).write_bytes(pictures)  # sealed with their poses, not their number
    shards.write_index(many, info.recipe.lengths)
    (many / "background.png").write_bytes((one.path / "background.png").read_bytes())
    rejected = dict.fromkeys(one.info.rejected or {}, 0)
    write_json(many / "dataset.json", structs.replace(info, accepted=samples, rejected=rejected).as_json())
    return many


def peak() -> str:
    """The peak memory of this process, in words."""
    return f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB"


def opening(path: Path) -> None:
    """Prints the time to open a data set and to read all joints."""
    start = time.perf_counter()
    data = Dataset.open(path)
    opened = time.perf_counter() - start
    _ = data.joints, data.fingerprint, data.split("train")
    print(
        f"open {len(data):,} poses: {opened:.2f} s; with joints and splits: {time.perf_counter() - start:.2f} s; {peak()}"
    )


def epochs(path: Path, whole: bool) -> None:
    """Prints the rates of training from disk and from memory, measured in turns; from memory, the few real poses repeat.

    Args:
        path: the large data set.
        whole: whether to train a whole epoch each way, instead of some batches.
    """
    data = Dataset.open(path)
    trainings: dict[str, Any] = {}
    for name, limit in (("disk", 0), ("memory", 2**40)):
        pictures_of_data.IN_MEMORY = limit
        part = data if name == "disk" else Dataset.open(path.parent / "one")
        settings = autoencoder.Config(path / "run", data=part.path, device="cpu")
        trainings[name] = autoencoder.Training(settings, part, Place(torch.device("cpu")))
    orders = {name: training._order(0).split(settings.batch_size)[:-1] for name, training in trainings.items()}
    turns, count = (EPOCH_TURNS, len(orders["disk"]) // EPOCH_TURNS) if whole else (TURNS, BATCHES)
    seconds: dict[str, list[float]] = {name: [] for name in trainings}
    for turn in range(turns):
        for name, training in trainings.items():
            batches = [orders[name][(turn * count + k) % len(orders[name])] for k in range(count)]
            training._order = lambda _, batches=batches: torch.cat(batches)
            start = time.perf_counter()
            training._train_epoch()
            seconds[name].append(time.perf_counter() - start)
        print(f"turn {turn}: { ({name: round(each[-1], 2) for name, each in seconds.items()}) } s", flush=True)
    counted = {name: each if whole else each[1:] for name, each in seconds.items()}
    ratio = statistics.median(m / d for d, m in zip(counted["disk"], counted["memory"], strict=True))
    size = count * settings.batch_size
    rates = {name: f"{size * len(each) / sum(each):,.0f}" for name, each in counted.items()}
    print(f"{size * len(counted['disk']):,} samples each way in { ({n: round(sum(e)) for n, e in counted.items()}) } s")
    print(f"samples a second: {rates}; disk / memory, median of the turns {ratio:.3f}; {peak()}")


def mapped(samples: int) -> None:
    """Prints time and memory of a map of 800x800 neurons."""
    torch.manual_seed(0)
    joints = torch.rand(samples, 5)
    latents = torch.tanh(joints @ torch.randn(5, 8)) + 0.05 * torch.randn(samples, 8)
    start, cpu = time.perf_counter(), time.process_time()
    train(
        {"vision": (latents - latents.mean(0)) / latents.std(0), "proprioception": joints}, (800, 800), {"vision": 4.0}
    )
    spent = f"{time.perf_counter() - start:.0f} s ({time.process_time() - cpu:.0f} CPU s)"
    print(f"map of 800x800 over {samples:,} samples: {spent}; {peak()}")


def apart(function: Any, *arguments: Any) -> None:
    """Runs a function in a fresh process, whose peak memory is its own."""
    process = get_context("spawn").Process(target=function, args=arguments)
    process.start()
    process.join()


def main(folder: Path, samples: int, whole: bool) -> None:
    """Makes the data set and measures."""
    path = repeated(folder, samples)
    for title in ("first time", "again"):
        print(title, end=": ", flush=True)
        apart(opening, path)
    with threads(1):
        apart(epochs, path, whole)
    if not whole:
        apart(mapped, samples)


if __name__ == "__main__":
    os.environ.setdefault("MUJOCO_GL", "egl")
    words = [word for word in sys.argv[2:] if word != "epoch"]
    main(Path(sys.argv[1]), int(words[0]) if words else 1_000_000, "epoch" in sys.argv[2:])
