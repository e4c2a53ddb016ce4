"""An address at which runs and data sets are shared: what lies there, and how it is read and written."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agents.tools.addresses import filesystem, reached
from infant_env.errors import UserError

from .manifest import BEGUN, MANIFEST, Manifest

_BLOCK = 2**22


class Place:
    """A folder at an address of fsspec.

    Args:
        address: a path, or an address such as `hf://datasets/NAME/DATASET`.

    Raises:
        UserError: there is no such kind of address, or the package that it needs is missing.
    """

    def __init__(self, address: str) -> None:
        self.address = address if address.endswith("://") else address.rstrip("/")
        self._files, self._root = filesystem(self.address)

    def sizes(self) -> dict[str, int]:
        """Bytes of all files that are there now, by name."""
        with reached(self.address):
            self._files.invalidate_cache()
            try:
                found: dict[str, Any] = self._files.find(self._root, detail=True)
            except FileNotFoundError:
                return {}
        root = self._root.rstrip("/") + "/"
        return {path.removeprefix(root): int(info["size"]) for path, info in found.items()}

    def manifest(self, name: str = MANIFEST) -> Manifest | None:
        """The manifest, or with `BEGUN` that of a push that did not end; None if there is none.

        Raises:
            DamagedFileError: it is damaged.
        """
        with reached(self.address):
            try:
                content = self._files.cat_file(self._path(name))
            except FileNotFoundError:
                return None
        return Manifest.of_bytes(content, f"{self.address}/{name}")

    def send(self, path: Path, name: str) -> None:
        """Copies a file from here to there."""
        with reached(self.address):
            self._files.put_file(str(path), self._path(name))

    def write(self, name: str, content: bytes) -> None:
        """Writes a small file."""
        with reached(self.address):
            self._files.pipe_file(self._path(name), content)

    def remove(self, name: str) -> None:
        """Removes a file."""
        with reached(self.address):
            self._files.rm_file(self._path(name))

    def blocks(self, name: str) -> Iterator[bytes]:
        """The content of a file, block by block."""
        with reached(self.address), self._files.open(self._path(name), "rb") as file:
            while block := file.read(_BLOCK):
                yield block

    def _path(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}"


def found(place: Place) -> Manifest:
    """The manifest of what was pushed to a place.

    Raises:
        UserError: nothing was, or the push did not end, or the manifest is damaged.
    """
    manifest = place.manifest()
    if manifest is not None:
        return manifest
    there = place.sizes()
    if BEGUN in there:
        raise UserError(f"the push to {place.address} did not end; run the same `infant-arm push` again: it goes on")
    raise UserError(f"{place.address} holds no run and no data set that `infant-arm push` sent; is the address right?")
