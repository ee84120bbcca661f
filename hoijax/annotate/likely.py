"""What a judge network expects of items that nobody has decided: probabilities beside the store, for the work list.

The file is made by a program apart (`experiments/judge.py sort`) and only read here. Each entry rests on the fingerprint
of the files that the network saw; when these change, it no longer counts.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from hoijax.annotate.items import Items
from hoijax.data.atomic import save_bytes
from hoijax.data.sample import SampleError

SCHEMA = 1
LONGEST = 200  # letters of a name
FILTER = "filter"  # the tool whose decisions are foretold
IOU, FINE, DOUBTFUL = "iou", "fine", "doubtful"
ORDERS = {IOU: "Worst IoU first", FINE: "Likely fine first", DOUBTFUL: "Doubtful first"}


class Chance(NamedTuple):
    """Probabilities that the human is good, that the object is, and that the item passes; of the files with the
    fingerprint `version`."""

    version: str
    human: float
    object: float
    item: float


class Likely(NamedTuple):
    """`model`: which network, by the hash of its numbers; `made`: when, ISO 8601; `learned`: from whose decisions."""

    model: str
    made: str
    learned: tuple[str, ...]
    items: Mapping[str, Chance]


def likely_file(store: Path) -> Path:
    """Where the probabilities for the decisions in `store` lie."""
    return store.with_name(f"{store.name}.judge.json")


def save_likely(file: Path, likely: Likely) -> None:
    """Writes the file whole or not at all. Raises OSError where it cannot."""
    items = {name: chance._asdict() for name, chance in likely.items.items()}
    record = {"schema": SCHEMA, **likely._asdict(), "items": items}
    save_bytes(file, json.dumps(record, indent=0, allow_nan=False).encode())


def load_likely(file: Path) -> Likely | None:
    """What the file says; None where there is none. Raises SampleError for a file that cannot be understood."""
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        if record["schema"] != SCHEMA:
            raise SampleError(file, f"is of version {record['schema']}, expected {SCHEMA}: sort again")
        items = {str(name): _chance(value) for name, value in record["items"].items()}
        if not isinstance(record["learned"], list):
            raise TypeError(f"learned: {record['learned']!r}, expected a list of names")
        learned = tuple(_text(who) for who in record["learned"])
        return Likely(_text(record["model"]), _text(record["made"]), learned, items)
    except FileNotFoundError:
        return None
    except SampleError:
        raise
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise SampleError(file, f"cannot be understood as a judge's probabilities ({error!r})") from error


def _text(value: object) -> str:
    """A word or two that a page can show: nothing else, nothing that UTF-8 cannot hold (JSON can)."""
    if not isinstance(value, str) or len(value) > LONGEST:
        raise ValueError(f"{str(value)[:LONGEST]!r}, expected text of at most {LONGEST} letters")
    value.encode()
    return value


def _chance(value: Mapping[str, object]) -> Chance:
    numbers = [float(str(value[name])) for name in ("human", "object", "item")]
    if not all(0 <= number <= 1 for number in numbers):  # NaN is none of them
        raise ValueError(f"{numbers}, expected probabilities from 0 to 1")
    return Chance(str(value["version"]), *numbers)


def of_tree(likely: Likely, items: Items) -> tuple[dict[str, Chance], list[str]]:
    """The entries of items that the tree has, and a sentence about the others."""
    kept = {name: chance for name, chance in likely.items.items() if name in items.folders}
    gone = len(likely.items) - len(kept)
    return kept, [f"{gone} of its {len(likely.items)} entries are of items that are not in the tree"] if gone else []


def said_of(likely: Likely) -> str:
    """Which judge it is, in a line."""
    return f"judge {likely.model}, {likely.made}, learned from {', '.join(likely.learned) or 'nobody'}"


def place(order: str, chance: Chance | None) -> float:
    """Where an item stands in this order, the smallest first; one of which nothing is known comes last."""
    if order == IOU:
        return 0.0
    if chance is None:
        return 2.0
    return 1 - chance.item if order == FINE else abs(chance.item - 0.5)
