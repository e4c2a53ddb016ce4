"""What an infant sees while it babbles: frames, joints and actions of every step."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.tools.files import replacing
from infant_env.senses.vision import COLOR

from .entry import Action, LearningEnv, Observation

HOLD = 5
"""Control steps for which a babbled target is held; the arm arrives after about five."""
LEAST = 10
"""The least number of steps from which an autoencoder can learn."""
Floats = NDArray[np.float32]
_AT_ONCE = 500  # frames


@dataclass(frozen=True)
class Seen:
    """N + 1 moments, and the N actions between them."""

    color: NDArray[np.float16]
    """Preprocessed frames in the agent's format, shape (N + 1, 3, 64, 64), in [0, 1]."""
    joints: Floats
    """Shape (N + 1, J), rad."""
    velocities: Floats
    """Shape (N + 1, J), rad/s."""
    actions: Floats
    """Shape (N, J), in [-1, 1]; action i leads from moment i to the next one."""

    def __len__(self) -> int:
        """Number of moments."""
        return len(self.joints)

    def until(self, steps: int) -> "Seen":
        """The first moments, as many as fit into a number of steps."""
        return Seen(
            self.color[: steps + 1], self.joints[: steps + 1], self.velocities[: steps + 1], self.actions[:steps]
        )

    def gray(self) -> Floats:
        """The luminance of all frames, shape (N + 1, 64, 64)."""
        parts = np.array_split(self.color, -(-len(self) // _AT_ONCE))
        return np.concatenate([COLOR.gray(part.astype(np.float32)).astype(np.float32) for part in parts])

    def then(self, later: "Seen") -> "Seen":
        """This, and what was seen after it; the first moment of `later` is the last one of this."""
        color, joints, velocities = (
            np.concatenate([getattr(self, name), getattr(later, name)[1:]])
            for name in ("color", "joints", "velocities")
        )
        return Seen(color, joints, velocities, np.concatenate([self.actions, later.actions]))


class Recorder:
    """Takes steps and keeps what is seen.

    Args:
        env: the infant.
    """

    def __init__(self, env: LearningEnv) -> None:
        self.env = env
        self.now, _ = env.reset()
        self._moments, self._actions = [_squeezed(self.now)], list[Action]()

    def step(self, action: Action) -> Observation:
        """Takes a step; returns what is observed after it."""
        self.now, *_ = self.env.step(action)
        self._moments.append(_squeezed(self.now))
        self._actions.append(np.asarray(action, np.float32))
        return self.now

    def seen(self) -> Seen:
        """All that was seen so far."""
        color, joints, velocities = (np.stack(each) for each in zip(*self._moments, strict=True))
        actions = np.array(self._actions, np.float32).reshape(-1, joints.shape[1])
        return Seen(color, joints, velocities, actions)


def babble(env: LearningEnv, steps: int, seed: int, hold: int = HOLD) -> Seen:
    """Moves the arm to random targets, each for some steps.

    If `env.kept` names a folder, a life that is babbled to its end is kept there, and read where it was seen before: equal seeds
    babble alike, and a short life is the beginning of a long one. The steps count either way.

    Args:
        env: the infant.
        steps: number of steps, at most `env.left`.
        seed: seed of the targets.
        hold: control steps for which a target is held.
    """
    kept = env.kept if not env.taken and steps == env.left else None  # nobody will ask where the arm is afterwards
    found = None if kept is None else _read(kept, seed, hold, steps)
    if found is not None:
        env.taken += steps
        return found
    random, recorder, joints = np.random.default_rng([seed, 1]), Recorder(env), env.action_space.shape
    for step in range(steps):
        if step % hold == 0:
            target = random.uniform(-1, 1, joints).astype(np.float32)
        recorder.step(target)
    seen = recorder.seen()
    if kept is not None:
        _write(kept / f"seed{seed}-hold{hold}-{steps}", seen)
    return seen


def _squeezed(now: Observation) -> tuple[NDArray[np.float16], Floats, Floats]:
    return COLOR.squeeze(now["eye"]).astype(np.float16), now["joints"], now["joint_velocities"]


def _write(folder: Path, seen: Seen) -> None:
    for one in reversed(fields(seen)):
        with replacing(folder / f"{one.name}.npy") as temporary, temporary.open("wb") as file:
            np.save(file, getattr(seen, one.name))


def _read(kept: Path, seed: int, hold: int, steps: int) -> Seen | None:
    """A life of at least so many steps; the pictures are written last, so it is whole if they are there."""
    for folder in sorted(kept.glob(f"seed{seed}-hold{hold}-*")):
        if int(folder.name.rpartition("-")[2]) >= steps and (folder / "color.npy").exists():
            parts = (np.load(folder / f"{one.name}.npy", mmap_mode="r", allow_pickle=False) for one in fields(Seen))
            short = Seen(*parts).until(steps)
            return Seen(*(np.array(getattr(short, one.name)) for one in fields(short)))
    return None
