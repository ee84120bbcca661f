"""What the fine tool shows of a sample: meshes light enough to follow every nudge, and where its cameras stand."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from hoijax.annotate.blobs import jpeg, packed_mesh
from hoijax.annotate.contact.photo import outline
from hoijax.annotate.fine.numbers import Sight, iou, sight
from hoijax.annotate.fine.state import ANNOTATED, COARSE, base_mesh
from hoijax.data.prepare import decimated
from hoijax.data.sample import ColoredMesh, Sample, SampleError

FACES = 8000  # of the object and of the human, as drawn
FOV = 20.0  # degrees: narrow, so that lengths can be compared
GRAY = 0.62  # the human's, so that the object stands out
ROOM = 0.6  # metres: a close view shows at least so much

# Where the cameras of the three novel views stand, and what is up there (camera axes).
SIDES = {
    "side": ((1.0, 0.0, 0.0), (0.0, -1.0, 0.0)),
    "top": ((0.0, -1.0, 0.0), (0.0, 0.0, 1.0)),
    "free": ((0.62, -0.45, -0.65), (0.0, -1.0, 0.0)),
}


class Movable(NamedTuple):
    """A mesh that the tool can move: whole, as drawn, and its pivot (mean of the whole one's vertices, files' frame)."""

    whole: ColoredMesh
    drawn: bytes
    pivot: Float[np.ndarray, "3"]
    start_iou: float


class Made(NamedTuple):
    """A sample, ready for the page. Boxes are (x0, y0, x1, y1) in pixels: all of the photograph, and what matters.
    `outline`: the object's mask, as an SVG path in pixels."""

    photo: bytes
    human: bytes
    bases: dict[str, Movable]
    seen: Sight
    whole_box: tuple[float, float, float, float]
    close_box: tuple[float, float, float, float]
    outline: str


class Stand(NamedTuple):
    """A camera of a novel view, in the camera's frame."""

    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    up: tuple[float, float, float]


def made(sample: Sample) -> Made:
    """All that takes time. Raises SampleError where the object cannot be shown."""
    seen = sight(sample)
    human = light(sample.human)
    human = human._replace(rgb=np.full_like(human.rgb, GRAY))
    names = [ANNOTATED, COARSE] if sample.truth is not None else [COARSE]
    bases = {name: movable(sample, name, seen) for name in names}
    h, w = sample.object_mask.shape
    boxes = (0.0, 0.0, float(w), float(h)), close_box(sample)
    return Made(jpeg(sample.image), packed_mesh(human), bases, seen, *boxes, outline(sample.object_mask))


def movable(sample: Sample, base: str, seen: Sight) -> Movable:
    """A mesh of the sample as the tool moves it."""
    mesh = base_mesh(sample, base)
    if not np.isfinite(mesh.verts).all():
        raise SampleError(sample.folder, f"the {base} object has vertices that are not finite")
    return Movable(mesh, packed_mesh(light(mesh)), mesh.verts.mean(0), iou(seen, mesh.verts, mesh.faces))


def light(mesh: ColoredMesh) -> ColoredMesh:
    """At most `FACES` faces; a mesh that cannot be reduced without falling apart is thinned out: every n-th face."""
    try:
        return decimated(mesh, FACES, 3 * FACES)[0]
    except ValueError:
        return mesh._replace(faces=mesh.faces[:: -(-len(mesh.faces) // FACES)])


def close_box(sample: Sample) -> tuple[float, float, float, float]:
    """A part of the photograph around the object's mask, with room; all of it where the mask is empty."""
    rows, columns = (np.flatnonzero(sample.object_mask.any(axis)) for axis in (1, 0))
    h, w = sample.object_mask.shape
    if not len(rows):
        return 0.0, 0.0, float(w), float(h)
    box = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float64)
    room = max(0.35 * max(box[2:] - box[:2]), 0.08 * max(h, w))
    x0, y0, x1, y1 = box + room * np.array([-1, -1, 1, 1])
    return float(x0), float(y0), float(x1), float(y1)


def stands(points: Sequence[Float[np.ndarray, "_ 3"]], room: float = ROOM) -> dict[str, Stand]:
    """The cameras of the novel views so that each shows all points, and at least `room` metres."""
    every = np.concatenate(list(points))
    low, high = every.min(0), every.max(0)
    middle, reach = (low + high) / 2, max(float(np.linalg.norm(high - low)), room)
    distance = 0.55 * reach / np.tan(np.radians(FOV / 2))
    found = {}
    for name, (direction, up) in SIDES.items():
        eye = middle + distance * np.asarray(direction) / np.linalg.norm(direction)
        found[name] = Stand(_triple(eye), _triple(middle), up)
    return found


def _triple(point: Float[np.ndarray, "3"]) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in point)
    return x, y, z
