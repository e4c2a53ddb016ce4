from pathlib import Path

import pytest
import torch
from squares import BACKGROUND, squares
from torch.optim.swa_utils import update_bn

from agents.baselines.regressor import CnnRegressor, RegressorProgress
from training.data.dataset import Dataset
from training.train import regressor as train_regressor

pytestmark = pytest.mark.usefixtures("one_thread")


def trained(seed: int = 0, **options: object) -> CnnRegressor:
    torch.manual_seed(0)
    return CnnRegressor(BACKGROUND, joint_count=2, width=8).fit(
        *squares(256), epochs=8, seed=seed, batch_size=16, **options
    )


def test_it_learns_what_the_picture_tells():
    images, places = squares(100)
    assert float((trained().predict(images) - places).abs().mean()) < 0.08  # always answering .5 scores .25


def test_equal_seeds_give_equal_weights():
    first, again, other = trained(), trained(), trained(seed=1)
    weights = [regressor.layers[1].weight for regressor in (first, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_it_ends_with_the_statistics_of_all_training_pictures():
    (images, _), regressor = squares(256), trained()
    told = regressor.predict(images)
    update_bn([images], regressor)
    assert torch.allclose(regressor.predict(images), told, atol=1e-6)


def test_every_epoch_is_reported_with_its_validation_error():
    reports: list[RegressorProgress] = []
    trained(validation=squares(20), progress=reports.append)
    assert [report.epoch for report in reports] == list(range(1, 9))
    assert reports[-1].validation_mae is not None
    assert reports[0].validation_mae is not None
    assert reports[-1].validation_mae < reports[0].validation_mae


def test_a_saved_regressor_comes_back_the_same(tmp_path: Path):
    regressor, (images, _) = CnnRegressor(BACKGROUND, width=4), squares(3)
    regressor.save(tmp_path / "regressor.safetensors")
    assert torch.equal(CnnRegressor.load(tmp_path / "regressor.safetensors").predict(images), regressor.predict(images))


def test_a_truncated_checkpoint_gives_one_clear_line(tmp_path: Path):
    path = tmp_path / "regressor.safetensors"
    CnnRegressor(BACKGROUND, width=4).save(path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ValueError, match="is damaged.*train again"):
        CnnRegressor.load(path)


def test_joints_of_another_body_are_refused():
    images, places = squares(4)
    with pytest.raises(ValueError, match=r"joints \(4, 2\), expected .*\(N, 5\)"):
        CnnRegressor(BACKGROUND, width=4).fit(images, places)


def test_nan_in_the_pictures_is_told():
    images, places = squares(4)
    with pytest.raises(ValueError, match=r"loss became nan in epoch 1.*NaNs in the pictures"):
        CnnRegressor(BACKGROUND, joint_count=2, width=4).fit(images * float("nan"), places, epochs=1)


def test_the_command_trains_once_and_answers_pictures_only(
    small_data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    config = train_regressor.Config(small_data.path, tmp_path, epochs=1, device="cpu")
    train_regressor.run(config)
    monkeypatch.setattr(CnnRegressor, "fit", None)
    train_regressor.run(config)
    method = train_regressor.load_regressor(tmp_path)
    joints = method.predict("vision", torch.from_numpy(small_data.pictures[:4]))["proprioception"]
    assert joints.shape == (4, 5)
    assert 0 <= joints.min() <= joints.max() <= 1
    assert method.predict("proprioception", joints) == {}


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_it_works_on_cuda_unchanged():
    images, places = squares(16)
    regressor = (
        CnnRegressor(BACKGROUND, joint_count=2, width=4).to("cuda").fit(images, places, (images, places), epochs=1)
    )
    assert regressor.predict(images).shape == (16, 2)
