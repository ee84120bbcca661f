"""The words of the data set: names of object categories with their ids.

Names of Open3DHOI's object categories as its published data have them. The paper counts 133 categories and lists them in
its Table 6; neither that list nor its order could be had. What stands here was put together from public lists of the
data's folders: 101 names from a list of 1,709 samples that others evaluated on, bicycle from a program beside that list,
motorcycle from the authors' own description of the layout, and sheep from the samples that their code brings. That is
104 of the 133. The order is alphabetical and ours, so the ids are ours too: they are not those of the paper's Table 6.

The vocabulary is open: a name that is not in the list is as good as any other, and gets an id after `PAPER_COUNT`. The
names of the 34 body parts, and the paper's spelling of them, are in `hoijax.body.parts`. The paper's 120 action names
could not be had either, so there is no list of them.
"""

import re
from collections.abc import Iterable

PAPER_COUNT = 133  # categories in the paper's Table 6; ids of names that are not in `CATEGORIES` begin after it

CATEGORIES: tuple[str, ...] = (
    *("air cushion", "apple", "ashcan", "award", "backpack", "baggage", "banana", "barrel", "baseball glove"),
    *("basket", "bed", "bench", "bicycle", "book", "boot", "bottle", "bouquet", "bowl", "box", "bucket", "bullet"),
    *("cake", "carrot", "cell phone", "chain", "chair", "clock", "coffee cup", "cookie", "couch", "cup"),
    *("dining table", "donut", "eggs", "fire extinguisher", "fire hydrant", "float", "fork", "frisbee", "furniture"),
    *("guitar", "hair drier", "hairbrush", "hammer", "hammock", "hand glass", "handbag", "helmet", "hobby", "hoe"),
    *("home plate", "hot dog", "ice cream", "keyboard", "knife", "laptop", "light bulb", "liquor", "loaf of bread"),
    *("mortar", "motorcycle", "mouse", "mug", "oven", "package", "pen", "piano", "pipage", "pistol", "pitcher"),
    *("pizza", "pot", "pottery", "power drill", "pump", "pumpkin", "remote", "rose", "sandwich", "scissors"),
    *("sculpture", "sheep", "shovel", "skis", "sniper rifle", "spoon", "sports ball", "stone", "suitcase"),
    *("tarpaulin", "teddy bear", "television", "tennis racket", "tie", "toilet", "toothbrush", "torch", "umbrella"),
    *("vacuum cleaner", "vase", "violin", "whip", "wine glass", "wrench"),
)


def category_name(text: str) -> str:
    """One spelling for what is one name: any case, underscores and runs of spaces are single spaces.

    A hyphen stays: it is part of some names. Raises ValueError for a name without any letter or digit.
    """
    name = re.sub(r"[\s_]+", " ", text).strip().lower()
    if not any(letter.isalnum() for letter in name):
        raise ValueError(f"{text!r} is not a category's name: it has no letter or digit")
    return name


def category_ids(names: Iterable[str]) -> dict[str, int]:
    """{name: id} of the names, each once in `category_name`'s spelling, in the order of the ids.

    Names of `CATEGORIES` have their place in it, from 1. Others come after `PAPER_COUNT`, in alphabetical order among
    themselves, so their ids depend on which others there are. Raises ValueError for an empty name.
    """
    found = {category_name(name) for name in names}
    others = sorted(found.difference(CATEGORIES))
    known = {name: number for number, name in enumerate(CATEGORIES, 1) if name in found}
    return known | {name: number for number, name in enumerate(others, PAPER_COUNT + 1)}


def category_id(name: str, others: Iterable[str] = ()) -> int:
    """The id of one name; `others`: what else is in the data, which decides the id of a name outside `CATEGORIES`."""
    return category_ids([name, *others])[category_name(name)]
