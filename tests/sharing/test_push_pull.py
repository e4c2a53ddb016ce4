"""Runs and data sets at other addresses: whole or not at all, whatever is killed or damaged in between."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
import yaml
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.mind.imagination import Imagination
from agents.tools.files import SHA256, checksum, write_json
from infant_env.errors import UserError
from training import cli
from training.data.dataset import Dataset
from training.sharing import pull, push
from training.sharing.manifest import CARD, MANIFEST, names_in


class Killed(BaseException):
    """Stands for the end of the process."""


class Fragile(MemoryFileSystem):
    """A file system that dies after some more bytes, in the middle of a file."""

    protocol = "fragile"
    store: dict[str, Any] = {}  # noqa: RUF012 (as in fsspec)
    pseudo_dirs = [""]  # noqa: RUF012
    left: float = float("inf")
    sent: list[str] = []  # noqa: RUF012
    read: list[str] = []  # noqa: RUF012

    def put_file(self, lpath: str, rpath: str, *args: Any, **kwargs: Any) -> None:
        Fragile.sent.append(rpath)
        self.pipe_file(rpath, Path(lpath).read_bytes())

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **kwargs: Any) -> None:
        whole = min(len(value), int(min(Fragile.left, 1e9)))
        super().pipe_file(path, value[:whole], mode, **kwargs)
        self._live(len(value))

    def open(self, path: str, mode: str = "rb", *args: Any, **kwargs: Any) -> Any:
        if mode == "rb":
            Fragile.read.append(path)
            self._live(self.size(path))
        return super().open(path, mode, *args, **kwargs)

    def _live(self, size: int) -> None:
        Fragile.left -= size
        if Fragile.left < 0:
            raise Killed

    @classmethod
    def born(cls, left: float = float("inf")) -> None:
        cls.left, cls.sent, cls.read = left, [], []


fsspec.register_implementation("fragile", Fragile, clobber=True)


def small_run(folder: Path, seed: int = 0) -> Path:
    """The folder of a run as far as sharing needs it."""
    (folder / "figures").mkdir(parents=True)
    write_json(folder / "config.json", {"command": {"train-ae": "infant-arm train-ae --run /home/me/runs/mine"}})
    write_json(folder / "metrics.json", {"timing_s": {"train-ae": 1.0}})
    (folder / "som.safetensors").write_bytes(bytes([seed]) * 1000)
    (folder / "figures" / "map.png").write_bytes(b"a picture")
    (folder / "empty.npz").write_bytes(b"")
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return small_run(tmp_path / "run")


@pytest.fixture
def address() -> Iterator[str]:
    """An empty folder in memory."""
    memory = fsspec.filesystem("memory")
    yield "memory://shared/run"
    memory.store.clear()


def content(folder: Path) -> dict[str, bytes]:
    """All files that are shared, by name."""
    return {name: (folder / name).read_bytes() for name in names_in(folder, "run") if name != CARD}


def pushed(folder: Path, address: str, **options: Any) -> None:
    push.run(push.Config(folder, address, **options))


def pulled(address: str, folder: Path) -> Path:
    return pull.run(pull.Config(address, folder))


@pytest.mark.parametrize("where", ["memory://shared/run", "file://{tmp}/there/run", "{tmp}/there/run"])
def test_what_is_pushed_is_pulled(where: str, run: Path, tmp_path: Path):
    there = where.format(tmp=tmp_path)
    (run / "run.log").write_text("not shared")
    (run / "dataset").mkdir()
    (run / "dataset" / "dataset.json").write_text("not shared either")
    pushed(run, there)
    copy = pulled(there, tmp_path / "new" / "copy")
    assert content(copy) == content(run)
    assert {path.name for path in copy.iterdir()} == {
        *("config.json", "metrics.json", "som.safetensors", "figures", "empty.npz", CARD, MANIFEST)
    }
    pushed(copy, there)  # the copy is the same run
    assert pulled(there, copy) == copy
    assert [path.name for path in copy.parent.iterdir()] == ["copy"]
    fsspec.filesystem("memory").store.clear()


@settings(max_examples=15)
@given(share=st.floats(0, 1))
def test_a_push_that_was_killed_anywhere_is_not_taken_for_whole_and_goes_on(share: float):
    with tempfile.TemporaryDirectory() as folder:
        Fragile.store.clear()
        Fragile.born()
        run, copy = small_run(Path(folder) / "run"), Path(folder) / "copy"
        pushed(run, "fragile://whole")
        total = sum(len(file.getvalue()) for file in Fragile.store.values())
        Fragile.born(share * total)
        with pytest.raises(Killed):
            pushed(run, "fragile://there")  # it writes the manifest twice
        arrived = {path for path in Fragile.sent[:-1] if path.startswith("/there")}
        Fragile.born()
        with pytest.raises(UserError, match=r"did not end|no run and no data set|damaged"):
            pulled("fragile://there", copy)
        assert not copy.exists()
        pushed(run, "fragile://there")
        assert not arrived & set(Fragile.sent)
        assert content(pulled("fragile://there", copy)) == content(run)


@settings(max_examples=15)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_pull_that_was_killed_anywhere_leaves_no_folder_and_goes_on(share: float):
    with tempfile.TemporaryDirectory() as folder:
        Fragile.store.clear()
        Fragile.born()
        run, copy = small_run(Path(folder) / "run"), Path(folder) / "copy"
        pushed(run, "fragile://there")
        Fragile.born(share * sum(len(file.getvalue()) for path, file in Fragile.store.items() if MANIFEST not in path))
        with pytest.raises(Killed):
            pulled("fragile://there", copy)
        arrived = set(Fragile.read[:-1]) - {f"/there/{MANIFEST}"}
        assert not copy.exists()
        Fragile.born()
        assert content(pulled("fragile://there", copy)) == content(run)
        assert not arrived & set(Fragile.read)


@pytest.mark.parametrize("name", ["som.safetensors", "figures/map.png", "config.json", CARD])
def test_a_file_that_was_damaged_there_is_not_pulled(name: str, run: Path, tmp_path: Path, address: str):
    pushed(run, address)
    memory, path = fsspec.filesystem("memory"), f"/shared/run/{name}"
    before = memory.cat_file(path)
    memory.pipe_file(path, bytes([before[0] ^ 1]) + before[1:])
    with pytest.raises(
        UserError, match=rf"{name} is not the file that was pushed.*delete this file there and push again"
    ):
        pulled(address, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    memory.rm_file(path)
    pushed(run, address)
    assert content(pulled(address, tmp_path / "copy")) == content(run)


def test_nothing_is_overwritten_there(run: Path, tmp_path: Path, address: str):
    pushed(run, address)
    with pytest.raises(UserError, match="holds others than the files of this run; choose another address"):
        pushed(small_run(tmp_path / "other", seed=1), address)
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/shared/full/config.json", b"of somebody")
    with pytest.raises(UserError, match=r"holds other files already \(config.json\); choose another address"):
        pushed(run, "memory://shared/full")
    assert memory.cat_file("/shared/full/config.json") == b"of somebody"
    memory.pipe_file("/shared/new/.gitattributes", b"of the hub")
    pushed(run, "memory://shared/new")


def test_nothing_is_overwritten_here(run: Path, tmp_path: Path, address: str):
    pushed(run, address)
    other = small_run(tmp_path / "other", seed=1)
    with pytest.raises(UserError, match=r"other is not empty and holds something else .*; choose another folder"):
        pulled(address, other)
    copy = pulled(address, tmp_path / "copy")
    (copy / "som.safetensors").write_bytes(b"trained further")
    (copy / "empty.npz").unlink()
    with pytest.raises(UserError, match=r"som.safetensors is not as it was pulled; .* delete it and pull again"):
        pulled(address, copy)
    assert (copy / "som.safetensors").read_bytes() == b"trained further"
    (copy / "som.safetensors").unlink()
    assert content(pulled(address, copy)) == content(run)


@pytest.mark.parametrize(
    "name", ["../evil", "/evil", "a/../../evil", "a\\evil", ".hidden", "a//b", "c:evil", MANIFEST, ""]
)
def test_a_manifest_cannot_write_outside_of_the_folder(name: str, tmp_path: Path, address: str):
    file = {"sha256": "0" * 64, "size": 0}
    listed = {"kind": "run", "version": 1, "files": {name: file}}
    told = json.dumps({SHA256: checksum(listed), **listed}).encode()
    fsspec.filesystem("memory").pipe_file(f"/shared/run/{MANIFEST}", told)
    with pytest.raises(UserError, match="damaged.*expected names within the folder"):
        pulled(address, tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("there", "wanted"),
    [
        ("s3://bucket/run", "pip install s3fs"),
        ("hf://me/run", "pip install huggingface_hub"),
        ("moon://crater", "expected a path, or an address such as hf://"),
        ("memory://shared/nothing", "holds no run and no data set"),
    ],
)
def test_an_address_that_cannot_be_read_is_answered_by_one_line(
    there: str, wanted: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    package = wanted.removeprefix("pip install ")
    if package != wanted and __import__("importlib.util").util.find_spec(package):
        pytest.skip(f"{package} is installed")
    assert cli.main(["pull", "--address", there, "--folder", str(tmp_path / "copy")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert wanted in said
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_run_and_data_set_is_not_pushed(tmp_path: Path, address: str):
    with pytest.raises(UserError, match="holds neither a run"):
        pushed(tmp_path, address)


def test_a_data_set_goes_there_and_back(small_data: Dataset, tmp_path: Path, address: str):
    pushed(small_data.path, address, license="cc-by-4.0")
    copy = Dataset.open(pulled(address, tmp_path / "copy"))
    assert copy.fingerprint == small_data.fingerprint
    assert not (copy.path / "cache").exists()
    head = front_matter(copy.path)
    assert (head["license"], head["size_categories"]) == ("cc-by-4.0", ["n<1K"])
    (copy.path / "shards" / "shard-00001.h5").unlink()
    with pytest.raises(UserError, match="damaged or missing"):
        pushed(copy.path, f"{address}-other")


def test_a_run_goes_there_and_back(tiny_run: Path, tmp_path: Path, address: str):
    pushed(tiny_run, address)
    copy = pulled(address, tmp_path / "copy")
    assert Imagination.load(copy).format == Imagination.load(tiny_run).format
    card = (copy / CARD).read_text()
    assert front_matter(copy)["pipeline_tag"] == "robotics"
    assert "| som_ae |" in card
    assert "10.18910/92312" in card
    assert str(tiny_run.parent) not in card


def front_matter(folder: Path) -> dict[str, Any]:
    """The head of the card."""
    _, head, text = (folder / CARD).read_text().split("---\n", 2)
    assert text.lstrip().startswith("# ")
    found: dict[str, Any] = yaml.safe_load(head)
    return found


def test_a_card_tells_no_folders_of_this_machine_and_a_users_own_card_stays(run: Path, tmp_path: Path, address: str):
    pushed(run, address)
    card = (pulled(address, tmp_path / "copy") / CARD).read_text()
    assert "infant-arm train-ae --run mine" in card
    shutil.rmtree(tmp_path / "copy")
    (run / CARD).write_text("# Mine")
    pushed(run, f"{address}2")
    assert (pulled(f"{address}2", tmp_path / "copy") / CARD).read_text() == "# Mine"


def test_a_licence_is_a_name():
    with pytest.raises(UserError, match="expected a name such as mit"):
        push.Config(Path(), "memory://a", license="mit\nevil: true")
