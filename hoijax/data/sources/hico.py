"""HICO-DET: its own anno_bbox.mat, and two JSON files that programs are given instead (trainval_hico, instances).

The .mat counts pixels from 1 and holds x1, x2, y1, y2; people and objects are drawn anew for each of the 600 pairs of verb
and object, so the same person has several boxes; instances_train2015.json does as the .mat. trainval_hico.json counts from
0, holds x1, y1, x2, y2, and each thing once.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hoijax.data.sample import SampleError
from hoijax.data.sources.hico_names import hico_objects, hico_pairs, hico_verbs, plain_name
from hoijax.data.sources.record import Interaction, Listing

DRAWN_ANEW = 0.5  # IoU of two drawings of one person or object, as HICO-DET's own evaluation compares boxes
CLEANED = 0.9  # the JSON's boxes are told apart already
PARTS = ("bbox_train", "bbox_test")


class HicoMat(NamedTuple):
    """The records of anno_bbox.mat, training before test, and verb and object of each id."""

    records: list[Any]
    pairs: Mapping[int, tuple[str, str]]


def load_hico_mat(path: Path) -> HicoMat:
    """The file's content. Raises SampleError when it is another file."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        content = loadmat(path, simplify_cells=True, variable_names=[*PARTS, "list_action"])
    except (OSError, ValueError, NotImplementedError, MatReadError, TypeError) as error:
        raise SampleError(path, f"cannot be read as a .mat file ({error})") from error
    parts = [part for part in PARTS if part in content]
    if not parts:
        raise SampleError(path, f"has no {' or '.join(PARTS)}, expected HICO-DET's anno_bbox.mat")
    records = [record for part in parts for record in _several(content[part])]
    return HicoMat(records, _pairs_of(path, content.get("list_action")))


def _pairs_of(path: Path, actions: Any) -> Mapping[int, tuple[str, str]]:
    """Verb and object of each id, of the file's own list_action where it has one."""
    if actions is None:
        return hico_pairs()
    try:
        names = [(plain_name(str(row["vname"])), plain_name(str(row["nname"]))) for row in _several(actions)]
    except (KeyError, TypeError) as error:
        raise SampleError(path, f"list_action has no {error}, expected vname and nname") from error
    return dict(enumerate(names, start=1))


def hico_mat_listing(record: Mapping[str, Any], pairs: Mapping[int, tuple[str, str]]) -> Listing:
    """One image of anno_bbox.mat."""
    interactions: list[Interaction] = []
    faults: list[tuple[str, str]] = []
    for entry, hoi in enumerate(_several(record.get("hoi"))):
        number = int(hoi["id"])
        if number not in pairs:
            faults.append(("unknown id", f"pair {number} of verb and object is not one of {len(pairs)}"))
            continue
        verb, category = pairs[number]
        if hoi.get("invis"):
            faults.append(("invisible", f"{verb} {category}: marked as not visible, without boxes"))
            continue
        people, things = ([_from_one(box) for box in _several(hoi[key])] for key in ("bboxhuman", "bboxobject"))
        for human, thing in _rows(hoi.get("connection")):
            if not (1 <= human <= len(people) and 1 <= thing <= len(things)):
                message = (
                    f"{verb} {category}: connects human {human} of {len(people)} and object {thing} of {len(things)}"
                )
                faults.append(("bad link", message))
                continue
            interactions.append(Interaction(people[human - 1], things[thing - 1], category, verb, entry))
    return Listing(str(record["filename"]), _size(record.get("size")), interactions, (), DRAWN_ANEW, None, faults)


def _several(value: Any) -> list[Any]:
    """What MATLAB's one and many come to: a list."""
    if value is None:
        return []
    if isinstance(value, Mapping):
        return [value]
    return list(value)


def _rows(value: Any) -> list[tuple[int, int]]:
    """The connections: an n x 2 array, of which one row alone has lost its first axis."""
    rows = [int(number) for row in _several(value) for number in (row if hasattr(row, "__len__") else [row])]
    return list(zip(rows[::2], rows[1::2]))


def _from_one(box: Mapping[str, Any]) -> tuple[float, ...]:
    """x0 y0 x1 y1 from 0 of x1 x2 y1 y2 from 1."""
    return tuple(float(box[key]) - 1 for key in ("x1", "y1", "x2", "y2"))


def _size(record: Any) -> tuple[int, int] | None:
    if not isinstance(record, Mapping):
        return None
    return int(record["width"]), int(record["height"])


def hico_json_listing(record: Mapping[str, Any]) -> Listing:
    """One image of trainval_hico.json or test_hico.json. Verbs count from 1 in the alphabet, objects are COCO's."""
    things, objects, verbs = record["annotations"], hico_objects(), hico_verbs()
    interactions: list[Interaction] = []
    faults: list[tuple[str, str]] = []
    for hoi in record["hoi_annotation"]:
        linked = linked_boxes(hoi, things)
        if isinstance(linked, str):
            faults.append(("bad link", linked))
            continue
        human, thing = linked
        verb, category = verbs.get(_int(hoi.get("category_id"))), objects.get(_int(thing.get("category_id")))
        if verb is None or category is None:
            message = f"verb {hoi.get('category_id')} or object {thing.get('category_id')} is not HICO-DET's"
            faults.append(("unknown id", message))
            continue
        stated = hoi.get("hoi_category_id")
        if stated is not None and hico_pairs().get(_int(stated)) != (verb, category):
            faults.append(("contradiction", f"hoi_category_id {stated} is not {verb} {category}"))
            continue
        interactions.append(Interaction(human.get("bbox"), thing.get("bbox"), category, verb, int(hoi["subject_id"])))
    people = [thing.get("bbox") for thing in things if _int(thing.get("category_id")) == 1]
    return Listing(str(record["file_name"]), stated_size(record), interactions, people, CLEANED, None, faults)


def hico_instances_listing(
    name: str, size: Any, record: Mapping[str, Any], objects: Sequence[str], verbs: Sequence[str]
) -> Listing:
    """One image of instances_train2015.json: parallel lists; numbers into the file's own names; pixels from 1."""
    interactions: list[Interaction] = []
    faults: list[tuple[str, str]] = []
    columns = (record[key] for key in ("boxes_h", "boxes_o", "object", "verb", "hoi"))
    for human, thing, category, verb, hoi in zip(*columns, strict=True):
        if not (0 <= category < len(objects) and 0 <= verb < len(verbs)):
            faults.append(("unknown id", f"verb {verb} of {len(verbs)} or object {category} of {len(objects)}"))
            continue
        first, second = ([float(value) - 1 for value in box] for box in (human, thing))
        interactions.append(Interaction(first, second, plain_name(objects[category]), plain_name(verbs[verb]), hoi))
    width, height = size
    return Listing(name, (int(width), int(height)), interactions, (), DRAWN_ANEW, None, faults)


def linked_boxes(hoi: Mapping[str, Any], things: Sequence[Any]) -> tuple[Any, Any] | str:
    """The entries that subject_id and object_id (from 0) name, or what is wrong with these."""
    subject, thing = hoi.get("subject_id"), hoi.get("object_id")
    known = range(len(things))
    if isinstance(subject, int) and isinstance(thing, int) and subject in known and thing in known:
        return things[subject], things[thing]
    return f"subject_id {subject} and object_id {thing} are not both among {len(things)} boxes"


def _int(value: Any) -> int:
    """An id as a number; some files write it as text. -1 when it is neither."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return -1


def stated_size(record: Mapping[str, Any]) -> tuple[int, int] | None:
    """(width, height) where the record tells both."""
    width, height = _int(record.get("width")), _int(record.get("height"))
    return (width, height) if width > 0 and height > 0 else None
