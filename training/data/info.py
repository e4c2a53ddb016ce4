"""What `dataset.json` says: how the poses were collected, with which body and camera, on which versions, and how many."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from infant_env.body.description import Body
from infant_env.body.model import ArmModel
from infant_env.errors import UserError
from infant_env.given import shown

from .checked import MEND, Part, by_name, is_number, is_range, is_size, is_text, is_texts, is_whole

SCHEMA = 1
_MOST_SHARDS = 1_000_000
_NAMED_OTHERWISE = {"joints": "arm_joints"}  # what `config` calls a field of `Body`
_OF_0_1 = ("age_months", "mjcf", "joints", "eye_camera", "arm_bodies")
"""Fields of `Body` that version 0.1 recorded: they always stand in `config`, others where they are not as usual, so that
equal data have equal fingerprints in all versions."""
_RECIPE = ("samples", "eye_size", "min_arm_in_view", "shard_size", "seed")  # all else in `config` is the body's


@dataclass(frozen=True)
class Recipe:
    """What the data depend on, `config` in `dataset.json`: sample i follows from this and i alone."""

    samples: int
    """Poses, N."""
    eye_size: tuple[int, int]
    """Rows and columns of a picture."""
    min_arm_in_view: float
    """A pose was kept when the arm took this share of the pixels or more."""
    shard_size: int
    """Samples in each shard but the last."""
    seed: int
    body: Body

    @property
    def lengths(self) -> list[int]:
        """Samples in each shard."""
        return [min(self.shard_size, self.samples - start) for start in range(0, self.samples, self.shard_size)]

    def as_json(self) -> dict[str, Any]:
        """What stands in `dataset.json`, in the order of version 0.1."""
        body = self.body
        recorded = {
            "samples": self.samples,
            "eye_size": list(self.eye_size),
            "age_months": body.age_months,
            "min_arm_in_view": self.min_arm_in_view,
            "mjcf": body.mjcf,
            "arm_joints": list(body.joints),
            "eye_camera": body.eye_camera,
            "arm_bodies": list(body.arm_bodies),
            "shard_size": self.shard_size,
            "seed": self.seed,
        }
        return recorded | {name: value for name, value in body.as_dict().items() if name not in _OF_0_1}


@dataclass(frozen=True)
class DatasetInfo:
    """The content of `dataset.json`.

    `read_info` reads and checks it.
    """

    recipe: Recipe
    body_fingerprint: str
    """SHA-256 of the body's MJCF text, hexadecimal."""
    joint_names: tuple[str, ...]
    """The arm's J joints, in the order of every joint vector."""
    joint_ranges: tuple[tuple[float, float], ...]
    """Lower and upper end of each joint's range, rad."""
    camera: str
    """Name of the eye's camera."""
    versions: Mapping[str, str]
    """Of Python and the packages with which the collection began."""
    accepted: int | None = None
    """Poses that were kept, N; None: the data set is not complete."""
    rejected: Mapping[str, int] | None = None
    """Poses that were not, by reason; None likewise."""

    @classmethod
    def begin(cls, recipe: Recipe, versions: Mapping[str, str]) -> "DatasetInfo":
        """What is known before the first pose.

        Raises:
            UserError: the body cannot be made, see `ArmModel.of`.
        """
        arm = ArmModel.of(recipe.body)
        ranges = tuple((float(low), float(high)) for low, high in arm.joint_ranges)
        return cls(recipe, arm.fingerprint, arm.joint_names, ranges, arm.eye_camera, versions)

    @cached_property
    def arm(self) -> ArmModel:
        """The body that the data were collected with, made again.

        Raises:
            UserError: its MJCF file is gone, or its joints are others now.
        """
        body = self.recipe.body
        try:
            arm = ArmModel.of(body)
        except UserError as error:
            mend = f"; put {body.mjcf} back as it was" if body.mjcf else ""
            raise UserError(f"the data set's body cannot be made again: {error}{mend}") from None
        same = arm.joint_names == self.joint_names and np.allclose(arm.joint_ranges, self.joint_ranges, atol=1e-6)
        if not same:
            raise UserError(
                f"got the body {body.mjcf or 'of the infant'} with the joints {list(arm.joint_names)} and ranges "
                f"{shown(arm.joint_ranges.tolist())}, expected {list(self.joint_names)} and {shown(self.joint_ranges)} as when "
                "the data were collected; restore the body, or collect anew"
            )
        return arm

    def identity(self) -> dict[str, Any]:
        """What of it identifies the data, as JSON: schema, config and body."""
        body = {
            "fingerprint": self.body_fingerprint,
            "joint_names": list(self.joint_names),
            "joint_ranges": [list(ends) for ends in self.joint_ranges],
        }
        return {"schema": SCHEMA, "config": self.recipe.as_json(), "body": body}

    def as_json(self) -> dict[str, Any]:
        """What stands in `dataset.json`."""
        camera = {"name": self.camera, "size": list(self.recipe.eye_size)}
        content = {**self.identity(), "camera": camera, "versions": dict(self.versions)}
        if self.accepted is None or self.rejected is None:
            return content
        return {**content, "accepted": self.accepted, "rejected": dict(self.rejected)}


def read_info(folder: Path) -> DatasetInfo:
    """The content of a data set's `dataset.json`.

    Raises:
        UserError: there is none, it cannot be read, its schema is another, or something in it is missing or wrong.
    """
    path = folder / "dataset.json"
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        raise UserError(
            f"{folder} holds no dataset.json; collect one with `infant-arm collect --out {folder}`"
        ) from None
    except (
        OSError,
        ValueError,
        RecursionError,
    ) as error:  # the second: not UTF-8, not JSON, or a number of too many digits
        raise UserError(f"{path} cannot be read ({error}); {MEND}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path} holds {shown(content)}, expected a dictionary; {MEND}")
    schema = content.get("schema")
    if schema != SCHEMA or not is_whole(1)(schema):
        raise UserError(f"{folder} has schema {shown(schema)}, this version reads {SCHEMA}; collect it anew")
    return _info(Part(path, "", content))


def _info(whole: Part) -> DatasetInfo:
    recipe, body, camera = _recipe(whole.part("config")), whole.part("body"), whole.part("camera")
    names = body.take("joint_names", lambda v: is_texts(v) and len(v) > 0, "a list of one name or more")
    ranges = body.take(
        "joint_ranges",
        lambda v: isinstance(v, list) and len(v) == len(names) and all(map(is_range, v)),
        f"{len(names)} pairs of numbers, each rising",
    )
    camera.take("size", lambda v: v == list(recipe.eye_size), f"{list(recipe.eye_size)}, as in config.eye_size")
    body.only("fingerprint", "joint_names", "joint_ranges")
    return DatasetInfo(
        recipe,
        body.take("fingerprint", is_text, "a text"),
        tuple(names),
        tuple((low, high) for low, high in ranges),
        camera.take("name", is_text, "a text"),
        whole.take("versions", by_name(is_text), "a text for each package"),
        *_counts(whole, recipe),
    )


def _counts(whole: Part, recipe: Recipe) -> tuple[int | None, Mapping[str, int] | None]:
    """How many poses were accepted and rejected; not known while the data set is not complete."""
    if "accepted" not in whole.content:
        return None, None
    all_of_them = f"{shown(recipe.samples)}, as in config.samples"
    accepted = whole.take("accepted", lambda v: is_whole(1)(v) and v == recipe.samples, all_of_them)
    return accepted, whole.take("rejected", by_name(is_whole(0)), "a whole number of 0 or more for each reason")


def _recipe(config: Part) -> Recipe:
    samples, shard_size = (
        config.take(name, is_whole(1), "a whole number of 1 or more") for name in ("samples", "shard_size")
    )
    if -(-samples // shard_size) > _MOST_SHARDS:
        raise config.wrong("shard_size", f"{-(-samples // _MOST_SHARDS)} or more for {shown(samples)} samples")
    rows, columns = config.take("eye_size", is_size, "rows and columns, two whole numbers of 1 or more")
    return Recipe(
        samples,
        (rows, columns),
        config.take("min_arm_in_view", lambda v: is_number(v) and 0 <= v < 1, "a share of the pixels, 0 to 1"),
        shard_size,
        config.take("seed", is_whole(0), "a whole number of 0 or more"),
        _body(config),
    )


def _body(config: Part) -> Body:
    names = {field.name: _NAMED_OTHERWISE.get(field.name, field.name) for field in fields(Body)}
    for name in _OF_0_1:
        config.take(names[name], lambda _: True, "what the body was made from")
    config.only(*_RECIPE, *names.values())
    told = {name: config.content[called] for name, called in names.items() if called in config.content}
    try:
        return Body.from_dict(told)
    except UserError as error:
        raise UserError(f"{config.file}, {config.name}: {error}; {MEND}") from None
