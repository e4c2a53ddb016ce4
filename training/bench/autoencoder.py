"""`infant-arm bench ae`: the gain and the cost of bfloat16 in the training of the autoencoder."""

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
from .turns import Benchmark, Workload


def epochs(config: Config) -> Benchmark:
    """Epochs in float32 and in bfloat16, and the validation error after all rounds."""
    if config.run is None:
        raise UserError("got bench ae without --run, expected a run's folder, for example --run runs/paper")
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

    def errors() -> list[str]:
        maes = {name: training.curve[-1]["mae"] for name, training in trainings.items()}
        each = ", ".join(f"{name} {tables.number(mae, 5)}" for name, mae in maes.items())
        ratio = maes["bfloat16"] / maes["float32"]
        return [f"validation MAE after {config.rounds + 1} epochs: {each}; ratio {ratio:.3f}"]

    return {f"{name} epoch": Workload(1, partial(epoch, training)) for name, training in trainings.items()}, errors
