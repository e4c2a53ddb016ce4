"""`infant-arm bench collect` and `infant-arm bench imagine`: babbled samples, and pictures from joints."""

from functools import partial

import numpy as np
import torch

from agents.babbling import BabblingAgent
from agents.mind.som_autoencoder import SomAutoencoder
from agents.networks.autoencoder import ConvAutoencoder
from agents.som.som import MultiModalSom
from infant_env.body.model import ArmModel
from infant_env.senses.camera import EyeCamera
from infant_env.senses.modalities import PROPRIOCEPTION, VISION
from infant_env.senses.vision import to_gray

from ..runs.device import pick_device
from .config import Config
from .turns import Benchmark, Workload


def collect(config: Config) -> Benchmark:
    """Samples of babbling, compared with bare frames of the same size."""
    arm = ArmModel.infant()
    agent, data, eye = BabblingAgent(arm, seed=config.seed), arm.new_data(), EyeCamera(arm)
    poses = arm.denormalize(np.random.default_rng(config.seed).random((config.repeats, 5)))

    def frames() -> None:
        for pose in poses:
            arm.pose(data, pose)
            eye.render(data)

    def samples() -> None:
        for i in range(config.repeats):
            agent.sample(i)

    return {"bare frames": Workload(config.repeats, frames), "kept samples": Workload(config.repeats, samples)}, list


def imagine(config: Config) -> Benchmark:
    """Imagined pictures, compared with rendered and preprocessed ones."""
    arm, mind = ArmModel.infant(), mind_of(config)
    data, eye = arm.new_data(), EyeCamera(arm)
    normalized = np.random.default_rng(config.seed).random((config.repeats, 5)).astype(np.float32)
    poses = arm.denormalize(normalized)

    def rendered() -> None:
        for pose in poses:
            arm.pose(data, pose)
            to_gray(eye.render(data))

    def one_by_one() -> None:
        for pose in normalized:
            mind.predict(PROPRIOCEPTION, pose[None])

    return {
        "rendered and preprocessed": Workload(config.repeats, rendered),
        "imagined one by one": Workload(config.repeats, one_by_one),
        "imagined in a batch": Workload(config.repeats, partial(mind.predict, PROPRIOCEPTION, normalized)),
        "imagined in a batch, local linear": Workload(
            config.repeats, partial(mind.predict, PROPRIOCEPTION, normalized, "local_linear")
        ),
    }, list


def mind_of(config: Config) -> SomAutoencoder:
    """The SOM-AE of the run; without a run an untrained one of the paper's size with a map as smooth as a trained one."""
    device = pick_device(config.device)
    if config.run is not None:
        return SomAutoencoder.load(config.run, device)
    torch.manual_seed(config.seed)
    coarse = torch.rand((1, 13, 40, 40))
    fine = torch.nn.functional.interpolate(coarse, (config.rows, config.rows), mode="bicubic", align_corners=True)
    weights = fine[0].permute(1, 2, 0).to(device)  # (X, Y, 13)
    som = MultiModalSom({VISION: 4 * weights[..., :8] - 2, PROPRIOCEPTION: weights[..., 8:]})
    autoencoder = ConvAutoencoder(torch.zeros((64, 64))).to(device)
    return SomAutoencoder(autoencoder, som, ArmModel.infant().joint_ranges)
