"""The steps that need nothing but pip: the person's mask and body from small networks, the object's mask from its box."""

from functools import cache
from pathlib import Path

import numpy as np

from hoijax.photo.box_mask import box_mask
from hoijax.photo.models import Models, PhotoError, load_models
from hoijax.photo.people import Person, people, the_person
from hoijax.pipeline.engine import Engine, engine
from hoijax.pipeline.given import photograph, save_mask, saved_mask
from hoijax.pipeline.item import Item


@cache
def models() -> Models:
    """The networks, loaded once in a process."""
    return load_models()


def found_person(item: Item) -> Person:
    """The person in the item's box, or the only one. Raises PhotoError."""
    return the_person(people(photograph(item), models()), item.human_box)


def person_mask() -> Engine:
    """The person's mask, from the network that finds their landmarks."""

    def make(item: Item, folder: Path) -> tuple[str, ...]:
        found = found_person(item)
        save_mask(folder / "person_mask.png", found.mask)
        return ()

    return engine("landmark network", "person_mask", ("image",), {}, make)


def object_mask() -> Engine:
    """The object's mask, by GrabCut in its box."""

    def make(item: Item, folder: Path) -> tuple[str, ...]:
        if item.object_box is None:
            raise PhotoError("no box of the object is given, and no mask")
        person = saved_mask(item, "person_mask").astype(np.float64)
        save_mask(folder / "object_mask.png", box_mask(photograph(item), item.object_box, person))
        return ()

    return engine("GrabCut", "object_mask", ("image", "person_mask"), {}, make)
