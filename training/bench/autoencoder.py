"""`infant-arm bench ae`: what bfloat16 gains and costs in the autoencoder's training."""

from functools import partial

from infant_env.errors import UserError

from ..data.dataset import Dataset
from ..runs import folder as runs
from ..runs.device import pick_device, threads
from ..runs.distributed import Place
from ..show import tables
from ..train import autoencoder as train_autoencoder
from ..train.autoencoder import Training
from .config import Config
from .turns import Part, Work


def part(config: Config) -> Part:
    """Epochs of the autoencoder's training in float32 and in bfloat16, and how good it is after all rounds."""
    if config.run is None:
        raise UserError("bench ae trains on a run's pictures; give it one, such as --run runs/paper")
    data = Dataset.open(runs.data_of(config.run))
    here = Place(pick_device(config.device))
    trainings = {}
    for precision in ("float32", "bfloat16"):
        settings = train_autoencoder.Config(
            config.run, config.seed, data=data.path, epochs=config.rounds + 1, precision=precision
        )
        trainings[precision] = Training(settings, data, here)

    def epoch(training: Training) -> None:
        with threads(training.config.threads):
            training.epoch()

    def quality() -> list[str]:
        errors = {name: training.curve[-1]["mae"] for name, training in trainings.items()}
        return [
            f"validation MAE after {config.rounds + 1} epochs: "
            + ", ".join(f"{name} {tables.number(mae, 5)}" for name, mae in errors.items())
            + f"; ratio {errors['bfloat16'] / errors['float32']:.3f}"
        ]

    works = {f"{name} epoch": Work(1, partial(epoch, training)) for name, training in trainings.items()}
    return works, quality
