"""Plots of a map that need no run: each neuron is drawn once, in its place, with its value."""

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb

from agents.som import quality
from agents.som.grid import ROW, TOPOLOGIES
from agents.som.som import MultiModalSom
from training.show import plot_classes, plot_components, plot_hits, plot_neurons, plot_u_matrix, som_figures

SAMPLES = {"a": torch.tensor([[0.0, 0.0], [0.0, 0.1], [3.0, 2.0]])}


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def a_map(topology: str = "plane") -> MultiModalSom:
    """4x3 neurons; neuron (x, y) holds (x, y)."""
    places = torch.cartesian_prod(torch.arange(4.0), torch.arange(3.0)).view(4, 3, 2)
    return MultiModalSom({"a": places, "b": places.sum(2, keepdim=True)}, topology=topology)


def drawn(axes: Axes) -> np.ndarray:
    """What was drawn, (X, Y) or with colors (X, Y, 3)."""
    if axes.images:
        return np.asarray(axes.images[0].get_array())
    hexagons = next(each for each in axes.collections if isinstance(each, PolyCollection))
    values = hexagons.get_array()
    return hexagons.get_facecolor()[:, :3].reshape(4, 3, 3) if values is None else np.asarray(values).reshape(4, 3)


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_plots_show_the_values_of_the_neurons(topology):
    som = a_map(topology)
    assert np.allclose(drawn(plot_u_matrix(som)), quality.u_matrix(som))
    assert drawn(plot_hits(som, SAMPLES)).tolist() == [[2, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 1]]
    for flat in (torch.arange(12), np.arange(12), list(range(12))):
        assert (
            drawn(plot_neurons(som, flat, label="number", title="numbers")).tolist()
            == np.arange(12).reshape(4, 3).tolist()
        )
    figure = plot_components(som, "a", ["row", "column"], "neurons")
    assert [axes.get_title() for axes in figure.axes[:2]] == ["row", "column"]
    assert np.array_equal(drawn(figure.axes[1]), som.weights("a")[:, 1].view(4, 3))
    assert plot_components(som, "b").axes[0].get_title() == "b 0"


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_a_class_map_names_the_classes_and_pales_neurons_without_samples(topology):
    axes = plot_classes(a_map(topology), SAMPLES, ["low", "low", "high"])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["high", "low"]
    high, low = (np.array(to_rgb(color)) for color in som_figures.COLORS[:2])
    colors = drawn(axes)
    assert np.allclose(colors[0, 0], low)
    assert np.allclose(colors[3, 2], high)
    assert np.allclose(colors[0, 1], 0.4 * low + 0.6)


def test_hexagons_touch_and_lie_where_the_neurons_are():
    som = a_map("hexagonal")
    axes = plot_u_matrix(som)
    hexagons = np.array([path.vertices[:6] for path in axes.collections[0].get_paths()])
    places = som.grid.places(torch.arange(12)).numpy()[:, ::-1]
    assert np.allclose(hexagons.mean(1), places + np.array([0.5, 0.5 * ROW]), atol=1e-6)
    assert np.allclose(np.ptp(hexagons[:, :, 0], axis=1), 1)  # as wide as the neurons are far apart
    assert axes.get_aspect() == 1


def test_a_plot_goes_where_the_user_wants_it():
    axes = plt.subplots(1, 2)[1]
    assert plot_u_matrix(a_map(), axes[1]) is axes[1]
    assert not axes[0].images


@pytest.mark.parametrize("topology", ["plane", "hexagonal"])
def test_a_large_map_is_drawn_as_a_picture_and_its_hits_in_blocks(topology):
    som = MultiModalSom({"a": torch.rand(150, 120, 2)}, topology=topology)
    axes = plot_hits(som, {"a": torch.rand(500, 2)})
    assert axes.images[0].get_array().shape == (75, 60)
    assert axes.images[0].get_array().sum() == 500
    assert axes.images[0].get_extent() == [0, 120, 150, 0]
    assert plot_u_matrix(som).images[0].get_array().shape == (150, 120)


def test_many_classes_have_different_colors():
    som = MultiModalSom({"a": torch.arange(16.0).view(4, 4, 1)})
    axes = plot_classes(som, {"a": torch.arange(16.0).view(16, 1)}, np.arange(16))
    assert len(np.unique(drawn(axes).reshape(16, 3), axis=0)) == 16


def test_the_room_hands_out_its_plots_alone():
    import training.show

    assert set(training.show.__all__) <= set(dir(training.show))
    with pytest.raises(AttributeError, match="plot_nothing"):
        _ = training.show.plot_nothing
