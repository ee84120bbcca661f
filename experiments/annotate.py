"""Annotation tools in the browser: filter, contact, fine alignment; one server for as many annotators as you like.

    python experiments/annotate.py --data=TREE

Prints an address to open. Every decision is in the store (TREE/annotations.sqlite by default) the moment it is made, and
a server that is started again goes on there. The server listens on this machine only; --host=0.0.0.0 lets others in,
who then need the token in the address that it prints. docs/annotate.md tells the rest.
"""

import secrets
import socket
import sys
from pathlib import Path

from absl import app, flags

from hoijax.annotate.facts import start_facts
from hoijax.annotate.guard import LOOPBACK
from hoijax.annotate.items import find_items
from hoijax.annotate.serve import open_desk, serve
from hoijax.annotate.tools import TOOLS
from hoijax.data.lock import LockedError, held
from hoijax.data.sample import SampleError

_DATA = flags.DEFINE_string("data", None, "The tree of samples.", required=True)
_STORE = flags.DEFINE_string("store", None, "Where decisions are kept; TREE/annotations.sqlite by default.")
_HOST = flags.DEFINE_string("host", "127.0.0.1", "Address to listen on. Beyond this machine a token is demanded.")
_PORT = flags.DEFINE_integer("port", 8080, "Port; 0: any that is free.", lower_bound=0, upper_bound=65535)
_EACH = flags.DEFINE_boolean("each", False, "Every annotator does every item, to measure how well they agree.")


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens there. Exits with a sentence where it cannot."""
    try:
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=128
        )
    except OSError as error:
        sys.exit(f"--host={host} --port={port}: cannot listen there ({error.strerror}); --port=0 takes any free port")


def main(_: list[str]) -> None:
    """Finds the samples, opens the store, serves."""
    try:
        items = find_items(_DATA.value)
        store = Path(_STORE.value) if _STORE.value else items.tree / "annotations.sqlite"
        with held(store.with_name(f".{store.name}.lock")):
            desk = open_desk(items, store, TOOLS, {}, None, _EACH.value)
            start_facts(desk, store.with_name(f"{store.name}.iou.json"))
            opened = listening(_HOST.value, _PORT.value)
            local = _HOST.value in LOOPBACK
            token = "" if local else secrets.token_urlsafe(18)
            address = f"http://{'localhost' if local else socket.gethostname()}:{opened.getsockname()[1]}/"
            print(f"{len(items.folders)} items in {items.tree}; decisions go to {store}")
            print(f"open {address}{f'?token={token}' if token else ''}", flush=True)
            serve(desk, opened, token)
    except (SampleError, LockedError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    app.run(main)
