"""A bound for what looking can reach: poses are corrected with the true renderer instead of the imagination."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from agents.mind.search.goals import Goals
from agents.mind.search.trials import refine
from infant_env.body.model import ArmModel
from infant_env.senses.camera import EyeCamera
from infant_env.senses.vision import GRAY, Format

_ITERATIONS = 9


def looks_of(arm: ArmModel) -> int:
    """Number of looks of the true eye for each goal: in every step one, and one for each joint."""
    return (_ITERATIONS + 1) * (len(arm.joint_names) + 1)


class TrueEye:
    """Renders what the eye sees; it stands in for the `PictureGenerator`.

    Args:
        arm: the body.
        eye_size: rows and columns of the eye's frames.
        acuity: of the eye, cycles per degree; None: no blur.
        format: the format of its pictures.
    """

    def __init__(
        self, arm: ArmModel, eye_size: tuple[int, int], acuity: float | None = None, format: Format = GRAY
    ) -> None:
        self._format = format
        self._arm, self._camera, self._state = arm, EyeCamera(arm, eye_size, acuity), arm.new_data()

    def __call__(self, joints: Tensor) -> Tensor:
        """Normalized joints (B, J), followed by the gaze of an eye that moves -> pictures (B, *format.shape)."""
        return torch.from_numpy(np.stack([self._seen(pose) for pose in joints.numpy().astype(np.float64)]))

    def close(self) -> None:
        """Frees the camera."""
        self._camera.close()

    def _seen(self, normalized: NDArray[np.float64]) -> NDArray[np.float32]:
        joints, gaze = np.split(normalized, [len(self._arm.joint_names)])
        self._arm.pose(self._state, self._arm.denormalize(joints), self._arm.gaze.denormalize(gaze))
        return self._format.squeeze(self._camera.render(self._state))


def corrected_by_the_true_eye(
    pictures: NDArray[np.float32],
    joints: NDArray[np.float32],
    arm: ArmModel,
    eye_size: tuple[int, int],
    acuity: float | None = None,
    gazes: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Corrects poses by Levenberg-Marquardt steps on the pixels, with the true renderer and only kinematics.

    Args:
        pictures: goals of any format, shape (N, 64, 64) or (N, 3, 64, 64).
        joints: poses at the start, shape (N, J), rad.
        arm: the body.
        eye_size: rows and columns of the eye's frames.
        acuity: of the eye, cycles per degree; None: no blur.
        gazes: where an eye that moves saw the goals, shape (N, 2), rad.

    Returns:
        Joints, shape (N, J), rad.
    """
    eye = TrueEye(arm, eye_size, acuity, Format.of(pictures.shape[1:]))
    starts = torch.from_numpy(arm.normalize(joints).astype(np.float32)).clamp(0, 1)
    looked = arm.gaze.normalize(np.zeros((len(joints), len(arm.gaze.ranges))) if gazes is None else gazes)
    goals = Goals.of(torch.from_numpy(pictures).flatten(1), torch.from_numpy(looked.astype(np.float32)))
    rows = [
        refine(eye, goals.of_rows(torch.tensor([k])), starts[k : k + 1], _ITERATIONS)[0]
        for k in tqdm(range(len(pictures)), desc="bound", unit="goal")
    ]
    eye.close()
    return arm.denormalize(torch.cat(rows).numpy().astype(np.float64)).astype(np.float32)
