"""Training of Multi-Modal Convergence Maps, one map after the other; after a kill it goes on from a checkpoint."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from agents.baselines.mmcm import BLUR, KIND, MODALITIES, ConvergenceMaps, blurred, places_of, scaled
from agents.som.som import MultiModalSom
from agents.som_training.coarse_to_fine import LiteralProgress, falling, smooth, train_literal
from agents.tools import checkpoints
from infant_env.senses.modalities import PROPRIOCEPTION, VISION

from ...data.dataset import Dataset
from ...runs.config import Count, Positive, Side, Sigma
from ...runs.distributed import Place
from ...runs.trained import Baseline
from ..pictures import samples_of
from ..skeleton import Identity, matches
from .gradient import BaselineConfig, baseline

VISION_EPOCHS = 0.3
"""Epochs of the vision map as a share of the others'; its samples have fifty times as many dimensions."""
_AMODAL = 2  # side of the amodal map, relative to the other maps
FIRST_SIGMA = 0.3
"""First radius of a map, as a share of its longer side."""
_KIND = "mmcm training"
_PIXELS = 512  # in one step
_SEEN = 1e-3  # a neuron with a smaller weighted number of samples around it gets an interpolated picture


@dataclass(frozen=True)
class Config(BaselineConfig):
    """Train Multi-Modal Convergence Maps: one map for each sense, and an amodal map above them."""

    batch_size: Count = 5
    """Samples per step."""
    learning_rate: Positive = 1.0
    """Lambda (Eq. 4) at the start."""
    rows: Side = 100
    """Neurons per column of the map of each sense; the amodal map has twice as many."""
    columns: Side = 100
    """Neurons per row of the map of each sense."""
    last_sigma: Sigma = 0.5
    """Radius of the neighborhood at the end, in neurons."""


class Training:
    """Trains the maps of hand, joints and vision, then the amodal map over the places of their winners.

    Every map learns by the rule of the paper, `train_literal`.

    Args:
        config: the command's config.
        data: the data set.
        here: this process's place among those that train together.
    """

    method: ConvergenceMaps

    def __init__(self, config: Config, data: Dataset, here: Place) -> None:
        images, joints = samples_of(data, "train", here.device)
        self.images = images[:]  # all in memory
        hand = torch.from_numpy(data.hand_positions[data.split("train")]).flatten(1).to(here.device)
        low, high = hand.amin(0), hand.amax(0)
        self.hand_range = torch.stack([low, torch.maximum(high, low + 1e-6)])  # (2, 3), m
        self.samples = {VISION: blurred(self.images), PROPRIOCEPTION: joints, "hand": scaled(hand, self.hand_range)}
        self.config = config
        self.states: dict[str, dict[str, Tensor]] = {}  # by map: the state from which `train_literal` goes on
        self.curves: dict[str, list[dict[str, float]]] = {}

    def fit(self, path: Path, identity: Identity) -> None:
        """Trains with a progress bar; goes on from the checkpoint of an equal training, and writes one after every epoch.

        Raises:
            UserError: the checkpoint is damaged.
        """
        self._resume(path, identity)
        total = sum(map(self._epochs, (*MODALITIES, "amodal")))
        done = sum(map(len, self.curves.values()))
        with tqdm(total=total, initial=done, desc="mmcm", unit="epoch") as bar:

            def note(stage: str) -> Callable[[LiteralProgress], None]:
                def take(now: LiteralProgress) -> None:
                    entry = {"epoch": now.epoch, "sigma": now.sigma, "quantization_error": now.quantization_error}
                    self.curves.setdefault(stage, []).append(entry)
                    self.states[stage] = now.state
                    self._save(path, identity)
                    bar.set_postfix_str(
                        f"{stage} {now.epoch}/{now.epochs}, quantization error {now.quantization_error:.4f}"
                    )
                    bar.update()

                return take

            self._train(note)

    def finish(self) -> None:
        """Does nothing: the last epochs are kept."""

    def report(self) -> Baseline:
        """The report for `metrics.json`."""
        return Baseline(self.curves)

    def _train(self, note: Callable[[str], Callable[[LiteralProgress], None]]) -> None:
        rows, columns = self.config.rows, self.config.columns
        unimodal = {name: self._map(name, {name: known}, (rows, columns), note) for name, known in self.samples.items()}
        pictures = pictures_of(unimodal[VISION], self.samples[VISION], self.images, self.config.last_sigma)
        places = {name: places_of(unimodal[name], self.samples[name]) for name in MODALITIES}
        amodal = self._map("amodal", places, (_AMODAL * rows, _AMODAL * columns), note)
        self.method = ConvergenceMaps(unimodal, pictures, amodal, self.hand_range)

    def _map(
        self,
        stage: str,
        samples: Mapping[str, Tensor],
        shape: tuple[int, int],
        note: Callable[[str], Callable[[LiteralProgress], None]],
    ) -> MultiModalSom:
        """Trains one map from the start or from its saved state."""
        rate, last = self.config.learning_rate, self.config.last_sigma
        return train_literal(
            samples,
            shape,
            epochs=self._epochs(stage),
            batch_size=self.config.batch_size,
            learning_rate=falling(rate, rate),
            sigma=falling(max(FIRST_SIGMA * max(shape), last), last),
            seed=self.config.seed,
            progress=note(stage),
            resume=self.states.get(stage),
        )

    def _epochs(self, stage: str) -> int:
        epochs = self.config.epochs
        return max(round(VISION_EPOCHS * epochs), 1) if stage == VISION else epochs

    def _save(self, path: Path, identity: Identity) -> None:
        tensors = {f"{stage}.{name}": t for stage, state in self.states.items() for name, t in state.items()}
        checkpoints.write(path, _KIND, tensors, {**identity, "curves": self.curves})

    def _resume(self, path: Path, identity: Identity) -> None:
        if not path.exists():
            return
        tensors, header = checkpoints.read(path, _KIND)
        if not matches(identity, header):
            return  # another training wrote it: it is overwritten
        with checkpoints.fitting(path):
            self.curves = dict(header["curves"])
            for key, tensor in tensors.items():
                stage, name = key.split(".")
                self.states.setdefault(stage, {})[name] = tensor


def pictures_of(som: MultiModalSom, samples: Tensor, images: Tensor, sigma: float) -> Tensor:
    """The full pictures of the neurons of a vision map.

    Eq. 4 is linear, so a neuron is a mean of the samples that won around it. Its picture is the Gaussian-weighted mean of
    their pictures. If nearly no sample won there, its block means are interpolated.

    Args:
        som: the map of block means.
        samples: block means of the training pictures, shape (N, 256).
        images: the training pictures, shape (N, 64, 64).
        sigma: radius of the neighborhood, in neurons.

    Returns:
        Shape (X*Y, 4096), float16.
    """
    winners, (rows, columns) = som.winners({VISION: samples}), som.shape
    count = smooth(torch.bincount(winners, minlength=rows * columns).float().view(1, rows, columns), sigma).flatten()
    side = images.shape[1]
    means = som.weights(VISION).view(-1, 1, side // BLUR, side // BLUR)
    pictures = functional.interpolate(means, scale_factor=BLUR, mode="bilinear").flatten(1).half()
    for pixels in torch.arange(side * side, device=images.device).split(_PIXELS):
        sums = means.new_zeros((rows * columns, len(pixels))).index_add_(0, winners, images.flatten(1)[:, pixels])
        smoothed = smooth(sums.T.reshape(-1, rows, columns).contiguous(), sigma).flatten(1).T  # (X*Y, pixels)
        seen = (smoothed / count.clamp(min=_SEEN)[:, None]).half()
        pictures[:, pixels] = torch.where((count > _SEEN)[:, None], seen, pictures[:, pixels])
    return pictures


STAGE = replace(baseline(KIND, Config, Training, ConvergenceMaps.load), learns_hand=True)
