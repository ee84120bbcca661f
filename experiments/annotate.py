"""Annotation tools in the browser: filter, contact, fine alignment; one server for as many annotators as you like.

    python experiments/annotate.py --data=TREE

Prints an address to open. Every decision is in the store (TREE/annotations.sqlite by default) the moment it is made, and
a server that is started again goes on there. The server listens on this machine only; --host=0.0.0.0 lets others in,
who then need the token in the address that it prints; --token_file=FILE keeps it from one start to the next.
docs/annotate.md tells the rest.
"""

import os
import re
import secrets
import socket
import sys
from pathlib import Path

from absl import app, flags

from hoijax.annotate.facts import start_facts
from hoijax.annotate.guard import is_loopback
from hoijax.annotate.items import find_items
from hoijax.annotate.likely import IOU, ORDERS, Likely, likely_file, load_likely
from hoijax.annotate.serve import open_desk, serve
from hoijax.annotate.store import STORE
from hoijax.annotate.tools import TOOLS
from hoijax.data.lock import LockedError, held
from hoijax.data.sample import SampleError
from hoijax.data.templates import load_library

_DATA = flags.DEFINE_string("data", None, "The tree of samples.", required=True)
_STORE = flags.DEFINE_string("store", None, "Where decisions are kept; TREE/annotations.sqlite by default.")
_HOST = flags.DEFINE_string("host", "127.0.0.1", "Address to listen on. Beyond this machine a token is demanded.")
_PORT = flags.DEFINE_integer("port", 8080, "Port; 0: any that is free.", lower_bound=0, upper_bound=65535)
_TOKEN = flags.DEFINE_string(
    "token_file", None, "File with the token to demand, also on this machine; made with a new one where there is none."
)
_LIBRARY = flags.DEFINE_string("library", None, "Folder of templates (experiments/templates.py) for the filter.")
_EACH = flags.DEFINE_boolean("each", False, "Every annotator does every item, to measure how well they agree.")
_ORDER = flags.DEFINE_enum(
    "order",
    IOU,
    list(ORDERS),
    "The filter's work list: worst IoU first; or, after judge.py sort, likely fine or doubtful first.",
)


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens there. Exits with a sentence where it cannot."""
    try:
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=128
        )
    except OSError as error:
        sys.exit(f"--host={host} --port={port}: cannot listen there ({error.strerror}); --port=0 takes any free port")


def token_of(file: Path) -> str:
    """The token in the file, which is made, for its owner alone, where there is none. A flag or a variable of the
    environment would show it to other users of the machine."""
    try:
        if not file.exists():
            with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
                new.write(secrets.token_urlsafe(24) + "\n")
        token = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        sys.exit(f"--token_file={file}: cannot be used ({error})")
    if not re.fullmatch(r"[A-Za-z0-9_-]{16,}", token):
        sys.exit(f"--token_file={file}: holds no token, expected 16 or more of A-Z a-z 0-9 _ - on one line")
    return token


def expected(store: Path) -> Likely | None:
    """What a judge network expects of the items. A file that cannot be used is told of, and all is as without it."""
    file = likely_file(store)
    try:
        found = load_likely(file)
    except SampleError as error:
        print(f"{error}; it is left out", file=sys.stderr)
        found = None
    if found is None and _ORDER.value != IOU:
        sys.exit(f"--order={_ORDER.value}: needs {file}; python experiments/judge.py sort makes it")
    return found


def main(argv: list[str]) -> None:
    """Finds the samples, opens the store, serves."""
    if len(argv) > 1:
        sys.exit(f"not a flag: {argv[1:]} (see --help)")
    try:
        items = find_items(_DATA.value)
        # one name for one file: a lock beside a link to the store would not see the lock beside the store
        store = Path(os.path.realpath(_STORE.value or items.tree / STORE))
        with held(store.with_name(f".{store.name}.lock")):
            library = load_library(_LIBRARY.value) if _LIBRARY.value else None
            desk = open_desk(items, store, TOOLS, {}, library, _EACH.value, expected(store), _ORDER.value)
            start_facts(desk, store.with_name(f"{store.name}.iou.json"))
            opened = listening(_HOST.value, _PORT.value)
            local = is_loopback(opened.getsockname()[0])
            token = token_of(Path(_TOKEN.value)) if _TOKEN.value else "" if local else secrets.token_urlsafe(18)
            address = f"http://{'localhost' if local else socket.gethostname()}:{opened.getsockname()[1]}/"
            print(f"{len(items.folders)} items in {items.tree}; decisions go to {store}")
            print(f"open {address}{f'?token={token}' if token else ''}", flush=True)
            serve(desk, opened, token)
    except (SampleError, LockedError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    app.run(main)
