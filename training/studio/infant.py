"""The infant of the studio: its own thread simulates it, looks through its eye, and runs the jobs of the page."""

import threading
import time
import traceback
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from infant_env.body.model import ArmModel
from infant_env.body.servos import CONTROL_HZ
from infant_env.envs.arm_env import InfantArmEnv
from infant_env.senses.modalities import GAZE
from infant_env.senses.skin.touch import Touch

Floats = NDArray[Any]
Behavior = Iterator[Floats | None]
"""What the infant does: the target joints (J,) in rad for each control step; None keeps the targets. It turns the gaze by
`LiveInfant.look`."""
FASTEST = 5.0
"""The highest speed of a joint's target, rad/s."""
_STILL, _PATIENCE = 0.02, 75  # rad/s; control steps after which it counts as at rest even if something pushes it
_SETTLED = 5  # control steps
_BROWSER_LEFT = "deque mutated during iteration"  # viser's error if a browser leaves during an update


@dataclass(frozen=True)
class Moment:
    """One control step: what the infant sees and feels."""

    observation: dict[str, NDArray[Any]]
    """The observation of `InfantArmEnv`."""
    info: dict[str, Any]
    """The info of `InfantArmEnv`."""
    targets: NDArray[np.float64]
    """The target joints, shape (J,), rad."""

    @property
    def joints(self) -> NDArray[np.float32]:
        """Shape (J,), rad."""
        return self.observation["joints"]

    @property
    def gaze(self) -> NDArray[np.float32] | None:
        """The gaze that it feels, shape (2,), rad; None if it is held."""
        return self.observation.get(GAZE)


class LiveInfant:
    """Simulates an infant at 25 Hz while something moves, and waits while nothing moves.

    Its thread alone uses the simulator, the camera and the networks: it calls the listeners, the behaviors, and the jobs that
    other threads give to `do`.

    Args:
        arm: the body.
        eye_size: rows and columns of the eye's frames.
        seed: seed of all random poses.
        **senses: `acuity`, `senses` and `touch` of `InfantArmEnv`.
    """

    def __init__(self, arm: ArmModel, eye_size: tuple[int, int], seed: int = 0, **senses: Any) -> None:
        self.arm, self._eye_size, self._senses = arm, eye_size, senses
        self.listeners: list[Callable[[Moment], None]] = []
        """Are called after each control step."""
        self.body_listeners: list[Callable[[ArmModel], None]] = []
        """Are called when the infant has another body."""
        self.random = np.random.default_rng(seed)
        self.gaze: NDArray[np.float64] = np.zeros(len(arm.gaze_joints))
        """The targets of the gaze, shape (G,), rad; G is 0 if it is held."""
        self.waiting = False
        """A behavior sets it to wait for the user, whose next step clears it."""
        self._jobs: dict[Hashable, Callable[[], None]] = {}
        self._wake, self._open = threading.Condition(), True
        self._behavior: Behavior | None = None
        self._report: Callable[[Exception], None] = traceback.print_exception
        self._steps_since_target = 0
        self._still_steps = 0
        self._started = threading.Event()
        self._failure: RuntimeError | None = None
        self._thread = threading.Thread(target=self._run, name="infant", daemon=True)

    def start(self) -> None:
        """Starts the thread; `do` may be called before.

        Raises:
            RuntimeError: its eye cannot render, see `EyeCamera`.
        """
        self._thread.start()
        self._started.wait()
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Ends the thread and closes the camera."""
        with self._wake:
            self._open = False
            self._wake.notify()
        self._thread.join(timeout=30)

    def do(self, job: Callable[[], None], key: Hashable = None) -> None:
        """Gives a job to the infant's thread; it replaces a waiting job with the same key."""
        with self._wake:
            key = object() if key is None else key
            self._jobs.pop(key, None)
            self._jobs[key] = job
            self._wake.notify()

    # Only the infant's own thread may call what follows.

    def move_to(self, joints: Floats) -> None:
        """Moves to a pose (J,), rad, clipped to the joint ranges; ends the present behavior."""
        self.stop()
        self._set_targets(joints)
        self._still_steps = 0

    def look(self, gaze: Floats | None) -> None:
        """Turns the gaze to these angles (2,), rad, clipped to their ranges; None: straight ahead. A held gaze stays held."""
        low, high = self.arm.gaze.ranges.T
        if len(low):
            self.gaze = np.clip(np.zeros(len(low)) if gaze is None else np.asarray(gaze, float), low, high)
            self._steps_since_target = self._still_steps = 0

    def perform(self, behavior: Behavior, report: Callable[[Exception], None]) -> None:
        """Starts a behavior and ends the present one.

        Args:
            behavior: see `Behavior`.
            report: is called with the error if the behavior fails.
        """
        self.stop()
        self._behavior, self._report = behavior, report

    def stop(self) -> None:
        """Ends the present behavior; the arm still moves to its targets and stays there."""
        behavior, self._behavior, self.waiting = self._behavior, None, False
        if behavior is not None:
            behavior.close()  # type: ignore[attr-defined]

    @property
    def behavior(self) -> Behavior | None:
        """The present behavior."""
        return self._behavior

    @property
    def at_rest(self) -> bool:
        """Whether the arm has arrived at its targets, and arm and gaze rest."""
        there = bool(np.abs(self.targets - self._commanded).max() < 1e-6)
        return there and (self._still_steps >= _SETTLED or self._steps_since_target > _PATIENCE)

    def change_body(self, arm: ArmModel) -> None:
        """Takes another body in the same pose, as far as its joint ranges allow."""
        self.stop()
        self._env.close()
        self.arm = arm
        self._enter_body(self.targets)

    def show_again(self) -> None:
        """Calls the listeners once more."""
        self._steps_since_target = min(self._steps_since_target, _PATIENCE)
        self._show(*self._hold())

    @property
    def data(self) -> Any:
        """The simulator's state."""
        return self._env.data

    @property
    def touch(self) -> Touch | None:
        """The sense of touch of the present body; None if it has none."""
        return self._env.touch

    @property
    def _acts(self) -> bool:
        return self._behavior is not None and not self.waiting

    def _run(self) -> None:
        with torch.inference_mode():
            try:
                self._enter_body(self.arm.joint_ranges.mean(1))
            except RuntimeError as error:
                self._failure = error
                return
            finally:
                self._started.set()
            while self._run_jobs():
                start = time.perf_counter()
                if self._acts or not self.at_rest:
                    self._step()
                    time.sleep(max(0.0, 1 / CONTROL_HZ - (time.perf_counter() - start)))
            self.stop()
            self._env.close()

    def _run_jobs(self) -> bool:
        """Runs the waiting jobs, and waits while nothing moves; returns False when the infant is closed."""
        with self._wake:
            while self._open and not self._jobs and not self._acts and self.at_rest:
                self._wake.wait()
            jobs, self._jobs = list(self._jobs.values()), {}
        for job in jobs:
            _print_errors(job)
        return self._open

    def _enter_body(self, joints: Floats) -> None:
        self._env = InfantArmEnv(arm=self.arm, eye_size=self._eye_size, **self._senses)
        joints = np.clip(joints, *self.arm.joint_ranges.T)
        data = self.arm.new_data()
        if not self.arm.is_valid(data, joints):  # another body may be in the way in this pose
            joints = self.arm.valid_pose(data, self.random)
        self.targets = self._commanded = np.asarray(joints, float)
        self.gaze = np.clip(self.gaze, *self.arm.gaze.ranges.T)
        looks = {GAZE: self.gaze} if len(self.gaze) else {}
        observation, info = self._env.reset(options={"joints": joints, **looks})
        for listener in self.body_listeners:
            _print_errors(partial(listener, self.arm))
        self._steps_since_target = self._still_steps = 0
        self._show(observation, info)

    def _step(self) -> None:
        """One control step."""
        if self._acts:
            self._continue_behavior()
        reach = FASTEST / CONTROL_HZ
        self._commanded = self._commanded + np.clip(self.targets - self._commanded, -reach, reach)
        observation, info = self._hold()
        moving = np.concatenate([self.arm.dof_ids, self.arm.gaze.dof_ids])
        still = np.abs(self.data.qvel[moving]).max() < _STILL  # what it feels may be noisy or late
        self._still_steps = self._still_steps + 1 if still else 0
        self._steps_since_target += 1
        self._show(observation, info)

    def _hold(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Simulates one control step toward the commanded joints and the gaze."""
        return self._env.hold(self._env.action_for(self._commanded, self.gaze), 1)

    def _continue_behavior(self) -> None:
        assert self._behavior is not None
        try:
            targets = next(self._behavior)
        except StopIteration:
            self._behavior = None
        except Exception as error:  # the infant must go on after any error of a behavior
            self._behavior = None
            self._report(error)
        else:
            if targets is not None:
                self._set_targets(targets)

    def _set_targets(self, joints: Floats) -> None:
        self.targets = np.clip(np.asarray(joints, float), *self.arm.joint_ranges.T)
        self._steps_since_target = 0

    def _show(self, observation: dict[str, NDArray[Any]], info: dict[str, Any]) -> None:
        self.moment = Moment(observation, info, self.targets)
        for listener in self.listeners:
            _print_errors(partial(listener, self.moment))


def retrying(job: Callable[[], None]) -> None:
    """Runs a job, and runs it again if a browser left during an update of the page, which makes viser fail."""
    try:
        job()
    except RuntimeError as error:
        if str(error) != _BROWSER_LEFT:
            raise
        job()


def _print_errors(job: Callable[[], None]) -> None:
    try:
        retrying(job)
    except Exception as error:  # the infant must go on
        traceback.print_exception(error)
