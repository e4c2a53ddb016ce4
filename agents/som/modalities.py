"""The modalities of a map: which dimensions of a neuron they have, and their influence on the winner."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from infant_env.errors import UserError

from .distances import DISTANCES, Distance, Groups
from .samples import Samples, split_missing, tensors

_LARGEST = 1e15
"""Sums of squares of larger features may exceed float32."""


@dataclass(frozen=True)
class Modalities:
    """The named modalities of a map, in the order of their dimensions in a neuron.

    Attributes:
        widths: number of dimensions of each modality, n^(m) in Eq. 2.
        c: influence of each modality on the winner, c^(m) in Eq. 2 and 3.
        distance: how a gap between a feature and a weight counts.
    """

    widths: dict[str, int]
    c: dict[str, float]
    distance: Distance = "l1"

    @classmethod
    def of(
        cls, widths: Mapping[str, int], c: Mapping[str, float] | None = None, distance: Distance = "l1"
    ) -> "Modalities":
        """Checks the arguments; a modality that `c` does not name gets influence 1."""
        if distance not in DISTANCES:
            raise UserError(f"got distance={distance!r}, expected one of {list(DISTANCES)}")
        if not widths or any(width < 1 for width in widths.values()):
            raise UserError(
                f"got widths {dict(widths)}, expected at least one modality, each with at least one dimension"
            )
        modalities = cls(dict(widths), dict.fromkeys(widths, 1.0), distance)
        return replace(modalities, c=modalities.influences(c))

    @property
    def width(self) -> int:
        """Dimensions of one neuron, D."""
        return sum(self.widths.values())

    def slice(self, name: str) -> slice:
        """The position of a modality's dimensions in a neuron."""
        self.check_known([name])
        names = list(self.widths)
        start = sum(self.widths[before] for before in names[: names.index(name)])
        return slice(start, start + self.widths[name])

    def columns(self, names: Iterable[str]) -> Tensor:
        """Indices of the dimensions of some modalities, in the map's order, shape (d,)."""
        wanted = self.ordered(names)
        return torch.cat([torch.arange(self.width)[self.slice(name)] for name in wanted])

    def ordered(self, names: Iterable[str]) -> list[str]:
        """Checks that all names are known and returns them in the map's order."""
        given = list(names)
        self.check_known(given)
        return [name for name in self.widths if name in given]

    def check_known(self, names: Iterable[str]) -> None:
        """Raises a UserError with the list of known modalities if the map lacks one of these."""
        unknown = [name for name in names if name not in self.widths]
        if unknown:
            raise UserError(
                f"got the unknown modality {', '.join(map(repr, unknown))}, expected some of {list(self.widths)}"
            )

    def influences(self, c: Mapping[str, float] | None) -> dict[str, float]:
        """c^(m) of every modality: the given values, and else the map's own.

        Raises:
            UserError: a modality is unknown, an influence is negative or infinite, or none is above zero.
        """
        if c is not None and not isinstance(c, Mapping):
            raise UserError(f"got the weights c {c!r}, expected a dictionary: name of a modality -> its weight")
        self.check_known(c or {})
        merged = {name: float((c or {}).get(name, self.c[name])) for name in self.widths}
        if not all(0 <= value < float("inf") for value in merged.values()) or not any(merged.values()):
            raise UserError(f"got weights c {merged}, expected finite numbers, 0 or more, at least one of them above 0")
        return merged

    def scales(self, names: Iterable[str], c: Mapping[str, float] | None = None) -> Tensor:
        """Factors of the dimensions of some modalities; with them, -A of Eq. 3 is a plain L1 distance, shape (d,).

        They are c_m / n_m / sum(c), where the sum runs over these modalities only. So the activity of a query with some of
        the modalities is the weighted mean absolute error over the known dimensions.

        Raises:
            UserError: none of these modalities has an influence above zero.
        """
        wanted, c = self.ordered(names), self.influences(c)
        total = sum(c[name] for name in wanted)
        if total <= 0:
            raise UserError(
                f"got a query with {wanted}, whose weights c are {[c[name] for name in wanted]}, expected one above 0; "
                "give one of them a weight above 0, or query with another modality"
            )
        parts = [torch.full((self.widths[name],), c[name] / self.widths[name] / total) for name in wanted]
        return torch.cat(parts)

    def stack(self, samples: Samples, device: torch.device | None = None) -> tuple[Tensor, Tensor]:
        """Checks samples and concatenates their modalities.

        A modality is missing if `samples` does not name it, or in a sample whose row has only NaN.

        Args:
            samples: modality -> features, shape (N, width).
            device: where the result goes; by default where the samples are.

        Returns:
            Features (N, D), float32, 0 where missing; and the mask of each sample's modalities, shape (N, M), bool.

        Raises:
            UserError: there are no or unknown modalities, wrong widths, different lengths, infinite or single NaN values,
                or a sample without any modality.
        """
        if isinstance(samples, Mapping) and not samples:
            raise UserError(f"got no modality, expected one or more of {list(self.widths)}")
        given = tensors(samples, device)
        self._check_shapes(given)
        first = next(iter(given.values()))
        count, device = first.shape[0], first.device
        parts, present = [], []
        for name, width in self.widths.items():
            if name in given:
                rows, known = split_missing(name, given[name])
            else:
                rows = torch.zeros((count, width), device=device)
                known = torch.zeros(count, dtype=torch.bool, device=device)
            parts.append(rows)
            present.append(known)
        has = torch.stack(present, 1)  # (N, M)
        if not bool(has.any(1).all()):
            row = int((~has.any(1)).nonzero()[0])
            raise UserError(
                f"sample {row} lacks every modality (all its values are NaN), expected at least one; leave it out"
            )
        return torch.cat(parts, 1), has

    def groups(self, names: Iterable[str], c: Mapping[str, float] | None = None) -> Groups:
        """Dimensions in a neuron and factor c_m / n_m / sum(c) of each of these modalities whose factor is above 0."""
        wanted = self.ordered(names)
        scales = dict(zip(wanted, self.scales(wanted, c).split([self.widths[name] for name in wanted]), strict=True))
        spans = {name: self.slice(name) for name in wanted}
        groups = [(list(range(spans[name].start, spans[name].stop)), float(scales[name][0])) for name in wanted]
        return Groups([(dims, scale) for dims, scale in groups if scale > 0], self.distance)

    def row_scales(self, has: Tensor) -> Tensor:
        """The factors of `scales` per sample, for the modalities that it has, 0 where missing: (N, M) -> (N, D).

        Raises:
            UserError: a sample has only modalities without influence, so it has no winner.
        """
        c = torch.tensor(list(self.c.values()), device=has.device)
        votes = has * c  # (N, M)
        total = votes.sum(1, keepdim=True)
        if not bool((total > 0).all()):
            row = int((total <= 0).nonzero()[0, 0])
            raise UserError(
                f"sample {row} has only modalities whose weight c is 0, so it has no winner; weights c are {self.c}"
            )
        widths = torch.tensor(list(self.widths.values()), device=has.device)
        return self.per_dimension(votes / total / widths)

    def patterns(self, has: Tensor) -> Iterator[tuple[Tensor, list[str]]]:
        """Groups samples by the modalities that they have: indices of the samples, names of their modalities."""
        names = list(self.widths)
        uniform = len(has) > 0 and bool((has == has[0]).all())  # this test is much faster than `unique`
        for pattern in has[:1] if uniform else torch.unique(has, dim=0):
            rows = (
                torch.arange(len(has), device=has.device) if uniform else (has == pattern).all(1).nonzero().squeeze(1)
            )
            yield rows, [name for name, known in zip(names, pattern.tolist(), strict=True) if known]

    def per_dimension(self, has: Tensor) -> Tensor:
        """Repeats the value of each modality for its dimensions: (N, M) -> (N, D)."""
        repeats = torch.tensor(list(self.widths.values()), device=has.device)
        return has.repeat_interleave(repeats, dim=1)

    def split(self, features: Tensor) -> dict[str, Tensor]:
        """Splits concatenated features by modality: (..., D) -> name -> (..., width)."""
        return dict(zip(self.widths, features.split(list(self.widths.values()), dim=-1), strict=True))

    def _check_shapes(self, samples: Mapping[str, Tensor]) -> None:
        self.check_known(samples)
        for name, rows in samples.items():
            if rows.ndim != 2 or rows.shape[1] != self.widths[name]:
                raise UserError(f"got {name} of shape {tuple(rows.shape)}, expected (N, {self.widths[name]})")
        lengths = {name: rows.shape[0] for name, rows in samples.items()}
        if len(set(lengths.values())) > 1:
            raise UserError(f"got modalities with {lengths} rows, expected one row per sample in each")
        self.check_squares(samples)

    def check_squares(self, samples: Mapping[str, Tensor]) -> None:
        """Raises a UserError if the squares of features exceed float32 and the distance needs them."""
        if self.distance == "l1":
            return
        large = [name for name, rows in samples.items() if bool((rows.abs() > _LARGEST).any())]
        if large:
            raise UserError(
                f"got {large} with values above {_LARGEST:g}, expected smaller ones: their squares exceed float32; "
                "scale them first, for example to standard deviation 1"
            )
