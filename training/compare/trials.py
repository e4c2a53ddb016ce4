"""What `infant-arm tune` tries: as many settings of every method, the first of them the one that the comparison trains."""

from typing import Any

from ..measure.metrics import MAPPINGS
from ..show import tables

FOUND = "trials.json"
"""File in a run's folder: what came out."""
REMARK = (
    "Mean absolute error on the validation split, of the reading that errs least: one training each, a third of the epochs, "
    "as many settings of every method; a star at its best."
)
SIDE = "side"
"""Rows and columns of a map, as a share of those that the comparison trains; all else are fields of the commands' configs."""


def _rates_and_batches(rate: float) -> tuple[dict[str, Any], ...]:
    """Settings of a network that has nothing else to set: around its usual learning rate and batches of 64."""
    low, high = {"learning_rate": rate / 2}, {"learning_rate": 2 * rate}
    return {}, low, high, {"batch_size": 32}, {"batch_size": 128}, {"batch_size": 32, **low}


TRIALS: dict[str, tuple[dict[str, Any], ...]] = {
    "som_ae": (
        {},
        {"learning_rate": 1e-3},
        {"learning_rate": 4e-3},
        {"batch_size": 32},
        {"joint_weight": 0.2},
        {"vision": 16.0},
    ),
    "som": ({}, {"vision": 1.0}, {"vision": 2.0}, {"vision": 16.0}, {SIDE: 0.5}, {SIDE: 0.25}),
    "regressor": _rates_and_batches(3e-3),
    "generator": (
        {},
        {"learning_rate": 1.5e-3},
        {"learning_rate": 6e-3},
        {"batch_size": 32},
        {"batch_size": 128},
        {"points": 16},
    ),
    "glance": _rates_and_batches(3e-3),
    "latent_mlp": _rates_and_batches(4e-3),
    "mvae": (
        {},
        {"learning_rate": 1.5e-3},
        {"learning_rate": 6e-3},
        {"batch_size": 64},
        {"beta": 0.3},
        {"beta": 3.0},
    ),
    "desom": (
        {},
        {"gamma": 1e-5},
        {"gamma": 1e-3},
        {"neuron_rate": 5.0},
        {"last_temperature": 1.0},
        {SIDE: 0.5},
    ),
    "dnm": ({}, {"gamma": 1e-2}, {"map_rate": 0.1}, {"map_rate": 0.3}, {"learning_rate": 1e-3}, {SIDE: 0.5}),
    "mmcm": ({}, {"batch_size": 10}, {"batch_size": 30}, {"last_sigma": 1.0}, {SIDE: 0.6}, {SIDE: 1.4}),
    "knn": ({}, *({"neighbors": count} for count in (2, 8, 16, 32, 64))),
}
"""By method: changes of how the comparison trains it."""


def label(changes: dict[str, Any]) -> str:
    """A setting's name in tables and folders."""
    return ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in changes.items()) or "as compared"


def table(found: dict[str, list[dict[str, Any]]]) -> tuple[list[str], list[list[str]]]:
    """Header and rows: errors of every setting; a star at each method's best."""
    names = {f"{s}->{w}": f"{s}->{w}".replace("proprioception", "joints") for s, w in MAPPINGS}
    names |= {"overall": "overall"}
    rows = []
    for method, trials in found.items():
        best = min(trials, key=lambda trial: trial["error"]["overall"])
        for trial in trials:
            cells = [tables.number(trial["error"][n]) if n in trial["error"] else "-" for n in names]
            cells[-1] += "*" if trial is best else ""
            rows.append([method, trial["setting"], *cells, f"{trial['cpu_s']:.0f}"])
    return ["method", "setting", *names.values(), "CPU s"], rows
