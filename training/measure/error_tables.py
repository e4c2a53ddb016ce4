"""Table 1 and what stands beside it, as tables for the terminal and the report."""

import math
from collections.abc import Collection, Mapping

from infant_env.senses.modalities import VISION

from ..runs.metrics import Error, Metrics, Scores
from ..show import tables
from . import paper
from .senses import LABELS, MAPPINGS, PICTURE_TO_JOINTS, SENSES

Details = Mapping[str, Mapping[str, Mapping[str, Scores]]]
"""By method, mapping, and which test poses."""


def summary(results: Metrics, ours: Collection[str]) -> str:
    """Table 1 and the figures beside it, for the terminal."""
    parts = [
        "Table 1: mean absolute error on the test split, mean ± standard deviation",
        tables.as_text(*table1(results.table1)),
        "\nPictures (all test poses / those that show the hand): error over the arm's pixels, overlap, skill against constant",
        tables.as_text(*pictures(results.details)),
        "\nHand, from the joints recalled from a picture (all test poses / those that show the hand)",
        tables.as_text(*hands(results.details)),
        "\nJoints from a picture, normalized mean absolute error (all test poses)",
        tables.as_text(*per_joint(results.details)),
        *remarks(results.table1, ours),
    ]
    return "\n".join(parts)


def table1(rows: Mapping[str, Mapping[str, Error]]) -> tuple[list[str], list[list[str]]]:
    """Header and rows of Table 1, the paper's columns first."""
    header = ["method", *LABELS.values(), "overall"]
    keys = (*MAPPINGS, "overall")
    theirs = [[name, *(_rounded(row.get(key)) for key in keys)] for name, row in paper.ERRORS.items()]
    ours = [[name, *(_cell(row.get(key)) for key in keys)] for name, row in rows.items()]
    return header, theirs + ours


def _rounded(entry: tuple[float, float] | None) -> str:
    """A cell of the paper's."""
    return "-" if entry is None else "±".join(tables.number(value, 3) for value in entry)


def _cell(entry: Error | None) -> str:
    return "-" if entry is None else f"{tables.number(entry.mae)}±{tables.number(entry.std)}"


def pictures(details: Details) -> tuple[list[str], list[list[str]]]:
    """What whole-frame errors hide: the error over the arm's pixels, the arms' overlap, the skill against the constant."""
    keys = {"arm_mae": "arm MAE", "arm_iou": "IoU", "skill": "skill"}
    header = ["method", *(f"{sense.label[0]}->v {label}" for sense in SENSES for label in keys.values())]
    rows = []
    for name, mappings in details.items():
        told = [mappings.get(f"{sense.name}->{VISION}", {}) for sense in SENSES]
        if any(told):
            rows.append(
                [name, *(_both([getattr(s, key) for s in each.values()], key) for each in told for key in keys)]
            )
    return header, rows


HAND = {"mean": "mean cm", "median": "median cm", "within_1": "< 1 cm", "within_2": "< 2 cm", "within_5": "< 5 cm"}
"""What is told of a hand's errors: fields of `Hand`, and their names in tables."""


def hands(details: Details) -> tuple[list[str], list[list[str]]]:
    """How far the hand would be, in centimetres, if the arm took the pose that was recalled from a picture."""
    rows = []
    for name, mappings in details.items():
        hands = [s.hand_error_cm for s in mappings.get(PICTURE_TO_JOINTS, {}).values()]
        rows.append([name, *(_both([getattr(hand, key, None) for hand in hands], key) for key in HAND)])
    return ["method", *HAND.values()], rows


def from_pictures(details: Details, subset: str) -> dict[str, Scores]:
    """Of each method that answers pictures with joints: its scores over `all` samples, or over those that `shows_hand`."""
    told = {name: mappings.get(PICTURE_TO_JOINTS, {}).get(subset) for name, mappings in details.items()}
    return {name: scores for name, scores in told.items() if scores is not None}


def _both(values: list[float | None], key: str) -> str:
    return " / ".join(tables.number(value, 3 if key.endswith("mae") else 2) for value in values) or "-"


def per_joint(details: Details) -> tuple[list[str], list[list[str]]]:
    """Which joints a picture tells: normalized error per joint from vision."""
    told = {name: scores.joint_mae for name, scores in from_pictures(details, "all").items()}
    joints = list(dict.fromkeys(joint for mae in told.values() for joint in mae))
    header = ["method", *(joint.replace("_", " ") for joint in joints)]
    return header, [[name, *(tables.number(mae.get(j), 3) for j in joints)] for name, mae in told.items()]


def remarks(rows: Mapping[str, Mapping[str, Error]], ours: Collection[str]) -> list[str]:
    """Says openly where a yardstick beats the SOM-AE's best readout."""
    found = {
        mapping: better({n: row[mapping].mae for n, row in rows.items() if mapping in row}, ours)
        for mapping in MAPPINGS
    }
    return [
        f"{LABELS[mapping]}: better than the SOM-AE: {', '.join(names)}." for mapping, names in found.items() if names
    ]


def better(errors: dict[str, float], ours: Collection[str]) -> list[str]:
    """Who errs less than the SOM-AE's best readout, from errors by method and the names of the SOM-AE's readouts."""
    best = min((error for name, error in errors.items() if name in ours), default=-math.inf)
    return [name for name, error in errors.items() if error < best]
