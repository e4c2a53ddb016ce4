"""What the paper reports (Table 1), and its two columns, the plain map and the SOM-AE, beside ours."""

from collections.abc import Iterable

from ..runs.metrics import Metrics
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


def columns(result: Metrics) -> tuple[list[str], list[list[str]]]:
    """Header and rows of what either kind of map costs, the paper's and ours."""
    maps = MAPS[::-1]

    def took(stage: str) -> str:
        seconds, cost = result.timing_s.get(stage), result.cost.get(stage)
        return f"{tables.number(seconds, 1)} s ({tables.number(cost.cpu_s if cost else None, 1)} CPU s)"

    def held(stage: str) -> str:
        cost = result.cost.get(stage)
        return f"{tables.number(cost.peak_gb if cost else None, 1)} GB"

    def told(values: Iterable[float | None], form: str) -> list[str]:
        return ["-" if value is None else form.format(value) for value in values]

    def asked(source: str) -> list[str]:
        return told((result.queries_per_s.get(name, {}).get(source) for name in maps), "{:,.0f}")

    sizes = told((size and size / 1e6 for size in map(result.map_bytes.get, maps)), "{:.3g} MB")
    return ["", "som (paper)", "som_ae (paper)", "som", "som_ae"], [
        ["computer", "A100 SXM4", "RTX 2080", "this one", "this one"],
        ["training of the map", "61.5 h", "15.5 min", took("train-pixel-som"), took("train-som")],
        ["training of the autoencoder", "-", "9.5 h", "-", took("train-ae")],
        ["memory", "42 GB (VRAM)", "2.6 GB (VRAM)", held("train-pixel-som"), held("train-ae")],
        ["the map's file", "10.5 GB", "33.3 MB", *sizes],
        ["pictures answered per second", "-", "-", *asked("vision")],
        ["poses answered per second", "-", "-", *asked("proprioception")],
    ]


def verdict(result: Metrics) -> list[str]:
    """Where the plain map beats the SOM-AE and where not."""
    rows, speed = result.table1, result.queries_per_s

    def better(than: str) -> str:
        plain, other = rows.get("som", {}), rows.get(than, {})
        both = [key for key in MAPPINGS if key in plain and key in other]
        won = [LABELS[key] for key in both if plain[key].mae < other[key].mae]
        return ", ".join(won) or "no mapping"

    slow, fast = (speed.get(name, {}).get("vision") for name in ("som", "som_ae"))
    faster = f"{fast / slow:,.0f}" if slow and fast else "several"
    return [
        f"The plain map's winner beats the SOM-AE's winner in {better('som_ae')}, and its local linear readout in "
        f"{better('som_ae_local_linear')}.",
        "Trained like this, the plain map costs seconds: the paper's argument for the autoencoder, its cost, falls. What is "
        f"left for it: pictures are answered {faster} times as fast, their neighborhoods in latent space can be fitted "
        "(the local linear readout), and its decoder draws any latent, also between neurons.",
    ]
