"""The modalities of a map: which dimensions of a neuron they have, and their influence on the winner."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from infant_env.errors import UserError

Samples = Mapping[str, Tensor]
"""Modality name -> features, shape (N, width); a row with only NaN means that the sample lacks the modality."""


@dataclass(frozen=True)
class Modalities:
    """The named modalities of a map, in the order of their dimensions in a neuron.

    Attributes:
        widths: number of dimensions of each modality, n^(m) in Eq. 2.
        c: influence of each modality on the winner, c^(m) in Eq. 2 and 3.
    """

    widths: dict[str, int]
    c: dict[str, float]

    @classmethod
    def of(cls, widths: Mapping[str, int], c: Mapping[str, float] | None = None) -> "Modalities":
        """Checks the arguments; a modality that `c` does not name gets influence 1."""
        if not widths or any(width < 1 for width in widths.values()):
            raise UserError(
                f"got widths {dict(widths)}, expected at least one modality, each with at least one dimension"
            )
        modalities = cls(dict(widths), dict.fromkeys(widths, 1.0))
        return cls(modalities.widths, modalities.influences(c))

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

    def stack(self, samples: Samples) -> tuple[Tensor, Tensor]:
        """Checks samples and concatenates their modalities.

        A modality is missing if `samples` does not name it, or in a sample whose row has only NaN.

        Returns:
            Features (N, D), float32, 0 where missing; and the mask of each sample's modalities, shape (N, M), bool.

        Raises:
            UserError: there are no or unknown modalities, wrong widths, different lengths, infinite or single NaN values,
                or a sample without any modality.
        """
        self._check_shapes(samples)
        first = next(iter(samples.values()))
        count, device = first.shape[0], first.device
        parts, present = [], []
        for name, width in self.widths.items():
            if name in samples:
                rows, known = split_missing(name, samples[name])
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

    def groups(self, names: Iterable[str], c: Mapping[str, float] | None = None) -> list[tuple[list[int], float]]:
        """Dimensions in a neuron and factor c_m / n_m / sum(c) of each of these modalities whose factor is above 0."""
        wanted = self.ordered(names)
        scales = dict(zip(wanted, self.scales(wanted, c).split([self.widths[name] for name in wanted]), strict=True))
        spans = {name: self.slice(name) for name in wanted}
        groups = [(list(range(spans[name].start, spans[name].stop)), float(scales[name][0])) for name in wanted]
        return [(dims, scale) for dims, scale in groups if scale > 0]

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

    def _check_shapes(self, samples: Samples) -> None:
        if not samples:
            raise UserError(f"got no modality, expected one or more of {list(self.widths)}")
        self.check_known(samples)
        for name, rows in samples.items():
            if rows.ndim != 2 or rows.shape[1] != self.widths[name]:
                raise UserError(f"got {name} of shape {tuple(rows.shape)}, expected (N, {self.widths[name]})")
        lengths = {name: rows.shape[0] for name, rows in samples.items()}
        if len(set(lengths.values())) > 1:
            raise UserError(f"got modalities with {lengths} rows, expected one row per sample in each")


def split_missing(name: str, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Separates missing rows, and refuses broken ones.

    Returns:
        The rows as float32, with 0 in missing rows, (N, width); and the mask of known rows, (N,), bool.

    Raises:
        UserError: a row holds an infinite value, or NaN in some dimensions but not in all.
    """
    rows = rows.to(torch.float32)
    finite = torch.isfinite(rows)
    known = ~torch.isnan(rows).all(1)
    broken = (known & ~finite.all(1)).nonzero()
    if broken.numel():
        raise UserError(
            f"{name} holds NaN or infinite values in {broken.numel()} rows, the first is {int(broken[0])}; expected finite "
            "values, or rows with only NaN for samples that lack the modality"
        )
    return torch.where(known[:, None], rows, torch.zeros((), device=rows.device)), known


def checked_shape(weights: Samples) -> tuple[int, int]:
    """Rows and columns of a map with these weights, modality -> (X, Y, width).

    Raises:
        UserError: there is no modality, the map is empty, the shapes differ, or weights are not finite.
    """
    shapes = {name: tuple(w.shape) for name, w in weights.items()}
    if not shapes or any(len(s) != 3 or 0 in s for s in shapes.values()) or len({s[:2] for s in shapes.values()}) > 1:
        raise UserError(f"got weights {shapes}, expected (X, Y, width) for one or more modalities, with equal X, Y > 0")
    broken = [name for name, w in weights.items() if not bool(torch.isfinite(w).all())]
    if broken:
        raise UserError(
            f"weights of {broken} hold NaN or infinite values, expected finite ones; check the training samples"
        )
    rows, columns = next(iter(shapes.values()))[:2]
    return rows, columns


def widths_of(samples: Samples) -> dict[str, int]:
    """The width of each modality of at least one sample.

    Raises:
        UserError: a modality is not a matrix with at least one row and one column.
    """
    for name, rows in samples.items():
        if rows.ndim != 2 or 0 in rows.shape:
            raise UserError(f"got {name} of shape {tuple(rows.shape)}, expected (N, width) with N and width above 0")
    return {name: int(rows.shape[1]) for name, rows in samples.items()}
