"""The errors of a contestant's map, by one function for all."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from agents.som.quality import quantization_error, topographic_error
from agents.som.som import MultiModalSom
from infant_env.senses.modalities import PROPRIOCEPTION, VISION


@dataclass(frozen=True)
class Quality:
    """The errors of a map on samples that it was not trained on."""

    quantization: float
    topographic: float
    vision_to_joints: float | None = None
    """Mean absolute error of the winner's weights; None for data of one modality."""
    joints_to_vision: float | None = None

    @classmethod
    def mean(cls, several: Sequence["Quality"]) -> "Quality":
        """The mean of each error."""

        def of(name: str) -> float:
            return statistics.fmean(getattr(one, name) for one in several)

        recalled = () if several[0].vision_to_joints is None else (of("vision_to_joints"), of("joints_to_vision"))
        return cls(of("quantization"), of("topographic"), *recalled)


def evaluate(som: MultiModalSom, unseen: Mapping[str, Tensor]) -> Quality:
    """The errors of a map on unseen samples."""
    errors = []
    for known, wanted in ((VISION, PROPRIOCEPTION), (PROPRIOCEPTION, VISION)):
        if known in unseen and wanted in unseen:
            recalled = som.recall({known: unseen[known]}, wanted)
            errors.append(float((recalled - unseen[wanted]).abs().mean()))
    return Quality(quantization_error(som, unseen), topographic_error(som, unseen), *errors)
