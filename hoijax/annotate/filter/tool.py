"""The filter: whether a sample's human and object are good, masks corrected, objects queued to be made again."""

from typing import Any

from nicegui import ui

from hoijax.annotate.filter.before import before
from hoijax.annotate.filter.brush import Brush, Kept
from hoijax.annotate.filter.judge import Judge
from hoijax.annotate.filter.masks import Stroke, checked_stroke, margin_of
from hoijax.annotate.filter.panel import Panel
from hoijax.annotate.filter.prepare import prepare
from hoijax.annotate.filter.state import HUMAN, OBJECT, REASONS, SEES, awaits, decided, done, word
from hoijax.annotate.filter.strip import Strip
from hoijax.annotate.filter.toolbar import Toolbar
from hoijax.annotate.mesh_view import Shown
from hoijax.annotate.seat import Seat
from hoijax.annotate.tool import Bench, Key, Tool

HEIGHT = "height: calc(100vh - 120px); min-height: 520px"  # what header and footer leave


def build(seat: Seat) -> Bench:
    """The photograph on the left, the judgements on the right."""
    judge = Judge(seat)
    with ui.row().classes("w-full no-wrap gap-3").style(HEIGHT):
        with ui.column().classes("grow gap-2 h-full min-w-0"):
            toolbar = Toolbar()
            brush = Brush(judge.stroke, lambda message: seat.say(message, bad=True))
            brush.classes("grow w-full rounded overflow-hidden").style("min-height: 0").props("data-mark=canvas")
            toolbar.steer(brush)
        with ui.column().classes("gap-2 h-full").style("width: min(640px, 43vw); flex: none"):
            panel = Panel(judge, lambda: turn(seat, panel), lambda message: seat.say(message, bad=True))
            strip = Strip(seat, judge.assign)

    def show() -> None:
        open_item(seat, brush, panel)
        strip.show()

    def update() -> None:
        state = decided(seat.events)
        brush.follow(strokes_of(seat, known))
        panel.tell(state, word(seat.events) if done(seat.events) else "")
        strip.tell(state.template)

    known: dict[int, Stroke] = {}
    return Bench(show, update, [*keys(judge, panel, seat), *toolbar.keys()])


def open_item(seat: Seat, brush: Brush, panel: Panel) -> None:
    """Another item on canvas and panel."""
    made = seat.made
    h, w = seat.sample.image.shape[:2]
    brush.open(
        seat.item or "",
        seat.data(made.photo, "image/jpeg"),
        seat.data(made.human, "image/png"),
        seat.data(made.human_mask),
        seat.data(made.object_mask),
        (h, w),
        margin_of(h, w),
    )
    old = before(seat.desk.store, seat.item or "", seat.version)
    panel.show(seat.data(made.six, "image/jpeg"), None if old is None else seat.data(old, "image/jpeg"))
    if panel.turning():
        put_mesh(seat, panel)


def strokes_of(seat: Seat, known: dict[int, Stroke]) -> list[Kept]:
    """The strokes that stand; each is checked once (`known`)."""
    found = [event for event in seat.events if event.kind == "stroke"]
    for event in found:
        if event.id not in known:
            known[event.id] = checked_stroke(event.value)
    for old in known.keys() - {event.id for event in found}:
        del known[old]
    return [Kept(event.id, known[event.id]) for event in found]


def keys(judge: Judge, panel: Panel, seat: Seat) -> list[Key]:
    """Judging by keys; the number of a reason is its place among those of both."""
    found = [
        Key("p", "pass human and object", lambda: judge.passes(HUMAN, OBJECT)),
        Key("h", "pass the human", lambda: judge.passes(HUMAN)),
        Key("o", "pass the object", lambda: judge.passes(OBJECT)),
    ]
    number = 1
    for who, reasons in REASONS.items():
        for reason in reasons:
            found.append(Key(str(number), f"delete: {who}, {reason}", _deleting(judge, who, reason)))
            number += 1
    return [
        *found,
        Key("r", "queue: inpaint and reconstruct again", lambda: judge.redo(panel.note())),
        Key("d", "turn the object in 3D, and back to six views", lambda: turn(seat, panel)),
        *([Key("j", "what the judge network expects: it may sway you", lambda: ask(seat))] if seat.desk.judge else []),
    ]


def ask(seat: Seat) -> None:
    """What a judge expects of the item: only for who asks, as a number beside the buttons would decide for many."""
    chance = seat.desk.likely.get(seat.item or "")
    if chance is None:
        seat.say("The judge has not seen these files.")
    else:
        seat.say(f"Judge: human good {chance.human:.2f}, object good {chance.object:.2f}, both {chance.item:.2f}.")


def turn(seat: Seat, panel: Panel) -> None:
    """The object's mesh, to be turned with the mouse; again: its six views."""
    if not seat.ready:
        return
    if not panel.turning():
        put_mesh(seat, panel)
    panel.turn()


def put_mesh(seat: Seat, panel: Panel) -> None:
    """The object's mesh before a camera that sees all of it, as in the photograph but from a little above."""
    middle, radius = seat.made.sphere
    panel.view.show([Shown("object", seat.data(seat.made.mesh))])
    panel.view.orbit([float(x) for x in middle - [0, 0.5 * radius, 3.2 * radius]], [float(x) for x in middle])


def _deleting(judge: Judge, who: str, reason: str) -> Any:
    return lambda: judge.delete(who, reason)


TOOL = Tool(
    "filter",
    "Filter",
    "rule",
    "Pass or delete people and objects, mend masks, queue objects to be made again.",
    SEES,
    done,
    prepare,
    build,
    word,
    awaits,
)
