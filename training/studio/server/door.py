"""Decides which requests the studio answers, so that no foreign web page can drive or read it."""

import http
import ipaddress
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

_LOCAL = ("localhost", "127.0.0.1", "::1")
_ELSEWHERE = "Open the studio by the address that it printed.\n"


@dataclass(frozen=True)
class Refusal:
    """The answer to a request that is not admitted."""

    status: http.HTTPStatus
    text: str


class Door:
    """Admits requests by their `Host`, their `Origin`, and a token in their path.

    - `Host` must name this computer's own page (localhost, 127.0.0.1, ::1, or the given host). A foreign page whose name was
      pointed to this computer (DNS rebinding) has another one. Its port may differ: `ssh -L` changes it.
    - `Origin`, which a browser sends with each websocket and with each request of a foreign page, must be that of the page
      itself. Programs other than browsers send none; they are admitted.
    - If other machines can connect, each path must begin with a random token. Then any `Host` will do, because the computer may
      have many names, and a foreign page does not know the token.

    Args:
        host: address at which the page is served.

    Attributes:
        token: the token; empty if only this computer can connect.
    """

    def __init__(self, host: str) -> None:
        self.host = host
        self.token = "" if _is_local(host) else secrets.token_urlsafe(24)

    def address(self, port: int) -> str:
        """The address to open; on another machine its host is a name of this computer instead of 127.0.0.1."""
        host = "127.0.0.1" if self.host in ("", "0.0.0.0", "::") else self.host
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{port}" + (f"/{self.token}/" if self.token else "")

    def refusal(self, hosts: Sequence[str], origins: Sequence[str], path: str) -> Refusal | None:
        """Why a request is not admitted; None if it is.

        Args:
            hosts: all `Host` headers of the request.
            origins: all its `Origin` headers.
            path: its path.
        """
        if len(hosts) != 1 or not (self.token or _name(hosts[0]) in {*_LOCAL, self.host.lower()}):
            return Refusal(http.HTTPStatus.MISDIRECTED_REQUEST, _ELSEWHERE)
        own = {f"{scheme}://{hosts[0].lower()}" for scheme in ("http", "https")}
        if len(origins) > 1 or not {origin.lower() for origin in origins} <= own:
            return Refusal(http.HTTPStatus.FORBIDDEN, "The studio does not answer other pages.\n")
        if self.token and not secrets.compare_digest(_first(path).encode(), self.token.encode()):
            return Refusal(http.HTTPStatus.FORBIDDEN, _ELSEWHERE)
        return None

    def inside(self, path: str) -> str:
        """The path without the token."""
        return path.removeprefix(f"/{self.token}") or "/" if self.token else path


def _is_local(host: str) -> bool:
    """Whether only this computer can connect to an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _name(host: str) -> str:
    """The name in a `Host` header, without brackets and port; empty if it is malformed."""
    try:
        parts = urlsplit(f"//{host}")
        return (parts.hostname or "") if parts.netloc == host and "@" not in host else ""
    except ValueError:
        return ""


def _first(path: str) -> str:
    """The first part of a path."""
    return path.partition("?")[0].removeprefix("/").partition("/")[0]
