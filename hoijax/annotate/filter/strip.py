"""A strip of template buttons with a search box."""

from collections.abc import Callable
from typing import Any

from nicegui import background_tasks, run, ui

from hoijax.annotate.filter.gallery import ranked, template_picture
from hoijax.annotate.filter.state import Assigned
from hoijax.annotate.seat import Seat
from hoijax.data.sample import SampleError
from hoijax.data.templates import Library, Template

BUTTON_PX = 76  # width of a button; its picture is a little less high
MOST = 30  # buttons at once; a search finds the others
LEAVES = '(e) => { if (e.key === "Escape") e.target.blur(); }'  # the keys are the page's again
NONE = "No library of templates: start the server with --library=DIR (experiments/templates.py makes one)."


class Strip:
    """Templates of the library, the nearest in name to the item's category first. A click assigns one."""

    def __init__(self, seat: Seat, assign: Callable[[Assigned], Any]) -> None:
        self._seat, self._assign = seat, assign
        self._library = seat.desk.library
        self._assigned: Assigned | None = None
        self._buttons: dict[Assigned, ui.element] = {}
        self._asked = 0
        with ui.column().classes("w-full gap-1 p-2 bg-white rounded shadow-1"):
            with ui.row().classes("w-full items-center no-wrap gap-2"):
                ui.label("Template").classes("font-medium")
                self._said = ui.label().classes("text-sm text-grey-8 truncate grow").props("data-mark=template")
                self._search = ui.input(placeholder="search").props("dense debounce=200 clearable data-mark=search")
                self._search.classes("w-32").on_value_change(self.fill).on("keydown", js_handler=LEAVES)
                self._search.visible = self._library is not None
            self._row = ui.row().classes("w-full no-wrap gap-1 overflow-x-auto").props("data-mark=templates")
            self._row.style(f"scrollbar-width: thin; min-height: {BUTTON_PX if self._library is not None else 0}px")
            if self._library is None:
                with self._row:
                    ui.label(NONE).classes("text-xs text-grey-7")

    def show(self) -> None:
        """Another item: what was searched for on the one before is not searched for here."""
        if self._search.value:
            self._search.value = ""  # which fills
        else:
            self.fill()

    def fill(self) -> None:
        """Buttons for the item of the seat and what is searched for."""
        if self._library is not None and self._seat.ready:
            background_tasks.create(self._filled(self._library), name="hoijax: templates")

    def tell(self, assigned: Assigned | None) -> None:
        """Shows which one is assigned."""
        self._assigned = assigned
        self._said.text = (
            "" if assigned is None else f"{assigned.category}: {assigned.name} (click again to take it off)"
        )
        for which, button in self._buttons.items():
            button.style(f"outline: {'3px solid #1f6feb' if which == assigned else 'none'}; outline-offset: -3px")

    async def _filled(self, library: Library) -> None:
        self._asked += 1
        asked, search = self._asked, str(self._search.value or "")
        found = ranked(library, self._seat.sample.category, search)
        pictures = await run.io_bound(lambda: [_picture(library, template) for template in found[:MOST]])
        if asked != self._asked or not self._seat.ready or self._seat.client.is_deleted or pictures is None:
            return  # another item, or another search
        self._row.clear()
        self._buttons.clear()
        with self._row:
            for template, content in zip(found, pictures):
                self._button(template, content)
            more = len(found) - len(pictures)
            if more > 0 or not found:
                ui.label(f"{more} more: search" if found else "none found").classes("text-xs text-grey-7 self-center")
        self.tell(self._assigned)

    def _button(self, template: Template, content: bytes) -> None:
        which = Assigned(template.category, template.name)
        with ui.element("button").classes("rounded bg-grey-1 flex-none cursor-pointer p-0") as button:
            address = self._seat.data(content, "image/jpeg") if content else ""
            ui.element("img").props(f'src="{address}" width={BUTTON_PX} height={BUTTON_PX - 16}').style(
                "object-fit: cover"
            )
            ui.label(template.category).classes("text-xs leading-tight truncate").style(f"width: {BUTTON_PX}px")
            ui.tooltip(f"{template.category}: {template.name}, {template.faces} faces")
        button.props(f'data-mark=template-{template.name} type="button"').on("click", lambda: self._assign(which))
        self._buttons[which] = button


def _picture(library: Library, template: Template) -> bytes:
    """Empty where the mesh cannot be read any more: its button keeps its name."""
    try:
        return template_picture(library, template)
    except SampleError:
        return b""
