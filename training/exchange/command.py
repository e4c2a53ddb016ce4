"""`infant-arm import`: a data set of a recording, without a simulator."""

import hashlib
import json
import shutil
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from msgspec import Meta

from agents.tools.files import DamagedFileError
from infant_env.errors import UserError

from ..data.background import checksum
from ..data.dataset import Dataset
from ..data.info import read_info
from ..data.recipe.recording import Kind, Recording
from ..runs.config import Checked, Count, Many, Seed
from ..runs.folder import as_json
from ..runs.in_turn import turn
from .poses import check_hands, in_radians, ranges_of
from .sources import env, lerobot, minari, pictures
from .sources.source import Source, digest_of
from .write import Import, write

Share = Annotated[float, Meta(ge=0, le=1)]


@dataclass(frozen=True, kw_only=True)
class Recorded(Checked):
    """What all kinds of recordings are told."""

    out: Path
    """Folder of the data set."""
    joint_names: tuple[str, ...] = ()
    """Names of the joints, if the recording does not know them, or others."""
    degrees: bool = False
    """Whether the joints are in degrees; otherwise they are in rad."""
    joint_ranges: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Ranges of joints, in the joints' unit, such as `elbow 0 2.5`; by default those of the recording and a margin."""
    margin: Share = 0.05
    """The margin at each end of a range that was not given, as a share of the range."""
    hand: tuple[str, ...] = ()
    """The position of the hand in the recording, three numbers in meters, if it is known; named like the joints."""
    background: Path | None = None
    """A picture of the same view without the arm; by default the median of the frames."""
    every: Count = 1
    """Import every so many frames one."""
    shard_size: Many = 250
    """Samples in one sealed file; a kill loses at most this many."""


@dataclass(frozen=True, kw_only=True)
class Tabled(Recorded):
    """What is told of frames whose joints stand in a table."""

    table: Path
    """The table: a CSV file with a header, or a Parquet file; one row for each frame."""
    joints: tuple[str, ...]
    """Its columns with the joints, from the trunk outwards."""
    episode: str | None = None
    """Its column with a number that stays the same within an episode; by default all is one episode."""


@dataclass(frozen=True, kw_only=True)
class Pictures(Tabled):
    """Import a folder of pictures with a table of joints."""

    source: tyro.conf.Positional[Path]
    """The folder."""
    file: str | None = None
    """The table's column with the pictures' names; by default the rows follow the pictures in the order of their names."""

    def opened(self) -> Source:
        """The recording."""
        return pictures.folder_source(self.source, self.table, self.joints, self.hand, self.episode, self.file)


@dataclass(frozen=True, kw_only=True)
class Video(Tabled):
    """Import a video with a table of joints."""

    source: tyro.conf.Positional[Path]
    """The video."""

    def opened(self) -> Source:
        """The recording."""
        return pictures.video_source(self.source, self.table, self.joints, self.hand, self.episode)


@dataclass(frozen=True, kw_only=True)
class LeRobot(Recorded):
    """Import a LeRobot data set of version 2 or 3."""

    source: tyro.conf.Positional[Path]
    """Its folder."""
    eye: str | None = None
    """The camera, such as `observation.images.top`; by default the only one."""
    joints: tuple[str, ...] = ("observation.state",)
    """The joints, or parts of a vector, such as `observation.state[0:5]` without the gripper."""

    def opened(self) -> Source:
        """The recording."""
        return lerobot.lerobot_source(self.source, self.eye, self.joints, self.hand)


@dataclass(frozen=True, kw_only=True)
class Minari(Recorded):
    """Import a Minari data set."""

    source: tyro.conf.Positional[str]
    """Its ID."""
    eye: str = "eye"
    """The observation's entry with the frames; one inside of another has the name `outer/inner`."""
    joints: tuple[str, ...] = ("joints",)
    """The entries of the joints, or parts of them, such as `observation[0:5]`."""

    def opened(self) -> Source:
        """The recording."""
        return minari.minari_source(self.source, self.eye, self.joints, self.hand)


@dataclass(frozen=True, kw_only=True)
class Env(Recorded):
    """Record random motion in a Gymnasium environment that has a camera and joints; also `infant-arm collect --env ID`."""

    source: tyro.conf.Positional[str]
    """Its ID; `module:ID` imports a module first."""
    eye: str = "eye"
    """The observation's entry with the frame, or `render`: what the environment renders."""
    joints: tuple[str, ...] = ("joints",)
    """The entries of the joints, or parts of them, such as `qpos[0:5]`."""
    options: str = "{}"
    """Further arguments of `gymnasium.make`, as JSON."""
    samples: Many = 1000
    """Frames to record."""
    per_episode: Count = 20
    """Frames in one episode, if it does not end before."""
    hold: Count = 12
    """Steps for which a random action is held before a frame is recorded."""
    seed: Seed = 0
    """Seed of the random actions."""

    @property
    def motion(self) -> env.Motion:
        """The motion.

        Raises:
            UserError: the options are no JSON object.
        """
        try:
            options = dict(json.loads(self.options))
        except (ValueError, TypeError):
            raise UserError(
                f"got --options {self.options}, expected a JSON object such as '{{\"size\": 64}}'"
            ) from None
        seen = self.eye, self.joints, self.hand
        return env.Motion(self.source, options, *seen, self.samples, self.per_episode, self.hold, self.seed)

    @property
    def spool(self) -> Path:
        """The folder of the recorded episodes, until the data set is complete."""
        told = hashlib.sha256(repr(self.motion).encode()).hexdigest()[:12]
        return self.out / f".recorded-{told}"

    def opened(self) -> Source:
        """The recording; what is missing is recorded now."""
        return env.recorded(self.motion, self.spool)


KINDS: dict[Kind, type[Recorded]] = {
    "pictures": Pictures,
    "video": Video,
    "lerobot": LeRobot,
    "minari": Minari,
    "env": Env,
}
"""The settings of each kind of recording."""
Config = (
    Annotated[Pictures, tyro.conf.subcommand("pictures")]
    | Annotated[Video, tyro.conf.subcommand("video")]
    | Annotated[LeRobot, tyro.conf.subcommand("lerobot")]
    | Annotated[Minari, tyro.conf.subcommand("minari")]
    | Annotated[Env, tyro.conf.subcommand("env")]
)


def run(config: Pictures | Video | LeRobot | Minari | Env) -> Dataset:
    """Imports what is missing of a recording, with a progress bar; after a kill it goes on."""
    with turn(config.out, "import", "imports"):
        options = _options(config)
        done = _complete(config.out) if isinstance(config, Env) else None
        if done is None or done.info.imported != options:
            done = write(config.out, _import(config, options))
        if isinstance(config, Env):
            shutil.rmtree(config.spool, ignore_errors=True)
    print(summary(done, config))
    return done


def summary(data: Dataset, config: Recorded) -> str:
    """What was imported, in some lines."""
    (rows, columns), episodes = data.eye_size, len(set(data.column("episode").tolist()))
    ends = zip(data.joint_names, data.joint_ranges, strict=True)
    margin = f"the recording's and {config.margin:.0%} at each end"
    told = {name: "as given" if name in config.joint_ranges else margin for name in data.joint_names}
    ranges = "".join(f"\n  {name}: {low:.3f} to {high:.3f} rad ({told[name]})" for name, (low, high) in ends)
    hand = "" if data.knows_hand else "\nthe place of the hand is unknown, so no table has errors of the hand (--hand)"
    size = f"{len(data):,} samples of {episodes:,} episodes, {columns}x{rows} pixels"
    return f"{data.path}: {size}\nranges of the joints:{ranges}{hand}"


def _import(config: Pictures | Video | LeRobot | Minari | Env, options: dict[str, Any]) -> Import:
    source = _named(config.opened(), config.joint_names)
    angles = in_radians(source.joints, source.joint_names, config.degrees)
    if source.hands is not None:
        check_hands(source.hands)
    ranges = ranges_of(angles, source.joint_names, config.joint_ranges, config.degrees, config.margin)
    kind = next(name for name, each in KINDS.items() if isinstance(config, each))
    shown = None if config.background is None else pictures.read_frame(config.background)
    content = source.content if shown is None else digest_of([source.content.encode(), checksum(shown).encode()])
    background: Literal["given", "median"] = "median" if shown is None else "given"
    recording = Recording(kind, content, background, source.hands is not None, config.every)
    return Import(source, angles, ranges, recording, shown, config.shard_size, options)


def _named(source: Source, names: tuple[str, ...]) -> Source:
    if not names:
        return source
    if len(names) != len(source.joint_names):
        raise UserError(f"got {len(names)} --joint-names, expected {len(source.joint_names)}, one for each joint")
    return replace(source, joint_names=names)


def _options(config: Recorded) -> dict[str, Any]:
    """The options that differ from the default, as JSON; not the folder."""
    usual = {each.name: each.default for each in fields(config)}
    return {
        n: v for n, v in as_json(config).items() if n != "out" and getattr(config, n) != usual[n] and v not in ({}, [])
    }


def _complete(folder: Path) -> Dataset | None:
    """The data set in a folder; None if there is none, or if it is damaged or not complete."""
    try:
        return Dataset.open(folder) if read_info(folder).accepted is not None else None
    except DamagedFileError:
        return None
