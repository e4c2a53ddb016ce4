"""`RESULTS.md` and `comparison.html`: what the comparison of all methods came to, and the command behind each figure."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from safetensors import safe_open

from agents.tools.files import replacing
from infant_env.senses.modalities import VISION

from ..measure import error_tables
from ..measure.senses import LABELS, PICTURE_TO_JOINTS
from ..measure.statistics import OVERALL, Errors, Interval, Resampling, differences, intervals, read_errors
from ..methods.registry import METHODS, OURS, REFERENCE, SOM_AE, method_of
from ..runs import folder as runs
from ..show import page, tables
from . import ablate, comparison_figures, trials
from .config import Config

Section = tuple[str, str, tuple[list[str], list[list[str]]]]
"""Title, remark, and a table's header and rows."""


def write(config: Config, folders: Sequence[Path]) -> dict[str, Any]:
    """Prints the tables; writes `comparison.json`, `comparison.html` and `RESULTS.md` to the run's folder.

    Args:
        config: the command's config.
        folders: the seeds' folders, the run's own first.

    Returns:
        The content of `comparison.json`: by method and mapping the error and the difference from `som_ae_imagery`.
    """
    matplotlib.use("Agg")  # files only, wherever it runs
    errors = read_errors(folders)
    seeds, samples = next(iter(errors[REFERENCE].values())).shape
    draw = Resampling(seeds, samples, config.seed)
    means, apart = intervals(errors, draw), differences(errors, errors[REFERENCE], draw)
    found = {
        "seeds": seeds,
        "samples": samples,
        "error": _as_json(means),
        "difference": _as_json(apart),
        "cost": {name: cost(name, folders) for name in errors},
    }
    runs.merge(config.run, "comparison.json", found, nested=False)
    sections = list(_sections(config, folders, errors, means, apart, found))
    print("\n\n".join(f"{title}\n{remark}\n{tables.as_text(*table)}" for title, remark, table in sections))
    drawn = comparison_figures.all_of(config, folders[0], found)
    drawn |= {f"Ablation of {what}": ablate.figure(what, rows) for what, rows in _ablations(config).items()}
    page.write(config.run / "comparison.html", "The comparison", _html(config, sections, drawn))
    with replacing(config.run / "RESULTS.md") as temporary:
        temporary.write_text("\n".join(_markdown(sections)))
    return found


def _as_json(intervals: dict[str, dict[str, Interval]]) -> dict[str, Any]:
    return {name: {mapping: asdict(i) for mapping, i in told.items()} for name, told in intervals.items()}


def cost(reading: str, folders: Sequence[Path]) -> dict[str, float | None]:
    """What a method's training takes, all that it builds on included, and what it must keep.

    Returns:
        `cpu_s`, mean over the seeds; `peak_gb`, the least over the seeds of the largest process; `numbers` on disk, none for
        methods that keep the training data; `queries_per_s` from pictures.
    """
    metrics = [runs.read(folder, "metrics.json") for folder in folders]
    stages = method_of(reading).builds_on
    spent = [[m["cost"][stage.name] for stage in stages if stage.name in m["cost"]] for m in metrics]
    speed = [m["queries_per_s"][reading].get(VISION) for m in metrics]
    files = [folders[0] / stage.file for stage in stages if stage.file.endswith(".safetensors")]
    return {
        "cpu_s": float(np.mean([sum(c["cpu_s"] for c in each) for each in spent])) if stages else None,
        "peak_gb": min(max(c["peak_gb"] or 0 for c in each) for each in spent) if stages else None,
        "numbers": float(sum(map(_numbers, files))) if stages else None,
        "queries_per_s": float(np.mean(speed)) if None not in speed else None,
    }


def _numbers(path: Path) -> int:
    with safe_open(path, framework="np") as file:
        return sum(int(np.prod(file.get_slice(name).get_shape())) for name in file.keys())  # noqa: SIM118


def _sections(
    config: Config, folders: Sequence[Path], errors: Errors, means: Any, apart: Any, found: dict[str, Any]
) -> Iterator[Section]:
    seeds, samples = found["seeds"], found["samples"]
    command = f"`infant-arm evaluate --run {config.run} --methods all --seeds {seeds}`"
    yield (
        "Table 1",
        f"Mean absolute error on {samples:,} test poses: mean of {seeds} trainings, 95 % interval over both. {command}",
        _table(means, _mean_and_interval),
    )
    yield (
        f"Difference from {REFERENCE}",
        "The same seeds and poses, pair by pair. Above zero: worse than the SOM-AE with imagery; a star: zero is excluded.",
        _table({n: t for n, t in apart.items() if n != REFERENCE}, _signed),
    )
    details = [runs.read(folder, "metrics.json")["details"] for folder in folders]
    yield ("The hand", "From the joints recalled from a picture that shows it; means over the seeds.", _hands(details))
    yield (
        "Joints from a picture",
        "Normalized error per joint, all test poses, first seed.",
        error_tables.per_joint(details[0]),
    )
    yield (
        "Cost",
        "Training with all that the method builds on, one thread. Peak memory: least over the seeds of its largest process. "
        "Beside its numbers the plain map keeps the training data, as nearest neighbors do.",
        _costs(found["cost"]),
    )
    yield ("Where another method beats the SOM-AE", _verdict(means), _deep_maps(folders))
    for what, rows in _ablations(config).items():
        remark = f"One thing changed, one seed, test split. `infant-arm ablate --run {config.run} --what {what}`"
        yield f"Ablation: {what.replace('_', ' ')}", remark, ablate.table(rows)
    if tried := runs.read(config.run, trials.FOUND):
        yield "Trials", f"{trials.REMARK} `infant-arm tune --run {config.run}`", trials.table(tried)


def _ablations(config: Config) -> dict[str, Any]:
    """What `infant-arm ablate` found in this run so far."""
    found: dict[str, Any] = runs.read(config.run, "metrics.json").get(ablate.FOLDER, {})
    return found


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


def _hands(details: list[dict[str, Any]]) -> tuple[list[str], list[list[str]]]:
    rows = []
    for name in details[0]:
        told = [d[name].get(PICTURE_TO_JOINTS, {}).get("shows_hand") for d in details if name in d]
        if told and None not in told:
            mean = {key: float(np.mean([t["hand_error_cm"][key] for t in told])) for key in error_tables.HAND}
            cells = (tables.percent(v) if key.startswith("within") else f"{v:.2f}" for key, v in mean.items())
            rows.append([name, *cells])
    return ["method", *error_tables.HAND.values()], rows


def _costs(found: dict[str, dict[str, float | None]]) -> tuple[list[str], list[list[str]]]:
    def cell(value: float | None, form: str) -> str:
        return "-" if value is None else format(value, form)

    rows = [
        [
            name,
            cell(c["cpu_s"], ".0f"),
            cell(c["peak_gb"], ".2f"),
            cell(c["numbers"], ",.0f"),
            cell(c["queries_per_s"], ",.0f"),
        ]
        for name, c in found.items()
    ]
    return ["method", "CPU seconds", "peak GB", "numbers kept", "pictures answered per s"], rows


def _deep_maps(folders: Sequence[Path]) -> tuple[list[str], list[list[str]]]:
    """Quantization and topographic error of the maps over latents, means over the seeds."""
    metrics = [runs.read(folder, "metrics.json") for folder in folders]
    maps = {f"{SOM_AE} (test)": [m["map"] for m in metrics]}
    for name in (method.name for method in METHODS):
        if all("map" in m.get("baselines", {}).get(name, {}) for m in metrics):
            maps[f"{name} (validation)"] = [m["baselines"][name]["map"] for m in metrics]
    keys = ("quantization_error", "topographic_error")
    rows = [[n, *(tables.number(float(np.mean([m[k] for m in each])), 3) for k in keys)] for n, each in maps.items()]
    return ["map", "quantization error", "topographic error"], rows


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
    recorded = runs.read(config.run, "config.json")
    yield "<h2>How to get this</h2>"
    yield tables.as_html(["stage", "command"], [[k, v] for k, v in recorded["command"].items()])


def _markdown(sections: list[Section]) -> Iterator[str]:
    yield "# Results\n"
    for title, remark, table in sections:
        yield f"## {title}\n\n{remark}\n\n{tables.as_markdown(*table)}\n"
