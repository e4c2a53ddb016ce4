"""The callback of a training: it judges the policy on fixed goals, logs, and saves checkpoints."""

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.vec_env import VecNormalize
from tqdm import tqdm

from agents.tools.files import write_json
from infant_env.errors import UserError

from .config import Config

_STATE, _MODEL, _BUFFER, _SCALES = "state.json", "model.zip", "replay_buffer.pkl", "scales.pkl"


class LearningCallback(BaseCallback):  # type: ignore[misc]  # stable-baselines3 is not typed here
    """Judges a policy, logs the judgments and saves checkpoints, each after a fixed number of real steps.

    Args:
        config: the command's settings.
        folder: the folder of this seed.
        judge: measures how well the present policy does.
        real_share: real steps per step that stable-baselines3 counts.
        state: the state of the checkpoint from which the training goes on; empty for a new training.
    """

    def __init__(
        self,
        config: Config,
        folder: Path,
        judge: Callable[[], dict[str, float]],
        real_share: float,
        state: dict[str, Any],
    ) -> None:
        super().__init__()
        self.config, self.folder, self.judge, self.real_share = config, folder, judge, real_share
        self.judgments: list[dict[str, float]] = state.get("judgments", [])
        self._seconds_before, self._start = state.get("seconds", 0.0), time.perf_counter()
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
        if not self.judgments or self.judgments[-1]["steps"] < self.real_steps:
            self._judge_now()
        self._save()
        self._bar.close()

    def _judge_now(self) -> None:
        scores = self.judge()
        self.judgments.append({"steps": self.real_steps, "seconds": round(self.seconds, 1), **scores})
        for name, value in scores.items():
            self.logger.record(f"judged/{name}", value)
        self._bar.set_postfix({name: f"{value:.2f}" for name, value in scores.items()})

    def _save(self) -> None:
        save_checkpoint(self.folder, self.model, {"judgments": self.judgments, "seconds": self.seconds})


def save_checkpoint(folder: Path, model: BaseAlgorithm, state: dict[str, Any]) -> None:
    """Writes a checkpoint, completely or not at all, and then removes the older ones."""
    final = folder / f"checkpoint-{model.num_timesteps}"
    if final.exists():
        return
    partial = folder / "checkpoint.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    model.save(partial / _MODEL)
    if isinstance(model, OffPolicyAlgorithm):
        model.save_replay_buffer(partial / _BUFFER)
    if (scales := model.get_vec_normalize_env()) is not None:
        scales.save(str(partial / _SCALES))
    write_json(partial / _STATE, {"timesteps": model.num_timesteps, **state})
    partial.rename(final)
    for older in checkpoints(folder)[:-1]:
        shutil.rmtree(older)


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoints of a seed, the newest last."""
    return sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]))


def resume(
    folder: Path, algorithm: type[BaseAlgorithm], env: VecNormalize
) -> tuple[BaseAlgorithm, dict[str, Any]] | None:
    """The model of the newest checkpoint with its replay buffer, and the checkpoint's state; None if there is no checkpoint.

    Raises:
        UserError: the checkpoint is damaged, or it belongs to another observation.
    """
    newest = next(reversed(checkpoints(folder)), None)
    if newest is None:
        return None
    try:
        state: dict[str, Any] = json.loads((newest / _STATE).read_text())
        scaled = VecNormalize.load(str(newest / _SCALES), env.venv)
        model = algorithm.load(newest / _MODEL, env=scaled)
        if isinstance(model, OffPolicyAlgorithm):
            model.load_replay_buffer(newest / _BUFFER)
    except Exception as error:  # zip, pickle and torch raise errors of many types
        raise UserError(
            f"the training cannot go on from {newest} ({error}); delete it, or give another --name"
        ) from None
    return model, state
