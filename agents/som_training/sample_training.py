"""Training of `SampleSom`: on means of pixel blocks, with the fast schedule."""

from collections.abc import Callable, Mapping

from torch import Tensor

from ..som.distances import Distance
from ..som.modalities import Modalities
from ..som.samples import Samples, checked_shape, tensors, widths_of
from .coarse_to_fine import CoarseToFine, TrainingProgress
from .sample_som import SIDES, SampleSom, complete, pool
from .schedule import schedule, sigma_for
from .start import check_memory, checked_sigma


def train_sample_som(
    samples: Samples,
    pictures: Mapping[str, tuple[int, int]],
    shape: tuple[int, int] = (800, 800),
    c: Mapping[str, float] | None = None,
    seed: int = 0,
    progress: Callable[[TrainingProgress], None] | None = None,
    last_sigma: float | None = None,
    resume: Mapping[str, Tensor] | None = None,
    distance: Distance = "l1",
) -> SampleSom:
    """Trains a map of whole pictures with the fast schedule of `train`, on their means of 8x8 pixels.

    Args:
        samples: modality -> features, shape (N, width); a picture is a row of pixels. All samples need all modalities.
        pictures: the modalities that are pictures, with their height and width, multiples of 8.
        shape: rows and columns of the map.
        c: influence c^(m) of each modality on the winner, by default 1.
        seed: seed of the initial map.
        progress: called after each epoch.
        last_sigma: radius of the last epoch in neurons; see `sigma_for`.
        resume: the state from a progress report of an earlier call with equal arguments.
        distance: how a gap between a feature and a weight counts, see `MultiModalSom`.

    Raises:
        UserError: see `train`; or samples are incomplete, or pictures do not have the given size.
    """
    shape, given = checked_shape(shape), tensors(samples)
    rows = complete(given, Modalities.of(widths_of(given), c, distance))
    pooled = pool(rows, pictures, SIDES[0])
    layout = Modalities.of(widths_of(pooled), c, distance)
    first = next(iter(rows.values()))
    check_memory(shape, layout.width, first.device, len(first))
    sigma = sigma_for(shape, len(first)) if last_sigma is None else checked_sigma("last_sigma", last_sigma)
    training = CoarseToFine(pooled, schedule(shape, sigma), layout, seed, resume)
    training.run(progress)
    winners = training.winners
    del training
    return SampleSom(rows, winners, sigma, shape, pictures, c, distance)
