"""Calibration of hypotheses: from their costs to probabilities, fitted on poses outside of the training set."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
from msgspec import Meta, Struct
from torch import Tensor
from torch.nn import functional

from infant_env.errors import UserError

from ..tools import json_files
from ..tools.files import DamagedFileError, write_json

SIGNS = 3
"""Number of signs of an impossible goal, see `agents.mind.imagination.Hypotheses`."""
_LEAST, _MOST = -1e3, 20.0  # the fit clips costs to these


@dataclass(frozen=True)
class Calibration:
    """Turns the costs of hypotheses into probabilities, and the signs of an impossible goal into its strangeness.

    The probability that any hypothesis is right is sigmoid(trust - trust_slope * strangeness). The softmax of
    -sharpness * cost divides it among the hypotheses. The defaults give the same ranks but are not calibrated.

    Raises:
        UserError: a number is not finite, or the sharpness is negative: then the worst hypothesis would be the likeliest.
    """

    sharpness: float = 1.0
    """Factor of the costs in the softmax."""
    trust: float = 0.0
    """Log odds that any hypothesis is right, for a usual goal."""
    trust_slope: float = 1.0
    """Decrease of these log odds per unit of strangeness."""
    usual: tuple[float, ...] = (0.0,) * SIGNS
    """Median of each sign of an impossible goal, over validation pictures."""
    rare: tuple[float, ...] = (1.0,) * SIGNS
    """99th percentile of each sign."""

    def __post_init__(self) -> None:
        numbers = (self.sharpness, self.trust, self.trust_slope, *self.usual, *self.rare)
        if not all(map(math.isfinite, numbers)) or self.sharpness < 0:
            raise UserError(f"got {self}, expected finite numbers and a sharpness of 0 or more; calibrate again")

    def probabilities(self, costs: Tensor, strangeness: Tensor) -> Tensor:
        """The probability that each hypothesis is right: finite, at least 0, and at most 1 in sum.

        Args:
            costs: costs of hypotheses, shape (B, K). A missing hypothesis has an infinite cost; its probability is 0, like that
                of one whose cost is no number.
            strangeness: shape (B,).

        Returns:
            Shape (B, K).
        """
        most = torch.finfo(costs.dtype).max / 4  # so that the softmax takes differences of finite numbers alone
        missing = ~costs.isfinite()
        logits = (-self.sharpness * costs.masked_fill(missing, 0)).nan_to_num(0).clamp(-most, most)
        shares = logits.masked_fill(missing, -torch.inf).softmax(1).nan_to_num(0)  # no number if all are missing
        any_right = torch.sigmoid(self.trust - self.trust_slope * strangeness).nan_to_num(0)
        return shares * any_right[:, None]

    def strangeness(self, signs: Tensor) -> Tensor:
        """Signs of an impossible goal (B, S) -> the strongest sign, (B,): 0 is the median, above 1 is rarer than 1 %."""
        usual, rare = (signs.new_tensor(values) for values in (self.usual, self.rare))
        return ((signs - usual) / (rare - usual)).amax(1)

    @classmethod
    def fit(cls, costs: Tensor, signs: Tensor, right: Tensor) -> "Calibration":
        """The maximum likelihood fit to hypotheses that are known to be right or wrong.

        Args:
            costs: costs of the hypotheses, shape (B, K), infinite for missing ones.
            signs: signs of an impossible goal, shape (B, S).
            right: whether each hypothesis is the pose, shape (B, K); the first right one counts.
        """
        usual, rare = signs.double().quantile(0.5, 0), signs.double().quantile(0.99, 0)
        limits = cls(usual=tuple(usual.tolist()), rare=tuple(torch.maximum(rare, usual + 1e-3).tolist()))
        strangeness = limits.strangeness(signs.double())
        any_right, first = right.any(1), right.float().argmax(1)
        finite = costs.double().nan_to_num(_MOST).clamp(_LEAST, _MOST)  # infinite costs would give infinite gradients
        weights = torch.tensor([1.0, 1.0, 1.0], dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.LBFGS([weights], max_iter=200, line_search_fn="strong_wolfe")

        def loss() -> Tensor:
            optimizer.zero_grad()
            logits = weights[1] - weights[2] * strangeness
            loss_of_shares = functional.cross_entropy(
                -weights[0] * finite[any_right], first[any_right], reduction="sum"
            )
            loss_of_any = functional.binary_cross_entropy_with_logits(logits, any_right.double(), reduction="sum")
            penalty = 1e-3 * weights.square().sum()  # keeps the weights finite if all hypotheses are right
            value = (loss_of_shares + loss_of_any) / len(any_right) + penalty
            value.backward()
            return value

        optimizer.step(loss)
        sharpness, trust, slope = weights.detach().tolist()
        return dataclasses.replace(limits, sharpness=max(sharpness, 0.0), trust=trust, trust_slope=slope)

    def save(self, path: Path, header: Mapping[str, Any] | None = None) -> None:
        """Writes a JSON file, completely or not at all.

        Args:
            path: the file.
            header: all that the calibration depends on, in JSON's types.
        """
        write_json(path, {**dataclasses.asdict(self), "of": header or {}})

    @classmethod
    def load(cls, path: Path) -> "Calibration":
        """Reads a file of `save`.

        Raises:
            UserError: the file is missing or damaged.
        """
        found = _read(path)
        if not all(usual < rare for usual, rare in zip(found.usual, found.rare, strict=True)):
            raise DamagedFileError(
                f"{path} is damaged: the usual signs are {found.usual} and the rare ones {found.rare}, expected rare ones above "
                "the usual; calibrate again",
                path,
            )
        return cls(**{field.name: getattr(found, field.name) for field in dataclasses.fields(cls)})

    @staticmethod
    def header(path: Path) -> dict[str, Any]:
        """All that a saved calibration depends on; empty in files of version 0.1.

        Raises:
            UserError: the file is missing or damaged.
        """
        return _read(path).of


_Signs = Annotated[tuple[float, ...], Meta(min_length=SIGNS, max_length=SIGNS)]


class _Saved(Struct):
    """A calibration's file: all numbers are there."""

    sharpness: Annotated[float, Meta(ge=0)]
    trust: float
    trust_slope: float
    usual: _Signs
    rare: _Signs
    of: dict[str, Any] = {}


def _read(path: Path) -> _Saved:
    try:
        return json_files.read(path, _Saved, "calibrate again")
    except FileNotFoundError:
        raise DamagedFileError(f"there is no {path}; calibrate first", path) from None
