import pytest
import torch

from agents.baselines.latent_mlp import LatentMlps
from agents.networks.autoencoder import ConvAutoencoder

pytestmark = pytest.mark.usefixtures("one_thread")


def small() -> LatentMlps:
    torch.manual_seed(0)
    return LatentMlps(ConvAutoencoder(torch.full((64, 64), 0.6), latent_size=2, width=4), joint_count=2, width=32)


def test_it_learns_both_directions():
    mlps, joints = small(), torch.rand(512, 2, generator=torch.Generator().manual_seed(0))
    latents = torch.stack([2 * joints[:, 0] - 1, joints.prod(1)], 1)  # told by the joints, and telling them
    optimizer = torch.optim.AdamW(mlps.networks.parameters(), 3e-3)
    for _ in range(300):
        loss, _ = mlps.loss(latents, joints)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.inference_mode():
        assert float((mlps.joints(latents) - joints).abs().mean()) < 0.05  # always .5 scores .25
        assert float((mlps.latents(joints) - latents).abs().mean()) < 0.1


def test_joints_are_not_answered_with_joints():
    told = small().predict("proprioception", torch.rand(3, 2))
    assert told.keys() == {"vision"}
    assert told["vision"].shape == (3, 64, 64)


def test_saved_networks_come_back_the_same(tmp_path):
    mlps, images = small(), torch.rand(3, 64, 64)
    mlps.save(tmp_path / "mlp.safetensors")
    again = LatentMlps.load(tmp_path / "mlp.safetensors", mlps.autoencoder)
    assert torch.equal(
        again.predict("vision", images)["proprioception"], mlps.predict("vision", images)["proprioception"]
    )


def test_networks_for_other_latents_are_refused(tmp_path):
    small().save(tmp_path / "mlp.safetensors")
    wide = ConvAutoencoder(torch.full((64, 64), 0.6), latent_size=3, width=4)
    with pytest.raises(ValueError, match="tensors of another model"):
        LatentMlps.load(tmp_path / "mlp.safetensors", wide)
