"""The order in which decisions count."""

from hoijax.annotate.choice import in_order
from hoijax.annotate.store import Event


def at(number: int, time: str) -> Event:
    return Event(number, f"2026-01-02T{time}+00:00", "anna", "ball/hold_0", "fine", "done", {}, "")


def test_times_place_what_is_of_no_store() -> None:
    given = [
        at(1, "10:00:00.000"),
        at(2, "11:00:00.500"),
        at(3, "12:00:00.000"),
        at(-7, "11:30:00"),
        at(-3, "09:00:00"),
    ]
    assert [event.id for event in in_order(given)] == [-3, 1, 2, -7, 3]


def test_a_store_keeps_its_order_where_the_clock_was_set_back() -> None:
    given = [at(1, "12:00:00"), at(2, "11:00:00"), at(3, "13:00:00"), at(-5, "11:30:00"), at(-6, "12:30:00")]
    assert [event.id for event in in_order(given)] == [-5, 1, 2, -6, 3]


def test_offsets_from_utc_are_moments() -> None:
    elsewhere = at(-2, "12:30:00")._replace(time="2026-01-02T12:30:00+02:00")
    assert [event.id for event in in_order([at(1, "11:00:00"), elsewhere])] == [-2, 1]
