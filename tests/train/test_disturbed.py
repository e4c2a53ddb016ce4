"""Disturbed pictures for the training of the glance."""

import pytest
import torch

from training.train.tools import disturbed as made
from training.train.tools.disturbed import disturbed
from training.train.tools.rooms import rooms


def pictures(count: int, colors: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures of a bright square on a gray background, and the background."""
    background = torch.full((colors, 64, 64), 0.4)
    shown = background.repeat(count, 1, 1, 1)
    shown[:, :, 20:40, 20:40] = 0.9
    return shown, background


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def only(monkeypatch: pytest.MonkeyPatch, disturbance: str) -> None:
    """Gives all pictures this disturbance, and none another one."""
    for share in ("_OTHER_ROOM", "_OTHER_ARM", "_OTHER_LAMPS", "_OTHER_LIGHT", "_MOVED", "_HIDDEN", "_NOISY"):
        monkeypatch.setattr(made, share, float(share == disturbance))


@pytest.mark.parametrize("colors", [1, 3])
def test_some_pictures_are_disturbed_and_all_are_pictures(colors: int):
    shown, background = pictures(300, colors)
    seen = disturbed(shown, background, random()).seen
    assert seen.shape == shown.shape
    assert 0 <= float(seen.min()) <= float(seen.max()) <= 1
    usual = float(seen.isclose(shown, atol=1e-5).flatten(1).all(1).float().mean())
    assert 0 < usual < 0.2


def test_equal_seeds_give_equal_bytes():
    shown, background = pictures(8, 3)
    first, again, other = (disturbed(shown, background, random(seed)).seen for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_another_room_leaves_the_arm_and_another_arm_leaves_the_room(monkeypatch: pytest.MonkeyPatch):
    for share in ("_OTHER_LIGHT", "_OTHER_LAMPS", "_MOVED", "_HIDDEN", "_NOISY"):
        monkeypatch.setattr(made, share, 0.0)
    shown, background = pictures(16, 3)
    arm = torch.zeros(64, 64, dtype=torch.bool)
    arm[20:40, 20:40] = True
    monkeypatch.setattr(made, "_OTHER_ARM", 0.0)
    monkeypatch.setattr(made, "_OTHER_ROOM", 1.0)
    seen = disturbed(shown, background, random()).seen
    assert torch.allclose(seen[..., arm], shown[..., arm], atol=1e-3)
    assert float((seen[..., ~arm] - shown[..., ~arm]).abs().mean()) > 0.1
    monkeypatch.setattr(made, "_OTHER_ARM", 1.0)
    monkeypatch.setattr(made, "_OTHER_ROOM", 0.0)
    seen = disturbed(shown, background, random()).seen
    assert torch.allclose(seen[..., ~arm], shown[..., ~arm], atol=1e-3)
    assert float((seen[..., arm] - shown[..., arm]).abs().mean()) > 0.05


def test_a_moved_camera_moves_the_arm(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(made, "_MOVED", 1.0)
    shown, _ = pictures(64, 1)
    at = torch.arange(64.0)
    moved = made._moved(shown, random()) - 0.4
    centers = (moved.sum(2) * at).sum(2) / moved.sum((2, 3))
    assert float((centers - 29.5).abs().max()) < 7
    assert float(centers.std()) > 1


def test_something_hides_at_most_half_of_the_width_or_height(monkeypatch: pytest.MonkeyPatch):
    shown = torch.linspace(0, 1, 64 * 64).view(1, 1, 64, 64).expand(400, 1, 64, 64)
    seen, new = made._partly_hidden(shown, random())
    assert torch.equal(new, seen != shown)
    hidden = new.squeeze(1)
    touched = hidden.flatten(1).any(1)
    assert float(touched.float().mean()) == pytest.approx(made._HIDDEN, abs=0.07)
    sides = torch.stack([hidden.any(1).sum(1), hidden.any(2).sum(1)], 1).min(1).values
    assert int(sides.max()) <= 33


def test_it_tells_where_the_arm_is_and_what_hides_it(monkeypatch: pytest.MonkeyPatch):
    only(monkeypatch, "_HIDDEN")
    shown, background = pictures(16, 3)
    told = disturbed(shown, background, random())
    arm = torch.zeros(64, 64)
    arm[20:40, 20:40] = 1
    assert torch.equal(told.arm, arm.expand(16, 1, 64, 64))
    changed = (told.seen - shown).abs().amax(1, keepdim=True) > 1e-6
    assert torch.equal(changed, told.new.bool())


def test_with_the_camera_the_place_of_the_arm_moves_too(monkeypatch: pytest.MonkeyPatch):
    only(monkeypatch, "_MOVED")
    shown, background = pictures(16, 3)
    told = disturbed(shown, background, random())
    assert torch.allclose(told.seen, 0.4 + 0.5 * told.arm.expand(-1, 3, -1, -1), atol=1e-5)


@pytest.mark.parametrize("colors", [1, 3])
def test_rooms_are_pictures_and_no_two_are_alike(colors: int):
    made_rooms = rooms(12, colors, 64, random())
    assert made_rooms.shape == (12, colors, 64, 64)
    assert 0 <= float(made_rooms.min()) <= float(made_rooms.max()) <= 1
    apart = torch.pdist(made_rooms.flatten(1))
    assert float(apart.min()) > 1
    assert torch.equal(made_rooms, rooms(12, colors, 64, random()))
