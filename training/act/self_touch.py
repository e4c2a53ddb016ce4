"""`infant-arm self-touch`: with closed eyes, the infant touches patches of its skin that feel pressed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from agents.mind.som_autoencoder import SomAutoencoder
from infant_env.envs.arm_env import InfantArmEnv
from infant_env.errors import UserError
from infant_env.senses.modalities import PROPRIOCEPTION, TOUCH
from infant_env.senses.skin.touched_place import TouchedPlace
from infant_env.tasks.hand_surface import HandSurface
from infant_env.tasks.reachable import reachable

from ..data.dataset import Dataset
from ..runs import folder as runs
from ..runs.config import Count, RunConfig
from ..runs.device import pick_device
from ..runs.in_turn import in_turn
from ..runs.metrics import Metrics, SelfTouch
from ..show import tables
from ..show.touch_film import TouchFilm
from ..train import som

Floats = NDArray[np.floating[Any]]
_COME, _PRESS = 12, 25  # control steps to the pose from which the arm came, and on to the contact
_FILMED = "map, winner"
_BESIDE = 0.02  # how far beside the patch a further try aims, standard deviation, share of the body's size


@dataclass(frozen=True)
class Config(RunConfig):
    """Touch every reachable patch of the skin that feels pressed, with closed eyes, in real physics.

    The map recalls the pose; `nearest contact` takes that of the remembered contact nearest to the patch. The arm first goes to
    the pose from which the most similar remembered contact came. If the patch does not feel the hand then, it tries again for a
    place about 1 cm beside it.
    """

    tries: Count = 3
    """Reaches for a patch; the table tells the first one alone, too."""
    video: bool = False
    """Write `videos/self_touch.mp4`: some patches, spread over the skin, that the map's winner recalls."""
    video_patches: Count = 6
    """Number of patches in the video."""


@in_turn("self-touch", "touches itself")
def run(config: Config) -> dict[str, SelfTouch]:
    """Recalls, moves, prints the table and adds it to `metrics.json`.

    Raises:
        UserError: the data set has no babbled contacts.
    """
    runs.record_config(config.run, "self-touch", config)
    data = Dataset.open(runs.data_of(config.run))
    if not (data.info.recipe.touch and data.info.recipe.touching):
        raise UserError(
            f"{data.path} has no babbled contacts, expected a data set of `infant-arm collect --touch --touching`, and maps of it"
        )
    som.STAGE.check(config.run, data)
    mind = SomAutoencoder.load(config.run, pick_device(config.device))
    with runs.timed(config.run, "self-touch"):
        trials, rows = Trials(data, config.seed), dict[str, SelfTouch]()
        for name, recall in _recalls(mind, data).items():
            first, last = trials.reach(name, recall, config.tries)
            rows |= {f"{name}, one try": first, f"{name}, at most {config.tries}": last}
    if config.video:
        film = TouchFilm(config.run / "videos" / "self_touch.mp4", data.arm)
        trials.film(film, mind, _recalls(mind, data)[_FILMED], config.tries, config.video_patches)
        print(f"film: {film.video.path}")
    runs.record(config.run, Metrics(self_touch=rows))
    print(f"{len(trials.patches)} patches that a hand can reach; {trials.babbled} of them were touched while babbling")
    print(tables.as_text(*table(rows)))
    return rows


def table(rows: dict[str, SelfTouch]) -> tuple[list[str], list[list[str]]]:
    """Header and rows, by what recalls the pose."""
    header = ["recall", "patches", "< 1 cm", "< 2 cm", "< 3 cm", "median cm", "the patch itself"]
    return header, [
        [
            name,
            f"{row.patches}",
            *map(tables.percent, row.within),
            tables.number(row.median_cm, 2),
            tables.percent(row.felt),
        ]
        for name, row in rows.items()
    ]


Recall = Callable[[Floats], Floats]
"""Places on the skin (N, 3) -> joints (N, J), rad."""


def _recalls(mind: SomAutoencoder, data: Dataset) -> dict[str, Recall]:
    """What recalls the poses, by its name in the table; each knows the training samples alone."""
    train = data.split("train")
    places, joints = data.felt_place[train], data.joints[train]
    known = ~np.isnan(places).any(axis=1)

    def by_map(readout: Any) -> Recall:
        def recall(felt: Floats) -> Floats:
            told = torch.from_numpy(felt.astype(np.float32))
            poses = mind.som.recall({TOUCH: told.to(mind.device)}, PROPRIOCEPTION, readout=readout).clamp(0, 1)
            return mind.denormalize(poses).cpu().numpy()

        return recall

    def by_memory(felt: Floats) -> Floats:
        gaps = ((felt[:, None] - places[known]) ** 2).sum(axis=2)
        return joints[known][gaps.argmin(axis=1)]

    return {_FILMED: by_map("winner"), "map, local linear": by_map("local_linear"), "nearest contact": by_memory}


class Trials:
    """Reaches for all patches of a body that a hand can touch.

    Args:
        data: babbled contacts.
        seed: seed of the poses in which the reaches begin.
    """

    def __init__(self, data: Dataset, seed: int) -> None:
        self._env, self._seed = InfantArmEnv(arm=data.arm, eye_size=(36, 60), touch=True), seed
        assert self._env.touch is not None
        self._touch, self._hand, self._place = self._env.touch, HandSurface(data.arm), TouchedPlace(data.arm)
        train = data.split("train")
        self._joints, self._approaches = data.joints[train], data.column("approach")[train]
        found = reachable(data.arm, self._touch).patches
        self.patches = [int(patch) for patch in found if self._place.counts[patch]]
        """Numbers of the patches."""
        self.babbled = int((data.touch[train][:, self.patches] > 0).any(axis=0).sum())
        """How many of them were touched in the training samples."""

    def reach(self, name: str, recall: Recall, tries: int) -> tuple[SelfTouch, SelfTouch]:
        """Reaches for each patch: what the first try brings, and the last one."""
        bar = tqdm(self.patches, desc=name, unit="patch")
        ends = [self._tries(number, patch, recall, tries) for number, patch in enumerate(bar)]
        first, last = ([each[which] for each in ends] for which in (0, -1))
        return _scores(first), _scores(last)

    def film(self, film: TouchFilm, mind: SomAutoencoder, recall: Recall, tries: int, count: int) -> None:
        """Films the reaches for some of the patches, evenly spread over their numbers."""
        numbers = np.linspace(0, len(self.patches) - 1, min(count, len(self.patches))).astype(int)
        for number in numbers.tolist():
            patch, step = self.patches[number], 0
            activity = mind.activity(TOUCH, self._place.places[patch][None])[0].cpu().numpy()

            def watch() -> None:
                nonlocal step
                title = f"from outside, eyes closed, try {1 + step // (_COME + _PRESS)}"
                film.add(self._env.data, patch, title, activity)  # noqa: B023
                step += 1

            self._tries(number, patch, recall, tries, watch)
        film.close()

    def _tries(
        self, number: int, patch: int, recall: Recall, tries: int, watch: Callable[[], None] | None = None
    ) -> "list[_End]":
        """The ends of the reaches for a patch; there is no further one once the patch feels the hand."""
        random, place = np.random.default_rng([self._seed, patch]), self._place.places[patch]
        self._env.reset(seed=self._seed + number)
        ends: list[_End] = []
        while len(ends) < tries and not (ends and ends[-1].felt):
            beside = _BESIDE * random.standard_normal(3) if ends else np.zeros(3)
            ends.append(self._reach(patch, recall((place + beside)[None])[0], watch))
        return ends

    def _reach(self, patch: int, pose: Floats, watch: Callable[[], None] | None) -> "_End":
        """Goes where the arm came from, and on to the contact; calls `watch` after each control step."""
        env = self._env
        come = self._approaches[int(((self._joints - pose) ** 2).sum(axis=1).argmin())]
        for joints, steps in ((come, _COME), (pose, _PRESS)):
            for _ in range(1 if watch is None else steps):
                env.hold(env.action_for(joints), steps if watch is None else 1)
                if watch is not None:
                    watch()
        far = self._hand.distance(env.data, self._touch.centers(env.data)[patch])
        return _End(100 * far, bool(self._touch.touched_by_hands(env.data)[:, patch].any()))


class _End(NamedTuple):
    """The end of a reach."""

    cm: float
    """Distance of the hand from the patch."""
    felt: bool
    """Whether the patch feels the hand."""


def _scores(ends: list[_End]) -> SelfTouch:
    cm, felt = np.array([end.cm for end in ends]), [end.felt for end in ends]
    return SelfTouch(
        len(ends), [float((cm <= limit).mean()) for limit in (1, 2, 3)], float(np.median(cm)), float(np.mean(felt))
    )
