"""What stands in a run's `metrics.json`, section by section."""

from typing import Annotated

from msgspec import Meta, field

from .trained import Autoencoder, Baseline, Calibrated, Epochs, MapQuality, MapTraining, Regressor, Section


class Cost(Section):
    """What a stage took."""

    cpu_s: float
    peak_gb: float | None
    """Of the whole process; None where the system does not tell it."""


class Error(Section):
    """Mean absolute error and its standard deviation over samples."""

    mae: float
    std: float


class Hand(Section):
    """How far hands are from where they should be, in cm, and the shares that are within some cm."""

    mean: float
    median: float
    within_1: float
    within_2: float
    within_2_5: float = field(name="within_2.5")
    within_5: float


class Scores(Section):
    """What stands beside an error of Table 1: of pictures the arm's, of poses each joint's and the hand's."""

    mae: float
    arm_mae: float | None = None
    """None where no picture shows the arm."""
    arm_iou: float | None = None
    joint_mae: dict[str, float] = {}
    joint_error_deg: dict[str, float] = {}
    hand_error_cm: Hand | None = None
    hand_error_cm_percentiles: Annotated[list[float], Meta(min_length=101, max_length=101)] | None = None
    skill: float | None = None


class Reached(Section):
    """What the reaches of one method came to."""

    goals: int
    picture_mae: float
    arm_iou: float
    looks: float
    ms_per_goal: float
    joint_error_deg: dict[str, float] = {}
    """Nothing when the goals' poses are not known."""
    hand_error_cm: Hand | None = None


class Thoughts(Section):
    """What hypotheses of some pictures are worth."""

    pictures: int
    count: int
    """Hypotheses for each."""
    hand_first: float
    hand_any: float
    pose_first: float
    pose_any: float
    calibration_error: float
    reliability: Annotated[list[tuple[int, float, float]], Meta(min_length=1)]
    """By bin: how many hypotheses, their mean probability, and the share that was right."""


class Hypotheses(Section, kw_only=True):
    """Of pictures that show the hand, and of all."""

    show_the_hand: Thoughts | None = field(name="show the hand", default=None)
    all: Thoughts


class Strange(Section):
    """How well pictures that the body cannot show are told from others; None where there is nothing to tell."""

    auroc: float | None
    auroc_hand: float | None
    called: float


class Imagery(Section):
    """What the agent's thoughts are worth before it moves; both tables by the kind of picture."""

    hypotheses: Hypotheses
    impossible: dict[str, Strange]
    disturbed: dict[str, Hand]


class Way(Section):
    """What the ways of one planner came to."""

    pairs: int
    contact: float
    deep_contact: float
    moved_contact: float
    length: float
    seconds: float
    fastest: float
    least_familiar: float
    hand_cm: float
    joint_deg: float
    arrived: float
    ms_per_plan: float


_EPISODE = 25  # steps in which the world model is measured
Steps = Annotated[list[float | None], Meta(min_length=_EPISODE)]
"""Mean error after each step; None where there is no episode left."""
Medians = Annotated[list[float], Meta(min_length=_EPISODE)]


class Motion(Section):
    """Errors of imagined motion, and of yardsticks."""

    imagined: Steps
    imagined_median: Medians
    imagined_untouched: Steps
    stays: Steps
    arrives: Steps


class Ends(Section):
    """Where imagined episodes end."""

    near: float
    mean: float
    median: float


class Drawn(Section):
    """Errors of pictures: of poses imagined so far, of the true poses, and of the view without the arm."""

    imagined: float
    generator: float
    empty: float


class World(Section):
    """What the world model is worth."""

    transitions: int
    hand_error_mm: float
    joint_error_deg: Motion
    hand_error_cm: Motion
    touched: Medians
    """Share of the episodes in which the real arm touched its body by then."""
    pictures: dict[str, Drawn] = {}
    """By steps."""
    straight: Ends | None = None


class Ablated(Section):
    """What one readout of a variant came to."""

    table1: dict[str, Error]
    hand_error_cm: Hand | None


class Trial(Section):
    """What one setting of one method came to: errors by mapping, and their mean as `overall`."""

    setting: str
    error: dict[str, float]
    cpu_s: float


class Metrics(Section):
    """All sections. Those by method have the names of Table 1, mappings are such as `vision->proprioception`."""

    timing_s: dict[str, float] = {}
    cost: dict[str, Cost] = {}
    generator: Epochs | None = None
    autoencoder: Autoencoder | None = None
    map: MapQuality | None = None
    som: MapTraining | None = None
    regressor: Regressor | None = None
    glance: Epochs | None = None
    baselines: dict[str, Baseline] = {}
    calibration: Calibrated | None = None
    done: dict[str, str | None] = {}
    table1: dict[str, dict[str, Error]] = {}
    hand_error_cm: dict[str, dict[str, Hand]] = {}
    joint_error_deg: dict[str, dict[str, dict[str, float]]] = {}
    details: dict[str, dict[str, dict[str, Scores]]] = {}
    """By method, mapping, and which test poses: all, and those that show the hand."""
    queries_per_s: dict[str, dict[str, float]] = {}
    map_bytes: dict[str, int] = {}
    reach: dict[str, dict[str, Reached]] = {}
    """By the kind of goals, and by method."""
    imagery: Imagery | None = None
    plan: dict[str, Way] = {}
    world_model: World | None = None
    ablations: dict[str, dict[str, dict[str, Ablated]]] = {}
    """By what is changed, variant and readout."""
    trial: Trial | None = None


GATHERED = frozenset({"timing_s", "cost", "done", "baselines", "reach", "ablations"})
"""Sections that several commands write, each its own entries; any other section is replaced as a whole."""
WRITTEN_BY = {
    "generator": "train-generator",
    "autoencoder": "train-ae",
    "map": "train-som",
    "som": "train-som",
    "regressor": "train-regressor",
    "glance": "train-glance",
    "baselines": "train-baseline {entry}",
    "calibration": "calibrate",
    "reach": "reach",
    "imagery": "imagery",
    "plan": "plan",
    "world_model": "train-world-model",
    "ablations": "ablate --what {entry}",
    "trial": "tune",
}
"""The command that writes a section again; `evaluate` writes all others, and its own entries of those that all write."""
