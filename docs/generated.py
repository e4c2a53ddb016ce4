"""Parts of pages that are made from the code whenever the documentation is built, so that they are never out of date.

A page asks for one by a line `<!-- generated: WHAT -->`: `commands`, `environments`, or `api FLOOR`.
"""

import ast
import importlib
import inspect
import pkgutil
import re
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from itertools import pairwise
from pathlib import Path
from types import ModuleType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import gymnasium as gym

MARK = re.compile(r"^<!-- generated: (\w+) ?(\w*) -->$", re.MULTILINE)
FLOORS = ("infant_env", "agents", "training")
KINDS = {int: "INT", float: "FLOAT", str: "TEXT", Path: "PATH"}


def fill(app: Any, page: str, source: list[str]) -> None:
    """Puts the generated parts into a page; Sphinx's `source-read` calls it."""
    parts = {"commands": commands, "environments": environments, "api": api}
    source[0] = MARK.sub(lambda mark: parts[mark[1]](*mark[2].split()), source[0])


def outdated(app: Any, env: Any, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
    """The pages with generated parts, which depend on the code; Sphinx's `env-get-outdated` calls it."""
    return [page for page in env.found_docs if MARK.search(Path(env.doc2path(page)).read_text())]


# Commands


def commands() -> str:
    """Every command of `infant-arm` with its options, from `training.cli.COMMANDS` and the commands' `Config`s."""
    return "\n".join(line for name in configs() for line in command(name))


def command(name: str) -> Iterator[str]:
    """One command: its name, what it does, and a table of its options."""
    config = configs()[name]
    yield from [f"## {name}", "", inspect.cleandoc(config.__doc__ or ""), ""]
    yield from ["| option | default | meaning |", "|---|---|---|"]
    docs, kinds = field_docs(config), get_type_hints(config, include_extras=True)
    for field in fields(config):
        if field.init:
            meaning = " ".join(docs.get(field.name, "").split())
            cells = [_code(option(field, kinds[field.name])), default(field, config), meaning]
            yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""


def configs() -> dict[str, Any]:
    """The `Config` of every command by its words, such as `train-som` or `train-baseline mvae`."""
    cli = importlib.import_module("training.cli")
    return {words: config for name in cli.COMMANDS for words, config in cli.configs_of(name).items()}


def option(field: Field[Any], kind: Any) -> str:
    """How an option is written on the command line."""
    flag = "--" + field.name.replace("_", "-")
    if get_origin(kind) is not None and "Positional" in str(kind):
        return kind_name(get_args(kind)[0])
    if kind is bool:
        return f"{flag}, --no-{flag[2:]}"
    return f"{flag} {kind_name(kind)}"


def kind_name(kind: Any) -> str:
    """What a value of this type looks like on the command line."""
    given = [one for one in get_args(kind) if one is not type(None)]
    if get_origin(kind) is Literal:
        return "{" + ",".join(map(str, given)) + "}"
    if get_origin(kind) in (Union, UnionType):
        return kind_name(given[0])
    if get_origin(kind) is tuple:
        return f"[{kind_name(given[0])} ...]" if Ellipsis in given else " ".join(map(kind_name, given))
    if hasattr(kind, "__metadata__"):
        return kind_name(given[0])
    return KINDS.get(kind, getattr(kind, "__name__", str(kind)).upper())


def default(field: Field[Any], config: Any) -> str:
    """The default of an option, as one would write it."""
    value = field.default if field.default_factory is MISSING else field.default_factory()
    if "cpu_count" in _source_of(field.name, config):
        return "number of cores"
    if value is MISSING:
        return "**required**"
    if value in (None, "", ()):
        return ""
    return _code(" ".join(map(str, value)) if isinstance(value, tuple) else str(value))


def field_docs(config: type) -> dict[str, str]:
    """The docstrings under a dataclass's fields, those of its bases included."""
    marks = {
        name: getattr(kind, "__metadata__", ()) for name, kind in get_type_hints(config, include_extras=True).items()
    }
    docs = {
        name: mark.help for name, (mark, *_) in ((n, m) for n, m in marks.items() if m) if getattr(mark, "help", None)
    }
    for cls in reversed(_written(config)):
        body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0].body  # type: ignore[attr-defined]
        for statement, following in pairwise(body):
            if isinstance(statement, ast.AnnAssign) and isinstance(following, ast.Expr):
                docs[statement.target.id] = inspect.cleandoc(following.value.value)  # type: ignore[union-attr, attr-defined]
    return docs


def _written(config: type) -> list[type]:
    """A dataclass and its bases, without those that are made while the program runs: they have no source."""
    sources = ((cls, inspect.getsource(sys.modules[cls.__module__])) for cls in config.__mro__[:-1])
    return [cls for cls, source in sources if f"class {cls.__name__}" in source]


def _source_of(name: str, config: type) -> str:
    """The words by which a field's default is given; those of `collect` where the default is taken from there."""
    lines = [line for cls in _written(config) for line in inspect.getsource(cls).splitlines()]
    found = next((line for line in lines if re.match(rf"\s+{name}: ", line)), "")
    if "collect.Config." in found:
        return _source_of(name, configs()["collect"])
    return found


def _code(text: str) -> str:
    return f"`{text}`"


# Environments


def environments() -> str:
    """The pages of all registered environments: their docstrings, which are Markdown as Gymnasium's own are."""
    importlib.import_module("agents")
    own = [spec for spec in gym.registry.values() if str(spec.entry_point).split(".")[0] in FLOORS]
    return "\n".join(line for spec in own for line in environment(spec))


def environment(spec: Any) -> Iterator[str]:
    """One environment: the docstrings of the class for one infant, and of the class for many."""
    yield from [f"## {spec.id}", ""]
    if spec.additional_wrappers:
        wrappers = ", ".join(f"`{wrapper.name}`" for wrapper in spec.additional_wrappers)
        base = next(s for s in gym.registry.values() if s.entry_point == spec.entry_point and not s.additional_wrappers)
        yield from [f"`{base.id}` with the wrapper {wrappers} of Gymnasium around it. All arguments are the same.", ""]
        return
    yield from [_shifted(_load(spec.entry_point)), ""]
    if spec.vector_entry_point:
        many = _load(spec.vector_entry_point)
        yield from [f"### {spec.id}, many infants", "", "\n".join(_sections(_shifted(many).splitlines())), ""]


def _load(place: str) -> Any:
    module, name = place.split(":")
    return getattr(importlib.import_module(module), name)


def _shifted(cls: type) -> str:
    """The docstring with its headings one level lower, and its sections as lists."""
    lowered = re.sub(r"^(##+) ", r"#\1 ", inspect.getdoc(cls) or "", flags=re.MULTILINE)
    return "\n".join(_sections(lowered.splitlines()))


def _sections(lines: list[str]) -> Iterator[str]:
    """`Args:` and `Raises:` as bold words with a list below."""
    inside = False
    for line in lines:
        if line in ("Args:", "Raises:", "Returns:"):
            inside = True
            yield from [f"**{line[:-1]}**", ""]
        elif inside and re.match(r"    \w+: ", line):
            name, meaning = line.strip().split(": ", 1)
            yield f"- `{name}`: {meaning}"
        elif inside and line.startswith("      "):
            yield "  " + line.strip()
        else:
            inside = inside and (not line or line.startswith(" "))
            yield line


# API


def api(floor: str) -> str:
    """All public names of a floor: what its own `__all__` and those of its rooms hand out, each name once."""
    seen: set[int] = set()
    return "\n".join(line for face in faces(floor) for line in _face(face, seen))


def faces(floor: str) -> list[ModuleType]:
    """The floor's own module and its rooms, so far as they hand out names."""
    top = importlib.import_module(floor)
    rooms = [importlib.import_module(f"{floor}.{m.name}") for m in pkgutil.iter_modules(top.__path__) if m.ispkg]
    return [module for module in (top, *rooms) if hasattr(module, "__all__")]


def _face(face: ModuleType, seen: set[int]) -> Iterator[str]:
    yield from [f"## {face.__name__}", "", inspect.cleandoc(face.__doc__ or ""), ""]
    above = []
    for name in face.__all__:
        thing = getattr(face, name)
        if name.startswith("__"):
            continue
        if not isinstance(thing, (int, float, str)) and id(thing) in seen:
            above.append(name)
            continue
        seen.add(id(thing))
        yield from _documented(face, name)
    if above:
        floor = face.__name__.split(".")[0]
        links = ", ".join(f"{{py:obj}}`{name} <{floor}.{name}>`" for name in above)
        yield from [f"Also here: {links}.", ""]


def _documented(face: ModuleType, name: str) -> list[str]:
    return ["```{eval-rst}", *_directive(face, name, getattr(face, name)), "```", ""]


def _directive(face: ModuleType, name: str, thing: Any) -> list[str]:
    if inspect.isclass(thing):
        return [f".. autoclass:: {face.__name__}.{name}", "   :members:"]
    if inspect.isroutine(thing):
        return [f".. autofunction:: {face.__name__}.{name}"]
    return [f".. autodata:: {_home(face, name)}.{name}"]


def _home(face: ModuleType, name: str) -> str:
    """The module in which a constant is defined: there its docstring stands."""
    for statement in ast.walk(ast.parse(inspect.getsource(face))):
        if isinstance(statement, ast.ImportFrom) and name in [alias.name for alias in statement.names]:
            return f"{face.__name__}.{statement.module}"
    return face.__name__
