"""What the paper reports (Table 1), and its two columns, the plain map and the SOM-AE, beside ours."""

from typing import Any

from ..show import tables
from .senses import LABELS, MAPPINGS

MAPS = ("som_ae", "som")
"""The methods that are the paper's own two columns."""
_MAPPINGS = (
    "vision->vision",
    "vision->proprioception",
    "proprioception->vision",
    "proprioception->proprioception",
    "overall",
)
_TABLE_1 = {
    "som (paper)": ((0.025, 0.020), (0.163, 0.096), (0.046, 0.038), (0.039, 0.021), (0.068, 0.077)),
    "som_ae (paper)": ((0.021, 0.020), (0.127, 0.087), (0.041, 0.041), (0.042, 0.023), (0.058, 0.065)),
}
ERRORS = {name: dict(zip(_MAPPINGS, row, strict=True)) for name, row in _TABLE_1.items()}
"""Mean and standard deviation of each mapping and overall, by the paper's column."""


def columns(result: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Header and rows of what either kind of map costs, the paper's and ours, from a run's `metrics.json`."""
    time, cost, speed, size = (result.get(key, {}) for key in ("timing_s", "cost", "queries_per_s", "map_bytes"))

    def took(stage: str) -> str:
        return f"{tables.number(time.get(stage), 1)} s ({tables.number(cost.get(stage, {}).get('cpu_s'), 1)} CPU s)"

    def held(stage: str) -> str:
        return f"{tables.number(cost.get(stage, {}).get('peak_gb'), 1)} GB"

    def asked(source: str) -> list[str]:
        return [f"{speed[name][source]:,.0f}" for name in ("som", "som_ae")]

    return ["", "som (paper)", "som_ae (paper)", "som", "som_ae"], [
        ["computer", "A100 SXM4", "RTX 2080", "this one", "this one"],
        ["training of the map", "61.5 h", "15.5 min", took("train-pixel-som"), took("train-som")],
        ["training of the autoencoder", "-", "9.5 h", "-", took("train-ae")],
        ["memory", "42 GB (VRAM)", "2.6 GB (VRAM)", held("train-pixel-som"), held("train-ae")],
        ["the map's file", "10.5 GB", "33.3 MB", *(f"{size[name] / 1e6:.3g} MB" for name in ("som", "som_ae"))],
        ["pictures answered per second", "-", "-", *asked("vision")],
        ["poses answered per second", "-", "-", *asked("proprioception")],
    ]


def verdict(result: dict[str, Any]) -> list[str]:
    """Where the plain map beats the SOM-AE and where not, from a run's `metrics.json`."""
    rows, speed = result["table1"], result["queries_per_s"]

    def better(than: str) -> str:
        both = [key for key in MAPPINGS if key in rows["som"]]
        won = [LABELS[key] for key in both if rows["som"][key]["mae"] < rows[than][key]["mae"]]
        return ", ".join(won) or "no mapping"

    faster = speed["som_ae"]["vision"] / speed["som"]["vision"]
    return [
        f"The plain map's winner beats the SOM-AE's winner in {better('som_ae')}, and its local linear readout in "
        f"{better('som_ae_local_linear')}.",
        "Trained like this, the plain map costs seconds: the paper's argument for the autoencoder, its cost, falls. What is "
        f"left for it: pictures are answered {faster:,.0f} times as fast, their neighborhoods in latent space can be fitted "
        "(the local linear readout), and its decoder draws any latent, also between neurons.",
    ]
