"""What all vector environments of this project share: seeds, ends of episodes and the next ones, as Gymnasium's have them."""

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
from ..body.given import shown
from ..errors import UserError
from .recorded_spec import RecordedSpec

Observations = dict[str, NDArray[Any]]
Infos = dict[str, Any]
Infants = NDArray[np.int64]
"""Numbers of some infants, ascending."""


class ManyEnv(RecordedSpec, VectorEnv[Observations, NDArray[np.float32], NDArray[Any]]):
    """Many infants, stepped together; each subclass says how they begin, move, observe, and what that is worth.

    What an infant lives through after its episode's last step is Gymnasium's `autoreset_mode`:

    - `"NextStep"`: its next step begins the next episode instead: the action is of no account, the reward is 0;
    - `"SameStep"`: the next episode begins in the same step: the observation is its first, and `infos["final_obs"]` and
      `infos["final_info"]` hold the old one's last;
    - `"Disabled"`: `reset(options={"reset_mask": ended})` begins it; a step before that is refused.

    Args:
        num_envs: how many infants.
        max_episode_steps: after which an episode is truncated.
        autoreset_mode: an `AutoresetMode` or its value.
        render_mode: None or one of the class's `render_modes`.
        observation_space: of one infant.
        action_space: of one infant.
        options: names of the options that `reset` takes.

    Raises:
        UserError: an argument is unknown or out of range.
    """

    per_infant: tuple[str, ...] = ()
    """Attributes that hold a row for each infant; all others are every infant's."""

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
        self._own: dict[str, tuple[Any, ...]] = {}  # attributes that were set from outside
        self._generators: list[tuple[np.random.Generator, int] | None] = [None] * num_envs
        self._steps = np.zeros(num_envs, np.int64)
        self._ended = np.zeros(num_envs, bool)  # in the last step
        self._needs_reset = np.ones(num_envs, bool)  # before they can step
        self._begun = False  # all of them, at some time

    @property  # type: ignore[misc]  # as `SyncVectorEnv` has it
    def np_random(self) -> tuple[np.random.Generator, ...]:  # type: ignore[override]
        """The infants' random generators."""
        return tuple(self._random(infant) for infant in range(self.num_envs))

    @property
    def np_random_seed(self) -> tuple[int, ...]:  # type: ignore[override]  # as `SyncVectorEnv` has it
        """With what they were seeded."""
        return tuple(self._seeded(infant)[1] for infant in range(self.num_envs))

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Observations, Infos]:
        """Starts episodes, of all infants or of those that `reset_mask` tells.

        Args:
            seed: infant i gets `seed + i`; or one for each infant; None: the random numbers go on.
            options: `reset_mask`, shape (N,), bool: whose episodes start; the others' go on. Others as in the single
                environment, each for all infants, or with a row for each.

        Returns:
            What all infants observe, and infos of those whose episodes start.

        Raises:
            ResetNeeded: some infants are to start that have never started together.
            UserError: an option is unknown or misshapen, or there are not as many seeds as infants.
        """
        given = dict(check_options(options, (*self._options, "reset_mask")))
        mask = np.ones(self.num_envs, bool)
        if "reset_mask" in given:
            mask = checked_mask(given.pop("reset_mask"), self.num_envs)
        if not (self._begun or mask.all()):
            raise ResetNeeded("got a reset of some infants before the first of all, expected reset() first")
        self._seed(seed, mask)
        self._start(np.flatnonzero(mask), given)
        self._begun, self.closed = True, False
        observations = self._observe(slice(None))
        self._watch()
        return observations, self._infos(self._judge(observations)[1], mask)

    def step(
        self, actions: NDArray[np.float32]
    ) -> tuple[Observations, NDArray[Any], NDArray[Any], NDArray[Any], Infos]:
        """Gives all servos new targets and lets 40 ms pass; on ends of episodes see `autoreset_mode`.

        Args:
            actions: shape (N, J), in [-1, 1].

        Returns:
            Observations, rewards (N,), terminations (N,), truncations (N,), infos.

        Raises:
            ResetNeeded: an infant's episode has not begun, or is over.
            UserError: the actions are misshapen or not finite.
        """
        if self._needs_reset.any():
            infants = shown(np.flatnonzero(self._needs_reset).tolist())
            raise ResetNeeded(
                f"got a step of the infants {infants}, whose episodes have not begun or are over, expected reset() first, or "
                'reset(options={"reset_mask": ...}) of these'
            )
        begins = self._ended.copy()  # the next episodes, where these begin in the step after the last
        some_begin = self.autoreset_mode is AutoresetMode.NEXT_STEP and bool(begins.any())
        self._move(actions, np.flatnonzero(~begins) if some_begin else None)
        self._steps += 1
        if some_begin:
            self._start(np.flatnonzero(begins), {})
        observations = self._observe(slice(None))
        rewards, info = self._judge(observations)
        if some_begin:
            rewards[begins] = 0
        self._ended = self._steps >= self.max_episode_steps
        truncations = self._ended.copy()
        infos = self._infos(info)
        if self.autoreset_mode is AutoresetMode.DISABLED:
            self._needs_reset |= self._ended
        elif self.autoreset_mode is AutoresetMode.SAME_STEP and truncations.any():
            infos = self._start_again(truncations, observations, infos)
        self._watch()
        return observations, rewards, np.zeros(self.num_envs, bool), truncations, infos

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """What a method gives, or an attribute holds, for each infant: all are one object, which is asked once."""
        name = name if not hasattr(self, f"single_{name}") else f"single_{name}"
        if name in self._own:
            return self._own[name]
        value = getattr(self, name)
        answer = value(*args, **kwargs) if callable(value) else value
        if name in (*self.per_infant, "np_random", "np_random_seed", "render"):
            return (None,) * self.num_envs if answer is None else tuple(answer)
        return (answer,) * self.num_envs

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """What an attribute holds, for each infant."""
        return self.call(name)

    def set_attr(self, name: str, values: Any) -> None:
        """Sets an attribute; one that the environment does not have yet may differ from infant to infant.

        Args:
            name: the attribute.
            values: a list or tuple with a value for each infant, or one value for all.

        Raises:
            UserError: there are not as many values as infants, or they differ where all infants share one.
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
        """Lets 40 ms pass for some infants, None: all; the actions are everyone's."""

    @abstractmethod
    def _observe(self, infants: Infants | slice) -> Observations:
        """What some infants observe; the caller's own."""

    @abstractmethod
    def _judge(self, observations: Observations) -> tuple[NDArray[Any], Infos]:
        """What everyone's observations are worth, (N,), and infos by name, (N, ...)."""

    def _seed(self, seed: Any, infants: NDArray[np.bool_]) -> None:
        """Seeds the random numbers of some infants.

        Raises:
            UserError: there are not as many seeds as infants, or one is not a whole number of 0 or more.
        """
        for infant, one in enumerate(seed_of_each(seed, self.num_envs)):
            if one is not None and infants[infant]:
                self._generators[infant] = seeding.np_random(one)

    def _watch(self) -> None:
        """Keeps a window up to date where there is one."""

    def _start(self, infants: Infants, options: dict[str, Any]) -> None:
        self._begin(infants, options)
        self._steps[infants], self._ended[infants], self._needs_reset[infants] = 0, False, False

    def _start_again(self, ended: NDArray[np.bool_], observations: Observations, infos: Infos) -> Infos:
        """Starts the next episodes of some infants; what they observe now replaces what they did, which the infos keep."""
        infants = np.flatnonzero(ended)
        last = np.full(self.num_envs, None, object)
        for i in infants:
            last[i] = {key: values[i].copy() for key, values in observations.items()}
        self._start(infants, {})
        for key, values in self._observe(infants).items():
            observations[key][infants] = values
        return self._infos(self._judge(observations)[1]) | {
            "final_obs": last,
            "_final_obs": ended.copy(),
            "final_info": {key: _only(ended, values) for key, values in infos.items()},
            "_final_info": ended.copy(),
        }

    def _infos(self, info: Infos, infants: NDArray[np.bool_] | None = None) -> Infos:
        """Infos as Gymnasium gives them: by name, and by _name for which infants they hold; None: for all."""
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
    """The values of these infants, zeros elsewhere."""
    return np.where(infants.reshape(-1, *[1] * (values.ndim - 1)), values, np.zeros_like(values))


def _checked_mode(mode: AutoresetMode | str) -> AutoresetMode:
    try:
        return AutoresetMode(mode)
    except ValueError:
        known = [one.value for one in AutoresetMode]
        raise UserError(f"got autoreset_mode={shown(mode)}, expected one of {known}") from None
