"""`infant-arm study whose`: is this my arm? The arm that is seen moves as the felt one, later, or as another's."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from agents.mind.som_autoencoder import SomAutoencoder
from agents.som.readout import Readout
from infant_env.envs.reach_env import InfantArmReachEnv
from infant_env.senses.modalities import PROPRIOCEPTION, VISION
from infant_env.senses.seen.seen import Seen

from ..act.imagery import auroc
from ..data.dataset import Dataset
from ..runs import folder as runs
from ..runs.config import Count
from ..show import tables
from .frame import curves
from .frame.rows import Row, Rows
from .frame.study import Criterion, Findings, Study, StudyConfig, Table
from .pieces.eye import Eye, Places
from .pieces.readouts import noisy

STEPS, NEW_TARGET = 5, 0.08
"""Control steps of 40 ms from one picture to the next; probability of a new target in each step, one in half a second."""
PERIOD = 0.2
DELAYS, WINDOWS, WINDOW = (0.2, 0.4, 1.0, 2.0, 3.0), (0.4, 1.0, 2.0, 4.0), 2.0
NOISES = (9.7, 4.0)
READOUTS: dict[str, Readout] = {"winner (paper)": "winner", "local linear": "local_linear"}
PAPER, INFANT = "winner (paper)", NOISES[0]
OTHER, LATE, MIRRORED, VIEWPOINT = "another's", "delayed", "mirrored", "new viewpoint"
SEEN = {MIRRORED: Seen(mirror=True), VIEWPOINT: Seen(turn=45.0, about="shoulder")}
FACING = Seen(turn=180.0, about="shoulder", shift=(0.5, 0.18, 0.0))
"""Another infant that sits half a metre in front of this one."""
BANDS = {OTHER: (0.95, 1.0), MIRRORED: (0.4, 0.6), VIEWPOINT: (0.8, 1.0)}
IMITATED = "own view", "facing infant", "chance"


@dataclass(frozen=True)
class Config(StudyConfig):
    """Study whether the map tells the own arm from another's, and from one that is late, mirrored, or seen from aside."""

    clips: Count = 50
    """Clips of each seed: 500 at ten seeds."""


def prepare(config: Config) -> Callable[[int], Iterator[Row]]:
    """The run's mind, eye and body."""
    mind, eye = SomAutoencoder.load(config.run), Eye(Dataset.open(runs.data_of(config.run)))
    env, late, count = InfantArmReachEnv(arm=eye.arm), frames(max(DELAYS)), frames(max(WINDOWS))

    def seed_of(seed: int) -> Iterator[Row]:
        random = np.random.default_rng(seed)
        moved = np.stack([motion(env, late + count, random) for _ in range(config.clips)])  # (clips, frames, J)
        own = moved[:, late:]
        live = shown(mind, eye, moved)
        aside = {name: shown(mind, eye, own, seen) for name, seen in SEEN.items()}
        for degrees in NOISES:
            felt = noisy(eye, eye.arm.normalize(own), degrees, random)
            for name, readout in READOUTS.items():
                told = mind.som.recall({PROPRIOCEPTION: felt.flatten(0, 1)}, VISION, readout).view(*own.shape[:2], -1)
                views = {OTHER: live[:, late:], **aside}
                for kind, seen in views.items():
                    yield from scored(name, degrees, kind, errors(told, seen), errors(told, seen.roll(1, 0)))
                for delay in DELAYS:
                    then = live[:, late - frames(delay) :][:, :count]
                    yield from scored(name, degrees, LATE, errors(told, live[:, late:]), errors(told, then), delay)
        yield from imitation(mind, eye, own[:, ::5].reshape(-1, own.shape[2]))

    return seed_of


def frames(seconds: float) -> int:
    """Pictures in a time."""
    return round(seconds / PERIOD)


def motion(env: InfantArmReachEnv, count: int, random: np.random.Generator) -> Places:
    """The joints of an arm that follows random targets with its servos, every .2 s, (count, J), rad."""
    observation, _ = env.reset(seed=int(random.integers(2**31)))
    joints, target = len(env.arm.joint_names), random.uniform(-1, 1, len(env.arm.joint_names))
    poses = []
    for step in range(count * STEPS):
        if random.random() < NEW_TARGET:
            target = random.uniform(-1, 1, joints)
        if step % STEPS == 0:
            poses.append(observation["observation"][:joints])
        observation, *_ = env.step(target.astype(np.float32))
    return np.array(poses, np.float64)


def shown(mind: SomAutoencoder, eye: Eye, clips: Places, seen: Seen | None = None) -> Tensor:
    """The latents of what the eye sees in clips of poses (clips, frames, J): (clips, frames, D)."""
    flat = clips.reshape(-1, clips.shape[2])
    return mind.latents(eye(flat, seen)).view(*clips.shape[:2], -1)


def errors(told: Tensor, seen: Tensor) -> Places:
    """How wrong the pictures are that the felt joints tell, (clips, frames): mean absolute difference of the latents."""
    return np.asarray((told - seen).abs().mean(2).numpy(), np.float64)


def scored(readout: str, noise: float, kind: str, own: Places, other: Places, delay: float = 0.0) -> Iterator[Row]:
    """How well the error tells clips of another arm from those of the own one, by the length of the clips."""
    for window in WINDOWS:
        strange, usual = (each[:, : frames(window)].mean(1).astype(np.float32) for each in (other, own))
        what: Row = {"measure": "auroc", "kind": kind, "readout": readout, "noise": noise, "delay_s": delay}
        yield {**what, "window_s": window, "value": auroc(strange, usual)}


def imitation(mind: SomAutoencoder, eye: Eye, poses: Places) -> Iterator[Row]:
    """Errors of the joints that the map recalls from the own arm's picture, from a facing infant's, and by chance."""
    true = eye.arm.normalize(poses)
    for name, readout in READOUTS.items():
        views = [mind.predict(VISION, eye(poses, seen), readout)[PROPRIOCEPTION].numpy() for seen in (None, FACING)]
        for kind, found in zip(IMITATED, (*views, np.roll(true, len(true) // 2, 0)), strict=True):
            what: Row = {"measure": "joint error", "kind": kind, "readout": name, "noise": 0.0, "delay_s": 0.0}
            yield {**what, "window_s": 0.0, "value": float(np.abs(found - true).mean())}


def judge(config: Config, rows: Rows) -> Findings:
    """What the prediction error tells apart."""
    own = rows.where(readout=PAPER, noise=INFANT)
    value = {kind: own.where(kind=kind, window_s=WINDOW).mean("value") for kind in BANDS}
    delays, late = own.where(kind=LATE, window_s=WINDOW).curve("delay_s", "value")
    curve = ", ".join(tables.number(number, 2) for number in late.mean(0))
    monotone = bool((np.diff(late.mean(0)) >= 0).all())
    copied = {kind: rows.where(measure="joint error", kind=kind, readout=PAPER).mean("value") for kind in IMITATED}
    early = ", ".join(f"{delay:g}" for delay in delays)
    return Findings(
        [
            "By the error of the picture that its felt joints tell, the infant tells its own arm from another's in "
            f"{WINDOW:g} s with an area under the ROC curve of {tables.number(value[OTHER], 2)}; if both are "
            f"mirrored {tables.number(value[MIRRORED], 2)}, and from a new viewpoint "
            f"{tables.number(value[VIEWPOINT], 2)} (.5 is chance).",
            f"A picture that is {early} s late is told from the live one by {curve}.",
            "Imitation: from a facing infant's arm, the map recalls joints with an error of "
            f"{tables.number(copied['facing infant'], 2)} of their range; from its own arm "
            f"{tables.number(copied['own view'], 2)}, by chance {tables.number(copied['chance'], 2)}.",
        ],
        [
            Criterion("another's arm, 2 s", ">= .95 (5 months, Bahrick and Watson 1985)", *at(value[OTHER], low=0.95)),
            Criterion("area against the delay", "rises at each step (Bahrick and Watson 1985)", curve, monotone),
            Criterion("both mirrored", "<= .6 (Schmuckler 1996)", *at(value[MIRRORED], high=0.6)),
            Criterion("both from a new viewpoint", ">= .8 (Schmuckler 1996)", *at(value[VIEWPOINT], low=0.8)),
        ],
        {"areas": area_figure(rows), "imitation": imitation_figure(rows)},
        {
            "areas": "Area under the ROC curve of the prediction error, own against other clips. a: by the length "
            "of the clip, another's arm. b: by the delay, clips of 2 s. c: clips of 2 s by the readout of the "
            "paper, joints felt with 9.7 degrees; small dots: seeds. Gray: infants.",
            "imitation": "Error of the joints recalled from a picture of the own arm, of a facing infant's arm in "
            "the same pose, and of another pose of the same clips (chance); winner of the paper.",
        },
        {f"Areas under the ROC curve, clips of {WINDOW:g} s": table(rows)},
    )


def at(value: float, low: float = -np.inf, high: float = np.inf) -> tuple[str, bool]:
    """A value in words, and whether it lies within limits."""
    return tables.number(value, 2), low <= value <= high


def table(rows: Rows) -> Table:
    """The areas for clips of 2 s."""
    kinds = [(kind, 0.0) for kind in BANDS] + [(LATE, delay) for delay in DELAYS]
    header = ["readout, noise of the joints", *(kind if not delay else f"{delay:g} s late" for kind, delay in kinds)]
    lines = []
    for name in READOUTS:
        for noise in NOISES:
            own = rows.where(measure="auroc", readout=name, noise=noise, window_s=WINDOW)
            cells = [tables.number(own.where(kind=kind, delay_s=delay).mean("value"), 2) for kind, delay in kinds]
            lines.append([f"{name}, {noise:g} degrees", *cells])
    return header, lines


def area_figure(rows: Rows) -> Figure:
    """Areas by window and delay, and for each kind of clips."""
    figure, (left, middle, right) = curves.panels(3, size=(3.9, 3.5))
    curves.band(left, *BANDS[OTHER])
    for number, (name, noise) in enumerate((name, noise) for name in READOUTS for noise in NOISES):
        own, label = rows.where(measure="auroc", readout=name, noise=noise), f"{name}, {noise:g}°"
        curves.curve(left, *own.where(kind=OTHER).curve("window_s", "value"), number, label)
        curves.curve(middle, *own.where(kind=LATE, window_s=WINDOW).curve("delay_s", "value"), number)
    left.set(
        xlabel="length of the clip, s", ylabel="area under the ROC curve", ylim=(0.45, 1.02), title="another's arm"
    )
    middle.set(xlabel="delay, s", ylim=(0.45, 1.02), title="the own arm, late")
    main = rows.where(measure="auroc", readout=PAPER, noise=INFANT, window_s=WINDOW)
    curves.bars(right, {kind: main.where(kind=kind).by_seed("value") for kind in BANDS}, BANDS)
    right.set(xlabel="area under the ROC curve", xlim=(0.35, 1.02), title="clips of 2 s")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    return figure


def imitation_figure(rows: Rows) -> Figure:
    """Errors of recalled joints."""
    figure, (axis,) = curves.panels(1, size=(4.6, 2.2))
    own = rows.where(measure="joint error", readout=PAPER)
    curves.bars(axis, {kind: own.where(kind=kind).by_seed("value") for kind in IMITATED})
    axis.set(xlabel="mean absolute error of the joints", xlim=(0, None))
    return figure


STUDY = Study(
    name="whose",
    question="Is this my arm?",
    known="At 5 months, infants tell a live view of their own legs from another infant's, at 3 months they do not "
    "(Bahrick and Watson 1985). A delay of 3 s is noticed at 9 months only. If left and right are exchanged, the "
    "preference is gone; from a new viewpoint it stays (Schmuckler 1996). Robots recognize themselves in a mirror "
    "by prediction errors (Lanillos et al. 2020), and predict others' actions from their own (Copete et al. 2016, "
    "Seker et al. 2021).",
    method="The real arm follows random targets, a new one each half second. Every .2 s, the map recalls the "
    "picture that belongs to the felt joints, and compares its latents with those of the picture that the eye "
    "shows: of the own arm, live or late, or of another infant of the same age that moves on its own. Both are also "
    "shown mirrored, and from a new viewpoint, turned by 45 degrees about the shoulder. The joints are felt with a "
    "noise of 9.7 degrees (early childhood, n = 334; the criteria hold for this one and the winner of the paper) or "
    "4 degrees (adults). The score of a clip is its mean error. For imitation, the map recalls joints from the "
    "picture of the arm of an infant that sits half a metre in front, facing this one.",
    config=Config,
    prepare=prepare,
    judge=judge,
)
