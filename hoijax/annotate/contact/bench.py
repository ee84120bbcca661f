"""The contact tool's page: the photograph, the body to click, the list of parts, the decision."""

from collections.abc import Callable
from functools import partial
from typing import Any

from nicegui import ui

from hoijax.annotate.contact.hints import NEAR, REACHES
from hoijax.annotate.contact.made import HEAT_REACH, Made, legend
from hoijax.annotate.contact.part_list import PartList
from hoijax.annotate.contact.photo import svg
from hoijax.annotate.contact.state import ContactState, confirmation, contact_state, in_order, missing_twins, twin
from hoijax.annotate.contact.views import SIDES
from hoijax.annotate.mesh_view import LOOK_FIRST, Hit, MeshView, Shown
from hoijax.annotate.seat import Seat
from hoijax.annotate.tool import Bench, Key
from hoijax.body.parts import PART_NAMES

HEIGHT = "height: calc(100vh - 114px); min-height: 520px"
CHOSEN, SUGGESTED, PLAIN = (0.10, 0.38, 0.95), (0.60, 0.86, 0.58), (0.84, 0.83, 0.82)
CHOSEN_ON_HEAT = (*CHOSEN, 0.75)
HOVER = (0.05, 0.78, 0.72, 0.55)
OBJECT_RGB = (0.98, 0.60, 0.30)
OPACITY = 0.45
BUTTON = "dense no-caps unelevated"


class Contact:
    """The widgets of one page and what they do. What was decided lives in the seat's events only."""

    def __init__(self, seat: Seat) -> None:
        self.seat = seat
        self.heat, self.close, self.lines = False, True, True
        self.reach = NEAR
        self.url = ""
        with ui.row().classes("w-full no-wrap gap-2 items-stretch").style(HEIGHT):
            with ui.card().tight().classes("relative").style("flex: 1 1 0; min-width: 0; background: #1d2127"):
                self.photo = ui.html(sanitize=False).classes("absolute inset-0").props("data-mark=photo")
                deed = ui.label().classes("absolute top-2 left-2 rounded px-2 bg-blue-grey-10 text-white text-sm")
                self.deed = deed.props("data-mark=deed")
                with ui.row().classes("absolute bottom-2 left-2 gap-1"):
                    self._small("Whole / close", "z", self.zoom)
                    self._small("Outlines", "l", self.outline)
            with ui.card().tight().classes("relative").style("flex: 1.25 1 0; min-width: 0"):
                self.view = MeshView(self.pick, self.hover, self.trouble, on_drawn=self.seen).classes(
                    "absolute inset-0"
                )
                self.view.props("data-mark=body")
                self._over_view()
            with ui.card().tight().classes("p-2 gap-1 no-wrap").style("flex: 0 0 330px"):
                with ui.element("div").classes("w-full overflow-auto").style("flex: 0 1 auto; min-height: 0"):
                    self.list = PartList(self.toggle, self.point)
                self._decision()

    def _small(self, text: str, key: str, act: Callable[[], Any]) -> ui.button:
        with ui.button(on_click=act).props("dense no-caps unelevated color=white text-color=dark size=sm") as button:
            ui.label(text).classes("px-1")
            hint(key)
        return button.props(f"data-mark=key-{key}")

    def _over_view(self) -> None:
        with ui.row().classes("absolute top-2 left-2 right-2 gap-1 items-center"):
            for number, side in enumerate(SIDES, 1):
                self._small(side.capitalize(), str(number), partial(self.look, side))
        with ui.row().classes("absolute bottom-2 left-2 right-2 gap-2 items-center no-wrap"):
            self._small("Heat map", "h", self.heat_map)
            self._small("Object", "o", self.hide)
            slider = ui.slider(min=0.0, max=1.0, step=0.05, value=OPACITY, on_change=self.fade).classes("w-28")
            self.slider = slider.props("data-mark=opacity")
            self.legend = ui.row().classes("items-center no-wrap gap-1 text-xs").props("data-mark=legend")
            with self.legend:
                ui.label("touches")
                ui.element("div").classes("w-20 h-3 rounded").style(f"background: {legend()}")
                ui.label(f"{100 * HEAT_REACH:.0f} cm")
            self.legend.visible = False
            ui.space()
            name = ui.label().classes("rounded px-2 bg-blue-grey-10 text-white text-sm").props("data-mark=hovered")
            self.hovered = name

    def _decision(self) -> None:
        with ui.row().classes("w-full gap-1 no-wrap items-center text-sm"):
            self.within = ui.label().classes("grow").props("data-mark=within")
            self._small("Nearer", "-", self.nearer)
            self._small("Farther", "+", self.farther)
        with ui.row().classes("w-full gap-1 no-wrap"):
            self._button("Accept suggested", "a", self.accept, "color=green-7").classes("grow")
            self._button("Mirror", "m", self.mirror, "outline color=primary").classes("grow")
        with ui.row().classes("w-full gap-1 no-wrap"):
            self.none_button = self._button("No contact", "x", self.no_contact, "outline color=brown-7").classes("grow")
            self._button("Clear", "c", self.clear, "outline color=grey-8").classes("grow")
        self.said = ui.label().classes("text-sm").props("data-mark=said")
        self.about = ui.label().classes("w-full text-xs text-grey-7 line-clamp-2 shrink-0").props("data-mark=about")
        ui.space()
        self.go_on = self._button("Confirm, next", "Enter", self.confirm, "color=primary data-seen=no").classes(
            "w-full"
        )

    def _button(self, text: str, key: str, act: Callable[[], Any], look: str) -> ui.button:
        with ui.button(on_click=act).props(f"{BUTTON} {look} data-mark={act.__name__.replace('_', '-')}") as button:
            ui.label(text).classes("px-1 whitespace-nowrap")
            hint(key)
        return button

    @property
    def made(self) -> Made:
        made = self.seat.made
        assert isinstance(made, Made)
        return made

    @property
    def state(self) -> ContactState:
        return contact_state(self.seat.events, self.seat.sample.contact_parts or ())

    @property
    def suggested(self) -> set[str]:
        """What is near the object, as near as the annotator asks."""
        return set(self.made.hints.suggested(self.reach))

    def show(self) -> None:
        """Another item."""
        self.url = self.seat.picture(self.made.photo.image)
        self._draw_photo()
        self.deed.text = " · ".join(filter(None, (self.seat.sample.action, self.seat.sample.category)))
        self.deed.visible = bool(self.deed.text)
        body = Shown("body", self.seat.data(self.made.body), names=PART_NAMES, hover=HOVER, borders=True)
        opacity = float(self.slider.value)
        thing = Shown("object", self.seat.data(self.made.thing), rgb=OBJECT_RGB, opacity=opacity, solid=False)
        self.view.show([body, thing])
        self.go_on.props("data-seen=no")
        self.list.hints(self.made.nearest)
        self.list.light(None)
        self.hovered.text = ""
        self.look("front")

    def update(self) -> None:
        """After every act."""
        state, suggested = self.state, self.suggested
        self.list.follow(state.parts, suggested if not state.none else set())
        self.none_button.props(remove="outline") if state.none else self.none_button.props("outline")
        self.within.text = f"Suggested: within {100 * self.reach:.0f} cm"
        self.said.text = words(state, len(suggested - state.parts))
        self.said.classes(**{"add" if state.done else "remove": "text-positive font-medium"})
        labelled = (
            "The sample came with labels; they are the start. " if self.seat.sample.contact_parts is not None else ""
        )
        self.about.text = f"{labelled}Distances are to {self.made.hints.source}. {' '.join(self.made.notes)}"
        self._paint(state, suggested)

    def _paint(self, state: ContactState, suggested: set[str]) -> None:
        colors: dict[int, tuple[float, ...]] = {}
        for label, part in enumerate(PART_NAMES):
            if part in state.parts:
                colors[label] = CHOSEN_ON_HEAT if self.heat else CHOSEN
            elif not self.heat:
                colors[label] = SUGGESTED if part in suggested and not state.none else PLAIN
        self.view.paint("body", colors)

    def _draw_photo(self) -> None:
        self.photo.content = svg(self.made.photo, self.url, self.close, self.lines)

    def seen(self) -> None:
        """The item stands before the annotator."""
        self.go_on.props("data-seen=yes")

    def trouble(self, message: str) -> None:
        self.seat.say(message, bad=True)

    def pick(self, found: Hit) -> None:
        """A click on the body: the face's part, by the server's own map."""
        if not self.seat.ready or found.name != "body":
            return
        if not 0 <= found.face < len(self.made.labels):
            self.seat.say(f"There is no face {found.face} on this body.", bad=True)
            return
        self.toggle(PART_NAMES[int(self.made.labels[found.face])], found.shift)

    def hover(self, found: Hit | None) -> None:
        """The mouse is over a part of the body."""
        known = self.seat.ready and found is not None and 0 <= found.face < len(self.made.labels)
        part = PART_NAMES[int(self.made.labels[found.face])] if known and found is not None else None
        self.list.light(part)
        self.hovered.text = part or ""

    def point(self, part: str | None) -> None:
        """The mouse is over a part of the list."""
        self.view.glow("body", None if part is None else PART_NAMES.index(part))
        self.list.light(part)
        self.hovered.text = part or ""

    def toggle(self, part: str, both: bool) -> None:
        """Chooses the part, or no longer; with its twin if asked."""
        if not self.seat.ready:
            return
        names = in_order({part, twin(part)} if both else {part})
        self.seat.act("part", {"parts": names, "on": part not in self.state.parts})

    def mirror(self) -> None:
        """The other side of everything chosen."""
        if not self.seat.ready:
            return
        added = missing_twins(self.state.parts)
        if added:
            self.seat.act("mirror", {"parts": added})
        else:
            self.seat.say("Both sides are the same already.")

    def accept(self) -> None:
        """All that is suggested."""
        if not self.seat.ready:
            return
        added = in_order(self.suggested - self.state.parts)
        if added:
            self.seat.act("accept", {"parts": added})
        else:
            self.seat.say("Nothing more is suggested.")

    def nearer(self) -> None:
        """Suggests less."""
        self._suggest(-1)

    def farther(self) -> None:
        """Suggests more."""
        self._suggest(1)

    def _suggest(self, step: int) -> None:
        self.reach = REACHES[min(max(REACHES.index(self.reach) + step, 0), len(REACHES) - 1)]
        if self.seat.ready:
            self.update()

    def no_contact(self) -> None:
        """Says that no part touches; once more: takes it back."""
        if self.seat.ready:
            self.seat.act("none", {"on": not self.state.none})

    def clear(self) -> None:
        """No part, and nothing said."""
        if self.seat.ready and (self.state.parts or self.state.none):
            self.seat.act("clear")

    async def confirm(self) -> None:
        """Confirms what is chosen and goes on; an item that is confirmed or another's is only left."""
        if not self.seat.ready:
            return
        state = self.state
        if not state.done and not self.seat.blocked:
            if not self.view.drawn:  # a second Enter, meant for the item before
                self.seat.say(LOOK_FIRST, bad=True)
                return
            if not state.parts and not state.none:
                self.seat.say("Choose the parts that touch, or say that none does (x).", bad=True)
                return
            if self.seat.act("done", confirmation(state)) is None:
                return
        await self.seat.go(1, True)

    def look(self, side: str) -> None:
        """The camera to one of `SIDES`."""
        if self.seat.ready:
            view = self.made.views[side]
            self.view.orbit(view.eye.tolist(), view.target.tolist(), fov=view.fov)

    def heat_map(self) -> None:
        """The nearness to the object on the body, or the parts alone."""
        self.heat = not self.heat
        self.legend.visible = self.heat
        if self.seat.ready:
            self._paint(self.state, self.suggested)

    def hide(self) -> None:
        """The object away, or back."""
        self.slider.value = 0.0 if self.slider.value > 0 else OPACITY

    def fade(self) -> None:
        self.view.opacity("object", float(self.slider.value))

    def zoom(self) -> None:
        """The photograph whole, or close up."""
        self.close = not self.close
        if self.seat.ready:
            self._draw_photo()

    def outline(self) -> None:
        """The outlines on the photograph, or not."""
        self.lines = not self.lines
        if self.seat.ready:
            self._draw_photo()


def words(state: ContactState, waiting: int) -> str:
    """How the item stands, in a sentence."""
    chosen = "no contact" if state.none else f"{len(state.parts)} of {len(PART_NAMES)} parts"
    more = f", {waiting} more suggested" if waiting and not state.none else ""
    return f"Confirmed: {chosen}" if state.done else f"{chosen.capitalize()}{more}, not confirmed"


def hint(key: str) -> None:
    """A key, small on its button."""
    ui.label(key).classes("font-mono text-xs opacity-60 border rounded px-1 leading-tight")


def build(seat: Seat) -> Bench:
    """The contact tool on a page."""
    page = Contact(seat)
    keys = [
        Key("Enter", "confirm and go on to the next unfinished item", page.confirm),
        Key("a", "accept what is suggested (green)", page.accept),
        Key("-", "suggest less: only what is nearer to the object", page.nearer),
        Key("+ / =", "suggest more", page.farther),
        Key("m", "mirror: the other side of what is chosen", page.mirror),
        Key("x", "no contact", page.no_contact),
        Key("c", "clear", page.clear),
        *(Key(str(number), f"camera: {side}", partial(page.look, side)) for number, side in enumerate(SIDES, 1)),
        Key("h", "heat map of the distance to the object", page.heat_map),
        Key("o", "object away or back", page.hide),
        Key("z", "photograph whole or close up", page.zoom),
        Key("l", "outlines on the photograph", page.outline),
    ]
    return Bench(page.show, page.update, keys)
