"""Who may open the studio: its own page alone, and on other machines only those who have its address."""

import http.client
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.studio.server.door import Door

NAMES = ("localhost", "127.0.0.1", "[::1]")


def status(door: Door, host: str, origin: str | None = None, path: str = "/") -> int:
    refusal = door.refusal([host], [] if origin is None else [origin], path)
    return 200 if refusal is None else refusal.status.value


@pytest.mark.parametrize("name", NAMES)
def test_the_page_of_this_computer_is_admitted(name: str):
    door = Door("127.0.0.1")
    assert door.token == ""
    assert (
        status(door, f"{name}:8080") == status(door, f"{name}:8080", f"http://{name}:8080") == status(door, name) == 200
    )


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:8080",
        "127.0.0.1.evil.example",
        "localhost@evil.example",
        "localhost/evil",
        "",
        "a:b:c",
        "[::1",
        "0",
    ],
)
def test_a_name_that_was_pointed_to_this_computer_is_refused(host: str):
    assert status(Door("127.0.0.1"), host) == status(Door("127.0.0.1"), host, f"http://{host}") == 421


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "",
        "http://localhost:9999",
        "http://localhost:8080.evil.example",
        "file://",
        "http://localhost",
    ],
)
def test_a_foreign_page_is_refused(origin: str):
    assert status(Door("127.0.0.1"), "localhost:8080", origin) == 403


def test_two_hosts_or_two_origins_are_refused():
    door = Door("127.0.0.1")
    assert door.refusal(["localhost", "evil.example"], [], "/") is not None
    assert door.refusal([], [], "/") is not None
    assert door.refusal(["localhost"], ["http://localhost", "http://evil.example"], "/") is not None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.7", "infant.example"])
def test_where_other_machines_can_connect_the_address_holds_a_token(host: str):
    door = Door(host)
    assert len(door.token) == 32
    assert door.token != Door(host).token
    assert door.address(8080).endswith(f":8080/{door.token}/")
    assert status(door, "infant.example:8080") == 403
    assert status(door, "infant.example:8080", path=f"/{door.token}/") == 200
    assert status(door, "infant.example:8080", "http://infant.example:8080", f"/{door.token}") == 200
    assert status(door, "infant.example:8080", "http://evil.example", f"/{door.token}") == 403
    assert (door.inside(f"/{door.token}"), door.inside(f"/{door.token}/a.js?x")) == ("/", "/a.js?x")


@given(st.text())
def test_nothing_but_the_token_opens_the_door(guess: str):
    door = Door("0.0.0.0")
    for path in (guess, f"/{guess}", f"/?token={door.token}", f"/{guess}/{door.token}", f"/{door.token}{guess or 'x'}"):
        first = path.partition("?")[0].removeprefix("/").partition("/")[0]
        assert (status(door, "localhost", path=path) == 200) == (first == door.token)


def test_an_address_names_this_computer_and_its_port():
    assert Door("127.0.0.1").address(8080) == "http://127.0.0.1:8080"
    assert Door("::1").address(8080) == "http://[::1]:8080"


@pytest.fixture(scope="module")
def served() -> Iterator[dict[str, Any]]:
    """A server for this computer alone, and one for others."""
    pytest.importorskip("viser", reason="make test-studio installs it")
    from training.studio.server import serve

    doors = {host: Door(host) for host in ("127.0.0.1", "0.0.0.0")}
    servers = {host: serve.start(door, 8790, "a test") for host, door in doors.items()}
    yield {host: (doors[host], server) for host, server in servers.items()}
    for server in servers.values():
        server.stop()


def get(port: int, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    """The answer to a request over HTTP."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.putrequest("GET", path, skip_host=True, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read()


def connect(port: int, path: str, headers: dict[str, str]) -> int:
    """The status of a websocket's handshake; 101: it is open."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as raw:
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        lines += ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
        lines += ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol: viser-v0", "", ""]
        raw.sendall("\r\n".join(lines).encode())
        return int(raw.makefile("rb").readline().split()[1])


@pytest.mark.parametrize(
    ("host", "origin", "page", "websocket"),
    [
        ("127.0.0.1:{port}", None, 200, 101),
        ("localhost:{port}", "http://localhost:{port}", 200, 101),
        ("localhost:{port}", "http://evil.example", 403, 403),
        ("localhost:{port}", "http://localhost:1", 403, 403),
        ("evil.example:{port}", "http://evil.example:{port}", 421, 421),
        ("evil.example:{port}", None, 421, 421),
    ],
)
def test_pages_and_websockets_are_refused_alike(
    served: dict[str, Any], host: str, origin: str | None, page: int, websocket: int
):
    _, server = served["127.0.0.1"]
    port = server.get_port()
    headers = {"Host": host.format(port=port)} | ({} if origin is None else {"Origin": origin.format(port=port)})
    assert get(port, "/", headers)[0] == page
    assert connect(port, "/", headers) == websocket


def test_without_the_token_nothing_is_served(served: dict[str, Any]):
    door, server = served["0.0.0.0"]
    port = server.get_port()
    headers = {"Host": f"192.0.2.7:{port}"}
    for path in ("/", "/index.html", "/wrong/", f"/{door.token[:-1]}/"):
        code, _, text = get(port, path, headers)
        assert (code, connect(port, path, headers)) == (403, 403)
        assert door.token.encode() not in text
    code, found, text = get(port, f"/{door.token}/", headers)
    assert (code, connect(port, f"/{door.token}", headers)) == (200, 101)
    assert b"<html" in text
    assert found["Content-Security-Policy"] == "frame-ancestors 'none'"


def test_a_version_of_viser_that_does_not_ask_the_door_is_refused(monkeypatch: pytest.MonkeyPatch):
    viser = pytest.importorskip("viser", reason="make test-studio installs it")
    from training.studio.server import serve

    class Other:
        def __init__(self, *arguments: Any, **settings: Any) -> None: ...

        def stop(self) -> None: ...

    monkeypatch.setattr(viser, "ViserServer", Other)
    with pytest.raises(RuntimeError, match="does not serve by"):
        serve.start(Door("127.0.0.1"), 8790, "a test")


def test_a_message_that_is_too_large_closes_the_connection(served: dict[str, Any]):
    from websockets.exceptions import ConnectionClosedError
    from websockets.sync.client import connect as open_websocket

    from training.studio.server import serve

    viser = pytest.importorskip("viser")
    _, server = served["127.0.0.1"]
    protocol = f"viser-v{viser.__version__}"
    with open_websocket(f"ws://127.0.0.1:{server.get_port()}", subprotocols=[protocol], max_size=None) as websocket:
        websocket.send(bytes(serve.MESSAGE + 1))
        with pytest.raises(ConnectionClosedError, match="1009"):
            list(websocket)  # all that it sends


@pytest.mark.parametrize("announced", [True, False])
def test_a_file_that_is_too_large_is_dropped(served: dict[str, Any], announced: bool, monkeypatch: pytest.MonkeyPatch):
    from viser import _messages

    from training.studio.server import serve

    monkeypatch.setattr(serve, "UPLOAD", 1000)
    _, server = served["127.0.0.1"]
    files: list[bytes] = []
    button = server.gui.add_upload_button("a file")
    button.on_upload(lambda event: files.append(event.target.value.content))
    uuid, handlers = button._impl.uuid, server._websock_server._incoming_handlers

    def send(message: Any) -> None:
        for handler in handlers[type(message)]:
            handler(0, message)

    send(_messages.FileTransferStartUpload(uuid, "one", "a.png", "image/png", 2, 1200 if announced else 1000))
    for part in range(2):
        send(_messages.FileTransferPart(uuid, "one", part, bytes(600)))
    assert not server.gui._current_file_upload_states
    assert button.value.content == b""
    send(_messages.FileTransferStartUpload(uuid, "two", "a.png", "image/png", 1, 1000))
    send(_messages.FileTransferPart(uuid, "two", 0, bytes(1000)))
    assert button.value.content == bytes(1000)
