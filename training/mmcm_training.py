"""Training of Multi-Modal Convergence Maps: one map after the other, online, with all on disk that must survive a kill."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from agents import checkpoints
from agents.baselines.mmcm import MODALITIES, ConvergenceMaps, places_of, scaled
from agents.som import MultiModalSom
from agents.som_training import LiteralProgress, falling, train_literal
from infant_env.vision import GRAY_SIZE

from .dataset import Dataset
from .distributed import Place

if TYPE_CHECKING:
    from .baseline_training import Schedule
    from .train_baseline import Config

BLUR = 4
"""Side of the blocks of pixels whose means the vision map sees at first: a pass over whole pictures takes ten times as long."""
SHARP_EPOCHS = 1
"""Passes over whole pictures at the end."""
FIRST_SIGMA = 0.3
"""First radius of a map, as a share of its longer side."""
_KIND = "mmcm training"


class MmcmTraining:
    """A training under way: the maps of hand, joints and vision, then the amodal map of where their samples win.

    Every map learns by the paper's own rule, `train_literal`; the vision map first from blurred pictures (means of 4x4 pixels),
    then from whole ones, since nearly all of the time goes there.

    Args:
        config: the command's config.
        schedule: its passes over the data, batch size and learning rate.
        data: the data set.
        here: where to compute.
    """

    def __init__(self, config: "Config", schedule: "Schedule", data: Dataset, here: Place) -> None:
        train = data.split("train")
        if not len(train):
            raise ValueError("the training split of the data set is empty; collect 5 samples or more")
        hand = torch.from_numpy(data.hand_position[train]).to(here.device)
        low, high = hand.amin(0), hand.amax(0)
        self.hand_range = torch.stack([low, torch.maximum(high, low + 1e-6)])  # (2, 3), m
        self.samples = {
            "vision": torch.from_numpy(data.gray[train]).flatten(1).to(here.device),
            "proprioception": torch.from_numpy(data.normalized_joints[train]).to(here.device),
            "hand": scaled(hand, self.hand_range),
        }
        self.config, self.schedule = config, schedule
        self.states: dict[str, dict[str, Tensor]] = {}  # stage -> what `train_literal` goes on from
        self.curves: dict[str, list[dict[str, float]]] = {}

    def fit(self, path: Path, identity: Mapping[str, Any]) -> None:
        """Goes on from the checkpoint of an equal training, writes one after every epoch, shows a bar.

        Raises:
            ValueError: the checkpoint is damaged.
        """
        self._resume(path, identity)
        epochs = self.schedule.epochs
        total, done = 4 * epochs + SHARP_EPOCHS, sum(map(len, self.curves.values()))
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
        """Nothing is chosen among epochs: the last ones count."""

    def report(self) -> dict[str, Any]:
        """What goes into `metrics.json`."""
        maps = [*self.method.unimodal.values(), self.method.amodal]
        weights = sum(som.shape[0] * som.shape[1] * sum(som.modalities.values()) for som in maps)
        return {"epochs": self.curves, "parameters": weights}

    def _train(self, note: Callable[[str], Callable[[LiteralProgress], None]]) -> None:
        shape = (self.config.rows, self.config.columns)
        unimodal = {
            name: self._map(name, {name: self.samples[name]}, shape, note) for name in ("hand", "proprioception")
        }
        blurred = {"vision": _blurred(self.samples["vision"])}
        glance = self._map("glance", blurred, shape, note)
        whole = {"vision": self.samples["vision"]}
        unimodal["vision"] = self._map("vision", whole, shape, note, _sharp(glance))
        places = {name: places_of(unimodal[name], self.samples[name]) for name in MODALITIES}
        amodal = self._map("amodal", places, (self.config.amodal_rows, self.config.amodal_columns), note)
        self.method = ConvergenceMaps(unimodal, amodal, self.hand_range)

    def _map(
        self,
        stage: str,
        samples: Mapping[str, Tensor],
        shape: tuple[int, int],
        note: Callable[[str], Callable[[LiteralProgress], None]],
        initial: Tensor | None = None,
    ) -> MultiModalSom:
        """One map, from the start or from where it stood; weights (X, Y, width) to start from say that it is the last touch."""
        first, last = FIRST_SIGMA * max(shape), self.config.last_sigma
        middle = min(first, 2 * last)
        radii = {"glance": falling(first, middle), "vision": falling(middle, last)}
        return train_literal(
            samples,
            shape,
            epochs=self.schedule.epochs if initial is None else SHARP_EPOCHS,
            batch_size=self.schedule.batch_size,
            learning_rate=falling(self.schedule.learning_rate, self.schedule.learning_rate),
            sigma=radii.get(stage, falling(max(first, last), last)),
            initial=None if initial is None else {"vision": initial},
            seed=self.schedule.seed,
            progress=note(stage),
            resume=self.states.get(stage),
        )

    def _save(self, path: Path, identity: Mapping[str, Any]) -> None:
        tensors = {f"{stage}.{name}": t for stage, state in self.states.items() for name, t in state.items()}
        checkpoints.write(path, _KIND, tensors, {**identity, "curves": self.curves})

    def _resume(self, path: Path, identity: Mapping[str, Any]) -> None:
        if not path.exists():
            return
        tensors, header = checkpoints.read(path, _KIND)
        if not identity.items() <= header.items():
            return  # of another training: it is overwritten
        self.curves = header["curves"]
        for key, tensor in tensors.items():
            stage, name = key.split(".")
            self.states.setdefault(stage, {})[name] = tensor


def _blurred(pictures: Tensor) -> Tensor:
    """Means of blocks of 4x4 pixels, (N, 4096) -> (N, 256)."""
    return functional.avg_pool2d(pictures.view(-1, 1, *GRAY_SIZE), BLUR).flatten(1)


def _sharp(glance: MultiModalSom) -> Tensor:
    """The pictures of a map of block means, interpolated to all pixels, (X, Y, 4096)."""
    height, width = GRAY_SIZE
    means = glance.weights("vision").view(-1, 1, height // BLUR, width // BLUR)
    pictures = functional.interpolate(means, size=GRAY_SIZE, mode="bilinear")
    return pictures.view(*glance.shape, height * width)
