"""What all annotation files come to: pictures with the pairs of person and object in them, and what was set aside.

Every reader yields `Listing`s, boxes and names as its file has them; `picture` makes the rest the same for all: boxes
checked and cut at the image's edge, several boxes of one person or object recognised as one, verbs of one pair gathered.
"""

import hashlib
import math
import re
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

Box = tuple[float, float, float, float]  # x0 y0 x1 y1, pixels

PERSON = "person"
LONGEST_ID = 80  # letters, so that <category>/<id> stays far from what file systems allow


class Pair(NamedTuple):
    """One person and one object of an image. Boxes are x0 y0 x1 y1 in pixels from the image's upper left corner.

    `image` is the file's name as the data set gives it; with an image folder at hand, the path from there. `size` is
    (width, height), None where nothing tells. `id` is unique in its data set, stays from reading to reading, and is a
    name for a folder.
    """

    image: Path
    size: tuple[int, int] | None
    human_box: Float[np.ndarray, "4"]
    object_box: Float[np.ndarray, "4"]
    category: str
    actions: tuple[str, ...]
    id: str


class Picture(NamedTuple):
    """One image: how many people are annotated in it, whatever they do, and its pairs."""

    image: Path
    people: int
    pairs: tuple[Pair, ...]


class SetAside(NamedTuple):
    """What was not used: of which image (and pair, where one is meant), the kind of reason, and a sentence."""

    image: str
    reason: str
    message: str


class Annotations(NamedTuple):
    """A whole annotation file. `layout` is the one it was read as; `notes` say what was bent on the way."""

    layout: str
    pictures: tuple[Picture, ...]
    set_aside: tuple[SetAside, ...]
    notes: tuple[str, ...] = ()


class Interaction(NamedTuple):
    """One verb between two boxes. Boxes of one `entry` were drawn together: they differ unless nearly equal."""

    human_box: Any
    object_box: Any
    category: str
    action: str
    entry: int = 0


class Listing(NamedTuple):
    """One image of a file before anything is checked.

    `bystanders` are boxes of people outside of `interactions`; `same` is the IoU from which boxes of different entries
    are one thing; `people` a count that the file itself states; `faults` (reason, message) what the reader met.
    """

    name: str
    size: tuple[int, int] | None
    interactions: Sequence[Interaction]
    bystanders: Sequence[Any] = ()
    same: float = 0.9
    people: int | None = None
    faults: Sequence[tuple[str, str]] = ()


class Reading(NamedTuple):
    """A picture, None when nothing of it can be used; what was set aside; how many boxes were cut at the edge."""

    picture: Picture | None
    set_aside: tuple[SetAside, ...]
    cut: int


class BadBox(ValueError):
    """Numbers that are no box: the sentence says why."""


NEARLY_EQUAL = 0.9  # IoU of two boxes drawn together that can only be one box drawn twice


def picture(listing: Listing, used_ids: set[str]) -> Reading:
    """The checked image. `used_ids` are those given so far in this file; the new ones are added."""
    aside = [SetAside(listing.name, reason, message) for reason, message in listing.faults]
    good: list[tuple[Box, Box, Interaction]] = []
    cut = 0
    for entry in listing.interactions:
        try:
            (human, human_cut), (thing, thing_cut) = (
                checked_box(box, what, listing.size)
                for box, what in ((entry.human_box, "human box"), (entry.object_box, "object box"))
            )
        except BadBox as error:
            aside.append(SetAside(listing.name, "bad box", f"{entry.action} {entry.category}: {error}"))
            continue
        cut += human_cut + thing_cut
        good.append((human, thing, entry))
    others = []
    for values in listing.bystanders:
        try:
            others.append(checked_box(values, "person's box", listing.size)[0])
        except BadBox as error:
            aside.append(SetAside(listing.name, "bad box", str(error)))
    if not good:
        if not aside:
            aside.append(SetAside(listing.name, "no pair", "no pair of person and object is annotated"))
        return Reading(None, tuple(aside), cut)
    people, pairs = _gathered(listing, good, others)
    named = _with_ids(listing, pairs, used_ids)
    return Reading(Picture(Path(listing.name), max(people, listing.people or 0), named), tuple(aside), cut)


def checked_box(values: Any, what: str, size: tuple[int, int] | None) -> tuple[Box, bool]:
    """Four finite numbers with area, cut at the image's edge, and whether anything was cut. Raises BadBox."""
    try:
        x0, y0, x1, y1 = (float(value) for value in values)
    except (TypeError, ValueError):
        raise BadBox(f"{what} is {str(values)[:60]}, expected x0 y0 x1 y1") from None
    shown = f"{what} is {x0:g} {y0:g} {x1:g} {y1:g}"
    if not math.isfinite(x0 + y0 + x1 + y1):
        raise BadBox(f"{shown}, expected finite numbers")
    if x1 <= x0 or y1 <= y0:
        raise BadBox(f"{shown}: empty, expected x1 > x0 and y1 > y0")
    if size is None:
        if x1 <= 0 or y1 <= 0:
            raise BadBox(f"{shown}: outside of the image")
        inside = max(x0, 0.0), max(y0, 0.0), x1, y1
    else:
        inside = max(x0, 0.0), max(y0, 0.0), min(x1, float(size[0])), min(y1, float(size[1]))
        if inside[2] <= inside[0] or inside[3] <= inside[1]:
            raise BadBox(f"{shown}: outside of the image, which is {size[0]} x {size[1]}")
    return inside, inside != (x0, y0, x1, y1)


def box_iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes that have area."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    area = width * height
    return area / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - area)


def same_things(boxes: Sequence[Box], entries: Sequence[int], same: float) -> list[int]:
    """For each box the number of the thing it shows, things in the order of their first box.

    A box joins the thing whose first box it overlaps most, by an IoU of `same` at least; but if that thing already has
    a box of the same entry, both were drawn beside each other on purpose: then only when they are nearly equal.
    """
    things: list[tuple[Box, dict[int, Box]]] = []
    known: dict[tuple[Box, int], int] = {}
    labels = []
    for box, entry in zip(boxes, entries):
        if (box, entry) not in known:
            scored = sorted(((box_iou(first, box), -i) for i, (first, _) in enumerate(things)), reverse=True)
            fits = (
                -i
                for iou, i in scored
                if iou >= same and (entry not in things[-i][1] or box_iou(things[-i][1][entry], box) >= NEARLY_EQUAL)
            )
            label = next(fits, len(things))
            if label == len(things):
                things.append((box, {}))
            things[label][1].setdefault(entry, box)
            known[box, entry] = label
        labels.append(known[box, entry])
    return labels


def folder_name(image: str) -> str:
    """A name for a folder from an image's name; names that had to be changed get six digits of their hash.

    The usual suffix goes; folders are joined by hyphens; only letters, digits, `_`, `-` and `.` stay.
    """
    text = image.replace("\\", "/")
    short = re.sub(r"\.jpe?g$", "", text, flags=re.IGNORECASE).replace("/", "-")
    plain = re.sub(r"[^A-Za-z0-9_.-]", "_", short).lstrip("._-")
    if plain == short and len(plain) <= LONGEST_ID:
        return plain
    return f"{plain[: LONGEST_ID - 7]}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"


def _gathered(
    listing: Listing, good: Sequence[tuple[Box, Box, Interaction]], others: Sequence[Box]
) -> tuple[int, list[Pair]]:
    """How many people there are, and one pair for each person with each object: medians of boxes, all verbs."""
    entries = [interaction.entry for _, _, interaction in good]
    person_objects = [thing for _, thing, interaction in good if interaction.category == PERSON]
    humans = same_things([human for human, _, _ in good], entries, listing.same)
    loose = [*person_objects, *others]
    everyone = humans
    if loose:
        numbers = [*entries, *range(-1, -1 - len(loose), -1)]
        everyone = same_things([*(human for human, _, _ in good), *loose], numbers, listing.same)
    things: list[tuple[str, int]] = [("", 0)] * len(good)
    for category in {interaction.category for _, _, interaction in good}:
        which = [i for i, (_, _, interaction) in enumerate(good) if interaction.category == category]
        for i, label in zip(which, same_things([good[i][1] for i in which], [entries[i] for i in which], listing.same)):
            things[i] = category, label
    pairs: dict[tuple[int, tuple[str, int]], list[int]] = {}
    for i, key in enumerate(zip(humans, things)):
        pairs.setdefault(key, []).append(i)
    image = Path(listing.name)
    return len(set(everyone)), [
        Pair(
            image=image,
            size=listing.size,
            human_box=_median([good[i][0] for i in members]),
            object_box=_median([good[i][1] for i in members]),
            category=category,
            actions=tuple(dict.fromkeys(good[i][2].action for i in members)),
            id="",
        )
        for (_, (category, _)), members in pairs.items()
    ]


def _median(boxes: Sequence[Box]) -> Float[np.ndarray, "4"]:
    """Of each corner. Files have hundreds of thousands of mostly single boxes, too small for numpy's own."""
    return np.array(boxes[0] if len(boxes) == 1 else [median(column) for column in zip(*boxes)])


def _with_ids(listing: Listing, pairs: Sequence[Pair], used: set[str]) -> tuple[Pair, ...]:
    name = folder_name(listing.name)
    plain, count = name, 0
    while f"{name}_0".lower() in used:  # one image in several records, or names that differ in case
        name = f"{plain}-{hashlib.sha256(f'{listing.name} {count}'.encode()).hexdigest()[:6]}"
        count += 1
    used.add(f"{name}_0".lower())
    return tuple(pair._replace(id=f"{name}_{k}") for k, pair in enumerate(pairs))
