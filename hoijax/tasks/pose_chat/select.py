"""Which samples show several people, and which of them is the annotated one (Open3DHOI, B.3.2)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from hoijax.data.images import load_mask, load_photo
from hoijax.data.layout import load_bytes, required_file
from hoijax.data.parameters import load_json
from hoijax.data.read import load_human, load_labels
from hoijax.data.sample import SampleError
from hoijax.tasks.pose_chat.location import location
from hoijax.types import HumanPose

PEOPLE_FILE = "people.json"


@dataclass(frozen=True)
class Criteria:
    """What counts as a person seen, and how many there must be.

    `side`: the box's longer side as a share of the picture's shorter one. `overlap`: least IoU with the annotated
    person's box. `least` 1 takes every sample, also those without any boxes.
    """

    least: int = 2
    score: float = 0.7
    side: float = 0.15
    overlap: float = 0.5


class People(NamedTuple):
    """What a detector found in a picture: boxes x0 y0 x1 y1 in pixels, and how sure it is of each, 0 to 1."""

    boxes: Float[np.ndarray, "n 4"]
    scores: Float[np.ndarray, " n"]


class Subject(NamedTuple):
    """A sample to ask about: the photograph, the words, the place of the person meant, and the pose that is true."""

    name: str
    folder: Path
    image: Path
    category: str
    action: str
    place: str
    box: Float[np.ndarray, "4"]
    others: Float[np.ndarray, "m 4"]
    pose: HumanPose


def load_people(path: Path) -> People:
    """People from {"boxes": [[x0, y0, x1, y1], ...], "scores": [...]}; without scores all are sure. Raises SampleError."""
    record = load_json(path)
    if not isinstance(record, dict) or "boxes" not in record:
        raise SampleError(path, 'holds no boxes, expected {"boxes": [[x0, y0, x1, y1], ...], "scores": [...]}')
    try:
        boxes = np.asarray(record["boxes"], np.float64).reshape(-1, 4)
        scores = np.asarray(record.get("scores", np.ones(len(boxes))), np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise SampleError(path, f"boxes and scores cannot be read ({error}), expected rows of four numbers") from error
    if scores.shape != (len(boxes),):
        raise SampleError(path, f"has {len(boxes)} boxes and scores of shape {scores.shape}, expected one for each")
    if not np.isfinite(boxes).all() or not (boxes[:, 2:] > boxes[:, :2]).all():
        raise SampleError(path, "has a box without area, or numbers that are not finite, expected x0 < x1 and y0 < y1")
    return People(boxes, scores)


def box_overlap(box: Float[np.ndarray, "4"], boxes: Float[np.ndarray, "n 4"]) -> Float[np.ndarray, " n"]:
    """Intersection over union of a box with each of the others."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    common = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return np.asarray(common / (np.prod(box[2:] - box[:2]) + areas - common))


def seen_people(found: People, size: tuple[int, int], criteria: Criteria) -> Float[np.ndarray, "n 4"]:
    """The boxes that are sure and large enough; `size` is the picture's width and height."""
    sides = (found.boxes[:, 2:] - found.boxes[:, :2]).max(1, initial=0)
    return found.boxes[(found.scores >= criteria.score) & (sides >= criteria.side * min(size))]


def load_subject(
    name: str, folder: Path, found: People | None, criteria: Criteria, body_verts: int | None = None
) -> Subject:
    """One sample as it is asked about. Raises SampleError with the reason where it cannot be, or is not to be, asked.

    `found`: the people of its picture; None where nobody looked, which only `criteria.least` 1 allows. `body_verts`:
    vertices of the body that will be posed; a person's mesh of another topology belongs to another body model.
    """
    labels = load_labels(folder, _ignore)
    for word, value in (("action", labels.action), ("object category", labels.category)):
        if not value:
            raise SampleError(folder, f"no {word}: there is nothing to ask with")
    image = required_file(folder, "image")
    picture = load_photo(image, _ignore, None)
    size = (picture.shape[1], picture.shape[0])
    pose, _ = load_human(folder, _ignore)
    if body_verts is not None:
        _same_body(required_file(folder, "human"), body_verts)
    box = labels.human_box if labels.human_box is not None else _mask_box(required_file(folder, "human_mask"))
    box, others = _chosen(folder, box, found, size, criteria)
    return Subject(
        name, folder, image, str(labels.category), str(labels.action), location(box, others, size), box, others, pose
    )


def load_subjects(
    folders: dict[str, Path],
    people: Callable[[str, Path], People | None],
    criteria: Criteria,
    body_verts: int | None = None,
    progress: Callable[[Iterable[str]], Iterable[str]] = lambda names: names,
) -> tuple[list[Subject], dict[str, str]]:
    """Those of the samples that are to be asked about, and of each other one why not. `people` may raise SampleError."""
    chosen: list[Subject] = []
    left_out: dict[str, str] = {}
    for name in progress(list(folders)):
        try:
            chosen.append(load_subject(name, folders[name], people(name, folders[name]), criteria, body_verts))
        except SampleError as error:
            left_out[name] = error.message
    return chosen, left_out


def _chosen(
    folder: Path, box: Float[np.ndarray, "4"], found: People | None, size: tuple[int, int], criteria: Criteria
) -> tuple[Float[np.ndarray, "4"], Float[np.ndarray, "m 4"]]:
    """The box of the annotated person, and those of everybody else."""
    if found is None:
        if criteria.least > 1:
            raise SampleError(folder, f"nobody has looked for people: no {PEOPLE_FILE}")
        return box, np.zeros((0, 4))
    boxes = seen_people(found, size, criteria)
    if criteria.least <= 1 and not len(boxes):
        return box, boxes
    if len(boxes) < criteria.least:
        raise SampleError(folder, f"people seen: {len(boxes)}, expected {criteria.least} or more")
    overlap = box_overlap(box, boxes)
    best = int(overlap.argmax())
    if overlap[best] < criteria.overlap:
        if criteria.least <= 1:
            return box, boxes
        raise SampleError(folder, f"nobody is seen where the annotated person is (IoU under {criteria.overlap:g})")
    return boxes[best], np.delete(boxes, best, axis=0)


def _same_body(path: Path, expected: int) -> None:
    count = sum(line.startswith(b"v ") for line in load_bytes(path).splitlines())
    if count != expected:
        raise SampleError(path, f"the person has {count} vertices, the body {expected}: give the body it was made with")


def _mask_box(path: Path) -> Float[np.ndarray, "4"]:
    mask = load_mask(path, _ignore)
    if not mask.any():
        raise SampleError(path, "is empty: there is no person to ask for")
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float64)


def _ignore(path: Path, message: str) -> None:
    """Warnings about a sample are told by check_data.py; here only what keeps it from being asked about counts."""
