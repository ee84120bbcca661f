"""The widgets of the fine tool: photograph, novel views, numbers, nudges. What they do is told by `Deeds`."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from nicegui import ui

from hoijax.annotate.fine.shown import SIDES
from hoijax.annotate.fine.state import QUALITIES
from hoijax.annotate.fine.steps import AXES, SIZES
from hoijax.annotate.mesh_view import Drag, MeshView

HEIGHT = "calc(100vh - 116px)"  # between the page's bars
FLAT = "dense no-caps flat"
SOLID = "dense no-caps unelevated"
MARKS = {"ArrowLeft": "←", "ArrowRight": "→", "ArrowUp": "↑", "ArrowDown": "↓"}
QUALITY_COLORS = {"good": "positive", "usable": "warning", "bad": "negative"}


class Deeds(NamedTuple):
    """What the widgets do."""

    nudge: Callable[[str, int], Any]  # axis, steps
    drag: Callable[[Drag], Any]
    snap: Callable[[], Any]
    cancel: Callable[[], Any]
    reset: Callable[[], Any]
    base: Callable[[], Any]
    quality: Callable[[str], Any]
    confirm: Callable[[], Any]
    zoom: Callable[[], Any]
    hide: Callable[[], Any]
    trace: Callable[[], Any]
    size: Callable[[str], Any]
    trouble: Callable[[str], Any]
    seen: Callable[[], Any]


class Panel(NamedTuple):
    """The widgets that change."""

    photo: MeshView
    sides: dict[str, MeshView]
    numbers: dict[str, ui.label]
    values: dict[str, ui.label]
    size: ui.toggle
    step: ui.label
    base: ui.button
    snap: ui.button
    snapping: ui.row
    progress: ui.label
    qualities: dict[str, ui.button]
    confirm: ui.button


def mark(element: Any, name: str) -> Any:
    """The element, found by `name` from outside."""
    return element.props(f"data-mark={name}")


def panel(deeds: Deeds) -> Panel:
    """Builds everything: the photograph left, three views beside it, the controls right."""
    with ui.row().classes("w-full no-wrap gap-2 items-stretch").style(f"height: {HEIGHT}; min-height: 520px"):
        with ui.element("div").classes("relative grow rounded overflow-hidden bg-grey-10").style("min-width: 0"):
            photo = MeshView(on_drag=deeds.drag, on_trouble=deeds.trouble, on_drawn=deeds.seen)
            mark(photo, "photo").classes("absolute inset-0")
            with ui.row().classes("absolute top-2 left-2 gap-1"):
                button("Whole / close", "z", deeds.zoom, "zoom", "color=dark")
                button("Edges", "h", deeds.hide, "hide", "color=dark")
                button("Mask", "m", deeds.trace, "trace", "color=dark")
            ui.label("drag: move · shift+drag: turn · wheel: size · shift+wheel: distance").classes(
                "absolute bottom-1 left-2 text-xs text-white opacity-70 pointer-events-none"
            )
        with ui.column().classes("gap-2 no-wrap").style("width: 22%"):
            sides = {name: side(name, deeds) for name in SIDES}
        with ui.card().classes("gap-1 p-3 no-wrap overflow-auto").style("width: 310px; flex: none"):
            numbers = number_rows()
            ui.separator()
            size, step = size_row(deeds)
            values = {axis.name: axis_row(axis, deeds) for axis in AXES}
            ui.separator()
            snap, snapping, progress, base = snap_rows(deeds)
            ui.space()
            qualities = quality_row(deeds)
            confirm = button("Confirm and next", "Enter", deeds.confirm, "confirm", "color=primary data-seen=no")
            confirm.classes("w-full")
    return Panel(photo, sides, numbers, values, size, step, base, snap, snapping, progress, qualities, confirm)


def button(text: str, key: str, does: Callable[[], Any], name: str, props: str = "") -> ui.button:
    """A button that says its key."""
    with mark(ui.button(on_click=does).props(f"{SOLID} {props}"), name) as made:
        ui.label(text)
        ui.label(key).classes("text-xs opacity-60 ml-1 font-mono")
    return made


def side(name: str, deeds: Deeds) -> MeshView:
    """One novel view, to turn with the mouse."""
    with ui.card().tight().classes("relative w-full").style("flex: 1 1 0"):
        view = mark(MeshView(on_trouble=deeds.trouble, on_drawn=deeds.seen), name).classes("absolute inset-0")
        ui.label(name).classes("absolute top-1 left-2 text-xs text-grey-7 pointer-events-none")
    return view


def number_rows() -> dict[str, ui.label]:
    """IoU large, with that of the start; what contact and collision say below."""
    found = {}
    with ui.row().classes("w-full items-baseline gap-2 no-wrap"):
        ui.label("IoU").classes("text-sm text-grey-8")
        found["iou"] = mark(ui.label(), "iou").classes("text-2xl font-medium")
        ui.label("at start").classes("text-xs text-grey-7")
        found["start"] = mark(ui.label(), "start-iou").classes("text-sm text-grey-8")
    with ui.grid(columns="auto 1fr auto 1fr").classes("w-full gap-x-2 gap-y-0 text-sm"):
        for name, text in (("co2", "Co2"), ("gap", "gap"), ("co2-start", "at start"), ("depth", "inside")):
            ui.label(text).classes("text-grey-8")
            found[name] = mark(ui.label(), name)
    return found


def size_row(deeds: Deeds) -> tuple[ui.toggle, ui.label]:
    """How far a step goes."""
    with ui.row().classes("w-full items-center gap-2 no-wrap"):
        size = mark(ui.toggle(list(SIZES), value="normal"), "size").props("dense no-caps unelevated size=sm")
        size.on_value_change(lambda event: deeds.size(event.value))
        ui.label("v").classes("text-xs text-grey-6 font-mono")
        ui.space()
        ui.label("shift ×5").classes("text-xs text-grey-7")
    step = mark(ui.label(), "step").classes("text-xs text-grey-7")
    return size, step


def axis_row(axis: Any, deeds: Deeds) -> ui.label:
    """One way to nudge: a button for each direction, the value between."""
    with ui.row().classes("w-full items-center no-wrap gap-1"):
        nudge_button(axis.less, axis.less_key, lambda: deeds.nudge(axis.name, -1))
        value = mark(ui.label(), f"value-{axis.name}").classes(
            "grow text-center text-sm tabular-nums whitespace-nowrap"
        )
        nudge_button(axis.more, axis.more_key, lambda: deeds.nudge(axis.name, 1))
    return value


def nudge_button(text: str, key: str, does: Callable[[], Any]) -> None:
    """One direction."""
    name = f"nudge-{text.replace(' ', '-')}"
    button(text, MARKS.get(key, key), does, name, "outline size=sm").classes("w-28 shrink-0")


def snap_rows(deeds: Deeds) -> tuple[ui.button, ui.row, ui.label, ui.button]:
    """The optimizer, and back to the start."""
    with ui.row().classes("w-full gap-2 no-wrap"):
        snap = button("Snap to the mask", "x", deeds.snap, "snap", "color=primary").classes("grow")
        button("Reset", "0", deeds.reset, "reset", "outline")
    with ui.row().classes("w-full items-center gap-2 no-wrap") as snapping:
        ui.spinner(size="1.2em")
        progress = mark(ui.label(), "snap-progress").classes("text-xs grow")
        button("Cancel", "Esc", deeds.cancel, "snap-cancel", "outline size=sm")
    base = mark(ui.button(on_click=deeds.base).props(f"{FLAT} size=sm"), "base").classes("w-full")
    return snap, snapping, progress, base


def quality_row(deeds: Deeds) -> dict[str, ui.button]:
    """How well the result can be used."""
    found = {}
    with ui.row().classes("w-full gap-1 no-wrap"):
        for number, tag in enumerate(QUALITIES, 1):
            found[tag] = button(tag, str(number), partial(deeds.quality, tag), f"quality-{tag}").classes("grow")
    return found
