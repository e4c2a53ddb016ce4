from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from agents.networks.autoencoder import ConvAutoencoder, arm_mask

pytestmark = pytest.mark.usefixtures("one_thread")

BACKGROUND = torch.linspace(0.4, 0.8, 64 * 64).view(64, 64)


def bars(count: int) -> Tensor:
    """Pictures of a dark bar, each at another place and of another length, before the background."""
    images = BACKGROUND.repeat(count, 1, 1)
    for k, image in enumerate(images):
        image[10 + 2 * k : 20 + 4 * k, 8 + 5 * k : 14 + 5 * k] = 0.1
    return images


@pytest.fixture
def autoencoder() -> ConvAutoencoder:
    torch.manual_seed(0)
    return ConvAutoencoder(BACKGROUND, width=8).eval()


@torch.inference_mode()
def test_eight_numbers_stand_for_a_picture(autoencoder: ConvAutoencoder):
    latents = autoencoder.encode(bars(3))
    assert latents.shape == (3, 8)
    assert autoencoder.decode(latents).shape == (3, 64, 64)


@torch.inference_mode()
@pytest.mark.parametrize("shape", [(64, 64), (16, 16), (128, 128), (3, 32, 32)])
def test_pictures_of_other_formats_keep_it(shape: tuple[int, ...]):
    autoencoder = ConvAutoencoder(torch.rand(shape), width=4).eval()
    latents = autoencoder.encode(torch.rand(2, *shape))
    assert latents.shape == (2, 8)
    assert autoencoder.decode(latents).shape == (2, *shape)


@torch.inference_mode()
def test_decoded_pictures_are_luminance(autoencoder: ConvAutoencoder):
    pictures = autoencoder.decode(1e4 * torch.randn(4, 8))
    assert pictures.min() == 0
    assert pictures.max() == 1


@torch.inference_mode()
def test_forward_is_decoding_what_was_encoded_but_not_clamped(autoencoder: ConvAutoencoder):
    images = bars(4)
    autoencoder.standardize(autoencoder.raw_latents(images))
    torch.testing.assert_close(autoencoder(images).clamp(0, 1), autoencoder.decode(autoencoder.encode(images)))


@torch.inference_mode()
def test_latents_are_standardised(autoencoder: ConvAutoencoder):
    images = bars(6)
    autoencoder.standardize(autoencoder.raw_latents(images))
    latents = autoencoder.encode(images)
    torch.testing.assert_close(latents.mean(dim=0), torch.zeros(8), atol=1e-4, rtol=0)
    torch.testing.assert_close(latents.std(dim=0), torch.ones(8), atol=1e-4, rtol=0)


@torch.inference_mode()
def test_equal_pictures_do_not_divide_by_zero(autoencoder: ConvAutoencoder):
    images = BACKGROUND.repeat(3, 1, 1)
    autoencoder.standardize(autoencoder.raw_latents(images))
    assert bool(torch.isfinite(autoencoder.encode(images)).all())


def test_it_overfits_a_handful_of_pictures():
    torch.manual_seed(0)
    autoencoder, images = ConvAutoencoder(BACKGROUND, width=16), bars(6)
    before = float(F.mse_loss(autoencoder(images), images).detach())
    optimizer = torch.optim.AdamW(autoencoder.parameters(), 3e-3)
    for _ in range(120):
        optimizer.zero_grad()
        F.mse_loss(autoencoder(images), images).backward()
        optimizer.step()
    assert float(F.mse_loss(autoencoder(images), images).detach()) < before / 50


@torch.inference_mode()
def test_a_saved_autoencoder_comes_back_the_same(autoencoder: ConvAutoencoder, tmp_path: Path):
    images = bars(4)
    autoencoder.standardize(autoencoder.raw_latents(images))
    autoencoder.save(tmp_path / "autoencoder.safetensors", {"dataset": "abc"})
    loaded = ConvAutoencoder.load(tmp_path / "autoencoder.safetensors")
    assert not loaded.training
    assert torch.equal(loaded.encode(images), autoencoder.encode(images))
    assert torch.equal(loaded.decode(loaded.encode(images)), autoencoder.decode(autoencoder.encode(images)))


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.99])
def test_a_truncated_checkpoint_gives_one_clear_line(autoencoder: ConvAutoencoder, tmp_path: Path, share: float):
    path = tmp_path / "autoencoder.safetensors"
    autoencoder.save(path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(ValueError, match=r"autoencoder\.safetensors is damaged.*train it again") as caught:
        ConvAutoencoder.load(path)
    assert "\n" not in str(caught.value)


def test_a_background_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"shape \(300, 500\), expected \(64, 64\).*to_gray"):
        ConvAutoencoder(torch.zeros(300, 500))


def test_the_arm_is_what_differs_from_the_background_by_more_than_2_levels_of_255():
    background = torch.tensor([0.5, 0.5, 0.5, 0.5])
    images = background + torch.tensor([0.0, 1.9 / 255, 2.1 / 255, -2.1 / 255])
    assert arm_mask(images, background).tolist() == [False, False, True, True]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@torch.inference_mode()
def test_it_works_on_cuda_unchanged(autoencoder: ConvAutoencoder, tmp_path: Path):
    autoencoder.save(tmp_path / "autoencoder.safetensors")
    there, images = ConvAutoencoder.load(tmp_path / "autoencoder.safetensors", "cuda"), bars(4)
    pictures = there.decode(there.encode(images.cuda())).cpu()
    torch.testing.assert_close(pictures, autoencoder.decode(autoencoder.encode(images)), atol=2e-2, rtol=0)
