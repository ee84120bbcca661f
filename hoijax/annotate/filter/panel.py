"""The right side of the filter: what is decided, the buttons that decide, the object from six sides or turned in 3D."""

from collections.abc import Callable
from typing import Any

from nicegui import ui

from hoijax.annotate.filter.judge import Judge
from hoijax.annotate.filter.state import HUMAN, LONGEST_NOTE, OBJECT, REASONS, FilterState, Judgement
from hoijax.annotate.filter.toolbar import hint
from hoijax.annotate.mesh_view import MeshView

CARD = "w-full gap-1 p-2 bg-white rounded shadow-1"
TITLES = {HUMAN: "Human", OBJECT: "Object"}
# Enter sends what was written; it and Escape give the keys back to the page, which must not take this Enter for its own.
SENDS = """(e) => {
    if (e.key !== "Enter" && e.key !== "Escape") return;
    e.stopPropagation();
    e.target.blur();
    if (e.key === "Enter") emit();
}"""


class Panel:
    """The widgets; `tell` shows a state, `show` another item. `on_turn` is what a click on the six views does."""

    def __init__(self, judge: Judge, on_turn: Callable[[], Any], on_trouble: Callable[[str], Any]) -> None:
        self._buttons: dict[tuple[str, str], ui.button] = {}
        self._chosen = False  # whether the mesh is preferred to the six views; it stays from item to item
        with ui.row().classes("w-full items-center no-wrap gap-2 px-3 py-2 bg-white rounded shadow-1"):
            self._verdict = ui.label().classes("grow text-sm").props("data-mark=verdict")
            with ui.button("Pass both", icon="done_all", on_click=lambda: judge.passes(HUMAN, OBJECT)) as both:
                hint("p")
            both.props("dense no-caps unelevated color=positive data-mark=pass-both").classes("px-2")
        first = 1
        for who in (HUMAN, OBJECT):
            with ui.column().classes(CARD + (" grow min-h-0" if who == OBJECT else "")):
                self._judging(judge, who, first)
                first += len(REASONS[who])
                if who == OBJECT:
                    self._sides(on_turn, on_trouble)
                    self._again(judge)

    def show(self, six: str, old: str | None) -> None:
        """Another item: the address of its six views, and of those from before it was made again."""
        self._six.props(f'src="{six}"')
        if old is not None:
            self._old.props(f'src="{old}"')
        self._before.visible = old is not None
        self._after.visible = old is not None
        self._note.value = ""
        self._side(self._chosen and old is None)  # what was made again is to be compared

    def tell(self, state: FilterState, word: str) -> None:
        """The state on the buttons and in words; `word` is what was made of a finished item."""
        for who, judged in ((HUMAN, state.human), (OBJECT, state.object)):
            for reason in ("", *REASONS[who]):
                self._mark(who, reason, judged)
        self._queue.props(f"color={'primary' if state.redo is not None else 'white'}").props(
            f"text-color={'white' if state.redo is not None else 'dark'}"
        )
        self._verdict.text = said(state, word)
        self._verdict.classes(
            replace="grow text-sm "
            + ("text-negative font-medium" if state.deleted else "text-positive font-medium" if word else "text-grey-8")
        )

    def note(self) -> str:
        """What the annotator wrote for those who make the object again."""
        return str(self._note.value or "").strip()

    def turning(self) -> bool:
        """Whether the mesh is shown, to be turned."""
        return bool(self._turned.visible)

    def turn(self) -> None:
        """From the six views to the mesh, and back."""
        self._chosen = not self.turning()
        self._side(self._chosen)

    def _side(self, turned: bool) -> None:
        self._turned.visible = turned
        self._flat.visible = not self._turned.visible
        self._turn.text = "Six views" if self._turned.visible else "Turn in 3D"

    def _judging(self, judge: Judge, who: str, first: int) -> None:
        """Title, Pass, and Delete with a reason."""
        with ui.row().classes("w-full items-center gap-1"):
            ui.label(TITLES[who]).classes("font-medium w-12")
            with ui.button("Pass", on_click=lambda: judge.passes(who)) as button:
                hint(who[0])
            self._buttons[who, ""] = button
            button.props(f"data-mark=pass-{who}")
            ui.label("Delete:").classes("text-sm text-grey-8 ml-1")
            for number, reason in enumerate(REASONS[who], first):
                with ui.button(reason, on_click=lambda _, reason=reason: judge.delete(who, reason)) as button:
                    hint(str(number))
                self._buttons[who, reason] = button
                button.props(f"data-mark=delete-{number}")
        for (owner, _), button in self._buttons.items():
            if owner == who:
                button.props("dense no-caps unelevated").classes("px-1 text-sm")

    def _sides(self, on_turn: Callable[[], Any], on_trouble: Callable[[str], Any]) -> None:
        """The six views, beside those from before where there are any, or the mesh."""
        with ui.element("div").classes("w-full grow min-h-0 relative"):
            with ui.row().classes("absolute inset-0 no-wrap gap-2 cursor-pointer") as self._flat:
                with ui.column().classes("grow basis-0 h-full gap-0 min-w-0") as self._before:
                    ui.label("Before").classes("text-xs text-grey-8")
                    self._old = picture("before")
                with ui.column().classes("grow basis-0 h-full gap-0 min-w-0"):
                    self._after = ui.label("After: decide again").classes("text-xs font-medium text-primary")
                    self._six = picture("six")
            self._flat.on("click", on_turn)
            with ui.element("div").classes("absolute inset-0 rounded bg-grey-1") as self._turned:
                self.view = MeshView(on_trouble=on_trouble).classes("w-full h-full").props("data-mark=turned")
            self._turned.visible = False
            with ui.button("Turn in 3D", on_click=on_turn) as self._turn:
                hint("d")
            self._turn.props("dense no-caps unelevated size=sm color=grey-2 text-color=dark data-mark=turn")
            self._turn.classes("absolute right-0 bottom-0 px-1")

    def _again(self, judge: Judge) -> None:
        """The queue of what is to be made again."""
        with ui.row().classes("w-full items-center no-wrap gap-2"):
            with ui.button("Queue: inpaint and reconstruct again", icon="replay") as self._queue:
                hint("r")
            self._queue.on_click(lambda: judge.redo(self.note()))
            self._queue.props("dense no-caps unelevated data-mark=redo").classes("px-2 text-sm whitespace-nowrap")
            self._note = ui.input(placeholder="note, if any").props(f"dense maxlength={LONGEST_NOTE} data-mark=note")
            self._note.classes("grow").on("keydown", lambda: judge.redo(self.note()), js_handler=SENDS)

    def _mark(self, who: str, reason: str, judged: Judgement | None) -> None:
        """Filled where it is the judgement that stands."""
        chosen = judged is not None and judged.passed == (not reason) and (not reason or judged.reason == reason)
        filled = "positive" if not reason else "negative"
        color, text = (filled, "white") if chosen else ("grey-2", "dark")
        self._buttons[who, reason].props(f"color={color} text-color={text}")


def picture(mark: str) -> ui.element:
    """A picture, whole, as large as there is room."""
    return ui.element("img").classes("w-full grow min-h-0").style("object-fit: contain").props(f"data-mark={mark}")


def said(state: FilterState, word: str) -> str:
    """The state in words."""
    if state.deleted:
        return f"{word[:1].upper()}{word[1:]}: the whole sample is left out. Enter goes on."
    if word:
        return f"Done: {word}. Enter goes on."
    left = [name for name, judged in ((HUMAN, state.human), (OBJECT, state.object)) if judged is None]
    return f"To decide: {' and '.join(left)}."
