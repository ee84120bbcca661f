"""What reading every item tells the work lists, found beside the pages: the IoU of its object, and whether its files have
changed since somebody decided."""

import json
import logging
import os
import threading
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from hoijax.annotate.child import start
from hoijax.annotate.desk import Desk, by_annotator, note_state
from hoijax.annotate.fine.numbers import iou, sight
from hoijax.annotate.fine.state import base_mesh, first_base, is_done
from hoijax.annotate.items import Items, fingerprint, load_item
from hoijax.annotate.likely import FILTER
from hoijax.data.atomic import save_bytes
from hoijax.data.sample import SampleError

SEES = ("image", "human_mask", "object_mask", "parameters", "object", "truth")
SAVE_EVERY = 50  # items
FINE = "fine"
Kept = dict[str, tuple[str, float | None]]
Kinds = tuple[str, ...]


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


def find_facts(connection: Connection, items: Items, kept: Kept, asked: Mapping[str, Mapping[str, Kinds]]) -> None:
    """The process: tells (item, fingerprint, IoU, fingerprints by tool) of each item, the IoU from `kept` where its files
    are the same. `asked`: by item the tools in which somebody decided, and the kinds of files that they rest on."""
    os.nice(10)  # pages come first
    for name, folder in items.folders.items():
        mark = fingerprint(folder, SEES)
        before = kept.get(name)
        value = before[1] if before is not None and mark and before[0] == mark else start_iou(items, name)
        versions = {tool: fingerprint(folder, kinds) for tool, kinds in asked.get(name, {}).items()}
        connection.send((name, mark, value, versions))
    connection.close()


def start_facts(desk: Desk, cache: Path) -> threading.Thread:
    """Begins to fill `desk.facts` and to look through `desk.states`; the thread ends when all is known.

    `cache` keeps the IoU between starts. An item that was confirmed in the fine tool has the IoU of that. Decisions about
    files that have changed since no longer count as done, and what a judge expected of such no longer counts either.
    """
    kept = load_kept(cache)
    confirmed = confirmed_ious(desk)
    for name in desk.items.folders:  # all names now: nobody may add one while a page goes through them
        entry = kept.get(name)
        value = confirmed[name][0] if name in confirmed else entry[1] if entry is not None else None
        desk.facts[name] = {} if value is None else {"iou": value}
    thread = threading.Thread(target=_listen, args=(desk, cache, kept, confirmed), name="hoijax: facts", daemon=True)
    thread.start()
    return thread


def known(items: Items, kept: Mapping[str, tuple[str, float | None]]) -> Kept:
    """What is kept of items that are still there, whether or not their files have changed since."""
    return {name: entry for name, entry in kept.items() if name in items.folders}


def confirmed_ious(desk: Desk) -> dict[str, tuple[float, str]]:
    """By item the IoU with which somebody confirmed its pose last and did not move it since, and of which files."""
    found: dict[str, tuple[float, str]] = {}
    last: dict[str, int] = {}
    for (tool, item, _), happened in by_annotator(desk).items():
        if tool != FINE or not is_done(happened):
            continue
        done = [event for event in happened if event.kind == "done"][-1]
        if done.value.get("iou") is not None and done.id > last.get(item, 0):
            found[item], last[item] = (float(done.value["iou"]), done.version), done.id
    return found


def _listen(desk: Desk, cache: Path, kept: Kept, confirmed: Mapping[str, tuple[float, str]]) -> None:
    """Enters what the process finds. What somebody has done meanwhile stays as they left it."""
    facts = {name: dict(values) for name, values in desk.facts.items()}
    happened = by_annotator(desk)
    states = {key: desk.states[key[0]].get(key[1], {}).get(key[2], "") for key in happened}
    asked: dict[str, dict[str, Kinds]] = {}
    for tool, item, _ in happened:
        asked.setdefault(item, {})[tool] = desk.tools[tool].sees
    for item in desk.likely if FILTER in desk.tools else ():
        asked.setdefault(item, {})[FILTER] = desk.tools[FILTER].sees
    found: Kept = {}
    outdated = 0
    process, connection = start(find_facts, desk.items, kept, asked)
    try:
        while True:
            name, mark, value, versions = connection.recv()
            found[name] = mark, value
            stands = name in confirmed and confirmed[name][1] == versions.get(FINE)
            if not stands and desk.facts[name] == facts[name]:
                desk.facts[name] = {} if value is None else {"iou": value}
            chance = desk.likely.get(name)
            if chance is not None and FILTER in versions and chance.version != versions[FILTER]:
                del desk.likely[name]
                outdated += 1
            for key, before in states.items():
                if key[1] == name and desk.states[key[0]].get(name, {}).get(key[2], "") == before:
                    these = [event for event in happened[key] if event.version == versions[key[0]]]
                    note_state(desk, desk.tools[key[0]], name, key[2], these)
            if len(found) % SAVE_EVERY == 0:
                _save(cache, {**known(desk.items, kept), **found})
    except (EOFError, OSError):
        process.join()
        if len(found) < len(desk.items.folders):
            logging.warning("IoU of %d of %d items was found", len(found), len(desk.items.folders))
    if outdated:
        desk.notes.append(f"{outdated} items have other files now than the judge saw")
        logging.warning("%s: %s; sort again", desk.judge, desk.notes[-1])
    _save(cache, {**known(desk.items, kept), **found})


def _save(cache: Path, found: Kept) -> None:
    try:
        save_bytes(cache, json.dumps(found, indent=0).encode())
    except OSError as error:
        logging.warning("%s: cannot be written (%s); the next start finds the IoU of every item again", cache, error)
