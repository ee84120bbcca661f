"""The page around a tool: where one is, who has what, moving on, undo, the keys and their help."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from nicegui import background_tasks, ui
from nicegui.events import KeyEventArguments

from hoijax.annotate.desk import Desk, finished, next_item
from hoijax.annotate.look import BAR, look
from hoijax.annotate.seat import Seat
from hoijax.annotate.tool import Key, Tool

HELD = (
    "ArrowLeft",
    "ArrowRight",
    "ArrowUp",
    "ArrowDown",
    "PageUp",
    "PageDown",
    "+",
    "-",
)  # keys that repeat while held


async def tool_page(desk: Desk, tool: Tool, annotator: str, item: str | None) -> None:
    """Builds the page of one annotator and puts the item before them, or the first unfinished one."""
    look(tool.title)
    bar: dict[str, Any] = {}
    seat = Seat(desk, tool, annotator, lambda: follow(seat, bar))
    seat.client.on_delete(seat.close)
    keys = common_keys(seat, lambda: bar["help"].open())
    with ui.header().classes(BAR):
        ui.link("hoijax", "/").classes("text-white no-underline font-semibold").props("data-mark=home")
        ui.label(tool.title).classes("opacity-70")
        bar["item"] = ui.label().classes("font-medium truncate").props("data-mark=item")
        bar["place"] = ui.label().classes("text-sm opacity-70 whitespace-nowrap")
        ui.space()
        bar["done"] = ui.label().classes("text-sm whitespace-nowrap").props("data-mark=done")
        bar["bar"] = (
            ui.linear_progress(0, show_value=False).classes("w-32").props("color=positive track-color=blue-grey-7")
        )
        ui.label(annotator).classes("text-sm opacity-70")
        ui.button(icon="keyboard", on_click=lambda: bar["help"].open()).props("flat dense color=white").tooltip(
            "Keys (?)"
        )
    with ui.column().classes("w-full gap-2 p-3"):
        bar["notice"] = ui.label().classes("w-full rounded px-3 py-1 bg-amber-1 text-brown-9").props("data-mark=notice")
        bar["spinner"] = ui.spinner(size="3em").classes("self-center mt-12")
        with ui.card().classes("w-full bg-red-1") as bar["trouble_card"]:
            ui.label("This item cannot be shown.").classes("font-medium")
            bar["trouble"] = ui.label().classes("font-mono text-sm break-all").props("data-mark=trouble")
        with ui.column().classes("w-full gap-2") as bar["body"]:
            seat.bench = tool.build(seat)
    with ui.footer().classes("bg-white text-black border-t py-1 px-3 items-center gap-2"):
        footer(seat)
    keys = in_order(seat.bench.keys, keys)
    bar["help"] = help_dialog(tool, keys)
    pressed = {name: key for key in keys for name in names_of(key)}
    ui.keyboard(
        lambda event: press(pressed, event, bool(bar["help"].value)), ignore=["input", "select", "textarea", "button"]
    )
    follow(seat, bar)
    await seat.client.connected(timeout=30)
    first = (
        item if item is not None else next_item(desk, tool.name, None, annotator, 1, True, seat.names) or seat.names[0]
    )
    await seat.open(first)


def common_keys(seat: Seat, show_help: Any) -> list[Key]:
    """The keys that every tool has."""
    return [
        Key("Enter / n", "next unfinished item", lambda: seat.go(1, True)),
        Key("PageDown / ]", "next item", lambda: seat.go(1, False), repeats=True),
        Key("PageUp / [", "previous item", lambda: seat.go(-1, False), repeats=True),
        Key("ctrl+z / u", "undo the last act", seat.undo),
        Key("?", "this help", show_help),
    ]


def footer(seat: Seat) -> None:
    """Moving on and undo, as buttons."""
    flat = "flat dense no-caps"
    ui.button("Previous", icon="chevron_left", on_click=lambda: seat.go(-1, False)).props(flat).props(
        "data-mark=previous"
    )
    ui.button("Undo", icon="undo", on_click=seat.undo).props(flat).props("data-mark=undo")
    ui.space()
    ui.button("Next", icon="chevron_right", on_click=lambda: seat.go(1, False)).props(flat).props("data-mark=next")
    ui.button("Next unfinished", icon="skip_next", on_click=lambda: seat.go(1, True)).props(
        "dense no-caps unelevated color=primary"
    ).props("data-mark=next-unfinished")


def help_dialog(tool: Tool, keys: Sequence[Key]) -> ui.dialog:
    """What the tool is for, and its keys."""
    with ui.dialog() as dialog, ui.card().classes("min-w-96"):
        ui.label(tool.title).classes("text-lg font-medium")
        ui.label(tool.about).classes("text-sm")
        with ui.grid(columns="auto 1fr").classes("gap-x-6 gap-y-1"):
            for key in keys:
                with ui.row().classes("gap-1"):
                    for name in names_of(key):
                        ui.label(name).classes("font-mono text-sm bg-grey-3 rounded px-2")
                ui.label(key.does).classes("text-sm")
    return dialog


def names_of(key: Key) -> list[str]:
    """All names of a key."""
    return [name.strip() for name in key.name.split(" / ")]


def in_order(own: Sequence[Key], common: Sequence[Key]) -> list[Key]:
    """A tool's keys and then the page's, without the names that the tool took for itself."""
    taken = {name for key in own for name in names_of(key)}
    left = [(key, [name for name in names_of(key) if name not in taken]) for key in common]
    return [*own, *(key._replace(name=" / ".join(names)) for key, names in left if names)]


def press(pressed: dict[str, Key], event: KeyEventArguments, reading: bool) -> None:
    """Does what the key means; nothing while somebody is `reading` the help. One held repeats only where that is of use."""
    if reading or not event.action.keydown:
        return
    held = event.modifiers
    name = str(event.key.name)
    if len(name) > 1 or (held.ctrl or held.meta or held.alt):
        name = ("shift+" if held.shift else "") + name
    prefix = "ctrl+" if held.ctrl or held.meta else "alt+" if held.alt else ""
    key = pressed.get(prefix + name) or pressed.get(prefix + name.lower())
    if key is None or (event.action.repeat and not key.repeats and event.key.name not in HELD):
        return
    found = key.press()
    if hasattr(found, "__await__"):
        background_tasks.create(found, name=f"hoijax: key {name}")


def follow(seat: Seat, bar: dict[str, Any]) -> None:
    """Makes the page say how things stand."""
    if seat.client.is_deleted or "body" not in bar:
        return
    desk, tool = seat.desk, seat.tool.name
    names = seat.names
    done = sum(finished(desk, tool, name, seat.annotator) for name in names)
    bar["item"].text = seat.item or ""
    bar["place"].text = f"{names.index(seat.item) + 1} of {len(names)}" if seat.item in names else ""
    bar["done"].text = f"{done} of {len(names)} done"
    bar["bar"].value = done / len(names)
    ready = seat.ready
    bar["item"].props(f"data-state={'ready' if ready else 'trouble' if seat.trouble else 'loading'}")
    bar["spinner"].visible = not ready and not seat.trouble
    bar["trouble_card"].visible = bool(seat.trouble)
    bar["trouble"].text = seat.trouble
    bar["body"].style("visibility: visible" if ready else "visibility: hidden; height: 0; overflow: hidden")
    if ready:
        bar["body"].style(remove="height: 0; overflow: hidden")
    old = f"{seat.outdated} earlier entries of yours are of older files of this item and no longer count."
    bar["notice"].text = seat.unkept or seat.blocked or (old if seat.outdated else "")
    bar["notice"].visible = bool(bar["notice"].text)
    if seat.item is not None and seat.client.has_socket_connection:
        with seat.client:
            ui.navigate.history.replace(f"/{tool}?item={quoted(seat.item)}")


def quoted(item: str) -> str:
    """The item's name in an address."""
    return quote(item, safe="")
