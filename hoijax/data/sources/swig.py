"""SWIG-HOI: [{file_name, width, height, box_annotations, hoi_annotations: [{subject_id, object_id, action_id}]}, ...].

The files hold numbers only. The names of the 1000 objects and 400 verbs come from the data set's own
swig_v1_categories.py (or swig_v1_meta.py), whose lists are read without running it, or from a JSON file.
"""

import ast
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from hoijax.data.layout import load_bytes
from hoijax.data.parameters import load_json
from hoijax.data.sample import SampleError
from hoijax.data.sources.hico import linked_boxes, stated_size
from hoijax.data.sources.hico_names import plain_name
from hoijax.data.sources.record import Interaction, Listing

NAME_FILES = ("swig_v1_categories.py", "swig_v1_meta.py", "swig_names.json")
DRAWN_TWICE = 0.9


class SwigNames(NamedTuple):
    """Objects and verbs by number."""

    objects: Mapping[int, str]
    actions: Mapping[int, str]


def load_swig_names(path: Path) -> SwigNames:
    """The names, from Python's SWIG_CATEGORIES and SWIG_ACTIONS or from JSON's objects and actions: lists of {id, name}.

    Raises SampleError for any other file.
    """
    if path.suffix == ".json":
        content = load_json(path)
        lists = [content.get(key) if isinstance(content, dict) else None for key in ("objects", "actions")]
        wanted = "objects and actions"
    else:
        found = _assigned(path, ("SWIG_CATEGORIES", "SWIG_ACTIONS"))
        lists = [found.get(key) for key in ("SWIG_CATEGORIES", "SWIG_ACTIONS")]
        wanted = "SWIG_CATEGORIES and SWIG_ACTIONS"
    try:
        objects, actions = ({int(row["id"]): plain_name(row["name"]) for row in rows or ()} for rows in lists)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise SampleError(path, f"{wanted} must be lists of {{id, name}} ({error!r})") from error
    if not objects or not actions:
        raise SampleError(path, f"has no {wanted}, expected SWIG-HOI's list of names")
    return SwigNames(objects, actions)


def find_swig_names(annotations: Path) -> Path:
    """The file of names beside an annotation file or in the folder above. Raises SampleError that says where to get it."""
    for folder in (annotations.parent, annotations.parent.parent):
        for name in NAME_FILES:
            if os.path.isfile(folder / name):
                return folder / name
    raise SampleError(
        annotations,
        f"SWIG-HOI's files hold numbers only: put its {NAME_FILES[0]} beside this file, or name the file of names",
    )


def swig_listing(record: Mapping[str, Any], names: SwigNames) -> Listing:
    """One image of swig_*_1000.json. Boxes are x1 y1 x2 y2; people are objects of number 0."""
    things = record["box_annotations"]
    interactions: list[Interaction] = []
    faults: list[tuple[str, str]] = []
    for hoi in record["hoi_annotations"]:
        linked = linked_boxes(hoi, things)
        if isinstance(linked, str):
            faults.append(("bad link", linked))
            continue
        human, thing = linked
        verb, category = names.actions.get(hoi.get("action_id")), names.objects.get(thing.get("category_id"))
        if verb is None or category is None:
            message = f"verb {hoi.get('action_id')} or object {thing.get('category_id')} has no name"
            faults.append(("unknown id", message))
            continue
        interactions.append(Interaction(human.get("bbox"), thing.get("bbox"), category, verb, hoi["subject_id"]))
    people = [thing.get("bbox") for thing in things if thing.get("category_id") == 0]
    return Listing(str(record["file_name"]), stated_size(record), interactions, people, DRAWN_TWICE, None, faults)


def _assigned(path: Path, names: tuple[str, ...]) -> dict[str, Any]:
    """Values of a Python file's top-level literals, without running it. Raises SampleError."""
    try:
        tree = ast.parse(load_bytes(path))
        return {
            target.id: ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name) and target.id in names
        }
    except (SyntaxError, ValueError) as error:
        raise SampleError(path, f"is no Python file with literal lists ({error})") from error
