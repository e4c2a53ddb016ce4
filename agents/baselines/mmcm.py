"""Multi-Modal Convergence Maps (Lallee and Dominey 2013): maps of single senses that converge into one of all senses."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional

from infant_env.errors import UserError
from infant_env.senses.modalities import PROPRIOCEPTION, VISION

from ..mind.som_autoencoder import check_pictures
from ..som.readout import candidate_weights, weighted_mean
from ..som.som import MultiModalSom
from ..tools import checkpoints

KIND = "mmcm"
MODALITIES = (VISION, PROPRIOCEPTION, "hand")
Readout = Literal["winner", "soft"]
CANDIDATES = 64
"""Amodal neurons that a soft recall averages."""
BLUR = 4
"""Side of the blocks of pixels by whose means the vision map tells pictures apart."""
_CHUNK = 64  # samples at a time; their candidates' pictures take 64 MB


class ConvergenceMaps:
    """A hierarchy of maps: one for each of vision, joints and the hand's place, and above them one amodal map.

    S. Lallee and P. F. Dominey, "Multi-modal convergence maps: from body schema and self-representation to mental
    imagery", Adaptive Behavior 21(4), 2013: reference [1] of Jülg et al., who took Eq. 2-3 and the update from there.

    - **Convergence.** Each sense wins a neuron on its own, unimodal map. Where it lies, its row and column scaled to [0, 1],
      is all that the amodal map is told of that sense.
    - **Divergence.** The amodal winner, by what is known alone, holds a place for each sense. The neuron at that place of the
      sense's own map holds what is recalled. What is known is answered the same way, so that it comes back as the amodal map
      remembers it.

    All maps are `MultiModalSom`: a neuron's activity is Eq. 2-3, weighted by the modalities' influence c, the most active one
    wins, and maps are meant to learn online (`agents.som_training.train_literal`, Eq. 4-5) with a Gaussian neighborhood.

    Departures and choices, since the paper's citation and its equations are all that this is made from: sizes, radii, learning
    rates and passes over the data are this project's; all maps have two dimensions; maps are trained one after the other, the
    amodal one last, where a robot's learn side by side while it babbles; activity is the negative error instead of 1 minus
    the error, with the same winner. The vision map compares means of 4x4 pixels: with all pixels, equal time leaves it a sixth
    of the neurons, and less exact pictures. What its neurons look like in all pixels is the mean of the pictures that won there.
    The soft readout, the answer of several amodal neurons weighted by their activity, is an offer beside the winner's.

    ```python
    maps = ConvergenceMaps.load("runs/paper/mmcm.safetensors")
    told = maps.recall({"proprioception": joints})  # normalized (B, 5) -> vision, proprioception, hand
    ```

    Attributes:
        unimodal: modality -> its own map, of one modality with the same name; pictures as 16x16 means of 4x4 pixels, the hand's
            place scaled to [0, 1].
        pictures: what the neurons of the vision map look like, shape (X*Y, 4096), float16.
        amodal: the map of places on the unimodal maps, two numbers for each modality.
        hand_range: lowest and highest place of the hand along each axis, shape (2, 3), metres.
        readout: what `predict` uses.
    """

    def __init__(
        self,
        unimodal: Mapping[str, MultiModalSom],
        pictures: Tensor,
        amodal: MultiModalSom,
        hand_range: Tensor,
        readout: Readout = "winner",
    ) -> None:
        """Put trained maps together.

        Raises:
            UserError: a map is missing, they do not belong together, or the readout is unknown.
        """
        wanted = {name: [name] for name in MODALITIES} | {"amodal": list(MODALITIES)}
        given = {name: list(som.modalities) for name, som in {**unimodal, "amodal": amodal}.items()}
        if given != wanted or set(amodal.modalities.values()) != {2}:
            raise UserError(
                f"got maps of {given}, the amodal one of {amodal.modalities} dimensions; expected {wanted}, 2 dimensions each"
            )
        rows, columns = unimodal[VISION].shape
        if pictures.shape != (rows * columns, 64 * 64):
            raise UserError(
                f"got pictures {tuple(pictures.shape)}, expected ({rows * columns}, 4096), one for each neuron"
            )
        _check_readout(readout)
        self.unimodal, self.amodal, self.readout = dict(unimodal), amodal, readout
        self.pictures = pictures.to(amodal.device, torch.float16)
        self.hand_range = hand_range.to(amodal.device, torch.float32)

    def with_readout(self, readout: Readout) -> "ConvergenceMaps":
        """The same maps, with another readout in `predict`."""
        return ConvergenceMaps(self.unimodal, self.pictures, self.amodal, self.hand_range, readout)

    def predict(self, source: str, samples: Tensor) -> dict[str, Tensor]:
        """From one modality to those of Table 1.

        Args:
            source: the known modality: `vision`, `proprioception` or `hand`.
            samples: see `recall`.

        Returns:
            `vision` (B, 64, 64) and `proprioception` (B, J).
        """
        told = self.recall({source: samples})
        return {name: told[name] for name in (VISION, PROPRIOCEPTION)}

    @torch.inference_mode()
    def recall(self, samples: Mapping[str, Tensor], readout: Readout | None = None) -> dict[str, Tensor]:
        """From any of the modalities to all.

        Args:
            samples: some of `vision`, pictures (B, 64, 64) in [0, 1]; `proprioception`, normalized joints (B, J); `hand`, its
                position (B, 3), metres.
            readout: "winner": what the amodal winner leads to, as the authors do. "soft": the mean of what the `CANDIDATES`
                most active amodal neurons lead to, with Gaussian weights by their activity.

        Returns:
            All three, shaped alike.

        Raises:
            UserError: no or an unknown modality, misshapen or broken samples, or an unknown readout.
        """
        readout = readout or self.readout
        _check_readout(readout)
        places = self.converge(samples)
        count = 1 if readout == "winner" else min(CANDIDATES, self.amodal.shape[0] * self.amodal.shape[1])
        rows = torch.arange(len(next(iter(places.values()))), device=self.amodal.device).split(_CHUNK)
        parts = [self._told({name: place[part] for name, place in places.items()}, count) for part in rows]
        return {name: torch.cat([part[name] for part in parts]) for name in MODALITIES}

    def converge(self, samples: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Where samples win on their own maps, (B, 2) each: row and column, scaled to [0, 1]; see `recall`."""
        unknown = [name for name in samples if name not in MODALITIES]
        if unknown or not samples:
            raise UserError(f"got the modalities {list(samples)}, expected one or more of {list(MODALITIES)}")
        lengths = {name: len(rows) for name, rows in samples.items()}
        if len(set(lengths.values())) > 1:
            raise UserError(f"modalities must have one row per sample each, got {lengths} rows")
        features = {name: self._features(name, rows) for name, rows in samples.items()}
        return {name: places_of(self.unimodal[name], rows) for name, rows in features.items()}

    def diverge(self, neurons: Tensor) -> dict[str, Tensor]:
        """What amodal neurons lead to: flat indices (...,) -> pixels, joints and scaled places of the hand, (..., width)."""
        led = {
            name: neurons_at(self.amodal.weights_at(name, neurons), som.shape) for name, som in self.unimodal.items()
        }
        told = {name: self.unimodal[name].weights_at(name, led[name]) for name in (PROPRIOCEPTION, "hand")}
        return {VISION: self.pictures[led[VISION]].float(), **told}

    def save(self, path: str | Path, header: Mapping[str, Any] | None = None) -> None:
        """Writes a checkpoint, with this in its header."""
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
            UserError: there is none, it is damaged, or its tensors are not those of such maps.
        """
        tensors, header = checkpoints.read(Path(path), KIND)
        try:
            soms = {name: MultiModalSom({name: tensors[f"{name}.{name}"].to(device)}) for name in MODALITIES}
            places = {name: tensors[f"amodal.{name}"].to(device) for name in MODALITIES}
            amodal = MultiModalSom(places, header["c"])
            return cls(soms, tensors["pictures"], amodal, tensors["hand_range"], header["readout"])
        except KeyError as error:
            raise UserError(f"{path} holds no {error}, expected convergence maps; train them again") from None

    def _told(self, places: Mapping[str, Tensor], count: int) -> dict[str, Tensor]:
        """What the `count` most active amodal neurons answer together."""
        if count == 1:
            told = self.diverge(self.amodal.winners(places))
        else:
            activity, neurons = self.amodal.activity(places).flatten(1).topk(count)  # (B, K)
            weights = candidate_weights(-activity)
            told = {name: weighted_mean(rows, weights) for name, rows in self.diverge(neurons).items()}
        low, high = self.hand_range
        return {**told, VISION: told[VISION].view(-1, 64, 64), "hand": low + told["hand"] * (high - low)}

    def _features(self, name: str, samples: Tensor) -> Tensor:
        """What the modality's own map compares, (B, width)."""
        samples = samples.to(self.amodal.device, torch.float32)
        if name == VISION:
            check_pictures(samples)
            return blurred(samples)
        if not bool(torch.isfinite(samples).all()):
            raise UserError(f"got {name} with NaN or infinite values, expected finite numbers")
        return scaled(samples, self.hand_range) if name == "hand" else samples


def blurred(pictures: Tensor) -> Tensor:
    """Means of blocks of 4x4 pixels, (N, 64, 64) -> (N, 256)."""
    return functional.avg_pool2d(pictures[:, None], BLUR).flatten(1)


def places_of(som: MultiModalSom, features: Tensor) -> Tensor:
    """Where samples (B, width) win on a map of one modality, (B, 2): row and column, scaled to [0, 1]."""
    (name,) = som.modalities
    winners = som.winners({name: features})
    places = torch.stack([winners // som.shape[1], winners % som.shape[1]], 1)
    return places / _last(som.shape, places.device)


def neurons_at(places: Tensor, shape: tuple[int, int]) -> Tensor:
    """The neurons nearest to places (..., 2) on a map, flat indices (...,); the inverse of `places_of`."""
    last = _last(shape, places.device)
    at = (places * last).round().clamp(min=0).minimum(last).long()
    return at[..., 0] * shape[1] + at[..., 1]


def scaled(hand: Tensor, hand_range: Tensor) -> Tensor:
    """The hand's positions (B, 3), metres, scaled to [0, 1] by their range (2, 3).

    Raises:
        UserError: they are misshapen.
    """
    if hand.ndim != 2 or hand.shape[1] != 3:
        raise UserError(f"got hand positions of shape {tuple(hand.shape)}, expected (B, 3), metres")
    low, high = hand_range
    return (hand - low) / (high - low)


def _last(shape: tuple[int, int], device: torch.device) -> Tensor:
    """Index of the last row and column, 1 where there is one only, so that one can divide by it."""
    return torch.tensor([max(side - 1, 1) for side in shape], device=device, dtype=torch.float32)


def _check_readout(readout: str) -> None:
    if readout not in get_args(Readout):
        raise UserError(f"got the readout {readout!r}, expected one of {list(get_args(Readout))}")
