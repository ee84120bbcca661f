"""What a row of acts amounts to."""

from typing import Any

from hoijax.annotate.contact.part_list import ROWS, distance_words
from hoijax.annotate.contact.state import (
    ContactState,
    confirmation,
    contact_state,
    done,
    in_order,
    missing_twins,
    said,
    twin,
)
from hoijax.annotate.readers import tool_readers
from hoijax.annotate.store import Event
from hoijax.body.parts import PART_NAMES


def acts(*happened: tuple[str, dict[str, Any]]) -> list[Event]:
    return [Event(k, "", "anna", "item", "contact", kind, value, "") for k, (kind, value) in enumerate(happened)]


def part(name: str, on: bool = True) -> tuple[str, dict[str, Any]]:
    return "part", {"parts": [name], "on": on}


def test_nothing_done_is_what_the_sample_came_with() -> None:
    assert contact_state([]) == ContactState(frozenset(), False, False)
    assert contact_state([], ["left palm"]) == ContactState(frozenset({"left palm"}), False, False)


def test_parts_come_and_go() -> None:
    assert contact_state(acts(part("left palm"), part("bottom"), part("left palm", False))).parts == {"bottom"}
    assert contact_state(acts(part("left palm", False)), ["left palm", "back"]).parts == {"back"}


def test_no_contact_and_parts_exclude_each_other() -> None:
    none = contact_state(acts(part("bottom"), ("none", {})), ["back"])
    assert none == ContactState(frozenset(), True, False)
    assert contact_state(acts(("none", {}), part("bottom"))) == ContactState(frozenset({"bottom"}), False, False)
    assert contact_state(acts(("none", {}), part("bottom", False))).none
    assert not contact_state(acts(("none", {}), ("none", {"on": False}))).none
    assert not contact_state(acts(("none", {}), ("clear", {}))).none
    assert not contact_state(acts(("none", {}), ("accept", {"parts": ["back"]}))).none


def test_a_confirmation_holds_until_something_changes() -> None:
    confirmed = acts(part("left palm"), ("done", {"parts": ["left palm"], "none": False}))
    assert done(confirmed)
    assert said(confirmed) == "1 part"
    assert not done([*confirmed, *acts(part("back"))])
    assert said(acts(("done", {"parts": [], "none": True}))) == "no contact"


def test_a_confirmation_tells_all_without_the_sample() -> None:
    start = ["back", "bottom"]
    state = contact_state(acts(part("left palm")), start)
    confirmed = acts(part("left palm"), ("done", confirmation(state)))
    assert contact_state(confirmed) == contact_state(confirmed, start) == state._replace(done=True)


def test_what_is_no_part_counts_for_nothing() -> None:
    strange = acts(
        part("tail"), ("part", {"parts": "back"}), ("part", {}), ("accept", {"parts": [None, ["back"]]}), ("jump", {})
    )
    assert contact_state(strange) == ContactState(frozenset(), False, False)


def test_twins_are_each_others_and_differ_for_all_but_the_midline() -> None:
    assert all(twin(twin(name)) == name and twin(name) in PART_NAMES for name in PART_NAMES)
    assert sum(twin(name) == name for name in PART_NAMES) == 8
    assert missing_twins(["right palm", "left knee", "right knee", "bottom"]) == ["left palm"]


def test_labels_are_exported_in_the_canonical_order_once_confirmed() -> None:
    touched, chosen = tool_readers().touched, acts(*map(part, ["right fingers", "bottom", "left palm"]))
    assert not touched(chosen).done
    confirmed = touched([*chosen, *acts(("done", confirmation(contact_state(chosen))))])
    assert confirmed == (True, ("bottom", "left palm", "right fingers"))
    assert touched(acts(("done", {"parts": [], "none": True}))) == (True, ())
    assert in_order(reversed(PART_NAMES)) == list(PART_NAMES)


def test_the_list_has_every_part_once_and_pairs_in_rows() -> None:
    assert sorted(name for row in ROWS for name in row) == sorted(PART_NAMES)
    assert all(twin(left) in (left, right) for left, right in ROWS)


def test_distances_are_said_in_centimetres() -> None:
    assert [distance_words(x) for x in (0.0, 0.014, 0.232)] == ["touches", "1.4 cm", "23 cm"]
