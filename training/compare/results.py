"""`RESULTS.md` and `comparison.html`: what the comparison of all methods came to, and the command behind each figure."""

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
from ..measure.senses import LABELS
from ..measure.statistics import OVERALL, Interval, Resampling, differences, intervals, read_errors
from ..methods.registry import METHODS, OURS, REFERENCE, SOM_AE, method_of
from ..runs import folder as runs
from ..runs.metrics import Hand, Metrics
from ..show import page, tables
from . import ablate, comparison_figures, trials
from .config import Config

Section = tuple[str, str, tuple[list[str], list[list[str]]]]
"""Title, remark, and a table's header and rows."""


@dataclass(frozen=True)
class TrainingCost:
    """What a method's training takes, all that it builds on included, and what it must keep; None where there is nothing."""

    cpu_s: float | None
    """Mean over the seeds."""
    peak_gb: float | None
    """Of the largest process, the least over the seeds."""
    numbers: float | None
    """On disk; none for methods that keep the training data."""
    queries_per_s: float | None
    """From pictures."""


@dataclass(frozen=True)
class Comparison:
    """What stands in `comparison.json`."""

    seeds: int
    samples: int
    error: dict[str, dict[str, Interval]]
    """By method and mapping."""
    difference: dict[str, dict[str, Interval]]
    """From `som_ae_imagery`, likewise."""
    cost: dict[str, TrainingCost]


def write(config: Config, folders: Sequence[Path]) -> Comparison:
    """Prints the tables; writes `comparison.json`, `comparison.html` and `RESULTS.md` to the run's folder.

    Args:
        config: the command's config.
        folders: the seeds' folders, the run's own first.
    """
    matplotlib.use("Agg")  # files only, wherever it runs
    errors = read_errors(folders)
    seeds, samples = next(iter(errors[REFERENCE].values())).shape
    draw = Resampling(seeds, samples, config.seed)
    told = [runs.metrics_of(folder) for folder in folders]
    means, apart = intervals(errors, draw), differences(errors, errors[REFERENCE], draw)
    found = Comparison(seeds, samples, means, apart, {name: cost(name, folders[0], told) for name in errors})
    write_json(config.run / "comparison.json", json_files.plain(found))
    sections = list(_sections(config, told, found))
    print("\n\n".join(f"{title}\n{remark}\n{tables.as_text(*table)}" for title, remark, table in sections))
    drawn = comparison_figures.all_of(config, folders[0], means, {name: c.cpu_s for name, c in found.cost.items()})
    drawn |= {f"Ablation of {what}": ablate.figure(what, rows) for what, rows in told[0].ablations.items()}
    page.write(config.run / "comparison.html", "The comparison", _html(config, sections, drawn))
    with replacing(config.run / "RESULTS.md") as temporary:
        temporary.write_text("\n".join(_markdown(sections)))
    return found


def cost(reading: str, run: Path, told: Sequence[Metrics]) -> TrainingCost:
    """What a method's training takes, from the metrics of all seeds, and what it must keep in the run's own folder."""
    stages = method_of(reading).builds_on
    spent = [[m.cost[stage.name] for stage in stages if stage.name in m.cost] for m in told]
    speed = [m.queries_per_s.get(reading, {}).get(VISION) for m in told]
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


def _sections(config: Config, told: Sequence[Metrics], found: Comparison) -> Iterator[Section]:
    command = f"`infant-arm evaluate --run {config.run} --methods all --seeds {found.seeds}`"
    yield (
        "Table 1",
        f"Mean absolute error on {found.samples:,} test poses: mean of {found.seeds} trainings, 95 % interval over both. "
        f"{command}",
        _table(found.error, _mean_and_interval),
    )
    yield (
        f"Difference from {REFERENCE}",
        "The same seeds and poses, pair by pair. Above zero: worse than the SOM-AE with imagery; a star: zero is excluded.",
        _table({n: t for n, t in found.difference.items() if n != REFERENCE}, _signed),
    )
    yield ("The hand", "From the joints recalled from a picture that shows it; means over the seeds.", _hands(told))
    yield (
        "Joints from a picture",
        "Normalized error per joint, all test poses, first seed.",
        error_tables.per_joint(told[0].details),
    )
    yield (
        "Cost",
        "Training with all that the method builds on, one thread. Peak memory: least over the seeds of its largest process. "
        "Beside its numbers the plain map keeps the training data, as nearest neighbors do.",
        _costs(found.cost),
    )
    yield ("Where another method beats the SOM-AE", _verdict(found.error), _deep_maps(told))
    for what, rows in told[0].ablations.items():
        remark = f"One thing changed, one seed, test split. `infant-arm ablate --run {config.run} --what {what}`"
        yield f"Ablation: {what.replace('_', ' ')}", remark, ablate.table(rows)
    if tried := trials.found_in(config.run):
        yield "Trials", f"{trials.REMARK} `infant-arm tune --run {config.run}`", trials.table(tried)


def _names() -> dict[str, str]:
    return LABELS | {OVERALL: OVERALL}


def _table(intervals: Any, form: Any) -> tuple[list[str], list[list[str]]]:
    names = _names()
    rows = [[method, *(form(told[m]) if m in told else "-" for m in names)] for method, told in intervals.items()]
    return ["method", *names.values()], rows


def _mean_and_interval(found: Interval) -> str:
    return f"{tables.number(found.mean)} [{tables.number(found.low)}, {tables.number(found.high)}]"


def _signed(found: Interval) -> str:
    star = "*" if found.low > 0 or found.high < 0 else ""
    return f"{found.mean:+.4f}{star} [{found.low:+.4f}, {found.high:+.4f}]"


def _hands(told: Sequence[Metrics]) -> tuple[list[str], list[list[str]]]:
    rows = []
    shown = [error_tables.from_pictures(m.details, "shows_hand") for m in told]
    for name in told[0].details:
        hands = [each[name].hand_error_cm for each in shown if name in each]
        if len(hands) == len(told):
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


def _deep_maps(told: Sequence[Metrics]) -> tuple[list[str], list[list[str]]]:
    """Quantization and topographic error of the maps over latents, means over the seeds."""
    maps = {f"{SOM_AE} (test)": [m.map for m in told]}
    for name in (method.name for method in METHODS):
        maps[f"{name} (validation)"] = [m.baselines[name].map if name in m.baselines else None for m in told]
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
    """By mapping, who beats the SOM-AE's best readout."""
    lines = []
    for mapping, name in _names().items():
        errors = {method: told[mapping].mean for method, told in means.items() if mapping in told}
        lines.append(f"{name}: {', '.join(error_tables.better(errors, OURS)) or 'none'}")
    return "; ".join(lines) + ". Below, what the maps are by their own measures."


def _html(config: Config, sections: list[Section], drawn: dict[str, Any]) -> Iterator[str]:
    yield "<h1>The comparison</h1>"
    for title, remark, table in sections:
        yield f"<h2>{title}</h2><p>{remark.replace('`', '')}</p>{tables.as_html(*table)}"
    for title, figure in drawn.items():
        yield f"<h2>{title}</h2>{page.figure(config.run, title.lower().replace(' ', '_'), figure)}"
    yield "<h2>How to get this</h2>"
    yield tables.as_html(["stage", "command"], [[k, v] for k, v in runs.provenance(config.run).command.items()])


def _markdown(sections: list[Section]) -> Iterator[str]:
    yield "# Results\n"
    for title, remark, table in sections:
        yield f"## {title}\n\n{remark}\n\n{tables.as_markdown(*table)}\n"
