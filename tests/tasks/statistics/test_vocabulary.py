"""Category names: one spelling, ids that hold, and no name refused."""

import pytest

from hoijax.tasks.vocabulary import CATEGORIES, PAPER_COUNT, category_id, category_ids, category_name


def test_names_stand_once_in_their_own_spelling_and_in_order() -> None:
    assert len(set(CATEGORIES)) == len(CATEGORIES) == 104
    assert [category_name(name) for name in CATEGORIES] == sorted(CATEGORIES)


@pytest.mark.parametrize("text", ["coffee cup", "coffee_cup", " Coffee  Cup ", "COFFEE_ CUP"])
def test_spellings_of_one_name_have_one_id(text: str) -> None:
    assert CATEGORIES[category_id(text) - 1] == "coffee cup"


def test_other_names_come_after_the_papers_in_alphabetical_order() -> None:
    ids = category_ids(["zither", "apple", "Abacus", "zither", "t-shirt"])
    assert ids == {"apple": 2, "abacus": PAPER_COUNT + 1, "t-shirt": PAPER_COUNT + 2, "zither": PAPER_COUNT + 3}
    assert list(ids) == ["apple", "abacus", "t-shirt", "zither"]
    assert category_id("zither", others=["abacus"]) == PAPER_COUNT + 2


@pytest.mark.parametrize("text", ["", " ", "__", "-"])
def test_a_name_without_letters_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no letter or digit"):
        category_name(text)
