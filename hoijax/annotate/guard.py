"""Who may talk to the server: a token where it listens beyond this machine, and pages of its own only."""

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

Scope = MutableMapping[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]
COOKIE = "hoijax_token"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Guard:
    """ASGI middleware in front of every request, HTTP and websocket.

    - A `Host` that is not one of `hosts` is refused (a page elsewhere cannot reach a loopback server by a name of its
      own, "DNS rebinding"); an empty tuple allows any.
    - An `Origin` other than the server's own is refused: pages of other servers cannot open its websocket.
    - With a `token`, only requests that bring it pass: as ?token=..., which is kept in a cookie, or as that cookie.
    """

    def __init__(self, app: Application, token: str = "", hosts: tuple[str, ...] = LOOPBACK) -> None:
        self.app, self.token, self.hosts = app, token, hosts

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Passes the request on, or refuses it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        asked = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[-1]
        refusal = self._refusal(headers, asked)
        if refusal:
            await _refuse(scope, send, refusal)
        elif self.token and scope["type"] == "http" and self._right(asked):
            await self.app(scope, receive, _with_cookie(send, self.token))
        else:
            await self.app(scope, receive, send)

    def _refusal(self, headers: dict[str, str], asked: str) -> str:
        """Why this request may not pass; empty where it may."""
        host = headers.get("host", "")
        name = urlsplit(f"//{host}").hostname or ""
        if self.hosts and name not in self.hosts:
            return f"This server does not answer to the name {name!r}."
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return "Pages of other servers may not talk to this one."
        if self.token and not (self._right(asked) or self._right(_cookie(headers))):
            return "A token is needed: open the address that the server printed when it started."
        return ""

    def _right(self, found: str) -> bool:
        return hmac.compare_digest(found.encode(), self.token.encode())


def _cookie(headers: dict[str, str]) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def _with_cookie(send: Any, token: str) -> Any:
    async def sends(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            cookie = f"{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict"
            message["headers"] = [*message.get("headers", []), (b"set-cookie", cookie.encode("latin-1"))]
        await send(message)

    return sends


async def _refuse(scope: Scope, send: Any, sentence: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": sentence})
        return
    head = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": 403, "headers": head})
    await send({"type": "http.response.body", "body": sentence.encode()})
