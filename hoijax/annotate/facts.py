"""Numbers for the work lists: the IoU of every item's object, found beside the pages and kept for the next start."""

import json
import logging
import os
import threading
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from hoijax.annotate.child import start
from hoijax.annotate.desk import Desk
from hoijax.annotate.fine.numbers import iou, sight
from hoijax.annotate.fine.state import base_mesh, first_base
from hoijax.annotate.items import Items, fingerprint, load_item
from hoijax.annotate.store import events, standing
from hoijax.data.atomic import save_bytes
from hoijax.data.sample import SampleError

SEES = ("image", "human_mask", "object_mask", "parameters", "object", "truth")
SAVE_EVERY = 50  # items
Kept = dict[str, tuple[str, float | None]]


def start_iou(items: Items, name: str) -> float | None:
    """IoU of the object that the item comes with, the annotated one where there is one. None where that cannot be told."""
    try:
        sample = load_item(items, name)
        mesh = base_mesh(sample, first_base(sample))
        found = iou(sight(sample), mesh.verts, mesh.faces)
    except (SampleError, ValueError):
        return None  # the page of the item says what is wrong with it
    return found if np.isfinite(found) else None


def load_kept(cache: Path) -> Kept:
    """What earlier starts found: by item the fingerprint of its files and its IoU. Empty where that cannot be read."""
    try:
        found = json.loads(cache.read_text())
        return {str(name): (str(mark), value) for name, (mark, value) in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def find_facts(connection: Connection, items: Items, kept: Kept) -> None:
    """The process: tells (item, fingerprint, IoU) of each item, from `kept` where its files are the same."""
    os.nice(10)  # pages come first
    for name, folder in items.folders.items():
        mark = fingerprint(folder, SEES)
        before = kept.get(name)
        value = before[1] if before is not None and mark and before[0] == mark else start_iou(items, name)
        connection.send((name, mark, value))
    connection.close()


def start_facts(desk: Desk, cache: Path) -> threading.Thread:
    """Begins to fill `desk.facts` and returns; the thread ends when all are known. `cache` keeps them between starts.

    An item that was confirmed in the fine tool has the IoU with which it was confirmed.
    """
    kept = load_kept(cache)
    desk.facts.update(
        {name: {"iou": value} for name, (_, value) in known(desk.items, kept).items() if value is not None}
    )
    confirmed = confirmed_ious(desk)
    for name, value in confirmed.items():
        desk.facts[name] = {"iou": value}
    thread = threading.Thread(target=_listen, args=(desk, cache, kept, set(confirmed)), name="hoijax: IoU", daemon=True)
    thread.start()
    return thread


def known(items: Items, kept: Mapping[str, tuple[str, float | None]]) -> Kept:
    """What is kept of items that are still there, whether or not their files have changed since."""
    return {name: entry for name, entry in kept.items() if name in items.folders}


def confirmed_ious(desk: Desk) -> dict[str, float]:
    """By item the IoU with which somebody confirmed it last."""
    found = [event for event in standing(events(desk.store, tool="fine")) if event.kind == "done"]
    there = [event for event in found if event.item in desk.items.folders]
    return {event.item: float(event.value["iou"]) for event in there if event.value.get("iou") is not None}


def _listen(desk: Desk, cache: Path, kept: Kept, confirmed: set[str]) -> None:
    """Enters what the process finds. An item that somebody has moved meanwhile keeps the newer number."""
    at_start = {name: facts.get("iou") for name, facts in desk.facts.items()}
    found: Kept = {}
    process, connection = start(find_facts, desk.items, kept)
    try:
        while True:
            name, mark, value = connection.recv()
            found[name] = mark, value
            untouched = desk.facts.get(name, {}).get("iou") == at_start.get(name)
            if value is not None and name not in confirmed and untouched:
                desk.facts[name] = {"iou": value}
            if len(found) % SAVE_EVERY == 0:
                _save(cache, {**known(desk.items, kept), **found})
    except (EOFError, OSError):
        process.join()
        if len(found) < len(desk.items.folders):
            logging.warning("IoU of %d of %d items was found", len(found), len(desk.items.folders))
    _save(cache, {**known(desk.items, kept), **found})


def _save(cache: Path, found: Kept) -> None:
    try:
        save_bytes(cache, json.dumps(found, indent=0).encode())
    except OSError as error:
        logging.warning("%s: cannot be written (%s); the next start finds the IoU of every item again", cache, error)
