"""`infant-arm pull`: fetches a run or a data set that was pushed."""

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from tqdm import tqdm

from agents.tools.files import remove_leftovers, replacing
from agents.tools.locks import alone
from infant_env.errors import UserError

from ..runs.config import Checked, Seed
from ..runs.device import Device
from .manifest import MANIFEST, File, Manifest
from .place import Place, found


@dataclass(frozen=True)
class Config(Checked):
    """Fetch a run or a data set that `infant-arm push` sent, and check every file; after a kill the same command goes on."""

    address: str
    """Where it was pushed."""
    folder: Path
    """The folder that will hold it; it appears when it is whole."""
    seed: Seed = 0
    """Has no effect."""
    device: Device = "auto"
    """Has no effect."""


def run(config: Config) -> Path:
    """Fetches what is not here yet.

    Raises:
        UserError: the address holds nothing whole, a file is damaged there, or the folder holds something else.
    """
    place, folder = Place(config.address), Path(os.path.abspath(config.folder))
    manifest = found(place)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with alone(folder.parent / f".{folder.name}.pull.lock", f"pulls to {folder}"):
        if folder.exists() and any(folder.iterdir()):
            _check_same(folder, manifest, place)
            _fetch(place, manifest, folder)
        else:
            _fetch_new(place, manifest, folder)
    print(f"pull: {config.folder}, a {manifest.kind} of {len(manifest.files)} files, {manifest.size / 1e6:.1f} MB")
    return config.folder


def _fetch_new(place: Place, manifest: Manifest, folder: Path) -> None:
    """Fetches all files into a hidden folder, which then gets its name."""
    work = folder.with_name(f".{folder.name}.{manifest.identity[:8]}.pull")
    work.mkdir(exist_ok=True)
    remove_leftovers(work)
    _fetch(place, manifest, work)
    if folder.exists():
        folder.rmdir()  # it is empty
    os.replace(work, folder)


def _fetch(place: Place, manifest: Manifest, folder: Path) -> None:
    """Fetches the files that a folder lacks, and the manifest at the end."""
    missing = [name for name, file in manifest.files.items() if not _is_here(folder / name, file)]
    total = sum(manifest.files[name].size for name in missing)
    if shutil.disk_usage(folder).free < total:
        raise UserError(
            f"{folder.parent} has too little space for {total / 1e6:,.0f} MB; choose another disk with --folder"
        )
    with tqdm(total=total, desc="pull", unit="B", unit_scale=True) as bar:
        for name in missing:
            _fetch_file(place, name, manifest.files[name], folder / name, bar)
    with replacing(folder / MANIFEST) as temporary:
        temporary.write_bytes(manifest.as_bytes())


def _fetch_file(place: Place, name: str, file: File, path: Path, bar: "tqdm[NoReturn]") -> None:
    """Fetches a file; it appears when its checksum is right."""
    digest, size = hashlib.sha256(), 0
    with replacing(path) as temporary, temporary.open("wb") as out:
        for block in place.blocks(name):
            digest.update(block)
            size += len(block)
            if size > file.size:
                break
            out.write(block)
            bar.update(len(block))
        if (digest.hexdigest(), size) != (file.sha256, file.size):
            raise UserError(
                f"{place.address}/{name} is not the file that was pushed: its SHA-256 is another one; who pushed it can delete "
                "this file there and push again"
            )


def _is_here(path: Path, file: File) -> bool:
    return path.exists() and path.stat().st_size == file.size and File.of(path) == file


def _check_same(folder: Path, manifest: Manifest, place: Place) -> None:
    """Raises a UserError unless a folder came from the same push, and none of its files was changed since.

    Missing files are fetched again; a changed one stays.
    """
    try:
        before = Manifest.of_bytes((folder / MANIFEST).read_bytes(), str(folder / MANIFEST))
    except (OSError, UserError):
        before = None
    if before is None or before.identity != manifest.identity:
        raise UserError(f"{folder} is not empty and holds something else than {place.address}; choose another folder")
    for name, file in manifest.files.items():
        if (folder / name).exists() and not _is_here(folder / name, file):
            raise UserError(
                f"{folder / name} is not as it was pulled; to get it again from {place.address}, delete it and pull again"
            )
