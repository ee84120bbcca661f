"""Decisions in words that are simpler than the tools' own, and the readers that understand them; a store full of them."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hoijax.annotate.items import Items, fingerprint
from hoijax.annotate.readers import Aligned, Filtered, Masks, Readers, Touched
from hoijax.annotate.store import Event, append
from hoijax.data.sample import ColoredMesh, Sample

SEES = {
    "filter": ("image", "human_mask", "object_mask", "human", "object"),
    "contact": ("image", "human", "parameters"),
    "fine": ("image", "object_mask", "object", "truth", "human"),
}


def filtered(happened: Sequence[Event]) -> Filtered:
    judged = [event.value for event in happened if event.kind == "judge"]
    if not judged:
        return Filtered(False)
    strokes = sum(event.kind == "erase" for event in happened)
    return Filtered(True, judged[-1]["human"], judged[-1]["object"], judged[-1].get("reason", ""), strokes)


def masks(sample: Sample, happened: Sequence[Event]) -> Masks:
    """An "erase" takes the left `columns` of the object's mask away."""
    thing = sample.object_mask.copy()
    for event in happened:
        if event.kind == "erase":
            thing[:, : event.value["columns"]] = False
    return sample.human_mask, thing


def touched(happened: Sequence[Event]) -> Touched:
    return Touched(True, tuple(happened[-1].value["parts"])) if happened[-1].kind == "done" else Touched(False)


def aligned(happened: Sequence[Event]) -> Aligned:
    """A "done" moves the coarse object by `shift`."""
    value = happened[-1].value
    if happened[-1].kind != "done":
        return Aligned(False, "", {}, lambda sample: sample.object)

    def mesh(sample: Sample) -> ColoredMesh:
        return sample.object._replace(verts=sample.object.verts + np.asarray(value["shift"], np.float32))

    return Aligned(True, value.get("quality", ""), {"shift": value["shift"]}, mesh)


READERS = Readers(SEES, filtered, masks, touched, aligned)


def decide(store: sqlite3.Connection, items: Items, who: str, item: str, tool: str, kind: str, **value: Any) -> Event:
    """What the annotator does, seen the files as they are now."""
    return append(store, who, item, tool, kind, value, fingerprint(items.folders[item], SEES[tool]))


def finish(
    store: sqlite3.Connection, items: Items, who: str, item: str, parts: Sequence[str] = ("back",), shift: float = 0.1
) -> None:
    """Finishes the item in all three tools."""
    decide(store, items, who, item, "filter", "judge", human="pass", object="pass")
    decide(store, items, who, item, "contact", "done", parts=list(parts))
    decide(store, items, who, item, "fine", "done", shift=[shift, 0.0, 0.0], quality="good")


def rows(file: Path) -> list[str]:
    """The lines of a CSV file below its head."""
    return file.read_text().splitlines()[1:]
