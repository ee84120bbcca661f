"""Filter: a start, to be built."""

from collections.abc import Sequence

from nicegui import ui

from hoijax.annotate.blobs import packed_mesh
from hoijax.annotate.mesh_view import MeshView, Shown
from hoijax.annotate.seat import Seat
from hoijax.annotate.store import Event
from hoijax.annotate.tool import Bench, Key, Tool
from hoijax.data.sample import Sample


def prepare(sample: Sample) -> bytes:
    return packed_mesh(sample.human)


def build(seat: Seat) -> Bench:
    with ui.row().classes("w-full no-wrap"):
        photo = ui.image().classes("w-1/2")
        with ui.element("div").classes("w-1/2 h-96 bg-white"):
            view = MeshView(
                on_pick=lambda hit: seat.act("pick", {"face": hit.face}), on_trouble=lambda m: seat.say(m, bad=True)
            )
    said = ui.label()

    def show() -> None:
        photo.set_source(seat.picture(seat.sample.image))
        view.show([Shown("human", seat.data(seat.made))])
        low, high = seat.sample.human.verts.min(0), seat.sample.human.verts.max(0)
        middle = (low + high) / 2
        view.orbit(middle - [0, 0, 3.0], middle)

    def update() -> None:
        said.text = f"{len(seat.events)} events"

    return Bench(show, update, [Key("p", "pass", lambda: seat.act("pass"))])


def done(events: Sequence[Event]) -> bool:
    return any(event.kind == "pass" for event in events)


TOOL = Tool(
    "filter",
    "Filter",
    "rule",
    "Pass or delete people and objects; mend masks.",
    ("image", "human", "parameters"),
    done,
    prepare,
    build,
    lambda events: "passed",
)
