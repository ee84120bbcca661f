"""The first page: who you are, which tool, how far everybody is; and the list of items of each tool."""

from typing import Any

from nicegui import ui

from hoijax.annotate.desk import Desk, finished, order, way_of
from hoijax.annotate.likely import ORDERS
from hoijax.annotate.look import BAR, look
from hoijax.annotate.page import quoted

NAME_COOKIE = "hoijax_annotator"
NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}"


def name_page(wanted: str, after: str) -> None:
    """Asks for the annotator's name; it is kept in a cookie. `wanted` is what was given and is no name."""
    look("Who are you?")
    with ui.card().classes("absolute-center p-8 gap-4 w-96"):
        ui.label("Who annotates?").classes("text-xl font-medium")
        ui.label("Your name goes with every decision; two people need two names.").classes("text-sm text-grey-8")
        said = "Letters, digits, . _ - (at most 40)"
        box = ui.input("Name", value=wanted).classes("w-full").props(f'autofocus hint="{said}"').props("data-mark=name")

        def go() -> None:
            ui.navigate.to(f"/name?is={quoted(box.value or '')}&after={quoted(after)}")

        box.on("keydown.enter", go)
        ui.button("Start", on_click=go).props("unelevated no-caps").classes("w-full").props("data-mark=start")


def home_page(desk: Desk, annotator: str) -> None:
    """How far each tool is, and a way in."""
    look("Annotate")
    with ui.header().classes(BAR):
        ui.label("hoijax").classes("font-semibold")
        ui.label(str(desk.items.tree)).classes("text-sm opacity-70 truncate")
        ui.space()
        ui.label(annotator).classes("text-sm").props("data-mark=annotator")
        ui.button("Change", on_click=lambda: ui.navigate.to("/name")).props("flat dense no-caps color=white")
    with ui.column().classes("w-full max-w-screen-xl mx-auto p-6 gap-6"):
        with ui.row().classes("w-full gap-4 items-stretch no-wrap"):
            for name in desk.tools:
                tool_card(desk, name, annotator)
        with ui.card().classes("w-full"):
            work_table(desk, annotator)


def tool_card(desk: Desk, name: str, annotator: str) -> None:
    """One tool: what it is for, how far it is, start."""
    tool = desk.tools[name]
    total = len(desk.items.folders)
    done = sum(finished(desk, name, item, annotator) for item in desk.items.folders)
    with ui.card().classes("flex-1 gap-2"):
        with ui.row().classes("items-center gap-2"):
            ui.icon(tool.icon, size="sm", color="primary")
            ui.label(tool.title).classes("text-lg font-medium")
        ui.label(tool.about).classes("text-sm text-grey-8 grow")
        ui.linear_progress(done / total, show_value=False).props("color=positive")
        ui.label(f"{done} of {total} done").classes("text-sm").props(f"data-mark=done-{name}")
        ui.button("Start" if not done else "Go on", on_click=lambda: ui.navigate.to(f"/{name}")).props(
            "unelevated no-caps"
        ).props(f"data-mark=start-{name}")


def work_table(desk: Desk, annotator: str) -> None:
    """Every item and how it stands in each tool; a click on a cell opens it there."""
    numbers = sorted({fact for facts in desk.facts.values() for fact in facts})
    columns = [{"name": "item", "label": "Item", "field": "item", "align": "left", "sortable": True}]
    columns += [{"name": n, "label": n.upper(), "field": n, "sortable": True} for n in numbers]
    columns += [
        {"name": n, "label": t.title, "field": n, "align": "left", "sortable": True} for n, t in desk.tools.items()
    ]
    if desk.judge:
        columns.insert(1, {"name": "likely", "label": "Likely fine", "field": "likely", "sortable": True})
    rows = [row(desk, item, numbers) for item in order(desk, way_of(desk, annotator))]
    table = ui.table(columns=columns, rows=rows, row_key="item", pagination=25).classes("w-full").props("dense flat")
    table.props("data-mark=items")
    with table.add_slot("top-left"):
        if desk.judge:
            choose_order(desk, annotator, table, numbers)
        else:
            ui.label("Items, worst IoU first").classes("font-medium")
    with table.add_slot("top-right"):
        ui.input(placeholder="Search").props("dense").bind_value(table, "filter")
    for name in desk.tools:
        table.add_slot(
            f"body-cell-{name}",
            f"""<q-td :props="props"><a class="text-primary" :href="'/{name}?item=' + encodeURIComponent(props.row.item)">
            {{{{ props.value || 'open' }}}}</a></q-td>""",
        )


def choose_order(desk: Desk, annotator: str, table: ui.table, numbers: list[str]) -> None:
    """The orders that a judge makes possible: for this list, and for the filter from the next time that it is opened."""

    def choose(way: str) -> None:
        desk.orders[annotator] = way
        table.rows = [row(desk, item, numbers) for item in order(desk, way)]

    with ui.column().classes("gap-1"):
        toggle = ui.toggle(ORDERS, value=way_of(desk, annotator), on_change=lambda event: choose(event.value))
        toggle.props("dense no-caps unelevated data-mark=order")
        told = "; ".join([f"Likely fine: {desk.judge}. A guess, not a decision", *desk.notes])
        ui.label(f"{told}.").classes("text-xs text-grey-7").props("data-mark=judge")


def row(desk: Desk, item: str, numbers: list[str]) -> dict[str, Any]:
    """What the table says of an item."""
    facts = {name: round(value, 3) for name, value in desk.facts.get(item, {}).items() if name in numbers}
    said: dict[str, Any] = {"item": item, **facts}
    if (chance := desk.likely.get(item)) is not None:  # another thread takes out those of older files
        said["likely"] = round(chance.item, 2)
    for name in desk.tools:
        states = desk.states[name].get(item, {})
        holder = desk.seats.holder(name, item)
        words = [f"{who}: {state}" for who, state in sorted(states.items()) if state]
        said[name] = ", ".join([*words, *([f"({holder} has it open)"] if holder else [])])
    return said
