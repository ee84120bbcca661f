"""From decisions to ground truth: the annotated samples of a tree as a tree of their own, in the Open3DHOI layout.

Each sample is written whole or not at all, with annotated.json beside it: who decided what, when, of which files. A
second export writes what has changed and takes away what no longer belongs there.
"""

import csv
import hashlib
import io
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from hoijax import __version__
from hoijax.annotate.choice import Conflict, Stale, chosen, conflicts, current
from hoijax.annotate.items import Items, fingerprint, item_folder, load_item
from hoijax.annotate.readers import AGAIN, CONTACT, DELETE, FILTER, FINE, Readers, verdict
from hoijax.annotate.store import Event
from hoijax.data.atomic import new_folder, save_bytes
from hoijax.data.layout import NAMES
from hoijax.data.lock import held
from hoijax.data.sample import Sample, SampleError
from hoijax.data.write import write_sample

SCHEMA = 1
RECORD = "annotated.json"
LOCK = ".export.lock"


@dataclass(frozen=True)
class ExportOptions:
    """`only`: samples that are finished in every tool of `needs`, or all that are not deleted. `prefer`: whose decision
    counts where several finished; else the latest. `annotator`: only this one's decisions count."""

    only: Literal["finished", "all"] = "finished"
    needs: tuple[str, ...] = (FILTER, CONTACT, FINE)
    prefer: tuple[str, ...] = ()
    annotator: str = ""


class LeftOut(NamedTuple):
    """A sample that is not in the export: `kind` is "deleted" (by the filter) or "unusable"."""

    item: str
    kind: str
    reason: str
    annotator: str


class Unfinished(NamedTuple):
    """A sample that is not annotated in full, what is missing, and whether it was exported all the same."""

    item: str
    missing: str
    exported: bool


class Exported(NamedTuple):
    """Names of samples by what became of them, and what the lists beside them say."""

    written: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    unfinished: tuple[Unfinished, ...]
    conflicts: tuple[Conflict, ...]
    stale: tuple[Stale, ...]


Chosen = Mapping[str, tuple[Event, ...]]


def export(
    items: Items,
    happened: Sequence[Event],
    readers: Readers,
    out: str | os.PathLike[str],
    options: ExportOptions = ExportOptions(),
    seen: Callable[[str], None] = lambda item: None,
) -> Exported:
    """Writes the export into the folder `out`; `seen` is told of each item. `happened`: all events.

    Raises: SampleError where `out` holds or lies in the tree, or a folder in it is of no export; LockedError where
    another export writes there.
    """
    out = Path(os.path.realpath(out))
    if out.is_relative_to(items.tree) or items.tree.is_relative_to(out):
        raise SampleError(out, f"is not apart from the tree {items.tree}; an export goes to a folder of its own")
    with held(out / LOCK):
        _sweep(out)
        return _export(items, happened, readers, out, options, seen)


def _export(
    items: Items,
    happened: Sequence[Event],
    readers: Readers,
    out: Path,
    options: ExportOptions,
    seen: Callable[[str], None],
) -> Exported:
    now = current(items, happened, readers, options.annotator)
    written: list[str] = []
    unchanged: list[str] = []
    left: list[LeftOut] = []
    unfinished: list[Unfinished] = []
    clashes: list[Conflict] = []
    for item in sorted(items.folders):
        picked: dict[str, tuple[Event, ...]] = {}
        for tool, by_annotator in now.events.get(item, {}).items():
            who = chosen(by_annotator, tool, readers, options.prefer)
            clashes += conflicts(item, tool, by_annotator, readers, who)
            picked |= {tool: by_annotator[who]} if who else {}
        missing, gone = _missing(picked, readers, options.needs), _deleted(item, picked, readers)
        wanted = not gone and (not missing or options.only == "all")
        if missing and not gone:
            unfinished.append(Unfinished(item, missing, wanted))
        left += gone
        if wanted:
            try:
                (written if _save(items, item, picked, readers, out) else unchanged).append(item)
            except NotExportedError:
                raise
            except SampleError as error:
                left.append(LeftOut(item, "unusable", str(error), ""))
        seen(item)
    removed = _remove(out, {*written, *unchanged})
    found = Exported(
        tuple(written), tuple(unchanged), tuple(removed), tuple(left), tuple(unfinished), tuple(clashes), now.stale
    )
    _save_lists(out, found)
    return found


def _missing(picked: Chosen, readers: Readers, needs: Sequence[str]) -> str:
    """What keeps the sample from being finished; empty where nothing does."""
    if FILTER in picked and verdict(readers.filtered(picked[FILTER])) == AGAIN:
        return "is to be made again"
    return ", ".join(tool for tool in needs if tool not in picked)


def _deleted(item: str, picked: Chosen, readers: Readers) -> list[LeftOut]:
    if FILTER not in picked:
        return []
    found = readers.filtered(picked[FILTER])
    deleted = verdict(found) == DELETE
    return [LeftOut(item, "deleted", found.reason, picked[FILTER][-1].annotator)] if deleted else []


class NotExportedError(SampleError):
    """A folder that stands where a sample should go, and that no export has made."""


def _save(items: Items, item: str, picked: Chosen, readers: Readers, out: Path) -> bool:
    """Writes the sample; False where the same stands there already."""
    folder = out / item
    source = item_folder(items, item)
    key = _digest(fingerprint(source, tuple(NAMES)), picked)
    if os.path.lexists(folder):
        before = _record(folder)
        if before is None:
            raise NotExportedError(folder, f"holds no {RECORD}: no export made it, so none may replace it")
        if before.get("digest") == key:
            return False
    sample, record = annotated(load_item(items, item), picked, readers)
    with new_folder(folder, overwrite=True) as part:
        write_sample(sample, part)
        text = json.dumps({"schema": SCHEMA, "digest": key, **record}, indent=1, allow_nan=False)
        (part / RECORD).write_text(text + "\n", encoding="utf-8")
    return True


def annotated(sample: Sample, picked: Chosen, readers: Readers) -> tuple[Sample, dict[str, Any]]:
    """The sample with what was decided of it, and the record for annotated.json.

    `picked`: of each tool that somebody finished, their events. Raises SampleError where the corrections leave nothing
    of a mask.
    """
    tools: dict[str, Any] = {}
    for tool, events in picked.items():
        facts: dict[str, Any] = {}
        if tool == FILTER:
            found = readers.filtered(events)
            facts = found._asdict()
            human, thing = readers.masks(sample, events)
            for name, mask in (("person", human), ("object", thing)):
                if not mask.any():
                    raise SampleError(sample.folder, f"the corrected mask of the {name} is empty")
            sample = sample._replace(human_mask=human, object_mask=thing)
        elif tool == CONTACT:
            parts = readers.touched(events).parts
            facts = {"parts": list(parts)}
            sample = sample._replace(contact_parts=tuple(parts))
        elif tool == FINE:
            aligned = readers.aligned(events)
            facts = {"quality": aligned.quality, **aligned.record}
            sample = sample._replace(truth=aligned.mesh(sample))
        tools[tool] = {
            "annotator": events[-1].annotator,
            "first": events[0].time,
            "last": events[-1].time,
            "files": events[-1].version,
            "events": [event.id for event in events],
            **{name: value for name, value in facts.items() if name != "done"},
        }
    return sample, {"item": sample.name, "hoijax": __version__, "tools": tools, "warnings": list(sample.warnings)}


def _digest(files: str, picked: Chosen) -> str:
    """What an exported sample is made of."""
    made_of = [SCHEMA, files, {tool: [(event.id, event.version) for event in picked[tool]] for tool in sorted(picked)}]
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()


def _record(folder: Path) -> dict[str, Any] | None:
    """What annotated.json says; None where the folder is of no export."""
    try:
        found = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and "digest" in found else None


def _walk(out: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Folders of this export with their hidden folders and their files; what lies in another export below is that one's."""
    for parent, children, files in os.walk(out):
        hidden = [child for child in children if child.startswith(".")]
        children[:] = [child for child in children if child not in hidden and not Path(parent, child, LOCK).exists()]
        yield Path(parent), hidden, files


def _exported_folders(out: Path) -> Iterator[Path]:
    return (folder for folder, _, files in _walk(out) if RECORD in files)


def _remove(out: Path, kept: set[str]) -> list[str]:
    """Takes away what earlier exports wrote and this one does not: deleted, reopened or no longer in the tree."""
    gone = []
    for folder in sorted(_exported_folders(out)):
        item = folder.relative_to(out).as_posix()
        if item not in kept and _record(folder) is not None:
            hidden = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))  # `_sweep` knows the name
            folder.rename(hidden / "old")
            shutil.rmtree(hidden)
            gone.append(item)
    return gone


def _sweep(out: Path) -> None:
    """Removes what an export that was killed left half-written: the hidden folders of `new_folder`, hidden lists."""
    for folder, hidden, files in _walk(out):
        for file in files:
            if re.fullmatch(r"\.\w+\.csv-\d+", file):
                (folder / file).unlink()
        for name in hidden:
            if re.fullmatch(r"\..+-[a-z0-9_]{8}", name) and set(os.listdir(folder / name)) <= {"content", "old"}:
                shutil.rmtree(folder / name)


def _save_lists(out: Path, found: Exported) -> None:
    lists: dict[str, tuple[type, Sequence[Any]]] = {
        "left_out": (LeftOut, found.left_out),
        "unfinished": (Unfinished, found.unfinished),
        "conflicts": (Conflict, found.conflicts),
        "stale": (Stale, found.stale),
    }
    for name, (kind, rows) in lists.items():
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(kind._fields)  # type: ignore[attr-defined]
        writer.writerows(rows)
        save_bytes(out / f"{name}.csv", text.getvalue().encode())
