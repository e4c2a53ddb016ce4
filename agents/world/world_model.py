"""`WorldModel`: it predicts the results of actions, that is, the arm's pose, the hand's position, and the eye's picture."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from infant_env.body.checks import checked_eye_size
from infant_env.body.raw.mjcf_files import BODY, MjcfFiles
from infant_env.errors import UserError
from infant_env.senses.vision import Format

from ..mind.imagination import GENERATOR
from ..networks.generator import PictureGenerator
from ..tools import checkpoints
from ..tools.files import DamagedFileError, replacing
from ..tools.precision import fast_precision
from .arm_chain import ArmChain
from .gaze_response import GazeResponse
from .servo_response import ServoResponse

WORLD_MODEL = "world_model.safetensors"
KIND = "world model"
_EYE_SIZE = (300, 500)
_AT_ONCE = 256  # pictures that are drawn together
_MOVED_AT_ONCE = 2048  # arms that are moved together; their numbers fit into the processor's cache
_HALF = 16  # at least this many pictures are drawn in the precision of the generator's training


class WorldModel:
    """Predicts the motion and the pictures of any number of arms at once, without a simulator.

    ```python
    world = WorldModel.load("runs/paper")
    joints = world.poses[:1000]
    joints, velocities = world.step(joints, torch.zeros_like(joints), actions)  # 40 ms later
    hands, pictures = world.hand(joints), world.draw(joints)
    ```

    It has no contacts: where the body stops the real arm, the imagined arm moves on.

    If the eye moves, joints, velocities and actions are followed by those of the gaze: the methods' shapes (B, J) are (B, J + 2).

    Args:
        response: the response of the arm's servos, with the chain of its joints.
        generator: draws what the eye sees in a pose.
        poses: poses that the infant remembers, shape (M, J), rad: starts and goals of imagined episodes.
        gaze: the response of an eye that moves; None: it is held.

    Raises:
        UserError: the numbers of joints differ, or only one of generator and gaze has an eye that moves.
    """

    def __init__(
        self,
        response: ServoResponse,
        generator: PictureGenerator,
        poses: Tensor,
        gaze: GazeResponse | None = None,
    ) -> None:
        counts = {len(response.ranges), generator.joint_count, poses.shape[1]}
        if len(counts) > 1:
            raise UserError(
                f"got a response, a generator and poses of {len(response.ranges)}, {generator.joint_count} and "
                f"{poses.shape[1]} joints, expected those of one arm; train the world model on the run of its generator"
            )
        if (generator.eye is None) != (gaze is None):
            drawn, moved = ("is held" if eye is None else "moves" for eye in (generator.eye, gaze))
            raise UserError(
                f"got a generator of an eye that {drawn} and a response of one that {moved}, expected the same eye; train the "
                "world model on the run of its generator"
            )
        self.response, self.generator, self.poses, self.gaze = response, generator, poses, gaze
        self.device = poses.device
        self.ranges = response.ranges if gaze is None else torch.cat([response.ranges, gaze.ranges])
        """Lower and upper ends of the joints' ranges, and of those of an eye that moves, shape (J, 2) or (J + 2, 2), rad."""
        self.folder: Path | None = None
        """The run's folder; None if the model was not read from one."""
        self.body: dict[str, Any] = {}
        """The body whose motion it predicts, see `Body.as_dict`; by default the infant of 12 months."""
        self.format = Format.of(generator.background.shape)
        """The format of the pictures that it draws; shapes (64, 64) below are this format's."""
        self.eye_size = _EYE_SIZE
        """Rows and columns of the eye's frames, from which the pictures were made."""

    @torch.inference_mode()
    def step(self, joints: Tensor, velocities: Tensor, actions: Tensor) -> tuple[Tensor, Tensor]:
        """The state of the arm after a control step of 40 ms.

        Args:
            joints: shape (B, J), rad.
            velocities: shape (B, J), rad/s.
            actions: targets over the joint ranges, shape (B, J), in [-1, 1].

        Returns:
            Joints and velocities, shape (B, J) each.
        """
        parts = zip(*(values.split(_MOVED_AT_ONCE) for values in (joints, velocities, actions)), strict=True)
        moved = [self._moved(*part) for part in parts]
        q, v = (torch.cat(values) for values in zip(*moved, strict=True))
        return q, v

    def _moved(self, joints: Tensor, velocities: Tensor, actions: Tensor) -> tuple[Tensor, Tensor]:
        """`step` of arms that are moved together."""
        if self.gaze is None:
            return self.response.step(joints, velocities, actions)
        sizes = len(self.response.ranges), len(self.gaze.ranges)
        of_arm, of_eye = zip(*(values.split(sizes, 1) for values in (joints, velocities, actions)), strict=True)
        pairs = zip(self.response.step(*of_arm), self.gaze.step(*of_eye), strict=True)
        q, v = (torch.cat(pair, 1) for pair in pairs)
        return q, v

    def looking_ahead(self, joints: Tensor) -> Tensor:
        """Poses (B, J), rad, followed by a straight gaze if the eye moves: (B, J + 2)."""
        return torch.cat([joints, joints.new_zeros(len(joints), len(self.ranges) - joints.shape[1])], 1)

    @torch.inference_mode()
    def hand(self, joints: Tensor) -> Tensor:
        """Hand positions: joints (B, J) in rad -> (B, 3), m in the world."""
        return self.response.chain.hand(joints[..., : len(self.response.ranges)])

    @torch.inference_mode()
    def draw(self, joints: Tensor) -> Tensor:
        """What the eye would see: joints (B, J) in rad -> preprocessed pictures (B, 64, 64) in [0, 1]."""
        low, high = self.ranges.T
        normalized = ((joints - low) / (high - low)).clamp(0, 1)
        with fast_precision(self.device, enabled=len(joints) >= _HALF):
            parts = [self.generator.draw(part) for part in normalized.split(_AT_ONCE)]
        return torch.cat(parts).float()

    def save(self, folder: str | Path, header: Mapping[str, Any] | None = None) -> None:
        """Writes `world_model.safetensors` into the folder of its generator, with the hash of the generator's file.

        For another body than a built-in one it writes `body.zip` too.
        """
        folder, response = Path(folder), self.response
        chain = response.chain
        tensors = {"axes": chain.axes, "points": chain.points, "tip": chain.tip, "poses": self.poses}
        tensors |= {"ranges": response.ranges, "parameters": response.parameters}
        if self.gaze is not None:
            tensors |= {"gaze_ranges": self.gaze.ranges, "gaze_parameters": self.gaze.parameters}
        together = {"generator": checkpoints.content_hash(folder / GENERATOR)}
        checkpoints.write(folder / WORLD_MODEL, KIND, tensors, {**(header or {}), **together, **self._origin(folder)})

    def _origin(self, folder: Path) -> dict[str, Any]:
        """The part of the header on body and eye; what is usual is left out, as in version 0.1."""
        body = dict(self.body)
        if "mjcf" in body:
            files = MjcfFiles.read(body["mjcf"])
            with replacing(folder / BODY) as temporary:
                files.write(temporary)
            body["mjcf"] = BODY
        eye = {} if self.eye_size == _EYE_SIZE else {"eye_size": list(self.eye_size)}
        return ({"body": body} if body else {}) | eye

    @classmethod
    def load(cls, folder: str | Path, device: str | torch.device = "cpu") -> "WorldModel":
        """Reads a trained world model from a run's folder.

        Raises:
            UserError: a file is missing or damaged, or the generator belongs to another training.
        """
        folder = Path(folder)
        tensors, header = checkpoints.read(folder / WORLD_MODEL, KIND)
        generator = PictureGenerator.load(folder / GENERATOR, device)
        if header.get("generator") != checkpoints.content_hash(folder / GENERATOR):
            raise DamagedFileError(
                f"the world model in {folder} was trained with another generator than the one in this folder; train it again",
                folder / WORLD_MODEL,
            )
        with checkpoints.fitting(folder / WORLD_MODEL):
            chain = ArmChain(tensors["axes"], tensors["points"], tensors["tip"])
            response = ServoResponse(chain, tensors["ranges"], tensors["parameters"])
            gaze = None
            if "gaze_ranges" in tensors:
                gaze = GazeResponse(tensors["gaze_ranges"], tensors["gaze_parameters"]).to(device)
            world = cls(response.to(device), generator, tensors["poses"].to(device), gaze)
        world.folder, world.body = folder, header.get("body", {})
        if "mjcf" in world.body:
            world.body["mjcf"] = str(folder / BODY)
        world.eye_size = checked_eye_size(header.get("eye_size", _EYE_SIZE))
        return world
