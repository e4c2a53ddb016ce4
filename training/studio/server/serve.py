"""Starts viser's server behind a `Door`, with limits for what a browser may send."""

import contextlib
import io
from collections.abc import Callable, Iterator
from typing import Any

import viser
import websockets.asyncio.server
from viser import _messages
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from .door import Door

UPLOAD, MESSAGE = 20_000_000, 4_000_000
"""Most bytes of an uploaded file, and of one message of a browser, which sends a file in parts."""
_HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'none'",  # no page may show the studio in a frame and catch clicks
    "Referrer-Policy": "no-referrer",  # the address may hold the token
}

_Answer = Callable[[ServerConnection, Request], Response | None]


def start(door: Door, port: int, label: str) -> Any:
    """A server that answers only what the door admits.

    Args:
        door: who may open the page; its host is where the page is served.
        port: port of the page; the next free one if it is in use.
        label: title of the page.

    Raises:
        RuntimeError: this version of viser serves in another way, so the door would not be asked.
    """
    with contextlib.redirect_stdout(io.StringIO()), _asking(door) as asked:
        server = viser.ViserServer(door.host, port, label=label, verbose=False)
    if not asked:
        server.stop()
        raise RuntimeError(f"viser {viser.__version__} does not serve by websockets.asyncio.server.serve")
    _limit_uploads(server)
    server._websock_server.unregister_handler(_messages.ShareUrlRequest)  # nobody publishes the page on the internet
    return server


@contextlib.contextmanager
def _asking(door: Door) -> Iterator[list[bool]]:
    """Within it, a server of viser's asks the door first; viser has no setting for this. Yields whether it does."""
    usual, asked = websockets.asyncio.server.serve, list[bool]()

    def serve(handler: Any, host: str, port: int, *, process_request: _Answer, **settings: Any) -> Any:
        asked.append(True)
        answer = guarded(door, process_request)
        return usual(handler, host, port, process_request=answer, **{**settings, "max_size": MESSAGE})

    websockets.asyncio.server.serve = serve  # type: ignore[assignment, misc]
    try:
        yield asked
    finally:
        websockets.asyncio.server.serve = usual  # type: ignore[misc]


def guarded(door: Door, answer: _Answer) -> _Answer:
    """The answer to requests that the door admits; all others are refused, websockets too."""

    def guard(connection: ServerConnection, request: Request) -> Response | None:
        hosts, origins = request.headers.get_all("Host"), request.headers.get_all("Origin")
        refusal = door.refusal(hosts, origins, request.path)
        if refusal is not None:
            return connection.respond(refusal.status, refusal.text)
        request.path = door.inside(request.path)
        response = answer(connection, request)
        if response is not None:
            response.headers.update(_HEADERS)
        return response

    return guard


def _limit_uploads(server: Any) -> None:
    """Drops files that are larger than `UPLOAD`, by what the browser announces and by what it sends."""
    uploads, gui, sockets = server.gui._current_file_upload_states, server.gui, server._websock_server

    def refuse(client_id: int, message: Any, size: int) -> None:
        uploads.pop(message.transfer_uuid, None)
        end = _messages.FileTransferPartAck(message.source_component_uuid, message.transfer_uuid, size, size)
        sockets.queue_message(end)  # ends the browser's progress bar
        if (client := server.get_clients().get(client_id)) is not None:
            text = f"Got a file of more than {UPLOAD // 1_000_000} MB, expected a picture. Make it smaller."
            client.add_notification("That did not work", text, color="red", auto_close_seconds=20.0)

    def begin(client_id: int, message: Any) -> None:
        if message.size_bytes > UPLOAD:
            refuse(client_id, message, message.size_bytes)
        else:
            gui._handle_file_transfer_start(client_id, message)

    def go_on(client_id: int, message: Any) -> None:
        upload = uploads.get(message.transfer_uuid)
        if upload is not None and upload["transferred_bytes"] + len(message.content) > UPLOAD:
            refuse(client_id, message, upload["total_bytes"])
        else:
            gui._handle_file_transfer_part(client_id, message)

    for kind, handler in ((_messages.FileTransferStartUpload, begin), (_messages.FileTransferPart, go_on)):
        sockets.unregister_handler(kind)
        sockets.register_handler(kind, handler)
