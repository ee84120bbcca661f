"""What stands above the canvas: what the mouse does, the brush, how human and masks are shown. All of it stays with the
page from item to item, and none of it is a decision."""

from collections.abc import Callable

from nicegui import ui

from hoijax.annotate.filter.brush import Brush
from hoijax.annotate.tool import Key

MODES = {"move": "Move", "object": "Object mask", "human": "Person mask"}
MODE_KEYS = {"move": "v", "object": "b", "human": "g"}
LAYERS = {"tint": "Tint", "outline": "Line", "none": "Off"}
LARGER = 1.25  # a press of + makes the brush so many times as large
PER_CENT = 10  # a press of an arrow changes the opacity by so much


def hint(key: str) -> None:
    """The key of a button, small, inside of it."""
    ui.label(key).classes("text-xs font-mono opacity-60 ml-1")


class Toolbar:
    """The widgets, and what they are set to."""

    def __init__(self) -> None:
        with ui.row().classes("w-full items-center gap-x-3 gap-y-1 bg-white rounded px-2 py-1 shadow-1"):
            modes = {kind: f"{said} ({MODE_KEYS[kind]})" for kind, said in MODES.items()}
            self.mode = ui.toggle(modes, value="move").props("dense no-caps unelevated size=sm data-mark=mode")
            with ui.row().classes("items-center gap-1 no-wrap"):
                self.eraser = ui.checkbox("Eraser").props("dense size=sm data-mark=eraser").classes("text-sm")
                hint("e")
                self.smaller = ui.button(icon="remove").props("flat dense round size=sm").tooltip("Smaller brush (-)")
                self.larger = ui.button(icon="add").props("flat dense round size=sm").tooltip("Larger brush (+)")
            with ui.row().classes("items-center gap-2 no-wrap"):
                ui.icon("accessibility_new", size="xs").tooltip("The human over the photograph (x, arrows up and down)")
                self.opacity = ui.slider(min=0, max=100, value=50).classes("w-20").props("dense data-mark=opacity")
            with ui.row().classes("items-center gap-2 no-wrap"):
                ui.label("Masks").classes("text-sm")
                self.layer = ui.toggle(LAYERS, value="tint").props("dense no-caps unelevated size=sm data-mark=layers")
                hint("m")
            self.fit = ui.button("Fit").props("flat dense no-caps size=sm data-mark=fit")
            with self.fit:
                hint("f")
            self.fit.tooltip("Fit the image; again: with the margin around it")
        self._shown = 50.0

    def steer(self, brush: Brush) -> None:
        """Lets the widgets act on this canvas; the slider does so in the browser, at once."""
        self.brush = brush
        self.mode.on_value_change(lambda event: brush.mode(event.value))
        self.layer.on_value_change(lambda event: brush.layers(event.value))
        self.eraser.on_value_change(lambda event: brush.eraser(bool(event.value)))
        self.smaller.on_click(lambda: brush.resize(1 / LARGER))
        self.larger.on_click(lambda: brush.resize(LARGER))
        self.fit.on_click(brush.fit)
        at_once = f"(value) => {{ getElement({brush.id}).opacity(value / 100); document.activeElement?.blur(); }}"
        self.opacity.on("update:model-value", js_handler=at_once)

    def keys(self) -> list[Key]:
        """All of it by keys."""
        return [
            *(Key(key, f"mouse: {MODES[kind].lower()}", self._to(kind)) for kind, key in MODE_KEYS.items()),
            Key("e", "brush or eraser", lambda: self.eraser.set_value(not self.eraser.value)),
            Key("+", "larger brush", lambda: self.brush.resize(LARGER)),
            Key("-", "smaller brush", lambda: self.brush.resize(1 / LARGER)),
            Key("f", "fit the image; again: with the margin around it", lambda: self.brush.fit()),
            Key("m", "masks: tinted, outlined, not at all", self._next_layer),
            Key("x", "hide the human, show the human", self._hide),
            Key("q", "hold: the bare photograph", lambda: None),  # the canvas hears it, and when it is let go
            Key("ArrowUp", "human more opaque", lambda: self._opacity(self.opacity.value + PER_CENT)),
            Key("ArrowDown", "human less opaque", lambda: self._opacity(self.opacity.value - PER_CENT)),
        ]

    def _to(self, kind: str) -> Callable[[], object]:
        return lambda: self.mode.set_value(kind)

    def _next_layer(self) -> None:
        names = list(LAYERS)
        self.layer.set_value(names[(names.index(str(self.layer.value)) + 1) % len(names)])

    def _hide(self) -> None:
        if self.opacity.value > 0:
            self._shown = self.opacity.value
            self._opacity(0)
        else:
            self._opacity(self._shown)

    def _opacity(self, value: float) -> None:
        value = min(max(value, 0), 100)
        self.opacity.set_value(value)
        self.brush.opacity(value / 100)
