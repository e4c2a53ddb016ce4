"""Table 1 and the tables of further scores, for the terminal and the report."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

from infant_env.senses.modalities import PROPRIOCEPTION, VISION

from ..runs.metrics import Error, Hand, Metrics, Scores
from ..show import tables
from . import paper, two_eyes
from .senses import COLUMNS, LABELS, MAPPINGS, OVERALL, PICTURE_TO_JOINTS, SENSES, label_of

Details = Mapping[str, Mapping[str, Mapping[str, Scores]]]
"""Scores by method, mapping and subset of the test poses."""


def summary(results: Metrics, ours: Collection[str]) -> str:
    """Table 1 and the tables of further scores, for the terminal."""
    senses = between_senses(results.table1)
    both = two_eyes.table(results.two_eyes) if results.two_eyes else None
    hand = hands(results.details)
    parts = [
        "Table 1: mean absolute error on the test split, mean ± standard deviation",
        tables.as_text(*table1(results.table1)),
        *(["\nBetween all senses: mean absolute error", tables.as_text(*senses)] if senses else []),
        *(["\nHand along the line of sight, with one eye and with both", tables.as_text(*both)] if both else []),
        "\nPictures (all test poses / those that show the hand): error over the arm's pixels, overlap, skill against constant",
        tables.as_text(*pictures(results.details)),
        *(
            ["\nHand, from the joints recalled from a picture (all test poses / those that show the hand)"]
            if hand
            else []
        ),
        *([tables.as_text(*hand)] if hand else []),
        *([results.recorded_hand.remark] if results.recorded_hand else []),
        "\nJoints from a picture, normalized mean absolute error (all test poses)",
        tables.as_text(*per_joint(results.details)),
        *remarks(results.table1, ours),
    ]
    return "\n".join(parts)


def table1(rows: Mapping[str, Mapping[str, Error]]) -> tuple[list[str], list[list[str]]]:
    """Header and rows of Table 1, the paper's columns first."""
    theirs = [[name, *(_rounded(row.get(key)) for key in COLUMNS)] for name, row in paper.ERRORS.items()]
    ours = [[name, *(_cell(row.get(key)) for key in COLUMNS)] for name, row in rows.items()]
    return ["method", *COLUMNS.values()], theirs + ours


def between_senses(rows: Mapping[str, Mapping[str, Error]]) -> tuple[list[str], list[list[str]]] | None:
    """Header and rows of the errors between all senses; None if there are only those of the paper.

    A row is a method and what it predicts from, such as `vision and gaze`; a column is what it predicts.
    """
    found = {name: {m: e for m, e in row.items() if m != OVERALL} for name, row in rows.items()}
    further = {name: row for name, row in found.items() if not set(row) <= set(MAPPINGS)}
    if not further:
        return None
    wanted = list(dict.fromkeys(mapping.split("->")[1] for row in further.values() for mapping in row))
    header = ["method", "from", *(f"-> {label_of(name)}" for name in wanted)]
    return header, [
        [method, label_of(source), *(_cell(row.get(f"{source}->{name}")) for name in wanted)]
        for method, row in further.items()
        for source in dict.fromkeys(mapping.split("->")[0] for mapping in row)
    ]


def _rounded(entry: tuple[float, float] | None) -> str:
    return "-" if entry is None else "±".join(tables.number(value, 3) for value in entry)


def _cell(entry: Error | None) -> str:
    return "-" if entry is None else f"{tables.number(entry.mae)}±{tables.number(entry.std)}"


def pictures(details: Details) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the scores of pictures: error over the arm's pixels, overlap of the arms, skill against the constant."""
    keys = {"arm_mae": "arm MAE", "arm_iou": "IoU", "skill": "skill"}
    sources = [sense for sense in SENSES if sense.name in (VISION, PROPRIOCEPTION)]
    header = ["method", *(f"{sense.label[0]}->v {label}" for sense in sources for label in keys.values())]
    rows = []
    for name, mappings in details.items():
        found = [mappings.get(f"{sense.name}->{VISION}", {}) for sense in sources]
        if any(found):
            cells = (_both([getattr(s, key) for s in each.values()], key) for each in found for key in keys)
            rows.append([name, *cells])
    return header, rows


HAND = {"mean": "mean cm", "median": "median cm", "within_1": "< 1 cm", "within_2": "< 2 cm", "within_5": "< 5 cm"}
"""The errors of the hand in tables: fields of `Hand`, and their names."""
EACH_HAND = {"mean": "mean cm", "median": "median cm"}
"""Those of each of two hands."""


def hands(details: Details) -> tuple[list[str], list[list[str]]] | None:
    """Header and rows of the hand's distance, in cm, if the arm took the pose that was recalled from a picture.

    Two hands have a column each, over the poses whose pictures show this hand. None if nobody knows where the hand is.
    """
    found = {name: mappings.get(PICTURE_TO_JOINTS, {}) for name, mappings in details.items()}
    alone = {name: each["all"].hands_cm if "all" in each else {} for name, each in found.items()}
    if not any(scores.hand_error_cm for each in found.values() for scores in each.values()):
        return None
    rows = []
    for name, subsets in found.items():
        hands = [s.hand_error_cm for s in subsets.values()]
        cells = [_both([getattr(hand, key, None) for hand in hands], key) for key in HAND]
        rows.append([name, *cells, *hand_cells(alone[name], sides_of(alone.values()))])
    return ["method", *HAND.values(), *hand_columns(sides_of(alone.values()))], rows


def sides_of(rows: Iterable[Mapping[str, Hand]]) -> list[str]:
    """The sides of two hands that some rows have; none for one hand."""
    return sorted({side for row in rows for side in row}, reverse=True)  # right, left


def hand_columns(sides: Sequence[str]) -> list[str]:
    """The columns of each of two hands."""
    return [f"{side} {label}" for side in sides for label in EACH_HAND.values()]


def hand_cells(hands: Mapping[str, Hand], sides: Sequence[str]) -> list[str]:
    """The cells of one row under `hand_columns`."""
    wanted = (getattr(hands.get(side), key, None) for side in sides for key in EACH_HAND)
    return [tables.number(value, 2) for value in wanted]


def from_pictures(details: Details, subset: str) -> dict[str, Scores]:
    """Scores of joints from pictures, by method: over `all` samples, or over those of the subset `shows_hand`."""
    found = {name: mappings.get(PICTURE_TO_JOINTS, {}).get(subset) for name, mappings in details.items()}
    return {name: scores for name, scores in found.items() if scores is not None}


def _both(values: list[float | None], key: str) -> str:
    return " / ".join(tables.number(value, 3 if key.endswith("mae") else 2) for value in values) or "-"


def per_joint(details: Details) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the normalized error of each joint, from pictures."""
    errors = {name: scores.joint_mae for name, scores in from_pictures(details, "all").items()}
    joints = list(dict.fromkeys(joint for mae in errors.values() for joint in mae))
    header = ["method", *(joint.replace("_", " ") for joint in joints)]
    return header, [[name, *(tables.number(mae.get(j), 3) for j in joints)] for name, mae in errors.items()]


def remarks(rows: Mapping[str, Mapping[str, Error]], ours: Collection[str]) -> list[str]:
    """Sentences that name the methods with smaller errors than the SOM-AE's best readout, by mapping."""
    found = {
        mapping: better({n: row[mapping].mae for n, row in rows.items() if mapping in row}, ours)
        for mapping in MAPPINGS
    }
    return [
        f"{LABELS[mapping]}: better than the SOM-AE: {', '.join(names)}." for mapping, names in found.items() if names
    ]


def better(errors: dict[str, float], ours: Collection[str]) -> list[str]:
    """The methods with smaller errors than the SOM-AE's best readout; `ours` are the names of its readouts."""
    best = min((error for name, error in errors.items() if name in ours), default=-math.inf)
    return [name for name, error in errors.items() if error < best]
