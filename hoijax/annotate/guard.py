"""Who may talk to the server: a token where it listens beyond this machine, and pages of its own only."""

import hmac
import ipaddress
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from starlette.requests import cookie_parser

Scope = MutableMapping[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]
COOKIE = "hoijax_token"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
LONGEST_NAME = 255  # bytes between two slashes, as file systems have it
# no page of another server may frame this one or learn its addresses; what is sent is what its type says
HEADERS = (
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
)


def is_loopback(address: str) -> bool:
    """Whether a socket bound to this numeric address can be reached from this machine only."""
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


class Guard:
    """ASGI middleware in front of every request, HTTP and websocket.

    - A `Host` that is not one of `hosts` is refused (a page elsewhere cannot reach a loopback server by a name of its
      own, "DNS rebinding"); an empty tuple allows any.
    - An `Origin` other than the server's own is refused: pages of other servers cannot open its websocket.
    - So is what a page elsewhere asks for itself (`Sec-Fetch-Site`), following a link excepted.
    - With a `token`, only requests that bring it in a cookie pass. An address with ?token=... gives that cookie and
      leads on to the same address without it, so that the token stays out of the browser's history.
    """

    def __init__(self, app: Application, token: str = "", hosts: tuple[str, ...] = LOOPBACK) -> None:
        self.app, self.token, self.hosts = app, token, hosts

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Passes the request on, or refuses it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        asked = dict(query).get("token", "")
        refusal = self._refusal(headers, asked) or _odd_path(str(scope["path"]))
        if refusal:
            await _refuse(scope, send, refusal)
        elif self.token and scope["type"] == "http" and self._right(asked):
            rest = urlencode([pair for pair in query if pair[0] != "token"])
            await _lead_on(scope, send, rest, self.token)
        else:
            await self.app(scope, receive, _with_headers(send))

    def _refusal(self, headers: dict[str, str], asked: str) -> str:
        """Why this request may not pass; empty where it may."""
        host = headers.get("host", "")
        name = _host_name(host)
        if self.hosts and name not in self.hosts:
            return f"This server does not answer to the name {name!r}."
        origin = headers.get("origin")
        if origin is not None and origin not in (f"http://{host}", f"https://{host}"):
            return "Pages of other servers may not talk to this one."
        followed = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none") and not followed:
            return "Pages of other servers may not talk to this one."
        if self.token and not (self._right(asked) or self._right(_cookie(headers))):
            return "A token is needed: open the address that the server printed when it started."
        return ""

    def _right(self, found: str) -> bool:
        return hmac.compare_digest(found.encode(), self.token.encode())


def _odd_path(path: str) -> str:
    """Why no file or page can have this address: the system refuses to look for one, which would be an error page."""
    odd = any(ord(sign) < 32 for sign in path) or any(len(part.encode()) > LONGEST_NAME for part in path.split("/"))
    return "There is no such address." if odd else ""


def _host_name(host: str) -> str:
    """The name in a Host header, without the port; empty for one that is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _cookie(headers: dict[str, str]) -> str:
    return cookie_parser(headers.get("cookie", "")).get(COOKIE, "")


def _with_headers(send: Any) -> Any:
    async def sends(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *HEADERS]
        await send(message)

    return sends


async def _lead_on(scope: Scope, send: Any, query: str, token: str) -> None:
    """Sets the cookie and leads on. Lax: a cookie that is Strict would not come along behind a link in a message."""
    path = "/" + quote(str(scope["path"]).lstrip("/\\"))
    cookie = f"{COOKIE}={token}; Path=/; HttpOnly; SameSite=Lax"
    place = path + (f"?{query}" if query else "")
    head = [(b"location", place.encode("ascii")), (b"set-cookie", cookie.encode("latin-1")), *HEADERS]
    await send({"type": "http.response.start", "status": 303, "headers": head})
    await send({"type": "http.response.body", "body": b""})


async def _refuse(scope: Scope, send: Any, sentence: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": sentence})
        return
    head = [(b"content-type", b"text/plain; charset=utf-8"), *HEADERS]
    await send({"type": "http.response.start", "status": 403, "headers": head})
    await send({"type": "http.response.body", "body": sentence.encode()})
