"""SOM-AE: an encoder, a multi-modal map over its latents and the joints, and a decoder (paper, Sec. 2.3)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infant_env.errors import UserError
from infant_env.senses.modalities import GAZE, PROPRIOCEPTION, VISION

from ..networks.autoencoder import ConvAutoencoder
from ..som.readout import Readout
from ..som.som import KIND, MultiModalSom
from ..tools import checkpoints
from ..tools.files import DamagedFileError

Array = Tensor | NDArray[Any]
AUTOENCODER, SOM = "autoencoder.safetensors", "som.safetensors"


class SomAutoencoder:
    """Maps pictures of the arm to poses and back.

    ```python
    mind = SomAutoencoder.load("runs/paper")
    joints = mind.recall(images)  # (B, 64, 64) in [0, 1] -> (B, 5) rad
    images = mind.imagine(joints)  # and back
    ```

    Args:
        autoencoder: the trained autoencoder between pictures and standardized latents.
        som: the trained map, with the modalities `vision` (latents) and `proprioception` (normalized joints); it may have
            further ones, such as `vision_left` and `color` (latents of other pictures) and `gaze` (in [0, 1]).
        joint_ranges: lower and upper end of each joint's range, shape (J, 2), rad.
    """

    def __init__(self, autoencoder: ConvAutoencoder, som: MultiModalSom, joint_ranges: Array) -> None:
        self.autoencoder = autoencoder.eval()
        self.som = som
        self.device = som.device
        own = joint_ranges if isinstance(joint_ranges, Tensor) else torch.tensor(np.asarray(joint_ranges))
        self.joint_ranges = own.to(self.device, torch.float32)  # (J, 2)

    def recall(self, images: Array, readout: Readout = "winner") -> Tensor:
        """The poses that the map recalls for pictures.

        Args:
            images: preprocessed pictures, shape (B, 64, 64), in [0, 1] (`infant_env.to_gray`).
            readout: `winner` (paper) or `local_linear` (see `MultiModalSom.recall`).

        Returns:
            Joint angles, shape (B, J), rad.

        Raises:
            UserError: the pictures have a wrong shape or hold NaN, or the readout is unknown.
        """
        return self.denormalize(self.predict(VISION, images, readout)[PROPRIOCEPTION])

    def imagine(self, joints: Array, readout: Readout = "winner") -> Tensor:
        """The pictures that the map recalls for poses.

        Args:
            joints: joint angles, shape (B, J), rad.
            readout: `winner` (paper) or `local_linear`.

        Returns:
            Pictures, shape (B, 64, 64), in [0, 1].

        Raises:
            UserError: the joints have a wrong shape or hold NaN, or the readout is unknown.
        """
        return self.predict(PROPRIOCEPTION, self.normalize(joints), readout)[VISION]

    def predict(self, source: str, samples: Array, readout: Readout = "winner") -> dict[str, Tensor]:
        """Recalls all modalities from one.

        Args:
            source: `vision`, `proprioception`, or another modality of the map.
            samples: pictures (B, 64, 64), normalized joints (B, J), or features of the other modality (B, width).
            readout: `winner` or `local_linear`.

        Returns:
            `vision`, `vision_left`, `fovea`: pictures (B, 64, 64); `color`: (B, 3, 64, 64); `proprioception`: normalized joints
            (B, J); others: features (B, width).
        """
        return self.predict_from({source: samples}, readout)

    @torch.inference_mode()
    def predict_from(self, samples: Mapping[str, Array], readout: Readout = "winner") -> dict[str, Tensor]:
        """Recalls all modalities from several at once, such as a picture and the gaze; see `predict`.

        Args:
            samples: by modality, as many each.
            readout: `winner` or `local_linear`.

        Returns:
            As `predict`. A modality that is given is recalled too; but pictures are drawn with the given gaze.
        """
        gaze = self._features(GAZE, samples[GAZE]) if GAZE in samples else None
        query = {name: self._features(name, given, gaze) for name, given in samples.items()}
        recalled = self.som.recall(query, list(self.som.modalities), readout=readout)
        return recalled | self.decode(recalled if gaze is None else {**recalled, GAZE: gaze})

    @torch.inference_mode()
    def decode(self, features: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The pictures of the eyes among these features.

        Args:
            features: by modality, (B, width) each; with `gaze` if the map has it, else as if the eye looked straight ahead.

        Returns:
            Pictures, shape (B, 64, 64) each, by the name of the eye.
        """
        eyes = [name for name in self.autoencoder.senses if name in features]
        return {name: self.autoencoder.decode(features[name], features.get(GAZE), name) for name in eyes}

    def pictures_of(self, neurons: Tensor) -> Tensor:
        """The pictures that neurons hold, from their flat indices (B,): shape (B, 64, 64)."""
        names = [name for name in (VISION, GAZE) if name in self.som.modalities]
        return self.decode({name: self.som.weights_at(name, neurons) for name in names})[VISION]

    @torch.inference_mode()
    def activity(self, source: str, samples: Array, gaze: Array | None = None) -> Tensor:
        """Activity of each neuron (Eq. 3) for pictures (B, 64, 64) or normalized joints (B, J); shape (B, X, Y), <= 0.

        The pictures of an eye that moves come with its gaze, in [0, 1], shape (B, 2).
        """
        looked = None if gaze is None else self._features(GAZE, gaze)
        return self.som.activity({source: self._features(source, samples, looked)})

    def normalize(self, joints: Array) -> Tensor:
        """Joint angles in rad, shape (..., J), scaled to [0, 1] by their ranges.

        Raises:
            UserError: the last dimension is not J.
        """
        low, high = self.joint_ranges.T
        angles = torch.as_tensor(joints, dtype=torch.float32, device=self.device)
        if angles.shape[-1:] != low.shape:
            raise UserError(f"got joints of shape {tuple(angles.shape)}, expected {len(low)} angles in rad per pose")
        return (angles - low) / (high - low)

    def denormalize(self, normalized: Tensor) -> Tensor:
        """The inverse of `normalize`: (..., J) in [0, 1] to rad."""
        low, high = self.joint_ranges.T
        return low + normalized * (high - low)

    @torch.inference_mode()
    def latents(self, images: Array, gaze: Array | None = None) -> Tensor:
        """Standardized latents of preprocessed pictures, (B, 64, 64) -> (B, D).

        Args:
            images: shape (B, 64, 64), in [0, 1].
            gaze: where an eye that moves looked, in [0, 1], shape (B, 2); None: straight ahead.

        Raises:
            UserError: the pictures have a wrong shape or hold NaN.
        """
        return self._features(VISION, images, None if gaze is None else self._features(GAZE, gaze))

    def save(self, folder: str | Path, header: Mapping[str, Any] | None = None) -> None:
        """Writes `autoencoder.safetensors` and `som.safetensors` into a folder.

        Args:
            folder: the folder; created if it is missing.
            header: further entries of the files' headers, in JSON's types.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.autoencoder.save(folder / AUTOENCODER, header or {})
        self.save_som(folder, header or {})

    def save_som(self, folder: Path, header: Mapping[str, Any]) -> None:
        """Writes `som.safetensors` into the folder of its autoencoder, with the hash of the autoencoder's file."""
        tensors, own = self.som.as_file()
        autoencoder = checkpoints.content_hash(folder / AUTOENCODER)
        tensors["joint_ranges"] = self.joint_ranges
        checkpoints.write(folder / SOM, KIND, tensors, {**header, **own, "autoencoder": autoencoder})

    @classmethod
    def load(cls, folder: str | Path, device: str | torch.device = "cpu") -> "SomAutoencoder":
        """Reads a trained SOM-AE from a run's folder.

        Raises:
            UserError: a file is missing or damaged, or the files belong to different trainings.
        """
        folder = Path(folder)
        autoencoder = ConvAutoencoder.load(folder / AUTOENCODER, device)
        tensors, header = checkpoints.read(folder / SOM, KIND)
        if header.get("autoencoder") != checkpoints.content_hash(folder / AUTOENCODER):
            raise DamagedFileError(
                f"the map in {folder} was trained on another autoencoder than the one in this folder; train it again",
                folder / SOM,
            )
        with checkpoints.fitting(folder / SOM):
            som, ranges = MultiModalSom.of_file(tensors, header, device), tensors["joint_ranges"]
            widths = {VISION: autoencoder.latent_size, PROPRIOCEPTION: len(ranges)}
            if not widths.items() <= som.modalities.items() or ranges.shape[1:] != (2,):
                raise ValueError(f"a map of {som.modalities}, expected {widths}")
        return cls(autoencoder, som, ranges)

    def _features(self, source: str, samples: Array, gaze: Tensor | None = None) -> Tensor:
        samples = torch.as_tensor(np.asarray(samples) if not isinstance(samples, Tensor) else samples)
        samples = samples.to(self.device, torch.float32)
        if source in self.autoencoder.senses:
            check_pictures(samples, self.autoencoder.shape_of(source))
            return self.autoencoder.encode(samples, gaze, source)
        if not bool(torch.isfinite(samples).all()):
            raise UserError(f"got {source} that is NaN or infinite, expected finite numbers")
        return samples


def check_pictures(images: Tensor, shape: Sequence[int] = (64, 64)) -> None:
    """Raises a UserError unless these are preprocessed pictures, shape (B, 64, 64), without NaN."""
    if images.shape[1:] != tuple(shape):
        expected = ", ".join(map(str, shape))
        how = "infant_env.to_gray" if len(shape) == 2 else "`squeeze` of the imagination's `format`"
        raise UserError(
            f"got pictures of shape {tuple(images.shape)}, expected (B, {expected}); preprocess frames of the eye with {how}"
        )
    if not bool(torch.isfinite(images).all()):
        raise UserError("got pictures with NaN or infinite pixels, expected luminance in [0, 1]")
