"""All 34 parts by name, left beside right: for what is too small or hidden on the body."""

from collections.abc import Callable, Mapping, Set
from typing import Any, NamedTuple

from nicegui import events, ui

from hoijax.annotate.contact.state import twin

# From head to foot; a pair of sides stands in one row.
ROWS = (
    *(("head", "neck"), ("nose", "jaw"), ("mouth", "torso"), ("back", "bottom")),
    *(
        (f"left {name}", f"right {name}")
        for name in (
            *("eye", "ear", "shoulder", "upper arm", "elbow", "lower arm", "palm", "fingers"),
            *("hip", "upper leg", "knee", "lower leg", "foot"),
        )
    ),
)
SIDED = 4  # rows before it hold no sides
PLAIN, SUGGESTED, CHOSEN = "bg-grey-2", "bg-green-3", "bg-primary text-white"


class Row(NamedTuple):
    """The widgets of one part."""

    cell: ui.element
    mark: ui.icon
    near: ui.label


class PartList:
    """A cell for each part. `on_toggle` gets the part and whether shift was held (both sides); `on_hover` the part under
    the mouse, None where there is none."""

    def __init__(self, on_toggle: Callable[[str, bool], Any], on_hover: Callable[[str | None], Any]) -> None:
        self._on_toggle, self._on_hover = on_toggle, on_hover
        self._rows: dict[str, Row] = {}
        self._lit: str | None = None
        with ui.grid(columns=2).classes("w-full gap-x-1 gap-y-px p-0.5 select-none"):
            for number, pair in enumerate(ROWS):
                if number == SIDED:
                    for side in ("left", "right"):
                        ui.label(f"the person's {side}").classes("text-xs text-grey-7 px-2")
                for part in pair:
                    self._rows[part] = self._row(part)

    def _row(self, part: str) -> Row:
        def clicked(event: events.GenericEventArguments) -> None:
            held = event.args.get("shiftKey") if isinstance(event.args, dict) else False
            self._on_toggle(part, held is True)

        with ui.row().classes("items-center no-wrap gap-1 px-2 rounded cursor-pointer text-sm") as cell:
            mark = ui.icon("check", size="xs")
            ui.label(part if twin(part) == part else part.partition(" ")[2]).classes("grow truncate")
            near = ui.label().classes("text-xs opacity-60 whitespace-nowrap")
        cell.style("height: clamp(20px, 2.8vh, 30px)").props(f"data-mark=part-{part.replace(' ', '-')}")
        cell.on("click", clicked, ["shiftKey"])
        cell.on("mouseenter", lambda: self._on_hover(part))
        cell.on("mouseleave", lambda: self._on_hover(None))
        return Row(cell, mark, near)

    def hints(self, nearest: Mapping[str, float]) -> None:
        """How near each part is (metres) in centimetres; a part that the mapping lacks is not on this mesh."""
        for part, row in self._rows.items():
            row.near.text = distance_words(nearest[part]) if part in nearest else "not on the mesh"

    def follow(self, chosen: Set[str], suggested: Set[str]) -> None:
        """Marks what is chosen, and what is only suggested."""
        for part, row in self._rows.items():
            state = "chosen" if part in chosen else "suggested" if part in suggested else "plain"
            look = {"chosen": CHOSEN, "suggested": SUGGESTED, "plain": PLAIN}[state]
            row.cell.classes(
                look, remove=" ".join({*PLAIN.split(), *SUGGESTED.split(), *CHOSEN.split()} - {*look.split()})
            )
            row.cell.props(f"data-state={state}")
            row.mark.name = {"chosen": "check", "suggested": "tips_and_updates", "plain": "add"}[state]
            row.mark.classes(**{"add" if state == "plain" else "remove": "opacity-20"})

    def light(self, part: str | None) -> None:
        """Rings the part that the mouse is over, here or on the body."""
        for name, ring in ((self._lit, False), (part, True)):
            if name in self._rows:
                look = "ring-2 ring-teal-500"
                self._rows[name].cell.classes(look if ring else None, remove=None if ring else look)
                self._rows[name].cell.props(f"data-lit={'yes' if ring else 'no'}")
        self._lit = part


def distance_words(distance: float) -> str:
    """Metres in centimetres: "touches", "1.4 cm", "23 cm"."""
    cm = 100 * distance
    return "touches" if cm < 0.05 else f"{cm:.1f} cm" if cm < 10 else f"{cm:.0f} cm"
