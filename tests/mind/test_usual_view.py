"""Light and camera of a picture, from what it shows of the background."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from agents.mind.search import usual_view
from agents.mind.search.usual_view import UsualView
from agents.networks.arm_colors import ArmColors
from agents.networks.segments import Segments


def room(colors: int = 3) -> Tensor:
    """A background with some edges, (colors, 64, 64)."""
    picture = torch.full((colors, 64, 64), 0.35)
    picture[:, 10:30, 5:40] = 0.6
    picture[:, 35:60, 30:62] = 0.2
    picture[0, 45:55, 4:20] = 0.7
    return picture


def with_arm(background: Tensor) -> Tensor:
    """A picture with an arm in a fifth of it, (1, C, 64, 64)."""
    picture = background.clone()
    picture[:, 24:64, 20:40] = 0.8
    picture[:, 50:64, 20:40] = 0.05
    return picture[None]


def view(background: Tensor) -> UsualView:
    """The usual view of a body that was seen with this arm."""
    shown = with_arm(background)
    plain = (background, shown) if len(background) == 3 else (background[0], shown[:, 0])
    return UsualView(plain[0], ArmColors.of(plain[1], plain[0]))


def usual(background: Tensor, shown: Tensor) -> Tensor:
    """What a picture shows in the usual view, of the same shape."""
    return view(background).of(shown).pictures.view(shown.shape)


@settings(max_examples=30, deadline=None)
@given(gain=st.floats(0.6, 1.3), slope=st.floats(-0.2, 0.2), tint=st.floats(0.9, 1.1))
def test_other_light_is_taken_out(gain: float, slope: float, tint: float):
    shown = with_arm(room())
    across = torch.linspace(-1, 1, 64)
    colors = torch.tensor([tint, 1.0, 1 / tint]).view(3, 1, 1)
    lit = (gain * colors * (1 + slope * across) * shown).clamp(0, 1)
    whole = lit < 1
    seen = usual(room(), lit)
    assert float((seen - shown)[whole].abs().mean()) < 0.01


@pytest.mark.parametrize("motion", [(0.06, -0.04, 0.03), (-0.08, 0.05, -0.04)])
def test_a_moved_camera_is_moved_back(motion: tuple[float, float, float]):
    shown = with_arm(room())
    moved = usual_view._turned(shown, torch.tensor([motion]))
    before, after = (float((seen - shown).abs().mean()) for seen in (moved, usual(room(), moved)))
    assert after < 0.4 * before


@pytest.mark.parametrize("colors", [1, 3])
def test_a_usual_picture_stays_as_it_is(colors: int):
    shown = with_arm(room(colors))
    given = shown if colors == 3 else shown[:, 0]
    seen = view(room(colors)).of(given)
    assert torch.equal(seen.pictures.view(shown.shape), shown)
    assert bool((seen.counted == 1).all())
    assert bool((seen.brightest == 1).all())


def test_what_was_cut_is_known():
    lit = (1.4 * with_arm(room())).clamp(max=1)
    seen = view(room()).of(lit)
    assert float((seen.brightest - 1 / 1.4).abs().max()) < 0.02


def test_a_new_thing_before_the_arm_does_not_count():
    shown = with_arm(room())
    shown[:, :, 30:44, 24:36] = torch.tensor([0.9, 0.1, 0.9]).view(3, 1, 1)
    counted = view(room()).of(shown).counted.view(shown.shape)[0, 0]
    assert float(counted[32:42, 26:34].sum()) == 0
    counted[28:46, 22:38] = 1
    assert float(counted.min()) == 1


def test_of_another_room_the_arm_is_left():
    background, shown = room(), with_arm(room())
    arm = (shown - background).abs().amax(1)[0] > 0.01
    other = torch.tensor([0.1, 0.9, 0.2]).view(1, 3, 1, 1).expand(shown.shape)
    seen = usual(background, torch.where(arm, shown, other))
    near = torch.nn.functional.avg_pool2d(arm.float()[None, None], 9, 1, 4)[0, 0]
    assert float((seen - shown)[..., near == 1].abs().max()) < 0.01
    assert float((seen - background)[..., near == 0].abs().max()) < 0.01


def told(arm: float, room: float, new: float, where: Tensor) -> Segments:
    """Segments that tell the same of all pixels of `where`, (64, 64), bool; of all others, that they are room."""
    chances = (torch.where(where, torch.tensor(value), other) for value, other in ((arm, 0.1), (room, 0.8), (new, 0.1)))
    return Segments(*(each.log()[None, None] for each in chances))


def test_what_the_network_takes_for_new_does_not_count_where_the_usual_room_is_not_seen():
    background = room()
    shown, arm = background[None].clone(), torch.zeros(64, 64, dtype=torch.bool)
    arm[24:64, 20:40] = True
    shown[..., arm] = 0.9
    view = UsualView(background, ArmColors.of(shown, background), lambda *_: told(0.2, 0.2, 0.6, torch.ones_like(arm)))
    counted = view.of(shown).counted.view(shown.shape)[0, 0]
    near = F.avg_pool2d(arm.float()[None, None], 3, 1, 1)[0, 0]
    assert float(counted[near > 0.99].max()) == 0
    assert float(counted[near == 0].min()) == 1


def test_in_another_room_the_network_tells_what_is_room():
    background, shown = room(), with_arm(room())
    arm = (shown - background).abs().amax(1)[0] > 0.01
    other = torch.where(torch.arange(64) % 16 < 8, 0.8, 0.05).expand(shown.shape)  # colors of the arm
    view = UsualView(background, ArmColors.of(shown, background), lambda *_: told(0.8, 0.1, 0.1, arm))
    seen = view.of(torch.where(arm, shown, other)).pictures.view(shown.shape)
    near = F.avg_pool2d(arm.float()[None, None], 9, 1, 4)[0, 0]
    assert float((seen - shown)[..., near == 1].abs().max()) < 0.01
    assert float((seen - background)[..., near == 0].abs().max()) < 0.01


def test_in_another_room_the_imagined_arms_tell_where_the_network_is_in_doubt():
    background, shown = room(), with_arm(room())
    arm = (shown - background).abs().amax(1)[0] > 0.01
    other = torch.where(torch.arange(64) % 16 < 8, 0.8, 0.05).expand(shown.shape)  # colors of the arm
    everywhere = told(0.45, 0.45, 0.1, torch.ones_like(arm))
    colors = ArmColors.of(shown, background)
    view = UsualView(
        background, colors, lambda *_: everywhere, lambda goals: arm.float().expand(len(goals.pictures), 1, 64, 64)
    )
    seen = view.of(torch.where(arm, shown, other)).pictures.view(shown.shape)
    near = F.avg_pool2d(arm.float()[None, None], 9, 1, 4)[0, 0]
    assert float((seen - shown)[..., near == 1].abs().max()) < 0.01
    assert float((seen - background)[..., near == 0].abs().max()) < 0.01
