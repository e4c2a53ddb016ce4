"""A network that tells the arm from the room and from new things."""

from pathlib import Path

import pytest
import torch

from agents.networks.glance import Glance
from agents.networks.segments import Segments
from training.train.glance import wrong_segments
from training.train.tools import disturbed as made
from training.train.tools.disturbed import Disturbed, disturbed

BACKGROUND = torch.full((3, 64, 64), 0.4)


def squares(count: int) -> torch.Tensor:
    """Pictures of a bright square somewhere before the background, (count, 3, 64, 64)."""
    pictures, random = BACKGROUND.repeat(count, 1, 1, 1), torch.Generator().manual_seed(0)
    for picture, (row, column) in zip(
        pictures, torch.randint(0, 40, (count, 2), generator=random).tolist(), strict=True
    ):
        picture[:, row : row + 24, column : column + 24] = torch.tensor([0.9, 0.7, 0.1]).view(3, 1, 1)
    return pictures


def test_the_loss_is_the_logarithm_of_the_true_probability():
    def pixels(*values: float) -> torch.Tensor:
        return torch.tensor(values).view(1, 1, 1, -1)

    told = Segments(*(pixels(*chances).log() for chances in ((0.7, 0.2, 0.1), (0.2, 0.7, 0.1), (0.1, 0.1, 0.8))))
    shown = Disturbed(torch.zeros(1, 3, 1, 3), arm=pixels(1, 0, 1), new=pixels(0, 0, 1))
    assert float(wrong_segments(told, shown)) == pytest.approx(-float(torch.tensor([0.7, 0.7, 0.8]).log().mean()))


def test_it_learns_to_tell_them_apart(monkeypatch: pytest.MonkeyPatch):
    for share in ("_OTHER_LIGHT", "_OTHER_LAMPS", "_MOVED", "_OTHER_ARM", "_OTHER_ROOM"):
        monkeypatch.setattr(made, share, 0.0)
    torch.manual_seed(0)
    glance, random = Glance(BACKGROUND, joint_count=2, width=8), torch.Generator().manual_seed(1)
    optimizer = torch.optim.Adam(glance.parameters(), 1e-2)
    for _ in range(80):
        shown = disturbed(squares(16), BACKGROUND, random)
        loss = wrong_segments(glance.with_segments(shown.seen, slice(None))[1], shown)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    seen = squares(8)
    hidden = seen.clone()
    hidden[:, :, :, 20:34] = torch.tensor([0.2, 0.2, 0.9]).view(3, 1, 1)
    told = glance.segments(hidden)
    assert told is not None
    likeliest = torch.cat([told.arm, told.room, told.new], 1).argmax(1)
    true = ((seen - BACKGROUND).abs().amax(1) < 0.1).long()
    true[:, :, 20:34] = 2
    assert float((likeliest == true).float().mean()) > 0.9


def test_the_probabilities_of_a_pixel_sum_to_one():
    told = Glance(BACKGROUND, joint_count=2, width=4).segments(squares(3))
    assert told is not None
    assert told.arm.shape == (3, 1, 64, 64)
    total = told.arm.exp() + told.room.exp() + told.new.exp()
    assert torch.allclose(total, torch.ones_like(total), atol=1e-5)


@pytest.mark.parametrize("segments", [True, False])
def test_a_file_knows_whether_its_network_tells_segments(tmp_path: Path, segments: bool):
    Glance(BACKGROUND, joint_count=2, width=4, segments=segments).save(tmp_path / "glance.safetensors")
    glance = Glance.load(tmp_path / "glance.safetensors")
    assert (glance.segments(squares(1)) is not None) == segments
