"""Work in a process of its own beside the server, which goes on answering; the process ends with the server."""

import multiprocessing
import os
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from typing import Any

Serve = Callable[..., None]


def start(serve: Serve, *arguments: Any) -> tuple[multiprocessing.process.BaseProcess, Connection]:
    """A new process that runs `serve(connection, *arguments)`, and the server's end of that connection."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(serve, theirs, *arguments), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def _run(serve: Serve, connection: Connection, *arguments: Any) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    serve(connection, *arguments)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
