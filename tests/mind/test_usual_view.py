"""Light and camera of a picture, from what it shows of the background."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from agents.mind.search import usual_view
from agents.mind.search.usual_view import UsualView


def room(colors: int = 3) -> Tensor:
    """A background with some edges, (colors, 64, 64)."""
    picture = torch.full((colors, 64, 64), 0.35)
    picture[:, 10:30, 5:40] = 0.6
    picture[:, 35:60, 30:62] = 0.2
    picture[0, 45:55, 4:20] = 0.7
    return picture


def with_arm(background: Tensor) -> Tensor:
    """A picture with something new in a fifth of it, (1, C, 64, 64)."""
    picture = background.clone()
    picture[:, 24:64, 20:40] = 0.75
    return picture[None]


@settings(max_examples=30, deadline=None)
@given(gain=st.floats(0.6, 1.3), slope=st.floats(-0.2, 0.2), tint=st.floats(0.9, 1.1))
def test_other_light_is_taken_out(gain: float, slope: float, tint: float):
    shown = with_arm(room())
    across = torch.linspace(-1, 1, 64)
    colors = torch.tensor([tint, 1.0, 1 / tint]).view(3, 1, 1)
    lit = (gain * colors * (1 + slope * across) * shown).clamp(0, 1)
    whole = lit < 1
    seen = UsualView(room()).of(lit)
    assert float((seen - shown)[whole].abs().mean()) < 0.01


@pytest.mark.parametrize("motion", [(0.06, -0.04, 0.03), (-0.08, 0.05, -0.04)])
def test_a_moved_camera_is_moved_back(motion: tuple[float, float, float]):
    shown = with_arm(room())
    moved = usual_view._turned(shown, torch.tensor([motion]))
    before, after = (float((seen - shown).abs().mean()) for seen in (moved, UsualView(room()).of(moved)))
    assert after < 0.4 * before


@pytest.mark.parametrize("colors", [1, 3])
def test_a_usual_picture_stays_as_it_is(colors: int):
    background = room(colors)
    shown = with_arm(background)
    background, shown = (background, shown) if colors == 3 else (background[0], shown[:, 0])
    seen = UsualView(background).of(shown)
    assert seen.shape == shown.shape
    assert float((seen - shown).abs().max()) < 0.005


def test_in_another_room_nothing_is_changed():
    shown = torch.rand((2, 3, 64, 64), generator=torch.Generator().manual_seed(0))
    assert torch.equal(UsualView(room()).of(shown), shown)
