"""The canvas of the filter: the photograph with the human and both masks over it, and brushes that correct the masks."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from nicegui import events, ui

from hoijax.annotate.filter.masks import Stroke, checked_stroke


class Kept(NamedTuple):
    """A stroke that stands in the store, under the number of its event."""

    id: int
    stroke: Stroke


class Brush(ui.element, component="brush.js"):
    """A canvas that paints strokes at once and hands each over when the button is released.

    `on_stroke` keeps a stroke and says whether it could; `on_trouble` is told what went wrong, in words.
    """

    def __init__(self, on_stroke: Callable[[Stroke], bool], on_trouble: Callable[[str], Any]) -> None:
        super().__init__()
        self._on_stroke, self._on_trouble = on_stroke, on_trouble
        self._turn, self._item = 0, ""
        self._there: set[int] = set()
        self._standing: Sequence[Kept] = ()
        self._token = ""
        self.on("stroke", self._stroke)
        self.on("lost", self._lost)
        self.on("trouble", lambda event: on_trouble(str(event.args)[:300]))

    def open(
        self, name: str, photo: str, human: str, human_mask: str, object_mask: str, size: tuple[int, int], margin: int
    ) -> None:
        """Another item: addresses of the photograph, of the human over it (with alpha) and of both masks' bits."""
        self._turn, self._item = self._turn + 1, name
        self._there, self._standing = set(), ()
        masks = {"human": human_mask, "object": object_mask}
        shown = {"photo": photo, "human": human, "masks": masks, "size": size, "margin": margin}
        self.run_method("open", {"turn": self._turn, "name": name, **shown})

    def follow(self, strokes: Sequence[Kept]) -> None:
        """These strokes stand, and no others. Only what the browser lacks travels."""
        if list(strokes) == list(self._standing):
            return
        new = [one.id for one in strokes if one.id not in self._there]
        mine = new[-1] if new and self._token else None
        self.run_method("strokes", [self._told(one, mine) for one in strokes])
        self._there |= {one.id for one in strokes}
        self._standing = list(strokes)

    def mode(self, kind: str) -> None:
        """What the left button does: "move", or paint on the mask "object" or "human"."""
        self.run_method("mode", kind)

    def eraser(self, on: bool) -> None:
        """Whether strokes take away."""
        self.run_method("eraser", on)

    def resize(self, factor: float) -> None:
        """The brush, so many times as large."""
        self.run_method("resize", factor)

    def opacity(self, value: float) -> None:
        """The human's; 0 hides it."""
        self.run_method("opacity", value)

    def layers(self, kind: str) -> None:
        """How masks are shown: "tint", "outline" or "none"."""
        self.run_method("layers", kind)

    def fit(self) -> None:
        """The whole image; asked again, with the margin around it."""
        self.run_method("fit_other")

    def _told(self, one: Kept, mine: int | None) -> dict[str, Any]:
        if one.id in self._there:
            return {"id": one.id}
        if one.id == mine:
            return {"id": one.id, "token": self._token}
        return {"id": one.id, **one.stroke._asdict()}

    def _stroke(self, event: events.GenericEventArguments) -> None:
        said = event.args if isinstance(event.args, dict) else {}
        token = str(said.get("token", ""))[:40]
        painted = str(said.get("item", ""))[:200]
        here = said.get("turn") == self._turn and painted == self._item
        trouble = (
            "" if here else f"{painted}: a stroke came after the item had changed. It was not kept: paint it again."
        )
        try:
            stroke = checked_stroke(event.args)
        except ValueError as error:
            trouble = f"Refused: {error}."
        if trouble:
            self._on_trouble(trouble)
            self.run_method("drop", token)
            return
        self._token = token
        kept = self._on_stroke(stroke)
        self._token = ""
        if not kept:
            self.run_method("drop", token)

    def _lost(self, _: events.GenericEventArguments) -> None:
        standing, self._standing, self._there = self._standing, (), set()
        self.follow(standing)
