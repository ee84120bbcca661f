"""The server: its pages and how it is started."""

import re
import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from nicegui import app, ui

from hoijax.annotate.blobs import Blobs, serve_blobs
from hoijax.annotate.desk import Desk, read_states
from hoijax.annotate.guard import LOOPBACK, Guard, is_loopback
from hoijax.annotate.home import NAME_COOKIE, NAME_PATTERN, home_page, name_page
from hoijax.annotate.items import Items
from hoijax.annotate.likely import IOU, Likely, of_tree, said_of
from hoijax.annotate.page import tool_page
from hoijax.annotate.seats import Seats
from hoijax.annotate.store import close_store, open_store
from hoijax.annotate.tool import Tool
from hoijax.data.templates import Library

YEAR = 365 * 24 * 3600


def open_desk(
    items: Items,
    store: Path,
    tools: Sequence[Tool],
    facts: dict[str, dict[str, float]],
    library: Library | None = None,
    each: bool = False,
    likely: Likely | None = None,
    first: str = IOU,
) -> Desk:
    """All that the pages share. Raises SampleError where the store cannot be used.

    `likely`: what a judge network expects; `first`: the order of the filter's work list for who chooses none.
    """
    by_name = {tool.name: tool for tool in tools}
    states: dict[str, dict[str, dict[str, str]]] = {name: {} for name in by_name}
    chances, notes = ({}, []) if likely is None else of_tree(likely, items)
    judge = said_of(likely) if likely is not None else ""
    shared = items, open_store(store), by_name, Seats(), Blobs(), states, facts, library, each
    desk = Desk(*shared, chances, judge, notes, {}, first)
    read_states(desk)
    return desk


def add_pages(desk: Desk) -> None:
    """Every address that the server answers."""
    serve_blobs(desk.blobs)

    @ui.page("/")
    def home(request: Request) -> RedirectResponse | None:
        who = annotator_of(request)
        if not who:
            return to_name("/")
        home_page(desk, who)
        return None

    @ui.page("/name")
    def name(request: Request) -> Response | None:
        wanted, after = request.query_params.get("is", ""), own_address(request.query_params.get("after", "/"))
        ours = request.headers.get("sec-fetch-site", "none") in ("same-origin", "none")
        if not re.fullmatch(NAME_PATTERN, wanted) or not ours:  # a link elsewhere may not choose who one is
            name_page(wanted, after)
            return None
        answer = RedirectResponse(after)
        answer.set_cookie(NAME_COOKIE, wanted, max_age=YEAR, samesite="lax", httponly=True)
        return answer

    for tool in desk.tools.values():
        add_tool(desk, tool)


def add_tool(desk: Desk, tool: Tool) -> None:
    """The page of one tool."""

    @ui.page(f"/{tool.name}")
    async def page(request: Request, item: str | None = None) -> RedirectResponse | None:
        who = annotator_of(request)
        if not who:
            return to_name(f"/{tool.name}" + (f"?item={quote(item, safe='')}" if item else ""))
        await tool_page(desk, tool, who, item)
        return None


def annotator_of(request: Request) -> str:
    """The name in the cookie; empty where there is none, or one that is no name."""
    found = request.cookies.get(NAME_COOKIE, "")
    return found if re.fullmatch(NAME_PATTERN, found) else ""


def to_name(after: str) -> RedirectResponse:
    """Asks for a name first."""
    return RedirectResponse(f"/name?after={quote(after, safe='')}")


def own_address(after: str) -> str:
    """An address of this server; "/" for anything that leads elsewhere."""
    return after if re.fullmatch(r"/(?![/\\])[^\\\x00-\x20\x7f]*", after) else "/"


def application(desk: Desk, token: str, hosts: tuple[str, ...]) -> Guard:
    """The whole server as an ASGI application. NiceGUI's pages are global: one desk a process."""
    inner = FastAPI(openapi_url=None)
    add_pages(desk)
    app.on_shutdown(lambda: close_store(desk.store))  # here, as uvicorn ends the process by the signal that ended it
    ui.run_with(inner, title="hoijax", reconnect_timeout=5.0, show_welcome_message=False)
    return Guard(inner, token, hosts)


def serve(desk: Desk, listening: socket.socket, token: str) -> None:
    """Serves on a listening socket until it is interrupted. On loopback browsers must ask for a loopback name."""
    local = is_loopback(listening.getsockname()[0])
    if not local and not token:
        raise ValueError("serve: a socket that others can reach needs a token")
    guarded = application(desk, token, LOOPBACK if local else ())
    config = uvicorn.Config(
        guarded, log_level="warning", timeout_graceful_shutdown=3, proxy_headers=False, server_header=False
    )
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listening])
