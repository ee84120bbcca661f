"""Any annotation file to pictures and pairs: which layout it has is found out, records that are no good are set aside."""

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from hoijax.data.sample import SampleError
from hoijax.data.sources.hake import hake_listing
from hoijax.data.sources.hico import hico_instances_listing, hico_json_listing, hico_mat_listing, load_hico_mat
from hoijax.data.sources.image_folder import ImageFolder
from hoijax.data.sources.lists import COLUMNS, load_csv, own_listing, row_fault, row_listings
from hoijax.data.sources.members import json_members
from hoijax.data.sources.record import Annotations, Listing, Picture, SetAside, picture
from hoijax.data.sources.swig import find_swig_names, load_swig_names, swig_listing

LAYOUTS = ("hico-mat", "hico-json", "hico-instances", "hake", "swig", "annotations", "list")
INSTANCES = ("filenames", "size", "annotation", "objects", "verbs")
_Made = Callable[[], Listing]


def read_annotations(
    path: str | os.PathLike[str],
    images: str | os.PathLike[str] | None = None,
    names: str | os.PathLike[str] | None = None,
    layout: str | None = None,
) -> Annotations:
    """All pictures of an annotation file: HICO-DET, HAKE-Large, SWIG-HOI, annotations.json, or a list (docs/sources.md).

    With the folder of `images`, names become paths from there, images that are missing are set aside, and sizes come
    from the files where the annotations tell none. `names` is the file of SWIG-HOI's names where it does not lie beside.
    `layout` (of LAYOUTS) reads a file as what it does not look like. Raises SampleError for a file of no known layout.
    """
    path = Path(path)
    if layout is not None and layout not in LAYOUTS:
        raise ValueError(f"layout {layout!r}: expected one of {', '.join(LAYOUTS)}")
    found = layout or found_layout(path)
    folder = None if images is None else ImageFolder(Path(images))
    pictures: list[Picture] = []
    aside: list[SetAside] = []
    used_ids: set[str] = set()
    cut = good = 0
    for number, made in enumerate(_listings(path, found, None if names is None else Path(names)), start=1):
        try:
            listing = made()
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            why = f"has no {error}" if isinstance(error, KeyError) else str(error)
            aside.append(SetAside(f"record {number}", "bad record", why))
            continue
        good += 1
        place = None
        if folder is not None:
            try:
                place = folder.find(listing.name)
            except ValueError as error:
                aside.append(SetAside(listing.name, "image ambiguous", str(error)))
                continue
            if place is None:
                aside.append(SetAside(listing.name, "image missing", f"is not in {images}"))
                continue
            listing = listing._replace(size=listing.size or folder.size(place))
        reading = picture(listing, used_ids)
        aside += reading.set_aside
        cut += reading.cut
        if reading.picture is not None:
            pictures.append(reading.picture if place is None else _moved(reading.picture, place))
    if aside and not good:
        raise SampleError(path, f"read as {found}: not one of {len(aside)} records can be used; {aside[0].message}")
    notes = [f"{cut} boxes reached beyond their image and were cut at its edge"] if cut else []
    if folder is not None and folder.elsewhere:
        notes.append(f"{folder.elsewhere} images were found in other folders than their names say")
    return Annotations(found, tuple(pictures), tuple(aside), tuple(notes))


def found_layout(path: Path) -> str:
    """Which of LAYOUTS a file has, from its suffix and its first record. Raises SampleError that says what was found."""
    if path.suffix.lower() == ".mat":
        return "hico-mat"
    if path.suffix.lower() in (".csv", ".tsv"):
        return "list"
    key, first = next(json_members(path), (None, None))
    if first is None and key is None:
        raise SampleError(path, "holds nothing, expected annotations")
    if key is not None:
        if isinstance(first, dict) and "labels" in first:
            return "hake"
        keys = {str(name) for name, _ in json_members(path)}
        if {"hoi_annotation", "annotations"} <= keys:
            return "annotations"
        if set(INSTANCES) <= keys:
            return "hico-instances"
        raise SampleError(path, _unknown(f"an object with {_listed(keys)}", first))
    if isinstance(first, dict):
        if {"box_annotations", "hoi_annotations"} <= first.keys():
            return "swig"
        if {"hoi_annotation", "annotations"} <= first.keys():
            return _pairs_by_number(path, first)
        if {"human_box", "object_box"} & first.keys():
            return "list"
    raise SampleError(path, _unknown("a list", first))


def _pairs_by_number(path: Path, first: dict[str, Any]) -> str:
    """HICO-DET's JSON or ours, which share their keys. Others use HICO-DET's with verbs of their own: told by name."""
    things = first["annotations"]
    if things and isinstance(things[0], dict) and "category_id" not in things[0]:
        return "annotations"
    name = str(first.get("file_name", ""))
    if "HICO" not in name.upper() and not any("hoi_category_id" in hoi for hoi in first["hoi_annotation"]):
        raise SampleError(
            path,
            f"looks like HICO-DET's JSON, but its images are called {name!r}: V-COCO and HOI-A have the same keys with "
            "other verbs; layout='hico-json' reads it with HICO-DET's",
        )
    return "hico-json"


def _unknown(kind: str, first: Any) -> str:
    inside = f"objects with {_listed(first)}" if isinstance(first, dict) else f"{type(first).__name__} entries"
    return (
        f"is {kind} of {inside}; expected HICO-DET (.mat, or a list with hoi_annotation), HAKE (labels), SWIG-HOI "
        f"(box_annotations), annotations.json, or a list with {', '.join(COLUMNS)}"
    )


def _listed(keys: Iterable[str]) -> str:
    names = sorted(keys)
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")


def _listings(path: Path, layout: str, names: Path | None) -> Iterator[_Made]:
    """One call for each image, so that what is wrong with a record stops nothing else."""
    if layout == "hico-mat":
        content = load_hico_mat(path)
        return (partial(hico_mat_listing, record, content.pairs) for record in content.records)
    if layout == "list":
        return _rows(path)
    if layout == "annotations" and next(json_members(path), (None, None))[0] is not None:
        return iter([partial(own_listing, {str(key): value for key, value in json_members(path)})])
    if layout == "hico-instances":
        return _instances(path)
    records = json_members(path)
    if layout == "hake":
        return (partial(hake_listing, str(key), record) for key, record in records)
    if layout == "swig":
        known = load_swig_names(names or find_swig_names(path))
        return (partial(swig_listing, record, known) for _, record in records)
    read = hico_json_listing if layout == "hico-json" else own_listing
    return (partial(read, record) for _, record in records)


def _instances(path: Path) -> Iterator[_Made]:
    content = {str(key): value for key, value in json_members(path)}
    missing = [key for key in INSTANCES if key not in content]
    if missing:
        raise SampleError(path, f"has no {', '.join(missing)}, expected HICO-DET's instances_train2015.json")
    names, sizes, records, *words = (content[key] for key in INSTANCES)
    if not len(names) == len(sizes) == len(records):
        raise SampleError(path, f"lists {len(names)} filenames, {len(sizes)} sizes, {len(records)} annotations")
    return (partial(hico_instances_listing, *entry, *words) for entry in zip(names, sizes, records))


def _rows(path: Path) -> Iterator[_Made]:
    rows = load_csv(path) if path.suffix.lower() != ".json" else [row for _, row in json_members(path)]
    faults = [(number, fault) for number, row in enumerate(rows, 1) if (fault := row_fault(row)) is not None]
    bad = {number for number, _ in faults}
    yield from (partial(_raised, f"row {number} {fault}") for number, fault in faults)
    good = row_listings(row for number, row in enumerate(rows, 1) if number not in bad)
    yield from (partial(_same, listing) for listing in good)


def _raised(message: str) -> Listing:
    raise ValueError(message)


def _same(listing: Listing) -> Listing:
    return listing


def _moved(found: Picture, place: Path) -> Picture:
    """The picture with its image's path from the image folder."""
    return found._replace(image=place, pairs=tuple(pair._replace(image=place) for pair in found.pairs))
