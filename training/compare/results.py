"""`RESULTS.md` and `comparison.html`: the results of the comparison, and the commands that computed them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from safetensors import safe_open

from agents.tools import json_files
from agents.tools.files import replacing, write_json
from infant_env.senses.modalities import VISION

from ..measure import error_tables
from ..measure.senses import COLUMNS
from ..measure.statistics import Interval, Resampling, differences, intervals, read_errors
from ..methods.registry import METHODS, OURS, REFERENCE, SOM_AE, method_of
from ..runs import folder as runs
from ..runs.metrics import Hand, Metrics
from ..show import html_page, tables
from . import ablate, comparison_figures, trials
from .config import Config

Section = tuple[str, str, tuple[list[str], list[list[str]]]]
"""Title, remark, and a table's header and rows."""


@dataclass(frozen=True)
class TrainingCost:
    """Costs of a method's training, with all that it builds on, and of its use; None if there is no cost."""

    cpu_s: float | None
    """Mean over the seeds."""
    peak_gb: float | None
    """Peak memory of the largest process, the smallest over the seeds."""
    numbers: float | None
    """Numbers on disk; None for methods that keep the training data."""
    queries_per_s: float | None
    """Predictions from pictures per second."""


@dataclass(frozen=True)
class Comparison:
    """The content of `comparison.json`."""

    seeds: int
    samples: int
    error: dict[str, dict[str, Interval]]
    """By method and mapping."""
    difference: dict[str, dict[str, Interval]]
    """Difference from `som_ae_imagery`, by method and mapping."""
    cost: dict[str, TrainingCost]


def write(config: Config, folders: Sequence[Path]) -> Comparison:
    """Prints the tables, and writes `comparison.json`, `comparison.html` and `RESULTS.md` to the run's folder.

    Args:
        config: the command's config.
        folders: the seeds' folders, the run's own first.
    """
    matplotlib.use("Agg")  # needs no display
    errors = read_errors(folders)
    seeds, samples = next(iter(errors[REFERENCE].values())).shape
    draw = Resampling(seeds, samples, config.seed)
    metrics = [runs.metrics_of(folder) for folder in folders]
    means, apart = intervals(errors, draw), differences(errors, errors[REFERENCE], draw)
    found = Comparison(seeds, samples, means, apart, {name: cost(name, folders[0], metrics) for name in errors})
    write_json(config.run / "comparison.json", json_files.plain(found))
    sections = list(_sections(config, metrics, found))
    print("\n\n".join(f"{title}\n{remark}\n{tables.as_text(*table)}" for title, remark, table in sections))
    drawn = comparison_figures.all_of(config, folders[0], means, {name: c.cpu_s for name, c in found.cost.items()})
    drawn |= {f"Ablation of {what}": ablate.figure(what, rows) for what, rows in metrics[0].ablations.items()}
    _write_page(config, sections, drawn)
    with replacing(config.run / "RESULTS.md") as temporary:
        temporary.write_text("\n".join(_markdown(sections)))
    return found


def _write_page(config: Config, sections: list[Section], drawn: dict[str, Any]) -> None:
    names = {title: title.lower().replace(" ", "_") for title in drawn}
    content = {
        "sections": sections,
        "pictures": {title: html_page.figure(config.run, names[title], figure) for title, figure in drawn.items()},
        "commands": (["stage", "command"], list(runs.provenance(config.run).command.items())),
    }
    html_page.write(config.run / "comparison.html", "comparison.html", content)


def cost(reading: str, run: Path, metrics: Sequence[Metrics]) -> TrainingCost:
    """The costs of a method, from the metrics of all seeds and the files in the run's own folder."""
    stages = method_of(reading).builds_on
    spent = [[m.cost[stage.name] for stage in stages if stage.name in m.cost] for m in metrics]
    speed = [m.queries_per_s.get(reading, {}).get(VISION) for m in metrics]
    files = [run / stage.file for stage in stages if stage.file.endswith(".safetensors")]
    return TrainingCost(
        cpu_s=float(np.mean([sum(c.cpu_s for c in each) for each in spent])) if stages else None,
        peak_gb=min(max((c.peak_gb or 0 for c in each), default=0) for each in spent) if stages else None,
        numbers=float(sum(map(_numbers, files))) if stages else None,
        queries_per_s=float(np.mean([s for s in speed if s is not None])) if None not in speed else None,
    )


def _numbers(path: Path) -> int:
    with safe_open(path, framework="np") as file:
        return sum(int(np.prod(file.get_slice(name).get_shape())) for name in file.keys())  # noqa: SIM118


def _sections(config: Config, metrics: Sequence[Metrics], found: Comparison) -> Iterator[Section]:
    command = f"`infant-arm evaluate --run {config.run} --methods all --seeds {found.seeds}`"
    yield (
        "Table 1",
        f"Mean absolute error on {found.samples:,} test poses: mean of {found.seeds} trainings, 95 % interval over both. "
        f"{command}",
        _table(found.error, _mean_and_interval),
    )
    yield (
        f"Difference from {REFERENCE}",
        "Paired differences over the same seeds and poses. Positive: worse than the SOM-AE with imagery. A star: the interval "
        "excludes zero.",
        _table({n: t for n, t in found.difference.items() if n != REFERENCE}, _signed),
    )
    yield ("The hand", "Joints are recalled from pictures that show the hand; means over the seeds.", _hands(metrics))
    yield (
        "Joints from a picture",
        "Normalized error of each joint, all test poses, first seed.",
        error_tables.per_joint(metrics[0].details),
    )
    yield (
        "Cost",
        "Training with all that the method builds on, one thread. Peak memory is that of its largest process, the smallest over "
        "the seeds. In addition to its numbers, the plain map keeps the training data, like nearest neighbors.",
        _costs(found.cost),
    )
    yield ("Where another method beats the SOM-AE", _verdict(found.error), _deep_maps(metrics))
    for what, rows in metrics[0].ablations.items():
        remark = f"One setting changed, one seed, test split. `infant-arm ablate --run {config.run} --what {what}`"
        yield f"Ablation: {what.replace('_', ' ')}", remark, ablate.table(rows)
    if tried := trials.found_in(config.run):
        yield "Trials", f"{trials.REMARK} `infant-arm tune --run {config.run}`", trials.table(tried)


def _table(intervals: Any, form: Any) -> tuple[list[str], list[list[str]]]:
    rows = [[method, *(form(row[m]) if m in row else "-" for m in COLUMNS)] for method, row in intervals.items()]
    return ["method", *COLUMNS.values()], rows


def _mean_and_interval(found: Interval) -> str:
    return f"{tables.number(found.mean)} [{tables.number(found.low)}, {tables.number(found.high)}]"


def _signed(found: Interval) -> str:
    star = "*" if found.low > 0 or found.high < 0 else ""
    return f"{found.mean:+.4f}{star} [{found.low:+.4f}, {found.high:+.4f}]"


def _hands(metrics: Sequence[Metrics]) -> tuple[list[str], list[list[str]]]:
    rows = []
    shown = [error_tables.from_pictures(m.details, "shows_hand") for m in metrics]
    for name in metrics[0].details:
        hands = [each[name].hand_error_cm for each in shown if name in each]
        if len(hands) == len(metrics):
            rows.append([name, *(_mean_hand(key, hands) for key in error_tables.HAND)])
    return ["method", *error_tables.HAND.values()], rows


def _mean_hand(key: str, hands: Sequence[Hand | None]) -> str:
    values = [getattr(hand, key) for hand in hands if hand is not None]
    mean = float(np.mean(values)) if values else np.nan
    return tables.percent(mean) if key.startswith("within") else f"{mean:.2f}"


def _costs(found: dict[str, TrainingCost]) -> tuple[list[str], list[list[str]]]:
    forms = {"cpu_s": ".0f", "peak_gb": ".2f", "numbers": ",.0f", "queries_per_s": ",.0f"}

    def cell(value: float | None, form: str) -> str:
        return "-" if value is None else format(value, form)

    rows = [[name, *(cell(getattr(c, key), form) for key, form in forms.items())] for name, c in found.items()]
    return ["method", "CPU seconds", "peak GB", "numbers kept", "pictures answered per s"], rows


def _deep_maps(metrics: Sequence[Metrics]) -> tuple[list[str], list[list[str]]]:
    """Quantization and topographic error of the maps over latents, means over the seeds."""
    maps = {f"{SOM_AE} (test)": [m.map for m in metrics]}
    for name in (method.name for method in METHODS):
        maps[f"{name} (validation)"] = [m.baselines[name].map if name in m.baselines else None for m in metrics]
    rows = []
    for name, found in maps.items():
        known = [each for each in found if each is not None]
        if len(known) == len(found):
            rows.append(
                [name, _mean([m.quantization_error for m in known]), _mean([m.topographic_error for m in known])]
            )
    return ["map", "quantization error", "topographic error"], rows


def _mean(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return tables.number(float(np.mean(known)), 3) if len(known) == len(values) else "-"


def _verdict(means: Any) -> str:
    """A remark on the methods that beat the SOM-AE's best readout, by mapping."""
    lines = []
    for mapping, name in COLUMNS.items():
        errors = {method: row[mapping].mean for method, row in means.items() if mapping in row}
        lines.append(f"{name}: {', '.join(error_tables.better(errors, OURS)) or 'none'}")
    return "; ".join(lines) + ". Below, the maps by their own measures."


def _markdown(sections: list[Section]) -> Iterator[str]:
    yield "# Results\n"
    for title, remark, table in sections:
        yield f"## {title}\n\n{remark}\n\n{tables.as_markdown(*table)}\n"
