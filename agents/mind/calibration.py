"""What hypotheses are worth: from how well they fit to probabilities, fitted on poses that were not trained on."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
from msgspec import Meta, Struct
from msgspec.structs import asdict
from torch import Tensor
from torch.nn import functional

from infant_env.errors import UserError

from ..tools import json_files
from ..tools.files import DamagedFileError, write_json

SIGNS = 3
"""Signs of an impossible goal, see `agents.mind.imagination.Hypotheses`."""
_MOST = 20.0  # a cost beyond which no hypothesis counts


@dataclass(frozen=True)
class Calibration:
    """How the misfits of hypotheses become probabilities, and signs of an impossible goal one number.

    Some hypothesis is right with probability sigmoid(trust - trust_slope * strangeness); that is shared among them by the
    softmax of -sharpness * cost. The defaults rank alike and are not calibrated.
    """

    sharpness: float = 1.0
    """How much a smaller cost is preferred."""
    trust: float = 0.0
    """Log odds that some hypothesis is right, of a usual goal."""
    trust_slope: float = 1.0
    """How fast these fall with strangeness."""
    usual: tuple[float, ...] = (0.0,) * SIGNS
    """Median of each sign of an impossible goal, over validation pictures."""
    rare: tuple[float, ...] = (1.0,) * SIGNS
    """Their 99th percentiles."""

    def probabilities(self, costs: Tensor, strangeness: Tensor) -> Tensor:
        """Costs of hypotheses (B, K), infinite where there is none, and (B,) -> (B, K)."""
        shares = (-self.sharpness * costs).masked_fill(costs.isinf(), -torch.inf).softmax(1)  # 0 * inf is no number
        return shares * torch.sigmoid(self.trust - self.trust_slope * strangeness)[:, None]

    def strangeness(self, signs: Tensor) -> Tensor:
        """Signs of an impossible goal (B, S) -> the strongest of them, (B,): 0 is usual, above 1 rarer than one in a hundred."""
        usual, rare = (signs.new_tensor(values) for values in (self.usual, self.rare))
        return ((signs - usual) / (rare - usual)).amax(1)

    @classmethod
    def fit(cls, costs: Tensor, signs: Tensor, right: Tensor) -> "Calibration":
        """The maximum likelihood fit to hypotheses of which one knows whether they are right.

        Args:
            costs: of the hypotheses, shape (B, K), infinite where there is none.
            signs: of an impossible goal, shape (B, S).
            right: whether the hypothesis is the pose, shape (B, K); the first right one counts.
        """
        usual, rare = signs.double().quantile(0.5, 0), signs.double().quantile(0.99, 0)
        limits = cls(usual=tuple(usual.tolist()), rare=tuple(torch.maximum(rare, usual + 1e-3).tolist()))
        strangeness = limits.strangeness(signs.double())
        some, first = right.any(1), right.float().argmax(1)
        finite = costs.double().clamp(max=_MOST)  # so that gradients are
        weights = torch.tensor([1.0, 1.0, 1.0], dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.LBFGS([weights], max_iter=200, line_search_fn="strong_wolfe")

        def loss() -> Tensor:
            optimizer.zero_grad()
            shares = functional.cross_entropy(-weights[0] * finite[some], first[some], reduction="sum")
            told = functional.binary_cross_entropy_with_logits(
                weights[1] - weights[2] * strangeness, some.double(), reduction="sum"
            )
            value = (shares + told) / len(some) + 1e-3 * weights.square().sum()  # finite when all are right
            value.backward()
            return value

        optimizer.step(loss)
        sharpness, trust, slope = weights.detach().tolist()
        return dataclasses.replace(limits, sharpness=max(sharpness, 0.0), trust=trust, trust_slope=slope)

    def save(self, path: Path) -> None:
        """Writes it as JSON, whole or not at all."""
        write_json(path, dataclasses.asdict(self))

    @classmethod
    def load(cls, path: Path) -> "Calibration":
        """Reads it.

        Raises:
            UserError: there is none, or it is damaged.
        """
        command = f"infant-arm calibrate --run {path.parent}"
        try:
            found = json_files.read(path, _Saved, f"run `{command}` again")
        except FileNotFoundError:
            raise UserError(f"there is no {path}; run `{command}` first") from None
        if not all(usual < rare for usual, rare in zip(found.usual, found.rare, strict=True)):
            raise DamagedFileError(
                f"{path} is damaged: the usual signs are {found.usual} and the rare ones {found.rare}, expected rare ones above "
                f"the usual; run `{command}` again"
            )
        return cls(**asdict(found))


_Signs = Annotated[tuple[float, ...], Meta(min_length=SIGNS, max_length=SIGNS)]


class _Saved(Struct):
    """A calibration's file: all numbers are there."""

    sharpness: Annotated[float, Meta(ge=0)]
    trust: float
    trust_slope: float
    usual: _Signs
    rare: _Signs
