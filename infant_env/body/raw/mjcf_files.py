"""An MJCF file together with all files that it names, in memory or in one zip."""

import hashlib
import os
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

import mujoco

from ...errors import UserError

BODY = "body.zip"
"""The file with the MJCF of a body, in the folder of a data set or of a world model."""

_MAIN, _INCLUDES, _ASSETS = "body.xml", "includes/", "assets/"
_FOLDERS = ("assetdir", "meshdir", "texturedir")
_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class MjcfFiles:
    """An MJCF file, the MJCF files that it includes or attaches, and its meshes, textures and the like.

    A body that is made of them is equal to the one of the files on disk, to the last bit.
    """

    xml: bytes
    includes: dict[str, bytes]
    """Content of the other MJCF files, by their names in the MJCF."""
    assets: dict[str, bytes]
    """Content of meshes, textures and the like, by their names in the MJCF, with the folder that it sets for them."""

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> "MjcfFiles":
        """Reads an MJCF file and all files that it names, or a zip that `write` has written.

        Raises:
            UserError: a file is missing or damaged.
        """
        path = Path(path)
        try:
            return _unzipped(path) if zipfile.is_zipfile(path) else _gathered(path)
        except (
            OSError,
            ElementTree.ParseError,
            zipfile.BadZipFile,
            zlib.error,
            KeyError,
            NotImplementedError,
        ) as error:
            raise UserError(f"{path} cannot be read as MJCF: {' '.join(str(error).split())}") from None

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all names and contents, hexadecimal; it does not depend on the folder where the files lie."""
        digest = hashlib.sha256()
        for name, content in self._entries():
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()

    def spec(self) -> mujoco.MjSpec:
        """The body that the files describe.

        Raises:
            ValueError: MuJoCo cannot read them.
        """
        return mujoco.MjSpec.from_string(self.xml.decode(), include=self.includes, assets=self.assets)

    def write(self, file: str | os.PathLike[str] | IO[bytes]) -> None:
        """Writes a zip; equal content gives equal bytes."""
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in self._entries():
                archive.writestr(zipfile.ZipInfo(name, _TIME), content, zipfile.ZIP_DEFLATED)

    def _entries(self) -> Iterator[tuple[str, bytes]]:
        """Names within the zip, and contents."""
        yield _MAIN, self.xml
        for folder, files in ((_INCLUDES, self.includes), (_ASSETS, self.assets)):
            for name in sorted(files):
                yield folder + _escaped(name), files[name]


def _escaped(name: str) -> str:
    """A name that leads to no place outside of the zip."""
    return name.replace("%", "%25").replace("..", "%2E%2E").replace("\\", "%5C").replace(":", "%3A")


def _original(name: str) -> str:
    return name.replace("%3A", ":").replace("%5C", "\\").replace("%2E%2E", "..").replace("%25", "%")


def _unzipped(path: Path) -> MjcfFiles:
    includes, assets = dict[str, bytes](), dict[str, bytes]()
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            for folder, files in ((_INCLUDES, includes), (_ASSETS, assets)):
                if name.startswith(folder):
                    files[_original(name.removeprefix(folder))] = archive.read(name)
        return MjcfFiles(archive.read(_MAIN), includes, assets)


def _gathered(path: Path) -> MjcfFiles:
    """The MJCF file and all files that it names, as MuJoCo finds them."""
    xml, includes, assets = path.read_bytes(), dict[str, bytes](), dict[str, bytes]()
    trees = [(path.parent, ElementTree.fromstring(xml))]
    for folder, tree in trees:  # the list grows
        for element in tree.iter():
            if element.tag in ("include", "model") and "file" in element.attrib:
                found = _found([path.parent, folder], element.attrib["file"])
                name = os.path.relpath(found, path.parent) if not os.path.isabs(element.attrib["file"]) else str(found)
                if name not in includes:
                    includes[name] = found.read_bytes()
                    trees.append((found.parent, ElementTree.fromstring(includes[name])))
    folders = ["", *dict.fromkeys(f for _, tree in trees for f in _asset_folders(tree))]
    for folder, tree in trees:
        for name in _named(tree):
            for inner in folders:
                for base in (path.parent, folder):
                    _take(base, os.path.join(inner, name), assets)
                    _take(base, os.path.join(inner, os.path.basename(name)), assets)
    return MjcfFiles(xml, includes, assets)


def _found(folders: list[Path], name: str) -> Path:
    """The first of the places that exists; the first one if none does."""
    places = [folder / name for folder in folders]
    return next((place for place in places if place.is_file()), places[0])


def _asset_folders(tree: ElementTree.Element) -> Iterator[str]:
    for compiler in tree.iter("compiler"):
        yield from (compiler.attrib[name] for name in _FOLDERS if name in compiler.attrib)


def _named(tree: ElementTree.Element) -> Iterator[str]:
    """The files that meshes, textures, height fields, skins and the like name."""
    for element in tree.iter():
        if element.tag not in ("include", "model"):
            yield from (value for key, value in element.attrib.items() if key.startswith("file") and value)


def _take(base: Path, name: str, assets: dict[str, bytes]) -> None:
    """Reads a file if it exists."""
    if name not in assets and (base / name).is_file():
        assets[name] = (base / name).read_bytes()
