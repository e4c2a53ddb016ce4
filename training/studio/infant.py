"""The one infant of the studio: a thread of its own simulates it, looks through its eye, and does what it is asked."""

import threading
import time
import traceback
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np
import torch
from numpy.typing import NDArray

from infant_env.body.model import ArmModel
from infant_env.body.servos import CONTROL_HZ
from infant_env.envs.arm_env import InfantArmEnv

Floats = NDArray[Any]
Act = Iterator[Floats | None]
"""Something that the infant does: joints (J,) in rad for each control step, None where it stays as it is."""
FASTEST = 5.0
"""How fast a joint's target moves, rad/s."""
_STILL, _PATIENCE = 0.02, 75  # rad/s; control steps after which it counts as resting although something pushes it
_SETTLED = 5  # control steps
_TRIPPED = "deque mutated during iteration"


@dataclass(frozen=True)
class Moment:
    """One control step: what the infant sees and feels, and how it is."""

    observation: dict[str, NDArray[Any]]
    """Of `InfantArmEnv`."""
    info: dict[str, Any]
    """Likewise."""
    targets: NDArray[np.float64]
    """Where the joints shall go, shape (J,), rad."""

    @property
    def joints(self) -> NDArray[np.float32]:
        """Shape (J,), rad."""
        return self.observation["joints"]


class LiveInfant:
    """Simulates an infant at 25 Hz while something moves, and sleeps while nothing does.

    Everything that touches the simulator, its camera or the networks runs in its thread: the listeners, the acts, and the
    jobs that others hand in by `do`.

    Args:
        arm: the body.
        eye_size: rows and columns of the eye's frames.
        seed: of the first pose and of those at random.
    """

    def __init__(self, arm: ArmModel, eye_size: tuple[int, int], seed: int = 0) -> None:
        self.arm, self._eye_size = arm, eye_size
        self.listeners: list[Callable[[Moment], None]] = []
        self.bodies: list[Callable[[ArmModel], None]] = []
        """Told when the infant has another body."""
        self.random = np.random.default_rng(seed)
        self.rate = 0.0
        """Control steps that were simulated and shown in a second, lately."""
        self.waiting = False
        """Set by an act that waits for the user, who clears it."""
        self._jobs: dict[Hashable, Callable[[], None]] = {}
        self._wake, self._open = threading.Condition(), True
        self._act: Act | None = None
        self._report: Callable[[Exception], None] = _print
        self._since = 0  # control steps since it was last asked for something
        self._still = 0
        self._born = threading.Event()
        self._failure: RuntimeError | None = None
        self._thread = threading.Thread(target=self._live, name="infant", daemon=True)

    def start(self) -> None:
        """Wakes it up; `do` may be called before.

        Raises:
            RuntimeError: its eye cannot be opened, see `EyeCamera`.
        """
        self._thread.start()
        self._born.wait()
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Ends the thread and frees the camera."""
        with self._wake:
            self._open = False
            self._wake.notify()
        self._thread.join(timeout=30)

    def do(self, job: Callable[[], None], key: Hashable = None) -> None:
        """Hands a job to the infant's thread; of those with the same key that still wait the newest wins."""
        with self._wake:
            key = object() if key is None else key
            self._jobs.pop(key, None)
            self._jobs[key] = job
            self._wake.notify()

    # What follows is for the infant's own thread.

    def go(self, joints: Floats) -> None:
        """Moves to a pose (J,), rad, clipped to the joint ranges; whatever it was doing it no longer does."""
        self.rest()
        self.targets = np.clip(np.asarray(joints, float), *self.arm.joint_ranges.T)
        self._since = self._still = 0

    def perform(self, act: Act, report: Callable[[Exception], None]) -> None:
        """Does this from now on, instead of what it was doing.

        Args:
            act: see `Act`.
            report: told when the act fails.
        """
        self.rest()
        self._act, self._report = act, report

    def rest(self) -> None:
        """Stops what it is doing, and holds the pose that it was going to."""
        act, self._act, self.waiting = self._act, None, False
        if act is not None:
            act.close()  # type: ignore[attr-defined]

    @property
    def doing(self) -> Act | None:
        """What it is doing."""
        return self._act

    @property
    def arrived(self) -> bool:
        """Whether it rests."""
        there = bool(np.abs(self.targets - self._commanded).max() < 1e-6)
        return there and (self._still >= _SETTLED or self._since > _PATIENCE)

    def become(self, arm: ArmModel) -> None:
        """Takes another body, in the same pose as far as its ranges allow."""
        self.rest()
        self._env.close()
        self.arm = arm
        self._wear(self.targets)

    def look_again(self) -> None:
        """Shows the present moment once more."""
        self._since = min(self._since, _PATIENCE)
        self._show(*self._env.hold(self._env.action_for(self._commanded), 1))

    @property
    def data(self) -> Any:
        """The simulator's state."""
        return self._env.data

    def _live(self) -> None:
        with torch.inference_mode():
            try:
                self._wear(self.arm.joint_ranges.mean(1))
            except RuntimeError as error:
                self._failure = error
                return
            finally:
                self._born.set()
            while self._next_jobs():
                began = time.perf_counter()
                if not self.arrived or (self._act is not None and not self.waiting):
                    self._step()
                    taken = time.perf_counter() - began
                    time.sleep(max(0.0, 1 / CONTROL_HZ - taken))
                    self.rate += 0.1 * (1 / max(taken, 1 / CONTROL_HZ) - self.rate)
            self.rest()
            self._env.close()

    def _next_jobs(self) -> bool:
        """Does what waits, and waits itself while nothing moves; False when all is over."""
        with self._wake:
            while self._open and not self._jobs and (self._act is None or self.waiting) and self.arrived:
                self._wake.wait()
            jobs, self._jobs = list(self._jobs.values()), {}
        for job in jobs:
            _safely(job)
        return self._open

    def _wear(self, joints: Floats) -> None:
        self._env = InfantArmEnv(arm=self.arm, eye_size=self._eye_size)
        joints = np.clip(joints, *self.arm.joint_ranges.T)
        data = mujoco.MjData(self.arm.model)
        if not self.arm.is_valid(data, joints):  # another body may stand where this arm was
            joints = self.arm.valid_pose(data, self.random)
        self.targets = self._commanded = np.asarray(joints, float)
        observation, info = self._env.reset(options={"joints": joints})
        for told in self.bodies:
            _safely(lambda told=told: told(self.arm))  # type: ignore[misc]
        self._since = self._still = 0
        self._show(observation, info)

    def _step(self) -> None:
        """One control step."""
        if self._act is not None and not self.waiting:
            self._advance()
        reach = FASTEST / CONTROL_HZ
        self._commanded = self._commanded + np.clip(self.targets - self._commanded, -reach, reach)
        observation, info = self._env.hold(self._env.action_for(self._commanded), 1)
        slow = np.abs(observation["joint_velocities"]).max() < _STILL
        self._still = self._still + 1 if slow else 0
        self._since += 1
        self._show(observation, info)

    def _advance(self) -> None:
        assert self._act is not None
        try:
            targets = next(self._act)
        except StopIteration:
            self._act = None
        except Exception as error:  # whatever an act does wrong, the infant lives on
            self._act = None
            self._report(error)
        else:
            if targets is not None:
                self.targets = np.clip(np.asarray(targets, float), *self.arm.joint_ranges.T)
                self._since = 0

    def _show(self, observation: dict[str, NDArray[Any]], info: dict[str, Any]) -> None:
        self.moment = Moment(observation, info, self.targets)
        for listener in self.listeners:
            _safely(lambda listener=listener: listener(self.moment))  # type: ignore[misc]


def patiently(job: Callable[[], None]) -> None:
    """Does a job, and once more when a browser left just then: viser, told something in this thread, trips over that."""
    try:
        job()
    except RuntimeError as error:
        if str(error) != _TRIPPED:
            raise
        job()


def _safely(job: Callable[[], None]) -> None:
    try:
        patiently(job)
    except Exception as error:  # the infant lives on
        _print(error)


def _print(error: Exception) -> None:
    traceback.print_exception(error)
