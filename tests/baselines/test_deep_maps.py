"""DESOM and Deep Neural Maps: what their papers say that they do."""

import pytest
import torch
from squares import BACKGROUND, squares
from torch import Tensor

from agents.baselines.deep_map import C, DeepMap
from agents.baselines.desom import Desom, temperature_at
from agents.baselines.dnm import DeepNeuralMap, assignment, target
from agents.networks.autoencoder import ConvAutoencoder
from agents.som import quality as map_quality
from agents.som_training import coarse_to_fine as som_training

pytestmark = pytest.mark.usefixtures("one_thread")

RANGES = torch.tensor([[0.0, 1.0], [0.0, 1.0]])


def small(kind: type[DeepMap], shape: tuple[int, int] = (1, 2), latent_size: int = 1) -> DeepMap:
    torch.manual_seed(0)
    return kind(ConvAutoencoder(BACKGROUND, latent_size, width=4), RANGES, shape)


def quantization(network: DeepMap, images: Tensor, places: Tensor) -> float:
    with torch.inference_mode():
        samples = {"vision": network.autoencoder.encode(images), "proprioception": places}
    return map_quality.quantization_error(network.mind().som, samples)


def test_distances_are_the_mean_over_the_modalities_of_their_mean_squared_errors():
    network = small(DeepNeuralMap)
    network.neurons = torch.tensor([[0.0, 0.0, 0.0], [2.0, 1.0, 0.0]])
    expected = [[0.0, (4 + (1 + 0) / 2) / 2]]  # vision 1 wide, joints 2 wide
    torch.testing.assert_close(network.squared_distances(torch.zeros(1, 3)), torch.tensor(expected))


def test_desoms_distortion_by_hand():
    network = small(Desom, shape=(1, 3)).eval()
    with torch.no_grad():
        network.neurons.copy_(torch.tensor([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0], [4.0, 0.0, 0.0]]))
    # the winner is neuron 0 at distance 0; the others are 1 and 2 steps away, at (2^2)/2 = 2 and (4^2)/2 = 8
    expected = 2 * torch.tensor(-1.0).exp() + 8 * torch.tensor(-4.0).exp()
    with torch.no_grad():
        distortion = network.distortion(torch.zeros(1, 1), torch.zeros(1, 2), 1.0)
    assert float(distortion) == pytest.approx(float(expected))


def test_desoms_temperature_falls_exponentially():
    assert [temperature_at(done, 8.0, 0.5) for done in (0.0, 0.5, 1.0)] == pytest.approx([8.0, 2.0, 0.5])


def test_desoms_neurons_move_towards_the_samples_and_the_autoencoder_towards_the_neurons():
    network = small(Desom, (4, 4), latent_size=2).train()
    images, places = squares(8)
    raw, pictures = network.see(images)
    network.start(raw.detach(), places, torch.Generator().manual_seed(0))
    ((pictures - images).square().mean() + network.distortion(raw, places, 1.0)).backward()
    assert network.neurons.grad is not None
    assert float(network.neurons.grad.abs().sum()) > 0
    first = next(network.autoencoder.encoder.parameters())
    assert first.grad is not None
    assert float(first.grad.abs().sum()) > 0


def desom(joint: bool) -> Desom:
    """A DESOM after some learning; unless `joint`, the map learns alone and the autoencoder does not feel it."""
    network, (images, places) = small(Desom, (6, 6), latent_size=2), squares(256)
    assert isinstance(network, Desom)
    with torch.no_grad():
        network.start(network.see(images)[0], places, torch.Generator().manual_seed(0))
    optimizer = torch.optim.AdamW(network.parameters(), 1e-2, weight_decay=0)
    for step in range(200):
        batch = torch.randperm(256, generator=torch.Generator().manual_seed(step))[:32]
        network.train()
        raw, pictures = network.see(images[batch])
        error = network.distortion(raw if joint else raw.detach(), places[batch], temperature_at(step / 200, 3.0, 0.8))
        loss = (pictures - images[batch]).square().mean() + 0.1 * error
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network.eval()


def test_learning_together_lowers_the_quantization_error_below_that_of_a_map_on_a_finished_autoencoder():
    together, apart = (quantization(desom(joint), *squares(256)) for joint in (True, False))
    assert together < 0.9 * apart


def test_a_desom_brings_its_neurons_in_order():
    network, (images, places) = small(Desom, (6, 6), latent_size=2), squares(256)
    assert isinstance(network, Desom)
    with torch.no_grad():
        network.start(network.see(images)[0], places, torch.Generator().manual_seed(0))
    before, after = (
        map_quality.topographic_error(n.mind().som, {"proprioception": places}) for n in (network, desom(True))
    )
    assert after < before / 2


def test_assignment_and_target_by_hand():
    assigned = assignment(torch.tensor([[0.0, 1.0], [3.0, 0.0]]))  # near: 1, 1/2 and 1/4, 1
    torch.testing.assert_close(assigned, torch.tensor([[2 / 3, 1 / 3], [1 / 5, 4 / 5]]))
    wanted = target(assigned[:1], torch.tensor([0.5, 0.5]))  # 4/9 and 1/9
    torch.testing.assert_close(wanted, torch.tensor([[4 / 5, 1 / 5]]))


def test_a_neuron_that_wins_often_is_wanted_less():
    assigned = torch.tensor([[0.5, 0.5]])
    torch.testing.assert_close(target(assigned, torch.tensor([0.8, 0.2])), torch.tensor([[0.2, 0.8]]))


def test_kohonens_step_by_hand():
    network = small(DeepNeuralMap)
    network.neurons = torch.tensor([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    network.adapt(torch.tensor([[0.2, 0.0, 0.0]]), rate=0.5, sigma=1e-3)  # no neighbor is reached
    torch.testing.assert_close(network.neurons, torch.tensor([[0.1, 0.0, 0.0], [1.0, 1.0, 1.0]]))


def test_a_batch_moves_a_neuron_no_further_than_its_samples():
    network = small(DeepNeuralMap)
    network.neurons = torch.zeros(2, 3)
    network.adapt(torch.ones(50, 3), rate=1.0, sigma=1e-3)
    assert float(network.neurons.max()) == pytest.approx(1.0)


def test_the_divergence_draws_latents_to_the_neuron_that_they_fit_best():
    network = small(DeepNeuralMap).eval()
    network.neurons = torch.tensor([[-1.0, 0.5, 0.5], [1.0, 0.5, 0.5]])
    features = torch.tensor([[0.3, 0.5, 0.5]], requires_grad=True)
    network.divergence(features).backward()
    assert features.grad is not None
    assert float(features.grad[0, 0]) < 0  # a step against the gradient goes right, to the neuron at 1


def test_refining_a_trained_map_and_its_trained_autoencoder_lowers_the_quantization_error():
    network, (images, places) = small(DeepNeuralMap, (6, 6), latent_size=2), squares(256)
    assert isinstance(network, DeepNeuralMap)

    def learn(steps: int, rate: float, gamma: float) -> None:
        optimizer = torch.optim.AdamW(network.autoencoder.parameters(), rate)
        for step in range(steps):
            batch = torch.randperm(256, generator=torch.Generator().manual_seed(step))[:32]
            raw, pictures = network.see(images[batch])
            features = network.features(raw, places[batch])
            loss = (pictures - images[batch]).square().mean() + gamma * network.divergence(features)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if gamma:
                network.adapt(features.detach(), rate=0.5, sigma=0.5)

    def relative_error() -> float:
        """Distance of the latents from their winners, in units of their spread, which the divergence also widens."""
        with torch.inference_mode():
            latents = network.autoencoder.encode(images)
        return float(torch.cdist(latents, network.neurons[:, :2]).amin(1).mean() / latents.std(0).mean())

    learn(400, 1e-2, gamma=0)
    with torch.no_grad():
        raw = network.see(images)[0]
        network.autoencoder.standardize(raw)
        features = network.features(raw, places)
    som = som_training.train({"vision": features[:, :2], "proprioception": features[:, 2:]}, (6, 6), C, seed=0)
    network.neurons = torch.cat([som.weights(name) for name in network.modalities.widths], 1)
    network.frequencies = network.mean_assignment(features)
    before = relative_error()
    learn(100, 1e-3, gamma=0.1)
    assert relative_error() < 0.8 * before


@pytest.mark.parametrize("kind", [Desom, DeepNeuralMap])
def test_a_saved_map_comes_back_the_same(kind: type[DeepMap], tmp_path):
    network, (images, places) = small(kind, (3, 2), latent_size=2).eval(), squares(4)
    network.save(tmp_path / "map.safetensors")
    again = kind.load(tmp_path / "map.safetensors")
    for source, samples in (("vision", images), ("proprioception", places)):
        told, expected = again.predict(source, samples), network.predict(source, samples)
        assert told.keys() == {"vision", "proprioception"}
        assert all(torch.equal(told[name], expected[name]) for name in told)


@pytest.mark.parametrize("kind", [Desom, DeepNeuralMap])
def test_a_truncated_map_gives_one_clear_line(kind: type[DeepMap], tmp_path):
    path = tmp_path / "map.safetensors"
    small(kind).save(path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ValueError, match="is damaged.*train it again"):
        kind.load(path)


def test_a_map_without_neurons_is_refused():
    with pytest.raises(ValueError, match="map of 0x3 neurons"):
        small(Desom, (0, 3))
