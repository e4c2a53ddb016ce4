"""An eye that moves: the background at a gaze, where pixels lie in the head, and an autoencoder that is told both."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from agents.networks.autoencoder import ConvAutoencoder
from agents.networks.generator import PictureGenerator
from agents.networks.glance import Glance
from agents.networks.moving_eye import MovingEye, background_at, with_directions
from infant_env.errors import UserError

VIEWS = torch.arange(6.0).view(3, 2, 1, 1).expand(3, 2, 64, 64) / 10  # 3 gazes across, 2 down
DIRECTIONS = torch.stack([torch.full((64, 64), 10.0), torch.full((64, 64), -20.0)])
TURNS = torch.tensor([60.0, 40.0])


def moving(left: torch.Tensor | None = None) -> ConvAutoencoder:
    torch.manual_seed(0)
    return ConvAutoencoder(VIEWS, 4, 4, left, DIRECTIONS, TURNS).eval()


@pytest.mark.parametrize(
    ("gaze", "expected"),
    [((0, 0), 0.0), ((1, 1), 0.5), ((0.5, 0), 0.2), ((0.25, 0), 0.1), ((0.5, 0.5), 0.25), ((0.75, 0.5), 0.35)],
)
def test_the_background_lies_between_the_known_views(gaze: tuple[float, float], expected: float):
    seen = background_at(VIEWS, torch.tensor([gaze], dtype=torch.float32))
    assert seen.shape == (1, 64, 64)
    torch.testing.assert_close(seen, torch.full((1, 64, 64), expected))


@given(st.lists(st.tuples(st.floats(-0.25, 1.25, width=32), st.floats(-0.25, 1.25, width=32)), min_size=1, max_size=5))
def test_no_gaze_leaves_the_views(gazes: list[tuple[float, float]]):
    seen = background_at(VIEWS, torch.tensor(gazes))
    assert bool(((seen >= -1e-6) & (seen <= 0.5 + 1e-6)).all())


def test_pixels_of_the_arm_lie_where_the_gaze_turned_them():
    difference = torch.zeros(2, 1, 64, 64)
    difference[:, 0, 3, 5] = 0.5
    difference[:, 0, 4, 5] = 0.025  # half of a full difference
    planes = with_directions(difference, DIRECTIONS, TURNS, torch.tensor([[0.5, 0.5], [1.0, 0.0]]))
    assert planes.shape == (2, 3, 64, 64)
    torch.testing.assert_close(planes[:, 1:, 3, 5], torch.tensor([[0.10, -0.20], [0.40, -0.40]]))
    torch.testing.assert_close(planes[:, 1:, 4, 5], torch.tensor([[0.05, -0.10], [0.20, -0.20]]))
    assert not planes[:, 1:, 0, 0].any(), "the background has no direction"


def test_an_autoencoder_is_told_the_gaze_and_looks_straight_ahead_without():
    network, images = moving(), torch.rand(3, 64, 64)
    straight = torch.full((3, 2), 0.5)
    torch.testing.assert_close(network.encode(images), network.encode(images, straight))
    assert not torch.allclose(network.encode(images), network.encode(images, torch.zeros(3, 2)))
    drawn = network.decode(torch.zeros(3, 4), torch.zeros(3, 2))
    assert not torch.allclose(drawn, network.decode(torch.zeros(3, 4)))


def test_it_is_saved_and_read_with_its_views_and_both_eyes(tmp_path: Path):
    network, images, gaze = moving(left=VIEWS + 0.1), torch.rand(2, 64, 64), torch.rand(2, 2)
    network.save(tmp_path / "autoencoder.safetensors")
    same = ConvAutoencoder.load(tmp_path / "autoencoder.safetensors")
    assert same.eyes == ("vision", "vision_left")
    for eye in same.eyes:
        assert torch.equal(same.encode(images, gaze, eye), network.encode(images, gaze, eye))
    assert not torch.equal(same.encode(images, gaze), same.encode(images, gaze, "vision_left"))


def test_an_eye_that_does_not_see_is_refused():
    with pytest.raises(UserError, match=r"^got pictures of 'vision_left', expected one of \['vision'\]$"):
        moving().encode(torch.rand(1, 64, 64), eye="vision_left")


def eye() -> MovingEye:
    """An eye whose views are of different brightness."""
    views = torch.linspace(0, 1, 15).view(5, 3, 1, 1).expand(5, 3, 64, 64)
    return MovingEye(views, torch.zeros(2, 64, 64), torch.tensor([60.0, 40.0]))


def test_a_gaze_in_rad_is_scaled_by_its_ranges():
    gazes = torch.tensor([[-30.0, 20.0], [0.0, 0.0]]).deg2rad()
    assert torch.allclose(eye().normalized(gazes), torch.tensor([[0.0, 1.0], [0.5, 0.5]]), atol=1e-6)
    assert torch.allclose(eye().angles(eye().normalized(gazes)), gazes, atol=1e-6)


def test_the_networks_of_a_moving_eye_are_told_its_gaze_and_kept_with_it(tmp_path: Path):
    background = eye().views[2, 1]
    generator, glance = PictureGenerator(background, 5, 4, 4, eye()), Glance(background, 5, 4, eye=eye())
    gazes = torch.tensor([[0.0, 0.0], [1.0, 1.0]])
    poses = torch.cat([torch.full((2, 5), 0.5), gazes], 1)
    with torch.no_grad():
        generator.painter[-2].weight.zero_(), generator.painter[-2].bias.zero_()
    assert torch.equal(generator.draw(poses), eye().background(gazes))
    guesses = glance.guess(background.expand(2, -1, -1), gazes).likeliest
    assert not torch.allclose(guesses[0], guesses[1])
    generator.save(tmp_path / "generator.safetensors")
    glance.save(tmp_path / "glance.safetensors")
    again = PictureGenerator.load(tmp_path / "generator.safetensors")
    assert torch.equal(again.draw(poses), generator.draw(poses))
    assert torch.equal(
        Glance.load(tmp_path / "glance.safetensors").guess(background.expand(2, -1, -1), gazes).likeliest, guesses
    )
