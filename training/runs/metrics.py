"""The content of a run's `metrics.json`, section by section."""

from typing import Annotated

from msgspec import Meta, field

from .trained import Autoencoder, Baseline, Calibrated, Epochs, MapQuality, MapTraining, Regressor, Section


class Cost(Section):
    """The cost of a stage."""

    cpu_s: float
    peak_gb: float | None
    """Of the whole process; None if the system does not report it."""


class Error(Section):
    """Mean absolute error and its standard deviation over samples."""

    mae: float
    std: float


class Hand(Section):
    """Distances of hands from their true places, in cm, and the shares within some limits."""

    mean: float
    median: float
    within_1: float
    within_2: float
    within_2_5: float = field(name="within_2.5")
    within_5: float


class Scores(Section):
    """Further scores next to an error of Table 1: for pictures those of the arm, for poses those of each joint and the hand."""

    mae: float
    arm_mae: float | None = None
    """None if no picture shows the arm."""
    arm_iou: float | None = None
    joint_mae: dict[str, float] = {}
    joint_error_deg: dict[str, float] = {}
    hand_error_cm: Hand | None = None
    hands_cm: dict[str, Hand] = {}
    """Of two hands: the errors of each over the poses whose pictures show it, by side."""
    hand_error_cm_percentiles: Annotated[list[float], Meta(min_length=101, max_length=101)] | None = None
    skill: float | None = None


class RecordedHand(Section):
    """How well the place of the hand in a recording is known, in words."""

    remark: str


class TwoEyes(Section):
    """Mean error of the hand along the line of sight, in cm, with one eye and with both; and the interval of the difference."""

    pictures: int
    one_cm: float
    two_cm: float
    low_cm: float
    high_cm: float


class SelfTouch(Section):
    """How well a hand touches patches of the skin that feel pressed."""

    patches: int
    within: Annotated[list[float], Meta(min_length=3, max_length=3)]
    """Shares of the patches from whose center the hand is at most 1, 2 and 3 cm away."""
    median_cm: float
    felt: float
    """Share of the patches that are touched themselves."""


class Reached(Section):
    """The results of reaching by one method."""

    goals: int
    picture_mae: float
    arm_iou: float
    looks: float
    ms_per_goal: float
    joint_error_deg: dict[str, float] = {}
    """Empty if the goals' poses are unknown."""
    hand_error_cm: Hand | None = None
    hands_cm: dict[str, Hand] = {}
    """Of two hands: the errors of each over the goals whose pictures show it, by side."""


class HypothesisScores(Section):
    """The quality of the hypotheses for some pictures."""

    pictures: int
    count: int
    """Hypotheses for each picture."""
    hand_first: float | None
    """None if the place of the hand is unknown."""
    hand_any: float | None
    pose_first: float
    pose_any: float
    calibration_error: float
    reliability: Annotated[list[tuple[int, float, float]], Meta(min_length=1)]
    """For each bin: the number of hypotheses, their mean probability, and the share that was right."""


class HypothesisTable(Section, kw_only=True):
    """The quality of hypotheses, for pictures that show the hand and for all."""

    show_the_hand: HypothesisScores | None = field(name="show the hand", default=None)
    all: HypothesisScores


class StrangeScores(Section):
    """How well the agent detects pictures that the body cannot show; None if there is nothing to measure."""

    auroc: float | None
    auroc_hand: float | None
    called: float


class ImageryReport(Section):
    """The quality of the agent's thoughts before it moves; both tables by the kind of picture."""

    hypotheses: HypothesisTable
    impossible: dict[str, StrangeScores]
    disturbed: dict[str, Hand]
    disturbed_calibration: dict[str, float] = {}
    """The expected calibration error of the hypotheses for disturbed pictures, by kind; version 0.1 did not measure it."""


class PlannerScores(Section):
    """The quality of the ways of one planner."""

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
"""Mean error after each step; None if no episode is left."""
Medians = Annotated[list[float], Meta(min_length=_EPISODE)]


class MotionErrors(Section):
    """Errors of imagined motion and of two yardsticks."""

    imagined: Steps
    imagined_median: Medians
    imagined_untouched: Steps
    stays: Steps
    arrives: Steps


class EndErrors(Section):
    """Errors at the end of imagined episodes."""

    near: float
    mean: float
    median: float


class PictureErrors(Section):
    """Errors of pictures: drawn from imagined poses, drawn from the true poses, and of the view without the arm."""

    imagined: float
    generator: float
    empty: float


class WorldModelErrors(Section):
    """The quality of the world model."""

    transitions: int
    hand_error_mm: float
    joint_error_deg: MotionErrors
    hand_error_cm: MotionErrors
    touched: Medians
    """Share of the episodes in which the real arm has touched its body, after each step."""
    pictures: dict[str, PictureErrors] = {}
    """By number of steps."""
    straight: EndErrors | None = None
    gaze_error_deg: MotionErrors | None = None
    """Of an eye that moves."""


class Ablated(Section):
    """The results of one readout of a variant."""

    table1: dict[str, Error]
    hand_error_cm: Hand | None


class Trial(Section):
    """The result of one setting of one method: errors by mapping, and their mean as `overall`."""

    setting: str
    error: dict[str, float]
    cpu_s: float


class Metrics(Section):
    """All sections. Methods have their names in Table 1; a mapping is, for example, `vision->proprioception`."""

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
    """By method, mapping and subset of the test poses: `all`, and `shows_hand`."""
    two_eyes: dict[str, TwoEyes] = {}
    """By method, if the infant sees with both eyes."""
    recorded_hand: RecordedHand | None = None
    """What a recording knows of the hand."""
    queries_per_s: dict[str, dict[str, float]] = {}
    map_bytes: dict[str, int] = {}
    reach: dict[str, dict[str, Reached]] = {}
    """By kind of goals and method."""
    self_touch: dict[str, SelfTouch] = {}
    """By what recalls the pose."""
    imagery: ImageryReport | None = None
    plan: dict[str, PlannerScores] = {}
    world_model: WorldModelErrors | None = None
    ablations: dict[str, dict[str, dict[str, Ablated]]] = {}
    """By the changed setting, variant and readout."""
    trial: Trial | None = None


GATHERED = frozenset({"timing_s", "cost", "done", "baselines", "reach", "ablations"})
"""Sections in which each of several commands writes its own entries; any other section is replaced as a whole."""
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
    "self_touch": "self-touch",
    "world_model": "train-world-model",
    "ablations": "ablate --what {entry}",
    "trial": "tune",
}
"""The command that writes a section again. `evaluate` writes all other sections, and its entries in the common ones."""
OPTIONAL = frozenset({"two_eyes", "recorded_hand"})
"""Sections that a command writes only for some data sets."""
