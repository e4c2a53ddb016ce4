import pytest
import torch
from squares import BACKGROUND, squares
from torch import Tensor

from agents.baselines.mvae import MultiModalVae, divergence_from_prior, product_of_experts

pytestmark = pytest.mark.usefixtures("one_thread")


def shown(count: int) -> dict[str, Tensor]:
    """Squares by modality."""
    return dict(zip(("vision", "proprioception"), squares(count), strict=True))


def small() -> MultiModalVae:
    torch.manual_seed(0)
    return MultiModalVae(BACKGROUND, latent_size=3, joint_count=2, width=8)


@pytest.fixture(scope="module")
def learned() -> MultiModalVae:
    vae, samples = small(), shown(512)
    optimizer = torch.optim.AdamW(vae.parameters(), 3e-3)
    for step in range(250):
        draw = torch.Generator().manual_seed(step)
        batch = torch.randperm(512, generator=draw)[:32]
        loss, _ = vae.loss({n: rows[batch] for n, rows in samples.items()}, torch.randn(3, 32, 3, generator=draw))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return vae.eval()


def test_a_product_of_experts_by_hand():
    # precisions 1 (prior), 2 and 3; means 0, 1 and 2
    experts = [(torch.tensor([[m]]), torch.tensor([[1 / p]]).log()) for m, p in ((1.0, 2.0), (2.0, 3.0))]
    mean, log_variance = product_of_experts(experts)
    assert float(mean) == pytest.approx((2 * 1 + 3 * 2) / 6)
    assert float(log_variance.exp()) == pytest.approx(1 / 6)


def test_divergence_agrees_with_torchs():
    mean, log_variance = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(0))
    posterior = torch.distributions.Normal(mean, (log_variance / 2).exp())
    prior = torch.distributions.Normal(torch.zeros(()), torch.ones(()))
    expected = torch.distributions.kl_divergence(posterior, prior).sum(1).mean()
    torch.testing.assert_close(divergence_from_prior((mean, log_variance)), expected)


@pytest.mark.parametrize("source", ["vision", "proprioception"])
def test_it_recalls_both_senses_from_either(learned: MultiModalVae, source: str):
    samples = shown(100)
    told = learned.predict(source, samples[source])
    assert float((told["proprioception"] - samples["proprioception"]).abs().mean()) < 0.1  # always .5 scores .25
    empty = (BACKGROUND - samples["vision"]).square().mean()
    assert float((told["vision"] - samples["vision"]).square().mean()) < 0.6 * float(empty)


def test_two_senses_are_surer_than_one(learned: MultiModalVae):
    with torch.inference_mode():
        experts = [learned.expert(name, rows) for name, rows in shown(20).items()]
        both, one = product_of_experts(experts)[1], product_of_experts(experts[:1])[1]
    assert bool((both < one).all())


def test_recall_from_both_agrees_with_either(learned: MultiModalVae):
    samples = shown(100)
    told = learned.recall(samples)
    assert float((told["proprioception"] - samples["proprioception"]).abs().mean()) < 0.1


def test_a_saved_vae_comes_back_the_same(tmp_path):
    vae, images = small().eval(), shown(3)["vision"]
    vae.save(tmp_path / "mvae.safetensors")
    again = MultiModalVae.load(tmp_path / "mvae.safetensors")
    told, expected = again.predict("vision", images), vae.predict("vision", images)
    assert all(torch.equal(told[name], expected[name]) for name in expected)


def test_a_truncated_checkpoint_gives_one_clear_line(tmp_path):
    path = tmp_path / "mvae.safetensors"
    small().save(path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ValueError, match="is damaged.*train it again"):
        MultiModalVae.load(path)
