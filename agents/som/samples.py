"""Samples and weights as users give them: arrays of any kind by modality, checked and converted to float32 tensors."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from infant_env.errors import UserError

Samples = Mapping[str, ArrayLike | Tensor]
"""Modality name -> features, shape (N, width): tensors, NumPy arrays, pandas tables or lists of numbers.

A row with only NaN means that the sample lacks the modality.
"""


def tensors(samples: Samples, device: torch.device | None = None) -> dict[str, Tensor]:
    """Samples as float32 tensors without gradients.

    Args:
        samples: modality -> features.
        device: where the tensors go; by default they stay where they are.

    Raises:
        UserError: this is not a mapping, it is empty, or a modality does not consist of real numbers.
    """
    if not isinstance(samples, Mapping):
        raise UserError(
            f"got samples of type {type(samples).__name__}, expected a dictionary: name of each modality -> features "
            "(N, width), such as {'vision': latents, 'proprioception': joints}"
        )
    if not samples:
        raise UserError("got no modality, expected a dictionary with one or more: name -> features (N, width)")
    return {str(name): _tensor(name, rows).to(device=device, dtype=torch.float32) for name, rows in samples.items()}


def _tensor(name: str, rows: Any) -> Tensor:
    if isinstance(rows, Tensor) and not rows.is_complex():
        return rows.detach()
    try:
        array = np.asarray(rows)
    except (ValueError, RuntimeError) as error:
        raise UserError(f"got {name} that is no array ({error}), expected numbers of shape (N, width)") from None
    if array.dtype.kind not in "biuf":
        raise UserError(
            f"got {name} of type {array.dtype}, expected real numbers of shape (N, width); encode texts and categories as "
            "numbers first"
        )
    with np.errstate(over="ignore"):  # too large numbers become infinite, which is refused later
        return torch.as_tensor(array.astype(np.float32))


def widths_of(samples: Mapping[str, Tensor]) -> dict[str, int]:
    """The width of each modality of at least one sample.

    Raises:
        UserError: a modality is not a matrix with at least one row and one column.
    """
    for name, rows in samples.items():
        if rows.ndim != 2 or 0 in rows.shape:
            raise UserError(f"got {name} of shape {tuple(rows.shape)}, expected (N, width) with N and width above 0")
    return {name: int(rows.shape[1]) for name, rows in samples.items()}


def split_missing(name: str, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Separates missing rows, and refuses broken ones.

    Returns:
        The rows, with 0 in missing rows, (N, width); and the mask of known rows, (N,), bool.

    Raises:
        UserError: a row holds an infinite value, or NaN in some dimensions but not in all.
    """
    finite = torch.isfinite(rows)
    known = ~torch.isnan(rows).all(1)
    broken = (known & ~finite.all(1)).nonzero()
    if broken.numel():
        raise UserError(
            f"{name} holds NaN or infinite values in {broken.numel()} rows, the first is {int(broken[0])}; expected finite "
            "values, or rows with only NaN for samples that lack the modality"
        )
    return torch.where(known[:, None], rows, torch.zeros((), device=rows.device)), known


def own_weights(weights: Samples) -> tuple[tuple[int, int], dict[str, Tensor]]:
    """Rows and columns of a map, and a copy of its weights: modality -> (X, Y, width), float32.

    Raises:
        UserError: there is no modality, the map is empty, the shapes differ, or weights are not finite.
    """
    given = tensors(weights)
    shapes = {name: tuple(w.shape) for name, w in given.items()}
    if any(len(s) != 3 or 0 in s for s in shapes.values()) or len({s[:2] for s in shapes.values()}) > 1:
        raise UserError(f"got weights {shapes}, expected (X, Y, width) for one or more modalities, with equal X, Y > 0")
    broken = [name for name, w in given.items() if not bool(torch.isfinite(w).all())]
    if broken:
        raise UserError(
            f"weights of {broken} hold NaN or infinite values, expected finite ones; check the training samples"
        )
    rows, columns = next(iter(given.values())).shape[:2]
    return (rows, columns), given


def checked_shape(shape: Sequence[int]) -> tuple[int, int]:
    """Rows and columns of a map as whole numbers.

    Raises:
        UserError: these are not two whole numbers of 1 or more.
    """
    try:
        sides = [int(side) for side in shape if side == int(side)]
    except (TypeError, ValueError, OverflowError):
        sides = []
    if len(sides) != 2 or len(shape) != 2 or min(sides) < 1:
        raise UserError(f"got the shape {shape}, expected (rows, columns), whole numbers of 1 or more")
    return sides[0], sides[1]
