"""The colors of the arm, and the arm that they tell in another room."""

from pathlib import Path

import pytest
import torch

from agents.networks.arm_colors import ArmColors
from agents.networks.glance import Glance

ARM = torch.zeros(64, 64, dtype=torch.bool)
ARM[20:64, 24:36] = True
SKIN, SLEEVE = torch.tensor([0.85, 0.65, 0.5]), torch.tensor([0.1, 0.15, 0.4])


def with_arm(room: torch.Tensor) -> torch.Tensor:
    """A picture of a room (3, 64, 64) with an arm of two colors."""
    picture = room.clone()
    picture[:, ARM] = SKIN[:, None]
    picture[:, ARM & (torch.arange(64) > 40)[:, None]] = SLEEVE[:, None]
    return picture


def colors() -> ArmColors:
    """The colors of the arm in the usual room."""
    usual = torch.full((3, 64, 64), 0.5)
    return ArmColors.of(with_arm(usual)[None], usual)


def test_the_colors_of_the_arm_are_known_with_their_shares():
    known = colors()
    assert torch.allclose(known.means[known.means[:, 0].argsort()], torch.stack([SLEEVE, SKIN]))
    assert sorted(known.shares.tolist()) == pytest.approx([21 / 44, 23 / 44])
    nothing = ArmColors.of(torch.rand(2, 64, 64), torch.rand(64, 64) * 0 + torch.nan)
    assert nothing.means.shape == (0, 1)


def test_in_another_room_colors_tell_the_arm_where_little_else_does():
    room = torch.full((3, 64, 64), 0.2)
    room[1, :, ::2] = 0.7  # green stripes
    told = torch.full((64, 64), 0.3)
    told[10:, 14:46] = 0.6  # somewhere here
    assert torch.equal(colors().arm_among(with_arm(room), told) > 0.5, ARM)


def test_where_the_room_has_the_colors_of_the_arm_what_was_told_decides():
    room = SKIN[:, None, None].expand(3, 64, 64)
    told = torch.where(ARM, 0.9, 0.1)
    skin = ARM & (torch.arange(64) <= 40)[:, None]
    shown = colors().arm_among(with_arm(room), told) > 0.5
    assert not shown[~ARM].any()
    assert shown[ARM & ~skin].all()


def test_a_glance_keeps_them_and_an_older_one_knows_none(tmp_path: Path):
    background = torch.full((3, 64, 64), 0.5)
    Glance(background, 2, 4, colors=colors()).save(tmp_path / "new.safetensors")
    kept = Glance.load(tmp_path / "new.safetensors").colors
    assert kept is not None
    assert torch.equal(kept.means, colors().means)
    Glance(background, 2, 4).save(tmp_path / "old.safetensors")
    assert Glance.load(tmp_path / "old.safetensors").colors is None
