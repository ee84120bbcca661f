"""The server with one tool that is as plain as can be: it counts how often its key was pressed.

python tests/annotate/plain_server.py --data=TREE --port=PORT
"""

import argparse
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    sys.path.insert(0, str(ROOT))
    from nicegui import ui

    from hoijax.annotate import seat as seats
    from hoijax.annotate.items import find_items
    from hoijax.annotate.seat import Seat
    from hoijax.annotate.serve import open_desk, serve
    from hoijax.annotate.store import Event
    from hoijax.annotate.tool import Bench, Key, Tool
    from hoijax.data.sample import Sample

    def build(seat: Seat) -> Bench:
        photo = ui.image().classes("w-64")
        count = ui.label().props("data-mark=count")

        def show() -> None:
            photo.set_source(seat.picture(seat.sample.image))

        def update() -> None:
            count.text = str(len(seat.events))

        def bad() -> None:
            seat.act("add", {"n": float("nan")})

        keys = [Key("a", "add one", lambda: seat.act("add", {"n": len(seat.events)})), Key("x", "add NaN", bad)]
        return Bench(show, update, keys)

    def done(events: Sequence[Event]) -> bool:
        return bool(events)

    def state(events: Sequence[Event]) -> str:
        return f"{len(events)} counted"

    def prepare(sample: Sample) -> int:
        return len(sample.object.faces)

    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path)
    parser.add_argument("--port", type=int)
    parser.add_argument("--look_ahead", type=float, default=seats.LOOK_AHEAD)
    given = parser.parse_args()
    seats.LOOK_AHEAD = given.look_ahead
    tool = Tool("count", "Count", "add", "Counts.", ("image", "object"), done, prepare, build, state)
    items = find_items(given.data)
    desk = open_desk(items, items.tree / "annotations.sqlite", [tool], {})
    opened = socket.create_server(("127.0.0.1", given.port))
    print(f"open http://localhost:{opened.getsockname()[1]}/", flush=True)
    serve(desk, opened, "")


if __name__ == "__main__":
    main()
