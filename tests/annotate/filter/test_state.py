"""What an annotator decided, folded from events."""

from collections.abc import Mapping
from typing import Any

import pytest

from hoijax.annotate.filter.state import Assigned, FilterState, Judgement, awaits, done, filter_state, word
from hoijax.annotate.store import Event

STROKE = {"mask": "object", "erase": False, "radius": 2.0, "points": [[1.0, 1.0]]}
NUMBERS = iter(range(1, 10_000))


def event(kind: str, value: Mapping[str, Any]) -> Event:
    return Event(next(NUMBERS), "", "anna", "ball/hold_0", "filter", kind, dict(value), "v1")


def judged(verdict: str, *who: str, reason: str = "") -> Event:
    return event("judge", {"who": list(who), "verdict": verdict, "reason": reason})


BOTH = judged("pass", "human", "object")
REDO = event("redo", {"note": "the handle is missing"})
TEMPLATE = event("template", {"category": "cup", "name": "cup"})


def test_nothing_is_decided_at_first() -> None:
    assert filter_state([]) == FilterState()
    assert not done([])


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([BOTH], "passed"),
        ([judged("pass", "object"), judged("pass", "human")], "passed"),
        ([event("stroke", STROKE), BOTH], "passed (mask corrected)"),
        ([judged("delete", "human", reason="bad mesh")], "deleted (human: bad mesh)"),
        ([BOTH, judged("delete", "object", reason="bad mask")], "deleted (object: bad mask)"),
        ([judged("delete", "object", reason="bad mask"), BOTH], "passed"),
        ([REDO], "redo"),
        ([BOTH, TEMPLATE], "redo (template cup)"),
        ([TEMPLATE, REDO], "redo (template cup)"),
        ([REDO, BOTH], "passed"),
        ([judged("delete", "human", reason="bad human"), REDO], "redo"),
        ([REDO, judged("delete", "human", reason="bad human")], "deleted (human: bad human)"),
    ],
)
def test_later_decisions_win(events: list[Event], said: str) -> None:
    assert done(events)
    assert word(events) == said


@pytest.mark.parametrize("events", [[judged("pass", "human")], [judged("pass", "object")], [event("stroke", STROKE)]])
def test_one_of_two_is_not_done(events: list[Event]) -> None:
    assert not done(events)


def test_a_template_is_taken_off_and_what_is_queued_waits_for_other_files() -> None:
    assert filter_state([TEMPLATE]).template == Assigned("cup", "cup")
    assert awaits([TEMPLATE])
    assert not done([TEMPLATE, event("template", {})])
    assert not awaits([BOTH])
    assert filter_state([judged("pass", "human"), REDO]).human == Judgement(True)


def test_a_broken_stroke_in_the_store_is_an_error_not_a_wrong_mask() -> None:
    with pytest.raises(ValueError, match="expected one of human, object"):
        filter_state([event("stroke", {**STROKE, "mask": "cat"})])
