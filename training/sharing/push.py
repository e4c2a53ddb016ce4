"""`infant-arm push`: sends a run or a data set to an address elsewhere."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from agents.tools.files import DamagedFileError
from infant_env.errors import UserError

from ..data.dataset import Dataset
from ..runs.config import Checked, Seed
from ..runs.device import Device
from ..runs.in_turn import turn
from .card import card_of
from .manifest import BEGUN, CARD, DATA_SET, MANIFEST, File, Manifest, kind_of, names_in
from .place import Place


@dataclass(frozen=True)
class Config(Checked):
    """Send a run or a data set to an address, with a card that describes it; after a kill the same command goes on."""

    folder: Path
    """The folder of the run, which is sent without its data set, or of the data set."""
    address: str
    """An empty folder elsewhere, such as hf://NAME/REPOSITORY, hf://datasets/NAME/REPOSITORY, s3://BUCKET/FOLDER or
    file:///FOLDER."""
    license: str = "mit"
    """The licence for the card, by its name at Hugging Face, such as cc-by-4.0."""
    seed: Seed = 0
    """Has no effect."""
    device: Device = "auto"
    """Has no effect."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not re.fullmatch(r"[\w.+-]+", self.license, re.ASCII):
            raise UserError(f"got --license {self.license!r}, expected a name such as mit or cc-by-4.0")


def run(config: Config) -> Manifest:
    """Sends what is not there yet, and the manifest at the end.

    Raises:
        UserError: the folder holds neither a run nor a whole data set, the address holds something else, or a file changed
            meanwhile.
    """
    kind, place = kind_of(config.folder), Place(config.address)
    if kind == DATA_SET:
        Dataset.open(config.folder)
    with turn(config.folder, "push", "pushes"):
        card = config.folder / CARD
        text = card.read_bytes() if card.exists() else card_of(config.folder, kind, config.license).encode()
        names = [name for name in names_in(config.folder, kind) if name != CARD]
        before = [_stamp(config.folder / name) for name in names]
        hashed = tqdm(names, desc="checksums", unit="file")
        files = {name: File.of(config.folder / name) for name in hashed} | {CARD: File.of_bytes(text)}
        manifest = Manifest(kind, files)
        _send(config.folder, place, manifest, text)
        if before != [_stamp(config.folder / name) for name in names]:
            raise UserError(
                f"a file of {config.folder} changed while it was sent; push to another address when it is done"
            )
        _finish(place, manifest)
    print(f"push: {place.address}, {len(files)} files, {manifest.size / 1e6:.1f} MB")
    return manifest


def _send(folder: Path, place: Place, manifest: Manifest, card: bytes) -> None:
    """Sends the files that are not there yet, after the list of what will be there."""
    there = place.sizes()
    if not _is_known(place, manifest, there):
        taken = sorted(there.keys() & manifest.files.keys())
        if taken:
            raise UserError(
                f"{place.address} holds other files already ({', '.join(taken[:3])}); choose another address"
            )
        place.write(BEGUN, manifest.as_bytes())
    missing = [name for name, file in manifest.files.items() if there.get(name) != file.size]
    total = sum(manifest.files[name].size for name in missing)
    with tqdm(total=total, desc="push", unit="B", unit_scale=True) as bar:
        for name in missing:
            place.write(CARD, card) if name == CARD else place.send(folder / name, name)
            bar.update(manifest.files[name].size)


def _is_known(place: Place, manifest: Manifest, there: dict[str, int]) -> bool:
    """Whether a push of the same files has begun or ended at a place.

    Raises:
        UserError: it was a push of others.
    """
    for name in (BEGUN, MANIFEST):
        if name not in there:
            continue
        try:
            before = place.manifest(name)
        except DamagedFileError:
            if name == BEGUN:  # a kill while it was written: nothing else is there
                return False
            raise
        if before is not None and before.identity != manifest.identity:
            state = "the beginning of a push of others" if name == BEGUN else "others"
            raise UserError(
                f"{place.address} holds {state} than the files of this {manifest.kind}; choose another address"
            )
        return before is not None
    return False


def _finish(place: Place, manifest: Manifest) -> None:
    """Checks that all files arrived in full length, and writes the manifest.

    Raises:
        UserError: a file did not.
    """
    there = place.sizes()
    short = [name for name, file in manifest.files.items() if there.get(name) != file.size]
    if short:
        raise UserError(f"{short[0]} did not arrive whole at {place.address}; push again")
    if MANIFEST not in there or BEGUN in there:
        place.write(MANIFEST, manifest.as_bytes())
    if BEGUN in there:
        place.remove(BEGUN)


def _stamp(path: Path) -> tuple[int, int]:
    found = os.stat(path)
    return found.st_size, found.st_mtime_ns
