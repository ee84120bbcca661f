"""What an annotator made of an item in the filter, folded from their events. No server, no page."""

from collections.abc import Sequence
from typing import NamedTuple

from hoijax.annotate.filter.masks import Stroke, checked_stroke
from hoijax.annotate.store import Event

HUMAN, OBJECT = "human", "object"
REASONS = {
    HUMAN: ("bad human", "bad mask", "bad mesh", "too occluded"),
    OBJECT: ("bad mesh", "bad mask", "too occluded"),
}
SEES = ("image", "human_mask", "object_mask", "parameters", "human", "object")  # files on which decisions rest
LONGEST_NOTE = 500  # characters


class Judgement(NamedTuple):
    """Passed, or deleted for a reason (one of `REASONS`)."""

    passed: bool
    reason: str = ""


class Redo(NamedTuple):
    """To be inpainted and reconstructed again; the files' fingerprint tells when that has been done."""

    note: str
    version: str


class Assigned(NamedTuple):
    """A template of the library that stands for the object's mesh."""

    category: str
    name: str


class FilterState(NamedTuple):
    """Everything decided about one item. Of `object`, `redo` and `template` the later decision replaces the earlier: an
    object that is passed is not made again; a template may come with a redo and the other way round."""

    human: Judgement | None = None
    object: Judgement | None = None
    strokes: tuple[Stroke, ...] = ()
    redo: Redo | None = None
    template: Assigned | None = None

    @property
    def deleted(self) -> bool:
        """Whether the sample is to be left out: either of the two is enough."""
        return any(judged is not None and not judged.passed for judged in (self.human, self.object))

    @property
    def again(self) -> bool:
        """Whether the object is to be made again."""
        return not self.deleted and (self.redo is not None or self.template is not None)

    @property
    def passed(self) -> bool:
        """Whether both are good as they are (with the mask's corrections)."""
        return not self.deleted and not self.again and self.human is not None and self.object is not None


def filter_state(events: Sequence[Event]) -> FilterState:
    """The fold over standing events; an event that says nothing a filter says changes nothing.

    Raises ValueError for a stroke that is none: the store was written by something else.
    """
    strokes = tuple(checked_stroke(event.value) for event in events if event.kind == "stroke")
    return decided(events)._replace(strokes=strokes)


def decided(events: Sequence[Event]) -> FilterState:
    """The same without the strokes, of which there may be many."""
    state = FilterState()
    for event in events:
        state = _after(state, event)
    return state


def _after(state: FilterState, event: Event) -> FilterState:
    value = event.value
    if event.kind == "judge":
        verdict = Judgement(value.get("verdict") == "pass", str(value.get("reason", "")))
        who = value.get("who", ())
        state = state._replace(human=verdict) if HUMAN in who else state
        return state._replace(object=verdict, redo=None, template=None) if OBJECT in who else state
    if event.kind == "redo":
        return _undeleted(state)._replace(redo=Redo(str(value.get("note", "")), event.version))
    if event.kind == "template":
        if not value.get("name"):
            return state._replace(template=None)
        return _undeleted(state)._replace(template=Assigned(str(value.get("category", "")), str(value["name"])))
    return state


def _undeleted(state: FilterState) -> FilterState:
    """What is made again is not deleted, and the object that was judged is not the one that will come."""
    human = state.human if state.human is not None and state.human.passed else None
    return state._replace(human=human, object=None)


def done(events: Sequence[Event]) -> bool:
    """Whether the annotator has nothing more to do: deleted, queued, or both passed."""
    state = decided(events)
    return state.deleted or state.again or state.passed


def word(events: Sequence[Event]) -> str:
    """What was made of a finished item."""
    state = decided(events)
    if state.deleted:
        reasons = [f"{who}: {judged.reason}" for who, judged in _judged(state) if not judged.passed]
        return "deleted (" + ", ".join(reasons) + ")"
    if state.again:
        return "redo" + (f" (template {state.template.name})" if state.template is not None else "")
    return "passed" + (" (mask corrected)" if any(event.kind == "stroke" for event in events) else "")


def awaits(events: Sequence[Event]) -> bool:
    """Whether the files are expected to change: the object is to be made again."""
    return decided(events).again


def _judged(state: FilterState) -> list[tuple[str, Judgement]]:
    both = ((HUMAN, state.human), (OBJECT, state.object))
    return [(who, judged) for who, judged in both if judged is not None]
