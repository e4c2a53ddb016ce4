"""Goal pictures of which some pixels do not count."""

from dataclasses import replace

import torch

from agents.mind.search.goals import Goals


def goals(pictures: list[float], counted: list[float]) -> Goals:
    """One goal of a few pixels."""
    shown = torch.tensor([pictures])
    return replace(Goals.of(shown), counted=torch.tensor([counted]))


def test_two_pictures_differ_by_the_pixels_that_count_in_both():
    one, other = goals([0.0, 0.5, 1.0, 0.3], [1, 1, 0, 1]), goals([0.2, 0.5, 0.0, 0.9], [1, 1, 1, 0])
    assert torch.allclose(one.unlike(other), torch.tensor([0.04 / 2]))


def test_pictures_of_which_no_pixel_counts_in_both_do_not_differ():
    assert float(goals([0.0, 1.0], [1, 0]).unlike(goals([1.0, 0.0], [0, 1]))) == 0


def test_a_shifted_goal_asks_for_the_imagined_picture_and_what_is_still_missing():
    goal, seen = goals([0.8, 0.1, 0.5], [1, 1, 0]), goals([0.6, 0.1, 0.5], [1, 0, 1])
    shifted = goal.shifted(seen, torch.tensor([[0.5, 0.2, 0.4]]))
    assert torch.allclose(shifted.pictures, torch.tensor([[0.7, 0.2, 0.4]]))
    assert shifted.counted.tolist() == [[1, 0, 0]]


def test_goals_together_are_those_of_all_parts_in_their_order():
    both = Goals.together([goals([0.1], [1]), goals([0.2], [0])])
    assert torch.allclose(both.pictures, torch.tensor([[0.1], [0.2]]))
    assert both.counted.tolist() == [[1], [0]]
