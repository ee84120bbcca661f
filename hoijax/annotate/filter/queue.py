"""Objects that are to be made again, and what the pipeline needs for it: corrected masks and templates as own files."""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool

from hoijax.annotate.filter.masks import MASKS, Stroke, corrected, cropped, margin_of
from hoijax.annotate.filter.state import SEES, Assigned, filter_state
from hoijax.annotate.items import Items, fingerprint, load_item
from hoijax.annotate.store import Event, standing
from hoijax.data.atomic import new_folder
from hoijax.data.meshfile import load_any_mesh
from hoijax.data.objfile import save_mesh
from hoijax.data.sample import ColoredMesh, SampleError
from hoijax.data.template_search import nearest_templates
from hoijax.data.templates import Library, Template
from hoijax.pipeline.given import save_mask


class Queued(NamedTuple):
    """An item whose object is to be made again: who said so last, their note, template and strokes."""

    item: str
    annotator: str
    note: str
    template: Assigned | None
    strokes: tuple[Stroke, ...]


class Masks(NamedTuple):
    """Corrected masks of the whole canvas, `margin` pixels beyond the image at each edge, and whether strokes changed
    what of them lies in the image."""

    human: Bool[np.ndarray, "a b"]
    object: Bool[np.ndarray, "a b"]
    margin: int
    changed: dict[str, bool]


def queued(events: Sequence[Event], items: Items) -> list[Queued]:
    """Every item that somebody queued, or gave a template, and whose files are still those that they saw.

    `events`: all of a store. Where several queued an item, the last of them counts.
    Raises ValueError for a stroke in the store that is none.
    """
    found: dict[str, tuple[int, Queued]] = {}
    happened = standing([event for event in events if event.tool == "filter"])
    for item in sorted({event.item for event in happened if event.kind in ("redo", "template")}):
        if item not in items.folders:
            continue
        version = fingerprint(items.folders[item], SEES)
        here = [event for event in happened if event.item == item and event.version == version]
        for annotator in {event.annotator for event in here}:
            own = [event for event in here if event.annotator == annotator]
            state = filter_state(own)
            if state.again and (item not in found or found[item][0] < own[-1].id):
                note = state.redo.note if state.redo is not None else ""
                found[item] = own[-1].id, Queued(item, annotator, note, state.template, state.strokes)
    return [entry for _, entry in found.values()]


def queued_masks(items: Items, entry: Queued) -> Masks:
    """The masks of a queued item after its strokes. Raises SampleError for a sample that cannot be read."""
    sample = load_item(items, entry.item)
    before = {"human": sample.human_mask, "object": sample.object_mask}
    margin = margin_of(*sample.object_mask.shape)
    wide = {name: corrected(before[name], entry.strokes, margin, name) for name in MASKS}
    changed = {name: bool((cropped(wide[name], margin) != before[name]).any()) for name in MASKS}
    return Masks(wide["human"], wide["object"], margin, changed)


def save_queue(
    entries: Sequence[Queued], items: Items, library: Library | None, out: Path, given: Path | None
) -> list[str]:
    """Writes OUT whole or not at all: masks/<item> with everything, given/<id> with what stands for steps of the pipeline.

    Returns the items of which nothing new stands for a step: the pipeline would find them as they were.

    `given`: the own files that the pipeline has been given before; they are taken over, so that no image loses its own.
    Only what was changed stands for a step: a mask that stays as it was would make the person anew, too.
    Raises SampleError for what cannot be used, FileExistsError where OUT exists, ValueError where two items have one id.
    """
    ids = {entry.item: items.folders[entry.item].name for entry in entries}
    if len(set(ids.values())) < len(ids):
        raise ValueError("two queued items have one id (the name of their folder); queue them one after the other")
    with new_folder(out) as folder:
        (folder / "given").mkdir()
        if given is not None:
            shutil.copytree(given, folder / "given", dirs_exist_ok=True)
        same = [
            entry.item
            for entry in entries
            if not _save_item(entry, items, library, folder, folder / "given" / ids[entry.item])
        ]
        told = [{**entry._asdict(), "template": entry.template and entry.template._asdict()} for entry in entries]
        lines = [{name: value for name, value in one.items() if name != "strokes"} for one in told]
        (folder / "queue.json").write_text(json.dumps(lines, indent=1) + "\n", encoding="utf-8")
    return same


def _save_item(entry: Queued, items: Items, library: Library | None, folder: Path, own: Path) -> bool:
    """Writes one item; whether anything of it stands for a step that did not before."""
    found = queued_masks(items, entry)
    parts = folder / "masks" / entry.item
    parts.mkdir(parents=True)
    own.mkdir(exist_ok=True)
    for name, wide in (("person_mask", found.human), ("object_mask", found.object)):
        mask = cropped(wide, found.margin)
        if not mask.any():
            raise SampleError(items.folders[entry.item], f"nothing is left of its {name.replace('_', ' ')}")
        save_mask(parts / f"{name}.png", mask)
        save_mask(parts / f"{name}_wide.png", wide)
        if found.changed["human" if name == "person_mask" else "object"]:
            save_mask(own / f"{name}.png", mask)
    h, w = cropped(found.object, found.margin).shape
    about = {"offset": [found.margin, found.margin], "size": [w, h], "note": entry.note}
    (parts / "wide.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    if entry.template is not None:
        for old in own.glob("*mesh.*"):
            if old.name != "h_mesh.obj":
                old.unlink()
        save_mesh(own / "mesh.obj", turned_template(library, entry.template, found))
    if not os.listdir(own):
        own.rmdir()
    return entry.template is not None or any(found.changed.values())


def template_of(library: Library | None, assigned: Assigned) -> Template | None:
    """The library's template of this category and name; None where it has none."""
    templates: Sequence[Template] = library.templates if library is not None else ()
    return next((one for one in templates if (one.category, one.name) == (assigned.category, assigned.name)), None)


def turned_template(library: Library | None, assigned: Assigned, masks: Masks) -> ColoredMesh:
    """The template turned as its silhouette fits the object's mask best: what the pipeline's search would find of it.

    Raises SampleError where the library has no such template.
    """
    template = template_of(library, assigned)
    if library is None or template is None:
        where = library.folder if library is not None else Path("--library")
        raise SampleError(where, f"has no template {assigned.category}/{assigned.name}: give the library it came from")
    one = library.templates.index(template)
    alone = library._replace(templates=(template,), views=library.views[one : one + 1])
    inside = [cropped(mask, masks.margin) for mask in (masks.object, masks.human)]
    best = nearest_templates(alone, template.category, inside[0], 1, inside[1]).matches[0]
    mesh = load_any_mesh(library.folder / template.file)
    return mesh._replace(verts=(mesh.verts @ best.rotation.T).astype(mesh.verts.dtype))
