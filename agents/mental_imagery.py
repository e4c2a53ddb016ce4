"""The agent of the paper's last page: it imagines a situation and remembers how to get there."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infant_env.vision import to_gray

from .som import Readout
from .som_autoencoder import SomAutoencoder


class MentalImageryAgent:
    """Imagines a goal picture, recalls the pose that shows it, and sends the arm there.

    ```python
    agent = MentalImageryAgent(SomAutoencoder.load("runs/paper"))
    agent.see_goal(goal_frame)  # or agent.imagine_goal(joints)
    observation, _ = env.reset()
    for _ in range(25):
        observation, *_ = env.step(agent.act(observation))
    error = agent.compare(observation)
    ```

    Args:
        mind: the trained SOM-AE.
        readout: how the map is read, `local_linear` or `winner` (paper).
    """

    def __init__(self, mind: SomAutoencoder, readout: Readout = "local_linear") -> None:
        self.mind = mind
        self.readout = readout
        self.goal: NDArray[np.float32] | None = None
        """The picture to reach, shape (64, 64), in [0, 1]."""
        self.targets: NDArray[np.float32] | None = None
        """The joints that it recalled for the goal, shape (J,), rad."""

    def imagine(self, joints: NDArray[Any] | Tensor) -> NDArray[np.float32]:
        """What it would see in these poses, joints (B, J) in rad -> pictures (B, 64, 64) in [0, 1]."""
        return self.mind.imagine(joints, self.readout).cpu().numpy()

    def imagine_goal(self, joints: NDArray[Any]) -> None:
        """Takes as its goal what it imagines to see in a pose; only the picture is kept.

        Args:
            joints: the pose, shape (J,), rad.
        """
        self.set_goal(self.imagine(np.asarray(joints)[None])[0])

    def see_goal(self, eye: NDArray[np.uint8]) -> None:
        """Takes a frame of the eye as its goal, shape (H, W, 3), uint8."""
        self.set_goal(to_gray(eye))

    def set_goal(self, picture: NDArray[np.float32]) -> None:
        """Takes a preprocessed picture as its goal and recalls the joints that show it.

        Args:
            picture: shape (64, 64), in [0, 1].
        """
        self.targets = self.mind.recall(torch.from_numpy(picture)[None], self.readout)[0].cpu().numpy()
        self.goal = picture

    def act(self, observation: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
        """The action towards the goal, for any environment with the spaces of `InfantArm-v0`.

        Args:
            observation: not needed while the agent acts with its eyes closed.

        Returns:
            Joint targets scaled to [-1, 1], shape (J,).

        Raises:
            ValueError: it has no goal yet.
        """
        if self.targets is None:
            raise ValueError("the agent has no goal; give it one with see_goal, imagine_goal or set_goal")
        normalized = self.mind.normalize(self.targets).cpu().numpy()
        return (2 * normalized - 1).clip(-1, 1).astype(np.float32)

    def compare(self, observation: dict[str, NDArray[Any]]) -> float:
        """How far what it sees is from its goal: mean absolute difference of the pictures.

        Raises:
            ValueError: it has no goal yet.
        """
        if self.goal is None:
            raise ValueError("the agent has no goal; give it one with see_goal, imagine_goal or set_goal")
        return float(np.abs(to_gray(observation["eye"]) - self.goal).mean())
