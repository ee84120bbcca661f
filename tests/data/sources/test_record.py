"""What any listing of an image comes to: unique ids, and people counted."""

from hoijax.data.sources.record import Interaction, Listing, picture

BOX, OTHER, THING = (0, 0, 10, 20), (50, 0, 60, 20), (5, 5, 15, 15)


def listing(name: str = "a.jpg", people: int | None = None) -> Listing:
    return Listing(name, (100, 100), [Interaction(BOX, THING, "cup", "hold")], people=people)


def test_records_of_one_image_have_ids_of_their_own() -> None:
    used: set[str] = set()
    found = [picture(listing(name), used).picture for name in ("a.jpg", "a.jpg", "a.jpg", "A.jpg", "a.jpg")]
    ids = [pair.id for each in found if each is not None for pair in each.pairs]
    assert len(ids) == 5
    assert len({name.lower() for name in ids}) == 5
    again: set[str] = set()
    repeated = picture(listing(), again).picture
    assert repeated is not None
    assert repeated.pairs[0].id == ids[0]  # the same from reading to reading


def test_a_stated_count_of_people_cannot_hide_those_that_are_annotated() -> None:
    two = listing(people=1)._replace(bystanders=[OTHER])
    for stated, expected in ((1, 2), (None, 2), (5, 5)):
        found = picture(two._replace(people=stated), set()).picture
        assert found is not None
        assert found.people == expected
