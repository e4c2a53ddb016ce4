"""The SOM libraries that `infant-arm bench som` compares: for each, its fast training on a CPU, and nothing else.

The radius falls from 0.3 of the longer side to the last radius of this project if the library has this choice; otherwise the
remark says what the library does. The learning rates and batch sizes are those that were best on synthetic samples.
"""

import mmap
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.som_training.schedule import sigma_for

Floats = NDArray[np.float32]
Shape = tuple[int, int]
Train = Callable[[Floats, Shape, int, int], Floats]
"""Scaled features (N, D), shape (X, Y), epochs, seed -> weights (X, Y, D)."""

BLOCK = 1e9
"""Maximum bytes of XPySom's temporary arrays."""
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
    remark: str = ""
    """Differences from the other contestants."""


def radii(shape: Shape, count: int) -> tuple[float, float]:
    """First and last radius of the neighborhood, in neurons, for all libraries with this choice."""
    return max(0.3 * max(shape), 0.5), sigma_for(shape, count)


def radius_after_last(first: float, last: float, epochs: int) -> float:
    """The radius one step after the last epoch, for libraries that reach the given radius only there."""
    return float(last * (last / first) ** (1 / max(epochs - 1, 1)))


def minisom(features: Floats, shape: Shape, epochs: int, seed: int) -> Floats:
    """MiniSom, online; its `train_batch` takes the same steps in the order of the samples."""
    from minisom import MiniSom

    som = MiniSom(
        *shape,
        features.shape[1],
        sigma=radii(shape, len(features))[0],
        sigma_decay_function="inverse_decay_to_one",
        activation_distance="manhattan",
        random_seed=seed,
    )
    som.pca_weights_init(features)
    som.train(features, epochs * len(features), random_order=True)
    return np.asarray(som.get_weights(), np.float32)


def xpysom(features: Floats, shape: Shape, epochs: int, seed: int, distance: str) -> Floats:
    """XPySom, the batch rule in numpy."""
    from xpysom import XPySom

    first, last = radii(shape, len(features))
    per_sample = 4 * shape[0] * shape[1] * (2 * features.shape[1] if distance == "manhattan" else 3)
    som = XPySom(
        *shape,
        features.shape[1],
        sigma=first,
        sigmaN=radius_after_last(first, last, epochs),
        learning_rate=1,
        learning_rateN=1,
        std_coeff=1,  # sigma is then the Gaussian's own
        activation_distance=distance,
        random_seed=seed,
        n_parallel=int(np.clip(BLOCK / per_sample, 1, 500)),
        xp=np,
    )
    som.train(features, epochs)
    return np.asarray(som.get_weights(), np.float32)


def somoclu(features: Floats, shape: Shape, epochs: int, seed: int, distance: str) -> Floats:
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
    weights[:] = np.random.default_rng(seed).standard_normal(size, np.float32)
    first, last = radii(shape, len(features))
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
        cooled = radius_after_last(first, last, epochs)
        som.train(features, epochs, first, cooled, "exponential", scale0=1, scaleN=1, scalecooling="exponential")
        os._exit(1)
    os.close(writer)
    reported = b""
    with os.fdopen(reader, "rb", buffering=0) as reports:
        while f"Time for epoch {epochs}:".encode() not in reported and (more := reports.read(4096)):
            reported += more
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    if f"Time for epoch {epochs}:".encode() not in reported:
        raise RuntimeError(f"somoclu ended before its last epoch; it said: {reported[-200:].decode(errors='replace')}")
    return weights.reshape(*shape, -1)


def quicksom(features: Floats, shape: Shape, epochs: int, seed: int) -> Floats:
    """quicksom, mini-batches in torch: the loop of its `fit` without the U-matrix at the end and the list of all errors.

    That list fragments the heap with small tensors, so that `fit` takes more than 6 GB at 100x100.
    """
    import torch
    from quicksom.som import SOM, build_dataloader

    np.random.seed(seed)  # noqa: NPY002 (the generator that the library uses)
    torch.manual_seed(seed)
    neurons = shape[0] * shape[1]
    som = SOM(
        *shape,
        features.shape[1],
        alpha=3,  # the mean over a batch makes the steps small; much larger ones diverge
        sigma=radii(shape, len(features))[0],
        n_epoch=epochs,
        sched="exp",
        p_norm=1,
        precompute=4 * neurons**2 <= TABLE,
    )
    batches = build_dataloader(features, num_workers=0, batch_size=5)
    for _ in range(epochs):
        for _, batch in batches:
            som(batch, som.scheduler(som.step, epochs * len(features)))
            som.step += len(batch)
    return np.asarray(som.centroids.numpy(), np.float32).reshape(*shape, -1)


def numbasom(features: Floats, shape: Shape, epochs: int, seed: int) -> Floats:
    """numbasom, online and compiled; the features are scaled to [0, 1], the range of its random initial weights."""
    from numbasom import SOM

    low = features.min()
    scale = features.max() - low
    weights = SOM(shape).train((features - low) / scale, epochs * len(features))
    return np.asarray(weights * scale + low, np.float32)


def torchsom(features: Floats, shape: Shape, epochs: int, seed: int) -> Floats:
    """torchsom, mini-batches in torch; its `fit` computes errors after each batch."""
    import torch
    from torchsom import SOM

    samples = torch.from_numpy(features)
    som = SOM(
        *shape,
        features.shape[1],
        epochs=epochs,
        sigma=radii(shape, len(features))[0],
        learning_rate=1,
        sigma_decay_function="sig_inverse_decay_to_one",
        distance_function="manhattan",
        initialization_mode="pca",
        device="cpu",
        random_seed=seed,
    )
    som.initialize_weights(samples)
    som.fit(samples, verbose=False)
    return np.asarray(som.weights.detach().numpy(), np.float32)


def _per_neuron(floats: float) -> Callable[[int, int], float]:
    """Memory of a library that keeps some arrays of D float32 for each neuron, and no table."""
    return lambda neurons, width: 4 * floats * neurons * width


def _with_table(floats: float, per_pair: float, limit: float) -> Callable[[int, int], float]:
    """Memory of a library that keeps a table of the distances between all neurons, if it takes up to `limit` bytes."""
    plain = _per_neuron(floats)
    return lambda n, width: plain(n, width) + (per_pair * n**2 if 4 * n**2 <= limit else 0)


def _peer(module: str, distance: str, train: Any, memory: Callable[[int, int], float], remark: str = "") -> Peer:
    build = "--no-build-isolation " if module == "somoclu" else ""
    return Peer(module, distance, train, memory, f"pip install {build}{module}", remark)


PEERS = {
    "MiniSom": _peer("minisom", "manhattan", minisom, _per_neuron(12), "last radius 1"),
    "XPySom": _peer("xpysom", "manhattan", partial(xpysom, distance="manhattan"), lambda n, d: 2 * BLOCK + 40 * n * d),
    "XPySom L2": _peer(
        "xpysom", "euclidean", partial(xpysom, distance="euclidean"), lambda n, d: 2 * BLOCK + 40 * n * d
    ),
    "somoclu": _peer("somoclu", "manhattan", partial(somoclu, distance="norm-1"), _per_neuron(4), "no U-matrix"),
    "somoclu L2": _peer("somoclu", "euclidean", partial(somoclu, distance="euclidean"), _per_neuron(4), "no U-matrix"),
    "quicksom": _peer(
        "quicksom", "manhattan", quicksom, _with_table(40, 8, TABLE), "radius falls e^5-fold, no U-matrix"
    ),
    "numbasom": _peer("numbasom", "euclidean", numbasom, _per_neuron(6), "its own radii and rates"),
    "torchsom": _peer(
        "torchsom", "manhattan", torchsom, _with_table(30, 20, float("inf")), "last radius 1, errors of each batch"
    ),
}
"""Contestant -> library; a library that is faster with another distance than Manhattan also competes with that distance."""
