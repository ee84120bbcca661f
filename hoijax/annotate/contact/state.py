"""What an annotator says of a person's contact with an object: a fold over what they did."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from hoijax.annotate.store import Event
from hoijax.body.parts import PART_NAMES


class ContactState(NamedTuple):
    """The parts that touch; `none`: it was said that none does (then `parts` is empty); `done`: confirmed as it stands."""

    parts: frozenset[str]
    none: bool
    done: bool


def contact_state(events: Sequence[Event], start: Iterable[str] = ()) -> ContactState:
    """Where these standing events lead from the labels that the sample came with.

    What was confirmed does not depend on `start`: a confirmation names its parts. A change after it has to be confirmed
    again. Names that are no part are passed over.
    """
    state = ContactState(_known(start), False, False)
    for event in events:
        state = _after(state, event)
    return state


def _after(state: ContactState, event: Event) -> ContactState:
    given = event.value.get("parts", ())
    named = _known(name for name in given if isinstance(name, str)) if isinstance(given, list) else frozenset()
    if event.kind == "done":
        return ContactState(named, event.value.get("none") is True, True)
    if event.kind == "none":
        return ContactState(frozenset(), event.value.get("on", True) is True, False)
    if event.kind == "clear":
        return ContactState(frozenset(), False, False)
    if event.kind in ("part", "mirror", "accept"):
        on = event.value.get("on", True) is True
        return ContactState(
            state.parts | named if on else state.parts - named, state.none and not (on and named), False
        )
    return state


def in_order(parts: Iterable[str]) -> list[str]:
    """The parts in the order of `PART_NAMES`, each once."""
    known = _known(parts)
    return [name for name in PART_NAMES if name in known]


def confirmation(state: ContactState) -> dict[str, object]:
    """The value of the event that confirms this state."""
    return {"parts": in_order(state.parts), "none": state.none}


def twin(part: str) -> str:
    """The same part of the other side; a part of the midline is its own."""
    side, _, name = part.partition(" ")
    other = {"left": "right", "right": "left"}.get(side)
    return f"{other} {name}" if other else part


def missing_twins(parts: Iterable[str]) -> list[str]:
    """What mirroring adds."""
    found = _known(parts)
    return in_order({twin(part) for part in found} - found)


def done(events: Sequence[Event]) -> bool:
    """Whether the annotator has confirmed, and changed nothing since."""
    return contact_state(events).done


def said(events: Sequence[Event]) -> str:
    """A confirmed item in a word or two."""
    state = contact_state(events)
    return "no contact" if state.none else f"{len(state.parts)} part{'s' * (len(state.parts) != 1)}"


def _known(names: Iterable[str]) -> frozenset[str]:
    return frozenset(names) & frozenset(PART_NAMES)
