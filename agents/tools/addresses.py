"""Addresses of files that may lie anywhere: paths, and what fsspec understands, such as `hf://` and `s3://`."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fsspec.core import split_protocol, url_to_fs
from fsspec.registry import known_implementations

from infant_env.errors import UserError


def filesystem(address: str) -> tuple[Any, str]:
    """The file system of an address, fsspec's, and the path on it.

    Args:
        address: a path, or an address such as `hf://datasets/NAME/DATASET`, `s3://BUCKET/FOLDER` or `file:///FOLDER`.

    Raises:
        UserError: there is no such kind of address, or the package that it needs is missing.
    """
    kind = split_protocol(address)[0] or "file"
    try:
        found, path = url_to_fs(address, **({"auto_mkdir": True} if kind in ("file", "local") else {}))
    except ImportError as error:
        raise UserError(f"got the address {address}, and a package for it is missing ({error}){_mend(kind)}") from None
    except ValueError as error:
        raise UserError(
            f"got the address {address} ({error}), expected a path, or an address such as hf://datasets/NAME/DATASET, "
            "s3://BUCKET/FOLDER or file:///FOLDER"
        ) from None
    return found, path


@contextmanager
def as_file(address: str | Path) -> Iterator[Path]:
    """The path of a file; one from elsewhere is fetched for the length of the block and kept nowhere.

    Raises:
        UserError: see `filesystem`.
        OSError: there is no such file, or it cannot be read.
    """
    if isinstance(address, Path) or split_protocol(address)[0] is None:
        yield Path(address)
        return
    files, path = filesystem(address)
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder) / Path(path).name
        with reached(address):
            own.write_bytes(files.cat_file(path))
        yield own


@contextmanager
def reached(address: str) -> Iterator[None]:
    """Turns the errors of the many libraries behind the addresses into a user's one line."""
    try:
        yield
    except (UserError, OSError):
        raise
    except Exception as error:
        raise UserError(f"{address} cannot be reached ({type(error).__name__}: {error})") from error


def _mend(kind: str) -> str:
    """How to install what a kind of address needs."""
    last = kind.split("::")[-1]  # of a chain, such as simplecache::hf
    package = known_implementations.get(last, {}).get("class", "fsspec").split(".")[0]
    own = "http" if last == "https" else last
    return f"; run `pip install {package}`" if package != "fsspec" else f"; run `pip install 'fsspec[{own}]'`"
