"""The callback of a training: it judges the policy on fixed goals, logs, and saves checkpoints."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stable_baselines3.common.callbacks import BaseCallback
from tqdm import tqdm

from ..runs.learning import Judgment
from . import checkpoint
from .config import Config


class LearningCallback(BaseCallback):  # type: ignore[misc]  # stable-baselines3 is not typed here
    """Judges a policy, logs the judgments and saves checkpoints, each after a fixed number of real steps.

    Args:
        config: the command's settings.
        folder: the folder of this seed.
        judge: measures how well the present policy does.
        real_share: real steps per step that stable-baselines3 counts.
        before: the progress of the checkpoint from which the training goes on; None for a new training.
    """

    def __init__(
        self,
        config: Config,
        folder: Path,
        judge: Callable[[], dict[str, float]],
        real_share: float,
        before: checkpoint.Progress | None,
    ) -> None:
        super().__init__()
        self.config, self.folder, self.judge, self.real_share = config, folder, judge, real_share
        self.judgments = list(before.judgments) if before else []
        self._seconds_before, self._start = before.seconds if before else 0.0, time.perf_counter()
        self._bar: Any = None

    @property
    def real_steps(self) -> int:
        """Steps of the real infants so far."""
        return round(self.num_timesteps * self.real_share)

    @property
    def seconds(self) -> float:
        """Duration of the training so far, with the judgments."""
        return self._seconds_before + time.perf_counter() - self._start

    def _on_training_start(self) -> None:
        self._last_steps = self.real_steps
        self._bar = tqdm(total=self.config.steps, initial=self.real_steps, desc="learn", unit="step")

    def _on_step(self) -> bool:
        before, self._last_steps = self._last_steps, self.real_steps
        self._bar.update(self.real_steps - before)
        if self.real_steps // self.config.judged_every > before // self.config.judged_every:
            self._judge_now()
        if self.real_steps // self.config.kept_every > before // self.config.kept_every:
            self._save()
        return True

    def _on_training_end(self) -> None:
        if not self.judgments or self.judgments[-1].steps < self.real_steps:
            self._judge_now()
        self._save()
        self._bar.close()

    def _judge_now(self) -> None:
        scores = self.judge()
        self.judgments.append(Judgment(self.real_steps, round(self.seconds, 1), **scores))
        for name, value in scores.items():
            self.logger.record(f"judged/{name}", value)
        self._bar.set_postfix({name: f"{value:.2f}" for name, value in scores.items()})

    def _save(self) -> None:
        checkpoint.save(self.folder, self.model, self.judgments, self.seconds)
