"""Multi-Modal Convergence Maps (Lallee and Dominey 2013): one map per modality, and one amodal map above them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional

from infant_env.errors import UserError
from infant_env.senses.modalities import PROPRIOCEPTION, VISION

from ..mind.som_autoencoder import check_pictures
from ..som.readout import weighted_mean
from ..som.som import MultiModalSom
from ..tools import checkpoints

KIND = "mmcm"
MODALITIES = (VISION, PROPRIOCEPTION, "hand")
AmodalReadout = Literal["winner", "soft"]
CANDIDATES = 64
"""Number of amodal neurons whose mean is a soft recall."""
BANDWIDTH = 0.35
"""Width of their Gaussian weights, as a multiple of their mean distance."""
BLUR = 4
"""Side of the pixel blocks whose means the vision map compares."""
_CHUNK = 64  # samples that are recalled together; their candidates' pictures take 64 MB


class ConvergenceMaps:
    """A hierarchy of maps: one each for vision, joints and the hand's position, and one amodal map above them.

    S. Lallee and P. F. Dominey, "Multi-modal convergence maps: from body schema and self-representation to mental
    imagery", Adaptive Behavior 21(4), 2013: reference [1] of Jülg et al., who took Eq. 2-3 and the update from there.

    - **Convergence.** Each modality has a winner on its own, unimodal map. The amodal map gets only the winner's place: its row
      and column, scaled to [0, 1].
    - **Divergence.** The amodal winner, chosen by the known modalities only, holds a place for each modality. The neuron at this
      place on the modality's own map is recalled. Known modalities are recalled in the same way.

    All maps are `MultiModalSom`: a neuron's activity is Eq. 2-3, weighted by the modalities' influence c, and the most active
    neuron wins. Maps should learn online (`agents.som_training.train_literal`, Eq. 4-5) with a Gaussian neighborhood.

    Departures and choices (only the citation in the paper and its equations were available): Sizes, radii, learning rates and
    passes over the data are this project's. All maps have two dimensions. Maps are trained one after the other, the amodal
    one last; a robot's maps learn in parallel while it babbles. Activity is the negative error instead of 1 minus the error,
    which gives the same winner. The vision map compares means of 4x4 pixels; with all pixels, the same training time allows
    only a sixth of the neurons, and the pictures are less accurate. The picture of one of its neurons is the mean of the
    pictures that won there. The soft readout, a mean of several amodal neurons weighted by their activity, is an addition.

    ```python
    maps = ConvergenceMaps.load("runs/paper/mmcm.safetensors")
    recalled = maps.recall({"proprioception": joints})  # normalized (B, 5) -> vision, proprioception, hand
    ```

    Attributes:
        unimodal: modality -> its own map, with one modality of the same name; pictures as 16x16 means of 4x4 pixels, hand
            positions scaled to [0, 1].
        pictures: the pictures of the vision map's neurons, shape (X*Y, 4096), float16.
        amodal: the map of places on the unimodal maps, two numbers per modality.
        hand_range: lowest and highest positions of the H hands along each axis, shape (2, 3 H), m.
        readout: the readout of `predict`.
    """

    def __init__(
        self,
        unimodal: Mapping[str, MultiModalSom],
        pictures: Tensor,
        amodal: MultiModalSom,
        hand_range: Tensor,
        readout: AmodalReadout = "winner",
    ) -> None:
        """Combines trained maps.

        Raises:
            UserError: a map is missing, the maps do not belong together, or the readout is unknown.
        """
        wanted = {name: [name] for name in MODALITIES} | {"amodal": list(MODALITIES)}
        given = {name: list(som.modalities) for name, som in {**unimodal, "amodal": amodal}.items()}
        if given != wanted or set(amodal.modalities.values()) != {2}:
            raise UserError(
                f"got maps of {given}, the amodal one of {amodal.modalities} dimensions; expected {wanted}, 2 dimensions each"
            )
        rows, columns = unimodal[VISION].shape
        if pictures.shape != (rows * columns, 64 * 64):
            raise UserError(f"got pictures {tuple(pictures.shape)}, expected ({rows * columns}, 4096), one per neuron")
        _check_readout(readout)
        self.unimodal, self.amodal, self.readout = dict(unimodal), amodal, readout
        self.pictures = pictures.to(amodal.device, torch.float16)
        self.hand_range = hand_range.to(amodal.device, torch.float32)

    def with_readout(self, readout: AmodalReadout) -> "ConvergenceMaps":
        """The same maps with another readout in `predict`."""
        return ConvergenceMaps(self.unimodal, self.pictures, self.amodal, self.hand_range, readout)

    def predict(self, source: str, samples: Tensor) -> dict[str, Tensor]:
        """Recalls the modalities of Table 1 from one modality.

        Args:
            source: the known modality: `vision`, `proprioception` or `hand`.
            samples: see `recall`.

        Returns:
            `vision` (B, 64, 64) and `proprioception` (B, J).
        """
        recalled = self.recall({source: samples})
        return {name: recalled[name] for name in (VISION, PROPRIOCEPTION)}

    @torch.inference_mode()
    def recall(self, samples: Mapping[str, Tensor], readout: AmodalReadout | None = None) -> dict[str, Tensor]:
        """Recalls all modalities from any of them.

        Args:
            samples: some of `vision`, pictures (B, 64, 64) in [0, 1]; `proprioception`, normalized joints (B, J); `hand`, its
                position (B, 3), m.
            readout: "winner": the features at the amodal winner's places, as in the original. "soft": the mean of these
                features over the `CANDIDATES` most active amodal neurons, with Gaussian weights by their activity.

        Returns:
            All three modalities, in these shapes.

        Raises:
            UserError: there is no or an unknown modality, samples have a wrong shape or broken values, or the readout is
                unknown.
        """
        readout = readout or self.readout
        _check_readout(readout)
        places = self.converge(samples)
        count = 1 if readout == "winner" else min(CANDIDATES, self.amodal.shape[0] * self.amodal.shape[1])
        rows = torch.arange(len(next(iter(places.values()))), device=self.amodal.device).split(_CHUNK)
        parts = [self._read_out({name: place[part] for name, place in places.items()}, count) for part in rows]
        return {name: torch.cat([part[name] for part in parts]) for name in MODALITIES}

    def converge(self, samples: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Places of the samples' winners on their own maps, (B, 2) each: row and column, scaled to [0, 1]; see `recall`."""
        unknown = [name for name in samples if name not in MODALITIES]
        if unknown or not samples:
            raise UserError(f"got the modalities {list(samples)}, expected one or more of {list(MODALITIES)}")
        lengths = {name: len(rows) for name, rows in samples.items()}
        if len(set(lengths.values())) > 1:
            raise UserError(f"got modalities with {lengths} rows, expected one row per sample in each")
        features = {name: self._features(name, rows) for name, rows in samples.items()}
        return {name: places_of(self.unimodal[name], rows) for name, rows in features.items()}

    def diverge(self, neurons: Tensor) -> dict[str, Tensor]:
        """Features at the places of amodal neurons: flat indices (...,) -> pixels, joints, scaled hands, (..., width)."""
        at = {name: neurons_at(self.amodal.weights_at(name, neurons), som.shape) for name, som in self.unimodal.items()}
        features = {name: self.unimodal[name].weights_at(name, at[name]) for name in (PROPRIOCEPTION, "hand")}
        return {VISION: self.pictures[at[VISION]].float(), **features}

    def save(self, path: str | Path, header: Mapping[str, Any] | None = None) -> None:
        """Writes a checkpoint; `header` gives further entries of its header."""
        maps = {**self.unimodal, "amodal": self.amodal}
        weights = {
            f"{place}.{name}": som.weights(name).view(*som.shape, -1)
            for place, som in maps.items()
            for name in som.modalities
        }
        content = {**(header or {}), "c": self.amodal.c, "readout": self.readout}
        tensors = {**weights, "pictures": self.pictures, "hand_range": self.hand_range}
        checkpoints.write(Path(path), KIND, tensors, content)

    @classmethod
    def load(cls, path: str | Path, device: str | torch.device = "cpu") -> "ConvergenceMaps":
        """Reads a checkpoint.

        Raises:
            UserError: the file is missing or damaged, or its tensors do not fit such maps.
        """
        tensors, header = checkpoints.read(Path(path), KIND)
        with checkpoints.fitting(Path(path)):
            soms = {name: MultiModalSom({name: tensors[f"{name}.{name}"].to(device)}) for name in MODALITIES}
            places = {name: tensors[f"amodal.{name}"].to(device) for name in MODALITIES}
            amodal = MultiModalSom(places, header["c"])
            return cls(soms, tensors["pictures"], amodal, tensors["hand_range"], header["readout"])

    def _read_out(self, places: Mapping[str, Tensor], count: int) -> dict[str, Tensor]:
        """Recalled modalities from the `count` most active amodal neurons."""
        if count == 1:
            recalled = self.diverge(self.amodal.winners(places))
        else:
            activity, neurons = self.amodal.activity(places).flatten(1).topk(count)  # (B, K)
            weights = candidate_weights(-activity)  # (B, K)
            recalled = {name: weighted_mean(rows, weights) for name, rows in self.diverge(neurons).items()}
        low, high = self.hand_range
        hand = low + recalled["hand"] * (high - low)
        return {**recalled, VISION: recalled[VISION].view(-1, 64, 64), "hand": hand}

    def _features(self, name: str, samples: Tensor) -> Tensor:
        """The features that the modality's own map compares, (B, width)."""
        samples = samples.to(self.amodal.device, torch.float32)
        if name == VISION:
            check_pictures(samples)
            return blurred(samples)
        if not bool(torch.isfinite(samples).all()):
            raise UserError(f"got {name} with NaN or infinite values, expected finite numbers")
        return scaled(samples, self.hand_range) if name == "hand" else samples


def candidate_weights(distances: Tensor) -> Tensor:
    """Gaussian weights of the most active neurons by their distances, (B, K) -> (B, K); they sum to 1.

    The Gaussian's width is `BANDWIDTH` times the candidates' mean distance.
    """
    width = (BANDWIDTH * distances.mean(1, keepdim=True)).clamp(min=1e-12)
    return torch.softmax(-0.5 * (distances / width) ** 2, 1)


def blurred(pictures: Tensor) -> Tensor:
    """Means of blocks of 4x4 pixels, (N, 64, 64) -> (N, 256)."""
    return functional.avg_pool2d(pictures[:, None], BLUR).flatten(1)


def places_of(som: MultiModalSom, features: Tensor) -> Tensor:
    """Places of the winners of samples (B, width) on a map of one modality, (B, 2): row and column, scaled to [0, 1]."""
    (name,) = som.modalities
    winners = som.winners({name: features})
    places = torch.stack([winners // som.shape[1], winners % som.shape[1]], 1)
    return places / _last_place(som.shape, places.device)


def neurons_at(places: Tensor, shape: tuple[int, int]) -> Tensor:
    """The neurons nearest to places (..., 2) on a map, flat indices (...,); the inverse of `places_of`."""
    last = _last_place(shape, places.device)
    at = (places * last).round().clamp(min=0).minimum(last).long()
    return at[..., 0] * shape[1] + at[..., 1]


def scaled(hand: Tensor, hand_range: Tensor) -> Tensor:
    """The hands' positions (B, 3 H), m, scaled to [0, 1] by their range (2, 3 H).

    Raises:
        UserError: the positions have a wrong shape.
    """
    if hand.ndim != 2 or hand.shape[1] != hand_range.shape[1]:
        raise UserError(f"got hand positions of shape {tuple(hand.shape)}, expected (B, {hand_range.shape[1]}), m")
    low, high = hand_range
    return (hand - low) / (high - low)


def _last_place(shape: tuple[int, int], device: torch.device) -> Tensor:
    """Indices of the last row and column, but at least 1, as a divisor."""
    return torch.tensor([max(side - 1, 1) for side in shape], device=device, dtype=torch.float32)


def _check_readout(readout: str) -> None:
    if readout not in get_args(AmodalReadout):
        raise UserError(f"got the readout {readout!r}, expected one of {list(get_args(AmodalReadout))}")
