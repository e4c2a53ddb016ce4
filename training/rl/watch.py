"""Learning that is watched: judged on fixed goals, logged, and kept so that a kill costs little."""

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

_STATE, _MODEL, _BUFFER, _SCALES = "state.json", "model.zip", "replay_buffer.pkl", "scales.pkl"
Judge = Callable[[], dict[str, float]]


class Watch(BaseCallback):  # type: ignore[misc]  # stable-baselines3 is not typed here
    """Judges a policy every so many real steps, logs that, and keeps checkpoints.

    Args:
        folder: of this seed.
        judge: how well the policy does now.
        real_share: real steps per step that stable-baselines3 counts.
        judged_every: real steps.
        kept_every: real steps.
        steps: real steps in all.
        state: of the checkpoint that one goes on from.
    """

    def __init__(
        self,
        folder: Path,
        judge: Judge,
        real_share: float,
        judged_every: int,
        kept_every: int,
        steps: int,
        state: dict[str, Any],
    ) -> None:
        super().__init__()
        self.folder, self.judge, self.real_share = folder, judge, real_share
        self.judged_every, self.kept_every, self.steps = judged_every, kept_every, steps
        self.judgments: list[dict[str, float]] = state.get("judgments", [])
        self._before, self._start = state.get("seconds", 0.0), time.perf_counter()
        self._bar: Any = None

    @property
    def real_steps(self) -> int:
        """Steps of the real body so far."""
        return round(self.num_timesteps * self.real_share)

    @property
    def seconds(self) -> float:
        """What learning took so far, judging included."""
        return self._before + time.perf_counter() - self._start

    def _on_training_start(self) -> None:
        self._bar = tqdm(total=self.steps, initial=self.real_steps, desc="learn", unit="step")
        self._judged, self._kept = self.real_steps // self.judged_every, self.real_steps // self.kept_every

    def _on_step(self) -> bool:
        self._bar.update(self.real_steps - self._bar.n)
        if self.real_steps // self.judged_every > self._judged:
            self._judged = self.real_steps // self.judged_every
            self._judge_now()
        if self.real_steps // self.kept_every > self._kept:
            self._kept = self.real_steps // self.kept_every
            self._keep()
        return True

    def _on_training_end(self) -> None:
        if not self.judgments or self.judgments[-1]["steps"] < self.real_steps:
            self._judge_now()
        self._keep()
        self._bar.close()

    def _judge_now(self) -> None:
        found = self.judge()
        self.judgments.append({"steps": self.real_steps, "seconds": round(self.seconds, 1), **found})
        for name, value in found.items():
            self.logger.record(f"judged/{name}", value)
        self._bar.set_postfix({name: f"{value:.2f}" for name, value in found.items()})

    def _keep(self) -> None:
        keep(self.folder, self.model, {"judgments": self.judgments, "seconds": self.seconds})


def keep(folder: Path, model: BaseAlgorithm, state: dict[str, Any]) -> None:
    """Writes a checkpoint, whole or not at all, and then removes older ones."""
    final = folder / f"checkpoint-{model.num_timesteps}"
    if final.exists():
        return
    partial = folder / "checkpoint.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    model.save(partial / _MODEL)
    if isinstance(model, OffPolicyAlgorithm):
        model.save_replay_buffer(partial / _BUFFER)
    scales = model.get_vec_normalize_env()
    if scales is not None:
        scales.save(str(partial / _SCALES))
    write_json(partial / _STATE, {"timesteps": model.num_timesteps, **state})
    partial.rename(final)
    for older in checkpoints(folder)[:-1]:
        shutil.rmtree(older)


def checkpoints(folder: Path) -> list[Path]:
    """A seed's checkpoints, the newest last."""
    return sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]))


def resume(
    folder: Path, algorithm: type[BaseAlgorithm], env: VecNormalize
) -> tuple[BaseAlgorithm, dict[str, Any]] | None:
    """The model of the newest checkpoint, its replay buffer included, and its state; None when there is none.

    Raises:
        UserError: the checkpoint is damaged, or of another observation.
    """
    if not checkpoints(folder):
        return None
    newest = checkpoints(folder)[-1]
    try:
        state: dict[str, Any] = json.loads((newest / _STATE).read_text())
        scaled = VecNormalize.load(str(newest / _SCALES), env.venv)
        model = algorithm.load(newest / _MODEL, env=scaled)
        if isinstance(model, OffPolicyAlgorithm):
            model.load_replay_buffer(newest / _BUFFER)
    except Exception as error:  # zip, pickle and torch raise all kinds
        raise UserError(f"{newest} cannot be gone on from ({error}); delete it, or give another --name") from None
    return model, state
