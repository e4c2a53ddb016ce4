"""Base of all vector environments of this project: seeds, ends of episodes and autoreset, as in Gymnasium's own."""

from abc import abstractmethod
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from ..body.checks import check_choice, check_counts, check_options, checked_mask, seed_of_each
from ..errors import UserError
from ..given import shown
from .recorded_spec import RecordedSpec

Observations = dict[str, NDArray[Any]]
Infos = dict[str, Any]
Infants = NDArray[np.int64]
"""Indices of some infants, ascending."""


class ManyEnv(RecordedSpec, VectorEnv[Observations, NDArray[np.float32], NDArray[Any]]):
    """Many infants, stepped together; subclasses implement starts, motion, observations and rewards.

    Gymnasium's `autoreset_mode` sets what happens after the last step of an infant's episode:

    - `"NextStep"`: its next step starts the next episode: the action is ignored, and the reward is 0;
    - `"SameStep"`: the same step starts the next episode: the observation is the first of the new episode, and
      `infos["final_obs"]` and `infos["final_info"]` hold the last of the old one;
    - `"Disabled"`: `reset(options={"reset_mask": ended})` starts the next episode; a step before that is refused.

    Args:
        num_envs: number of infants.
        max_episode_steps: an episode is truncated after this many steps.
        autoreset_mode: an `AutoresetMode` or its value.
        render_mode: None or one of the class's `render_modes`.
        observation_space: space of one infant.
        action_space: space of one infant.
        options: names of the options that `reset` takes.

    Raises:
        UserError: an argument is unknown or out of range.
    """

    per_infant: tuple[str, ...] = ()
    """Names of the attributes that hold one row per infant; all infants share the others."""

    def __init__(
        self,
        num_envs: int,
        max_episode_steps: int,
        autoreset_mode: AutoresetMode | str,
        render_mode: str | None,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        options: tuple[str, ...],
    ) -> None:
        check_counts(num_envs=num_envs, max_episode_steps=max_episode_steps)
        check_choice("render_mode", render_mode, [None, *self.metadata["render_modes"]])
        self.autoreset_mode = _checked_mode(autoreset_mode)
        self.metadata = {**self.metadata, "autoreset_mode": self.autoreset_mode}
        self.num_envs, self.max_episode_steps, self.render_mode = num_envs, max_episode_steps, render_mode
        self.single_observation_space, self.single_action_space = observation_space, action_space
        self.observation_space = batch_space(observation_space, num_envs)
        self.action_space = batch_space(action_space, num_envs)
        self._options = options
        self._own: dict[str, tuple[Any, ...]] = {}  # attributes that users added with `set_attr`
        self._generators: list[tuple[np.random.Generator, int] | None] = [None] * num_envs
        self._steps = np.zeros(num_envs, np.int64)
        self._ended = np.zeros(num_envs, bool)  # whose episode ended in the last step
        self._needs_reset = np.ones(num_envs, bool)  # who cannot step before a reset
        self._begun = False  # whether a reset of all infants has happened

    @property  # type: ignore[misc]  # same type as in `SyncVectorEnv`
    def np_random(self) -> tuple[np.random.Generator, ...]:  # type: ignore[override]
        """The infants' random generators."""
        return tuple(self._random(infant) for infant in range(self.num_envs))

    @property
    def np_random_seed(self) -> tuple[int, ...]:  # type: ignore[override]  # same type as in `SyncVectorEnv`
        """The seeds of the infants' random generators."""
        return tuple(self._seeded(infant)[1] for infant in range(self.num_envs))

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Observations, Infos]:
        """Starts episodes of all infants or of those in `reset_mask`.

        Args:
            seed: infant i gets `seed + i`; or one seed per infant; None: the random numbers continue.
            options: `reset_mask`, shape (N,), bool: infants whose episodes start; the episodes of the others continue. The
                other options are those of the single environment, one value for all infants or one row per infant.

        Returns:
            Observations of all infants, and infos of those whose episodes start.

        Raises:
            ResetNeeded: the mask selects some infants, but there has been no reset of all infants yet.
            UserError: an option is unknown or has a wrong shape, or the number of seeds is wrong.
        """
        given = dict(check_options(options, (*self._options, "reset_mask")))
        mask = np.ones(self.num_envs, bool)
        if "reset_mask" in given:
            mask = checked_mask(given.pop("reset_mask"), self.num_envs)
        if not (self._begun or mask.all()):
            raise ResetNeeded("got a reset of some infants before the first reset of all, expected reset() first")
        self._seed(seed, mask)
        self._start(np.flatnonzero(mask), given)
        self._begun, self.closed = True, False
        observations = self._observe(slice(None))
        self._watch()
        return observations, self._infos(self._evaluate(observations)[1], mask)

    def step(
        self, actions: NDArray[np.float32]
    ) -> tuple[Observations, NDArray[Any], NDArray[Any], NDArray[Any], Infos]:
        """Sets all servos' targets and simulates 40 ms; `autoreset_mode` explains the ends of episodes.

        Args:
            actions: shape (N, J), in [-1, 1].

        Returns:
            Observations, rewards (N,), terminations (N,), truncations (N,), infos.

        Raises:
            ResetNeeded: an infant's episode has not begun or is over.
            UserError: the actions have a wrong shape or are not finite.
        """
        if self._needs_reset.any():
            infants = shown(np.flatnonzero(self._needs_reset).tolist())
            raise ResetNeeded(
                f"got a step of the infants {infants}, whose episodes have not begun or are over, expected reset() first, or "
                'reset(options={"reset_mask": ...}) for these infants'
            )
        begins = self._ended.copy()  # with NEXT_STEP, these infants start their next episodes now
        some_begin = self.autoreset_mode is AutoresetMode.NEXT_STEP and bool(begins.any())
        self._move(actions, np.flatnonzero(~begins) if some_begin else None)
        self._steps += 1
        if some_begin:
            self._start(np.flatnonzero(begins), {})
        observations = self._observe(slice(None))
        rewards, info = self._evaluate(observations)
        if some_begin:
            rewards[begins] = 0
        self._ended = self._steps >= self.max_episode_steps
        truncations = self._ended.copy()
        infos = self._infos(info)
        if self.autoreset_mode is AutoresetMode.DISABLED:
            self._needs_reset |= self._ended
        elif self.autoreset_mode is AutoresetMode.SAME_STEP and truncations.any():
            infos = self._reset_in_same_step(truncations, observations, infos)
        self._watch()
        return observations, rewards, np.zeros(self.num_envs, bool), truncations, infos

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """The result of a method, or the value of an attribute, per infant; the one shared object is called only once."""
        name = name if not hasattr(self, f"single_{name}") else f"single_{name}"
        if name in self._own:
            return self._own[name]
        value = getattr(self, name)
        answer = value(*args, **kwargs) if callable(value) else value
        if name in (*self.per_infant, "arms", "seen", "np_random", "np_random_seed", "render"):
            return (None,) * self.num_envs if answer is None else tuple(answer)
        return (answer,) * self.num_envs

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """The value of an attribute for each infant."""
        return self.call(name)

    def set_attr(self, name: str, values: Any) -> None:
        """Sets an attribute; attributes that the environment does not have yet may differ between infants.

        Args:
            name: the attribute.
            values: a list or tuple with one value per infant, or one value for all.

        Raises:
            UserError: the number of values is wrong, or they differ although all infants share the attribute.
        """
        each = list(values) if isinstance(values, list | tuple) else [values] * self.num_envs
        if len(each) != self.num_envs:
            raise UserError(
                f"got {len(each)} values of {name!r}, expected one, or one for each of the {self.num_envs} infants"
            )
        if name in self.per_infant:
            getattr(self, name)[:] = each
            return
        if name in self._own or not hasattr(self, name):
            self._own[name] = tuple(each)
            return
        if any(value is not each[0] and not np.array_equal(value, each[0]) for value in each[1:]):
            raise UserError(f"got different values of {name!r}, expected one: it is the same for all infants")
        setattr(self, name, each[0])

    @abstractmethod
    def _begin(self, infants: Infants, options: dict[str, Any]) -> None:
        """Starts the episodes of some infants."""

    @abstractmethod
    def _move(self, actions: NDArray[np.float32], infants: Infants | None) -> None:
        """Simulates 40 ms for some infants, None: all; there are actions for all infants."""

    @abstractmethod
    def _observe(self, infants: Infants | slice) -> Observations:
        """New arrays with the observations of some infants."""

    @abstractmethod
    def _evaluate(self, observations: Observations) -> tuple[NDArray[Any], Infos]:
        """Rewards of all infants, (N,), and infos by name, (N, ...)."""

    def _seed(self, seed: Any, infants: NDArray[np.bool_]) -> None:
        """Seeds the random numbers of some infants.

        Raises:
            UserError: the number of seeds is wrong, or a seed is not a whole number of 0 or more.
        """
        for infant, one in enumerate(seed_of_each(seed, self.num_envs)):
            if one is not None and infants[infant]:
                self._generators[infant] = seeding.np_random(one)

    def _watch(self) -> None:
        """Updates the window if there is one."""

    def _start(self, infants: Infants, options: dict[str, Any]) -> None:
        self._begin(infants, options)
        self._steps[infants], self._ended[infants], self._needs_reset[infants] = 0, False, False

    def _reset_in_same_step(self, ended: NDArray[np.bool_], observations: Observations, infos: Infos) -> Infos:
        """Starts the next episodes of some infants: writes their first observations, and returns infos with the last ones."""
        infants = np.flatnonzero(ended)
        last = np.full(self.num_envs, None, object)
        for i in infants:
            last[i] = {key: values[i].copy() for key, values in observations.items()}
        self._start(infants, {})
        for key, values in self._observe(infants).items():
            observations[key][infants] = values
        return self._infos(self._evaluate(observations)[1]) | {
            "final_obs": last,
            "_final_obs": ended.copy(),
            "final_info": {key: _only(ended, values) for key, values in infos.items()},
            "_final_info": ended.copy(),
        }

    def _infos(self, info: Infos, infants: NDArray[np.bool_] | None = None) -> Infos:
        """Infos in Gymnasium's form: values by name, and by _name the mask of infants that have them; None: all have."""
        infos: Infos = {}
        for name, values in info.items():
            infos[name] = values if infants is None else _only(infants, values)
            infos[f"_{name}"] = np.ones(self.num_envs, bool) if infants is None else infants.copy()
        return infos

    def _random(self, infant: int) -> np.random.Generator:
        return self._seeded(infant)[0]

    def _seeded(self, infant: int) -> tuple[np.random.Generator, int]:
        seeded = self._generators[infant]
        if seeded is None:
            seeded = self._generators[infant] = seeding.np_random()
        return seeded


def _only(infants: NDArray[np.bool_], values: NDArray[Any]) -> NDArray[Any]:
    """The values of these infants, and zeros for the others."""
    return np.where(infants.reshape(-1, *[1] * (values.ndim - 1)), values, np.zeros_like(values))


def _checked_mode(mode: AutoresetMode | str) -> AutoresetMode:
    try:
        return AutoresetMode(mode)
    except ValueError:
        known = [one.value for one in AutoresetMode]
        raise UserError(f"got autoreset_mode={shown(mode)}, expected one of {known}") from None
