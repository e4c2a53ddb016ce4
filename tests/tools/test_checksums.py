"""Checkpoints and JSON files with checksums: what was changed is refused, and what is not finite is not written."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from agents.tools import checkpoints, json_files
from agents.tools.files import DamagedFileError, write_json

TENSORS = {
    "weights": torch.arange(6.0).view(2, 3),
    "count": torch.tensor(4),
    "half": torch.ones(3, dtype=torch.bfloat16),
}
HEADER = {"dataset": "abc", "config": {"rows": 8, "rate": 0.5}}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.text(), lambda inner: st.lists(inner, max_size=3)
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("checkpoint") / "som.safetensors"
    checkpoints.write(path, "som", TENSORS, HEADER)
    return path


@given(st.data())
def test_a_changed_byte_is_refused_or_changes_nothing(path: Path, data: st.DataObject):
    wanted, header = checkpoints.read(path, "som")
    content = path.read_bytes()
    place = data.draw(st.integers(0, len(content) - 1))
    changed = path.with_name("changed.safetensors")
    changed.write_bytes(
        content[:place] + bytes([content[place] ^ data.draw(st.integers(1, 255))]) + content[place + 1 :]
    )
    try:
        tensors, found = checkpoints.read(changed, "som")
    except DamagedFileError:
        return
    assert found == header
    assert all(torch.equal(tensors[name], wanted[name]) for name in wanted)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_weights_that_are_not_finite_are_not_written_and_the_file_before_stays(path: Path, value: float):
    before = path.read_bytes()
    with pytest.raises(ValueError, match="weights of this som holds NaN or infinite numbers; train it again"):
        checkpoints.write(path, "som", {"weights": torch.tensor([0.0, value])}, HEADER)
    assert path.read_bytes() == before


def test_a_file_of_version_0_1_has_no_checksum_and_opens_unless_it_holds_nan(tmp_path: Path):
    path, header = tmp_path / "old.safetensors", {"header": json.dumps({"format": 1, "kind": "som", **HEADER})}
    save_file({"weights": torch.ones(2)}, path, header)
    assert checkpoints.read(path, "som")[1]["dataset"] == "abc"
    assert checkpoints.content_hash(path) == checkpoints.file_hash(path)
    save_file({"weights": torch.tensor([math.nan])}, path, header)
    with pytest.raises(DamagedFileError, match="weights holds NaN"):
        checkpoints.read(path, "som")


def test_equal_models_have_equal_contents_whatever_their_reports_say(tmp_path: Path):
    one, two = tmp_path / "one.safetensors", tmp_path / "two.safetensors"
    checkpoints.write(one, "som", TENSORS, HEADER)
    checkpoints.write(two, "som", TENSORS, HEADER | {checkpoints.REPORT: {"map": 1}})
    assert checkpoints.content_hash(one) == checkpoints.content_hash(two)
    checkpoints.write(two, "som", TENSORS | {"count": torch.tensor(5)}, HEADER)
    assert checkpoints.content_hash(one) != checkpoints.content_hash(two)


@pytest.mark.parametrize(
    "header", ["[]", "{}", "5", '{"kind": "som", "format": []}', "[" * 50_000, '{"kind": "glance"}']
)
def test_a_header_of_any_shape_gives_one_line(tmp_path: Path, header: str):
    path = tmp_path / "odd.safetensors"
    save_file({"weights": torch.ones(2)}, path, {"header": header})
    with pytest.raises(DamagedFileError, match=r"odd\.safetensors is damaged"):
        checkpoints.read(path, "som")


@given(st.dictionaries(st.text(), JSON | st.floats(allow_nan=False, allow_infinity=False)))
def test_json_is_read_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, content: dict[str, Any]):
    content.pop("sha256", None)
    path = tmp_path_factory.mktemp("json") / "some.json"
    write_json(path, content)
    assert json_files.load(path, "") == content


def test_a_changed_number_is_told_and_a_change_by_hand_needs_no_checksum(tmp_path: Path):
    path = tmp_path / "metrics.json"
    write_json(path, {"error": 0.25, "of": "som"})
    path.write_text(path.read_text().replace("0.25", "0.35"))
    with pytest.raises(
        DamagedFileError, match='changed after it was written; make it again .*remove its line "sha256"'
    ):
        json_files.load(path, "make it again")
    lines = path.read_text().splitlines()
    path.write_text("\n".join(line for line in lines if '"sha256"' not in line))
    assert json_files.load(path, "") == {"error": 0.35, "of": "som"}
