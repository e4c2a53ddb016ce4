"""The SOM libraries that `infant-arm bench som` compares: for each, its fast training on a CPU, and nothing else.

Radii fall geometrically from the first to the last one, the same for all libraries that allow it; otherwise the remark says
what the library does. The learning rates and batch sizes are those that were best on synthetic samples.
"""

import mmap
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from .stage import Floats, Shape, Stage, Train

BLOCK = 1e9
"""Maximum bytes of XPySom's temporary arrays."""
BATCHES = "errors of each batch"
TABLE = 1e9
"""Maximum bytes of quicksom's table of the distances between all neurons, which makes it faster."""


@dataclass(frozen=True)
class Peer:
    """A library with one of its distances."""

    module: str
    """The name that Python imports."""
    distance: str
    """The distance by which it finds winners."""
    train: Train
    """Trains a map."""
    memory: Callable[[int, int], float]
    """Neurons, D -> approximate peak memory in bytes, without the interpreter."""
    install: str
    """The command that installs it."""
    starts: bool = True
    """Whether it takes initial weights."""
    remark: str = ""
    """Differences from the other contestants."""


def minisom(features: Floats, shape: Shape, stage: Stage, start: Floats | None, distance: str) -> Floats:
    """MiniSom, online; its `train_batch` takes the same steps in the order of the samples, `train_batch_offline` is slower."""
    from minisom import MiniSom

    som = MiniSom(
        *shape,
        features.shape[1],
        sigma=stage.first,
        decay_function="linear_decay_to_zero",
        activation_distance=distance,
        random_seed=stage.seed,
    )
    som._sigma_decay_function = lambda sigma, step, steps: sigma * (stage.last / sigma) ** (step / steps)
    som._weights = np.array(start, np.float64)
    som.train(features, stage.epochs * len(features), random_order=True)
    return np.asarray(som.get_weights(), np.float32)


def xpysom(features: Floats, shape: Shape, stage: Stage, start: Floats | None, distance: str) -> Floats:
    """XPySom, the batch rule in numpy."""
    from xpysom import XPySom

    per_sample = 4 * shape[0] * shape[1] * (2 * features.shape[1] if distance == "manhattan" else 3)
    som = XPySom(
        *shape,
        features.shape[1],
        sigma=stage.first,
        sigmaN=stage.beyond,
        learning_rate=1,
        learning_rateN=1,
        std_coeff=1,  # sigma is then the Gaussian's own
        activation_distance=distance,
        random_seed=stage.seed,
        n_parallel=int(np.clip(BLOCK / per_sample, 1, 500)),
        xp=np,
    )
    som._weights = start
    som.train(features, stage.epochs)
    return np.asarray(som.get_weights(), np.float32)


def somoclu(features: Floats, shape: Shape, stage: Stage, start: Floats | None, distance: str) -> Floats:
    """Somoclu, the batch rule on its dense CPU kernel, in its own process that ends after the last epoch.

    The library computes a U-matrix after each training, which takes about an hour at 800x800. To avoid this, the map lies in
    shared memory, and the process is killed when it reports the last epoch.

    Raises:
        ImportError: the library has no binary; pip installs it without one if the compiler fails.
        RuntimeError: the process ended before its last epoch.
    """
    import _somoclu_wrap  # noqa: F401
    from somoclu import Somoclu

    size = shape[0] * shape[1] * features.shape[1]
    weights = np.frombuffer(mmap.mmap(-1, 4 * size), np.float32)
    weights[:] = np.zeros(size) if start is None else start.ravel()
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        os.dup2(writer, 2)
        som = Somoclu(
            *shape[::-1],
            initialcodebook=weights.reshape(-1, features.shape[1]),
            compactsupport=False,
            std_coeff=1,  # the radius is then the Gaussian's own
            vect_distance=distance,
            verbose=1,
        )
        rates = {"scale0": 1, "scaleN": 1, "scalecooling": "exponential"}
        som.train(features, stage.epochs, stage.first, stage.beyond, "exponential", **rates)
        os._exit(1)
    os.close(writer)
    reported = b""
    with os.fdopen(reader, "rb", buffering=0) as reports:
        while f"Time for epoch {stage.epochs}:".encode() not in reported and (more := reports.read(4096)):
            reported += more
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    if f"Time for epoch {stage.epochs}:".encode() not in reported:
        raise RuntimeError(f"somoclu ended before its last epoch; it said: {reported[-200:].decode(errors='replace')}")
    return weights.reshape(*shape, -1)


def quicksom(features: Floats, shape: Shape, stage: Stage, start: Floats | None) -> Floats:
    """quicksom, mini-batches in torch: the loop of its `fit` without the U-matrix at the end and the list of all errors.

    That list fragments the heap with small tensors, so that `fit` takes more than 6 GB at 100x100.
    """
    import torch
    from quicksom.som import SOM, build_dataloader

    np.random.seed(stage.seed)  # noqa: NPY002 (the generator that the library uses)
    torch.manual_seed(stage.seed)
    neurons = shape[0] * shape[1]
    som = SOM(
        *shape,
        features.shape[1],
        alpha=3,  # the mean over a batch makes the steps small; much larger ones diverge
        sigma=stage.first,
        n_epoch=stage.epochs,
        sched="exp",
        p_norm=1,
        precompute=4 * neurons**2 <= TABLE,
    )
    batches = build_dataloader(features, num_workers=0, batch_size=5)
    for _ in range(stage.epochs):
        for _, batch in batches:
            som(batch, som.scheduler(som.step, stage.epochs * len(features)))
            som.step += len(batch)
    return np.asarray(som.centroids.numpy(), np.float32).reshape(*shape, -1)


def numbasom(features: Floats, shape: Shape, stage: Stage, start: Floats | None) -> Floats:
    """numbasom, online and compiled; the features are scaled to [0, 1], the range of its random initial weights."""
    from numbasom import SOM

    low = features.min()
    scale = features.max() - low
    weights = SOM(shape).train((features - low) / scale, stage.epochs * len(features))
    return np.asarray(weights * scale + low, np.float32)


def torchsom(features: Floats, shape: Shape, stage: Stage, start: Floats | None, distance: str) -> Floats:
    """torchsom, mini-batches in torch; its `fit` computes errors after each batch."""
    import torch
    from torchsom import SOM

    samples = torch.from_numpy(features)
    som = SOM(
        *shape,
        features.shape[1],
        epochs=stage.epochs,
        sigma=stage.first,
        learning_rate=1,
        distance_function=distance,
        device="cpu",
        random_seed=stage.seed,
    )
    som.weights.data = torch.tensor(start)
    som.sigma_schedule = torch.from_numpy(np.geomspace(stage.first, stage.last, stage.epochs))
    som.fit(samples, verbose=False)
    return np.asarray(som.weights.detach().numpy(), np.float32)


def _per_neuron(floats: float) -> Callable[[int, int], float]:
    """Memory of a library that keeps some arrays of D float32 for each neuron, and no table."""
    return lambda neurons, width: 4 * floats * neurons * width


def _with_table(floats: float, per_pair: float, limit: float) -> Callable[[int, int], float]:
    """Memory of a library that keeps a table of the distances between all neurons, if it takes up to `limit` bytes."""
    plain = _per_neuron(floats)
    return lambda n, width: plain(n, width) + (per_pair * n**2 if 4 * n**2 <= limit else 0)


def _peer(
    module: str, distance: str, train: Any, memory: Callable[[int, int], float], starts: bool = True, remark: str = ""
) -> Peer:
    build = "--no-build-isolation " if module == "somoclu" else ""
    return Peer(module, distance, train, memory, f"pip install {build}{module}", starts, remark)


def _blocks(neurons: int, width: int) -> float:
    """Memory of XPySom: blocks of temporary arrays, and some arrays of the size of the map."""
    return 2 * BLOCK + 40 * neurons * width


_PAIRS = _with_table(30, 20, float("inf"))

PEERS = {
    "MiniSom": _peer("minisom", "manhattan", partial(minisom, distance="manhattan"), _per_neuron(12)),
    "MiniSom L2": _peer("minisom", "euclidean", partial(minisom, distance="euclidean"), _per_neuron(12)),
    "XPySom": _peer("xpysom", "manhattan", partial(xpysom, distance="manhattan"), _blocks),
    "XPySom L2": _peer("xpysom", "euclidean", partial(xpysom, distance="euclidean"), _blocks),
    "somoclu": _peer("somoclu", "manhattan", partial(somoclu, distance="norm-1"), _per_neuron(4), remark="no U-matrix"),
    "somoclu L2": _peer(
        "somoclu", "euclidean", partial(somoclu, distance="euclidean"), _per_neuron(4), remark="no U-matrix"
    ),
    "quicksom": _peer(
        *("quicksom", "manhattan", quicksom, _with_table(40, 8, TABLE), False, "radius falls e^5-fold, no U-matrix")
    ),
    "numbasom": _peer("numbasom", "euclidean", numbasom, _per_neuron(6), False, "its own radii and rates"),
    "torchsom": _peer("torchsom", "manhattan", partial(torchsom, distance="manhattan"), _PAIRS, remark=BATCHES),
    "torchsom L2": _peer("torchsom", "euclidean", partial(torchsom, distance="euclidean"), _PAIRS, remark=BATCHES),
}
"""Contestant -> library with one of its distances."""
