"""The project's own layouts: annotations.json as samples have it, and lists of pairs that a person can write by hand."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hoijax.data.layout import load_bytes
from hoijax.data.sample import SampleError
from hoijax.data.sources.hico import linked_boxes, stated_size
from hoijax.data.sources.hico_names import plain_name
from hoijax.data.sources.record import PERSON, Interaction, Listing

COLUMNS = ("image", "category", "action", "human_box", "object_box")
OPTIONAL_COLUMNS = ("people", "width", "height")
IMAGE_KEYS = ("file_name", "image")


def own_listing(record: Mapping[str, Any]) -> Listing:
    """One annotations.json: categories in words, boxes x y width height; the image beside it, image.jpg unless named."""
    things = record["annotations"]
    interactions: list[Interaction] = []
    faults: list[tuple[str, str]] = []
    for hoi in record["hoi_annotation"]:
        linked = linked_boxes(hoi, things)
        if isinstance(linked, str):
            faults.append(("bad link", linked))
            continue
        human, thing = linked
        if not isinstance(thing.get("category"), str):
            faults.append(("unknown id", f"object {hoi['object_id']} has no category in words"))
            continue
        boxes = _corners(human.get("bbox")), _corners(thing.get("bbox"))
        category = plain_name(thing["category"])
        interactions += [
            Interaction(*boxes, category, action, hoi["subject_id"]) for action in _actions(hoi.get("action"))
        ]
    people = [_corners(thing.get("bbox")) for thing in things if thing.get("category") == PERSON]
    name = next((str(record[key]) for key in IMAGE_KEYS if record.get(key)), "image.jpg")
    return Listing(name, stated_size(record), interactions, people, faults=faults)


def row_listings(rows: Iterable[Mapping[str, Any]]) -> Iterator[Listing]:
    """Rows with the keys image, category, action, human_box, object_box (x0 y0 x1 y1), one image's rows together.

    Several actions may stand in one row, between semicolons. `people` says how many are in the picture, where there are
    more than the rows tell. Rows are complete: `checked_rows`.
    """
    images: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        images.setdefault(str(row["image"]).strip(), []).append(row)
    for name, group in images.items():
        interactions = [
            Interaction(
                _numbers(row["human_box"]), _numbers(row["object_box"]), plain_name(str(row["category"])), action
            )
            for row in group
            for action in _actions(row["action"])
        ]
        size = next((size for size in map(stated_size, group) if size is not None), None)
        stated = [int(row["people"]) for row in group if row.get("people") not in (None, "")]
        yield Listing(name, size, interactions, people=max(stated, default=None))


def row_fault(row: Any) -> str | None:
    """What keeps a row from being used, None when nothing does."""
    if not isinstance(row, Mapping):
        return f"is no object with {', '.join(COLUMNS)}"
    missing = [key for key in COLUMNS if row.get(key) in (None, "", [])]
    if missing:
        return f"has no {', '.join(missing)}"
    people = row.get("people")
    if people not in (None, "") and not re.fullmatch(r"[1-9]\d{0,3}", str(people).strip()):
        return f"people is {people!r}, expected a number from 1"
    return None


def load_csv(path: Path) -> list[dict[str, Any]]:
    """The rows of a CSV file with a header; commas, semicolons or tabs divide. Raises SampleError."""
    try:
        text = load_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SampleError(path, f"is not UTF-8 text ({error})") from error
    head = text.partition("\n")[0]
    divider = max(",;\t", key=head.count)
    rows = csv.DictReader(io.StringIO(text), delimiter=divider, skipinitialspace=True)
    found = [_column(name) for name in rows.fieldnames or ()]
    missing = [name for name in COLUMNS if name not in found]
    if missing:
        raise SampleError(
            path,
            f"its first line names {', '.join(found)[:120]}; expected {', '.join(COLUMNS)} (missing: {', '.join(missing)})",
        )
    rows.fieldnames = found
    try:
        return [dict(row) for row in rows]
    except csv.Error as error:
        raise SampleError(path, f"line {rows.line_num} is not CSV ({error})") from error


def _column(name: str) -> str:
    return plain_name(name).replace(" ", "_")


def _actions(value: Any) -> list[str]:
    """Actions of a cell or list; a pair without any keeps an empty one, so that it is set aside with a reason."""
    parts: Sequence[Any] = value if isinstance(value, (list, tuple)) else str(value or "").split(";")
    return [name for part in parts if (name := plain_name(str(part)))] or [""]


def _numbers(value: Any) -> Any:
    """The numbers of a cell, in any brackets and divided by spaces or commas; lists as they are."""
    return re.sub(r"[\[\](),;]", " ", value).split() if isinstance(value, str) else value


def _corners(value: Any) -> Any:
    """x0 y0 x1 y1 of x y width height, which may stand in a list of one."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    try:
        x, y, width, height = (float(number) for number in value)
    except (TypeError, ValueError):
        return value
    return x, y, x + width, y + height
