"""HAKE-Large and HAKE's HICO-DET: {image name: {dataset, path_prefix, labels: [one verb between two boxes, ...]}}.

A label holds human_bbox and object_bbox (x1 y1 x2 y2 from 1, as HICO-DET's .mat), hoi_id (of HICO-DET's 600, from 1),
width, height, and action_labels: what each of ten body parts does, which is not needed here.
"""

from collections.abc import Mapping
from typing import Any

from hoijax.data.sources.hico import DRAWN_ANEW, stated_size
from hoijax.data.sources.hico_names import hico_pairs
from hoijax.data.sources.record import Interaction, Listing


def hake_listing(key: str, record: Mapping[str, Any]) -> Listing:
    """One image of hake_large_annotation.json or hico-det-*-instance-level.json, named <path_prefix>/<key>."""
    interactions: list[Interaction] = []
    faults: list[tuple[str, str]] = []
    labels = record["labels"]
    for label in labels:
        stated = label.get("hoi_id")
        numbers = stated if isinstance(stated, list) else [stated]
        missing = [name for name in ("human_bbox", "object_bbox") if label.get(name) is None]
        if missing:
            faults.append(("no box", f"a label of hoi_id {stated} has no {' and no '.join(missing)}"))
            continue
        for number in numbers:
            if number not in hico_pairs():
                faults.append(("unknown id", f"hoi_id {number} is not one of HICO-DET's 600"))
                continue
            verb, category = hico_pairs()[number]
            boxes = _from_one(label["human_bbox"]), _from_one(label["object_bbox"])
            interactions.append(Interaction(*boxes, category, verb, number))
    prefix = record.get("path_prefix")
    name = f"{prefix}/{key}" if prefix else key
    size = next((size for size in map(stated_size, labels) if size is not None), None)
    return Listing(name, size, interactions, (), DRAWN_ANEW, None, faults)


def _from_one(box: Any) -> Any:
    """The box counted from 0; what is no list of numbers is left for the check of boxes to name."""
    try:
        return [float(value) - 1 for value in box]
    except (TypeError, ValueError):
        return box
