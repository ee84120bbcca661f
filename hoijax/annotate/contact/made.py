"""What the contact tool makes of a sample before it is shown."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from hoijax.annotate.blobs import packed_mesh
from hoijax.annotate.contact.body_map import absent, face_labels
from hoijax.annotate.contact.hints import Hints, hints
from hoijax.annotate.contact.photo import Photo, photo_of
from hoijax.annotate.contact.views import View, views
from hoijax.body.parts import PART_NAMES
from hoijax.data.person_parts import parts_of
from hoijax.data.prepare import decimated
from hoijax.data.sample import ColoredMesh, Sample
from hoijax.report.overlay import NEAR as HEAT_REACH
from hoijax.report.overlay import heat

SHOWN_FACES = 30_000  # of the object, in the browser; distances are taken to the whole of it


class Made(NamedTuple):
    """`labels`: the part of each face of the body. `body` and `thing` are for the browser; the body's own colours are
    the heat map of its distance to the object. `notes`: what the annotator should know of this item."""

    labels: Int[np.ndarray, " f"]
    hints: Hints
    nearest: dict[str, float]
    body: bytes
    thing: bytes
    photo: Photo
    views: dict[str, View]
    notes: tuple[str, ...]


def made_of(sample: Sample) -> Made:
    """All that is slow. Raises: SampleError for a body without parts and an object without distances."""
    parts = parts_of(sample)
    labels = face_labels(sample.human, parts)
    found = hints(sample, parts)
    nearest = {name: float(found.nearest[k]) for k, name in enumerate(PART_NAMES) if np.isfinite(found.nearest[k])}
    thing, note = _shown(found.thing)
    body = packed_mesh(sample.human._replace(rgb=heat(found.distance, HEAT_REACH)), labels)
    missing = absent(parts)
    notes = [note, f"This mesh has no {', '.join(missing)}." if missing else ""]
    return Made(
        labels, found, nearest, body, packed_mesh(thing), photo_of(sample), views(sample), tuple(filter(None, notes))
    )


def _shown(thing: ColoredMesh) -> tuple[ColoredMesh, str]:
    """The object with as many faces as a browser draws easily."""
    try:
        return decimated(thing, SHOWN_FACES, SHOWN_FACES)[0], ""
    except ValueError as error:
        return thing, f"The object is drawn with all its faces, which may be slow: {error}."


def legend() -> str:
    """The heat map's colours from touching to `HEAT_REACH`, as CSS."""
    colors = np.round(255 * heat(np.linspace(0, 1, 9), 1.0)).astype(int).tolist()
    return f"linear-gradient(to right, {', '.join(f'rgb({r} {g} {b})' for r, g, b in colors)})"
