"""Errors along the line of sight, and their difference between one eye and two."""

import mujoco
import numpy as np
import pytest
import torch

from infant_env import ArmModel
from training.measure.metrics import Truth, hand_positions
from training.measure.two_eyes import along_sight, two_eyes

ARM = ArmModel.infant()


def test_the_error_along_the_sight_is_the_part_of_the_way_to_the_hand():
    joints = np.array([[0.5, 0.4, 0.5, 0.6, 0.5], [0.3, 0.2, 0.6, 0.8, 0.5]], np.float32)
    moved = joints + np.float32([0.05, 0, 0, 0, 0])
    data = ARM.new_data()

    mujoco.mj_forward(ARM.model, data)
    eye = data.camera("right_eye").xpos
    first, second = hand_positions(joints, ARM)[:, 0], hand_positions(moved, ARM)[:, 0]
    for k, error in enumerate(along_sight(moved, joints, ARM)):
        line = (first[k] - eye) / np.linalg.norm(first[k] - eye)
        assert error == pytest.approx(abs((second[k] - first[k]) @ line), abs=1e-6)
        assert error <= np.linalg.norm(second[k] - first[k]) + 1e-6


def test_a_second_eye_that_helps_has_an_interval_below_zero():
    random = np.random.default_rng(0)
    joints = random.uniform(0.2, 0.8, (200, 5)).astype(np.float32)
    pictures = np.zeros((200, 64, 64), np.float32)
    given = {"vision": pictures, "vision_left": pictures, "proprioception": joints}
    truth = Truth(given, given, np.ones((200, 1), bool), pictures[:1], ARM)
    noise = random.normal(0, 0.1, joints.shape).astype(np.float32)

    def predict(known: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {"proprioception": torch.from_numpy(joints + noise * (0.5 if "vision_left" in known else 1.0))}

    found = two_eyes(predict, truth)  # type: ignore[arg-type]
    assert found is not None
    assert found.two_cm == pytest.approx(found.one_cm / 2, rel=0.1)
    assert found.low_cm < found.high_cm < 0
    assert two_eyes(predict, Truth({"vision": pictures}, given, truth.shows_hands, pictures[:1], ARM)) is None  # type: ignore[arg-type]
