"""Training of `SampleSom`: on means of pixel blocks, with the fast schedule."""

from collections.abc import Callable, Mapping

from torch import Tensor

from ..som.modalities import Modalities, Samples, widths_of
from .coarse_to_fine import CoarseToFine, TrainingProgress
from .sample_som import SIDES, SampleSom, complete, pool
from .schedule import schedule, sigma_for
from .start import check_memory, check_shape


def train_sample_som(
    samples: Samples,
    pictures: Mapping[str, tuple[int, int]],
    shape: tuple[int, int] = (800, 800),
    c: Mapping[str, float] | None = None,
    seed: int = 0,
    progress: Callable[[TrainingProgress], None] | None = None,
    last_sigma: float | None = None,
    resume: Mapping[str, Tensor] | None = None,
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

    Raises:
        UserError: see `train`; or samples are incomplete, or pictures do not have the given size.
    """
    layout = Modalities.of(widths_of(samples), c)
    rows = complete(samples, layout)
    check_shape(shape)
    pooled = pool(rows, pictures, SIDES[0])
    check_memory(shape, sum(widths_of(pooled).values()), layout.stack(rows)[1].device)
    count = len(next(iter(rows.values())))
    sigma = last_sigma if last_sigma is not None else sigma_for(shape, count)
    training = CoarseToFine(pooled, schedule(shape, sigma), c, seed, resume)
    training.run(progress)
    winners = training.winners
    del training
    return SampleSom(rows, winners, sigma, shape, pictures, c)
