"""A Dask cluster: the connection to its scheduler, and the check that its workers see the folder of the results."""

import os
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from infant_env.errors import UserError

PATIENCE = 60
"""Seconds that a scheduler may be away."""


@contextmanager
def connected(address: str, folder: Path) -> Iterator[Executor]:
    """The executor of a scheduler, whose dashboard's address it prints.

    Raises:
        UserError: dask is not installed, no scheduler answers any more, or a worker does not see the folder.
    """
    try:
        from distributed.client import Client, ClosedClientError

        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except ImportError:
        raise UserError(f"got the cluster {address}, expected dask: `pip install 'infant-arm[cluster]'`") from None
    except (OSError, ValueError) as error:
        raise UserError(f"got the cluster {address}, expected the address of a `dask scheduler` ({error})") from None
    with client:
        print(f"cluster {address}: {len(client.nthreads())} workers; dashboard: {client.dashboard_link}", flush=True)
        folder.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=folder.absolute(), prefix=".seen-") as sign:
            sees = client.run(os.path.exists, sign.name, on_error="return")
        if blind := [worker for worker, found in sees.items() if found is False]:
            told = f"{', '.join(blind)} does not see {folder.absolute()}"
            raise UserError(f"{told}; expected a folder that all machines share")
        try:
            yield client.get_executor(pure=False)
        except ClosedClientError:
            raise UserError(f"the scheduler at {address} is gone; start it and run the same command again") from None
