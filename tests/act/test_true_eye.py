import numpy as np
import torch

from infant_env.body.model import ArmModel
from training.act.true_eye import TrueEye, corrected_by_the_true_eye
from training.data.dataset import Dataset


def test_the_true_eye_draws_what_was_collected(small_data: Dataset, arm: ArmModel):
    eye = TrueEye(arm, (60, 100))
    drawn = eye(torch.from_numpy(small_data.normalized_joints[:4])).numpy()
    eye.close()
    assert np.abs(drawn - small_data.pictures[:4]).max() < 2e-2
    assert np.abs(drawn - small_data.pictures[:4]).mean() < 1e-4


def test_it_leads_to_where_the_picture_is_seen(small_data: Dataset, arm: ArmModel):
    eye, joints = TrueEye(arm, (300, 500)), small_data.joints[small_data.shows_hand][:3]

    def seen(poses: np.ndarray) -> np.ndarray:
        return eye(torch.from_numpy(arm.normalize(poses).astype(np.float32))).numpy()

    start = (joints + np.float32(0.05)).clip(*arm.joint_ranges.T.astype(np.float32))
    found = corrected_by_the_true_eye(seen(joints), start, arm, (300, 500))
    before, after = (np.square(seen(poses) - seen(joints)).mean() for poses in (start, found))
    eye.close()
    assert after < before / 5
