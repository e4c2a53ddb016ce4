"""Statistics over several seeds and many test samples: means, shares, intervals, paired differences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from agents.tools.files import DamagedFileError

from ..runs.folder import metrics_of
from ..runs.metrics import Error
from .metrics import ERRORS, Floats
from .senses import MAPPINGS, OVERALL, is_complete

_RESAMPLED = 2_000
ErrorsByMethod = dict[str, dict[str, Floats]]
"""Absolute errors by method and mapping, shape (S, N): seeds, and the same test samples for all."""


@dataclass(frozen=True)
class Interval:
    """A mean and its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float


def wilson(share: float, count: int) -> Interval:
    """A share of some trials and its 95 % interval after Wilson (1927), which is not empty where all or none succeed."""
    z = 1.96
    middle, width = share + z**2 / (2 * count), z * (share * (1 - share) / count + (z / (2 * count)) ** 2) ** 0.5
    low, high = ((middle + side * width) / (1 + z**2 / count) for side in (-1, 1))
    return Interval(share, max(low, 0.0), min(high, 1.0))


class Resampling:
    """Bootstrap resampling of seeds and samples, the same for all compared methods.

    It draws both with replacement, because an error depends on the training as well as on the test poses.

    Args:
        seeds: number of trainings, S.
        samples: number of test samples, N.
        seed: seed of the resampling.
    """

    def __init__(self, seeds: int, samples: int, seed: int = 0) -> None:
        random = np.random.default_rng(seed)
        self.seeds, self.samples = (
            (random.multinomial(size, np.full(size, 1 / size), _RESAMPLED) / size).astype(np.float32)
            for size in (seeds, samples)
        )

    def means(self, errors: Floats) -> NDArray[np.float32]:
        """Mean error in each resampling, (S, N) -> (R,)."""
        return np.asarray(((self.seeds @ errors) * self.samples).sum(1))

    def interval(self, errors: Floats) -> Interval:
        """Mean and 95 % interval of errors, or of differences of errors, (S, N)."""
        low, high = np.percentile(self.means(errors), [2.5, 97.5])
        return Interval(float(errors.mean()), float(low), float(high))


def read_errors(folders: Sequence[Path]) -> ErrorsByMethod:
    """The errors that `judge` wrote to the folders of several seeds; only those that all folders have."""
    kept = [_errors_in(folder) for folder in folders]
    found: ErrorsByMethod = {}
    for method, mapping in kept[0]:
        if all((method, mapping) in errors for errors in kept):
            found.setdefault(method, {})[mapping] = np.stack([errors[method, mapping] for errors in kept])
    for mappings in found.values():
        if is_complete(mappings):
            mappings[OVERALL] = np.mean([mappings[name] for name in MAPPINGS], axis=0)
    return found


def _errors_in(folder: Path) -> dict[tuple[str, str], Floats]:
    """The errors in a folder by method and mapping; they have the means of Table 1 there."""
    path, table = folder / ERRORS, metrics_of(folder, "table1").table1
    try:
        with np.load(path, allow_pickle=False) as file:
            errors: dict[tuple[str, str], Floats] = {tuple(name.split(" ")): file[name] for name in file.files}
        for (method, mapping), each in errors.items():
            known = table.get(method, {}).get(mapping)
            if known and not np.isclose(each.mean(), known.mae, rtol=1e-4, atol=1e-7):
                raise ValueError(f"{method} has another mean error than in Table 1")
    except (OSError, LookupError, ValueError, TypeError, EOFError, ArithmeticError, RuntimeError, BadZipFile) as error:
        again = f"infant-arm evaluate --imagery --run {folder}"
        raise DamagedFileError(f"{path} is damaged ({error}); run `{again}`: it writes the file again", path) from None
    return errors


def table_row(errors: Mapping[str, Floats]) -> dict[str, Error]:
    """Mean and standard deviation over the samples, per mapping and overall (the mean of the paper's four mappings).

    Args:
        errors: mapping such as `vision->vision` -> every sample's mean absolute error, shape (N,).

    Returns:
        Errors by mapping; `overall` only if these four are there.
    """
    pooled = {OVERALL: np.concatenate([errors[name] for name in MAPPINGS])} if is_complete(errors) else {}
    return {name: Error(float(e.mean()), float(e.std())) for name, e in {**errors, **pooled}.items()}


def intervals(errors: ErrorsByMethod, draw: Resampling) -> dict[str, dict[str, Interval]]:
    """Mean error and interval by method and mapping."""
    return {name: {mapping: draw.interval(e) for mapping, e in row.items()} for name, row in errors.items()}


def differences(
    errors: ErrorsByMethod, reference: Mapping[str, Floats], draw: Resampling
) -> dict[str, dict[str, Interval]]:
    """Difference of each method's error from the reference, on the same seeds and samples, of the reference's mappings."""
    return {
        name: {mapping: draw.interval(e - reference[mapping]) for mapping, e in row.items() if mapping in reference}
        for name, row in errors.items()
    }
