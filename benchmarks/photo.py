"""Times of the way from a bare photograph to a start: python benchmarks/photo.py [--write]

The astronaut of scikit-image (extra `test`), 512 px, with a ball for her helmet. Prints, in seconds, how long it takes to
load the networks and fit the first body, compilation included (no cache is used), then the median of three calls of each
part beside its baseline in baselines/photo.json; --write stores a new one.
"""

import os
from collections.abc import Callable
from typing import Any

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import numpy as np
import skimage.data
import trimesh
from timed import report

from hoijax.body.builtin import builtin_body
from hoijax.coarse.place import CoarseOptions
from hoijax.coarse.without_depth import placement_without_depth
from hoijax.photo.box_mask import box_mask
from hoijax.photo.models import load_models
from hoijax.photo.people import people
from hoijax.photo.person_body import fit_body

HELMET = np.array([277.0, 343.0, 512.0, 512.0])  # left, top, right, bottom


def cases() -> dict[str, Callable[[], Any]]:
    """Name -> what to time; each is given what the ones before it find."""
    image, models, body = skimage.data.astronaut(), load_models(), builtin_body()
    person = people(image, models)[0]
    helmet = box_mask(image, HELMET, person.soft_mask)
    fitted = fit_body(body, person, hidden=helmet)
    ball = trimesh.creation.icosphere(subdivisions=4, radius=0.165)
    meshes = fitted.verts, np.asarray(body.faces), np.asarray(ball.vertices), np.asarray(ball.faces), fitted.camera

    def start(rotation: str) -> Any:
        options = CoarseOptions(rotation=rotation)
        return placement_without_depth(*meshes, person.mask & ~helmet, helmet, None, options)

    return {
        "people": lambda: people(image, models),
        "box mask": lambda: box_mask(image, HELMET, person.soft_mask),
        "body": lambda: fit_body(body, person, hidden=helmet),
        "start, rotation given": lambda: start("given"),
        "start, rotation searched": lambda: start("search"),
    }


if __name__ == "__main__":
    report(cases, __doc__, "photo")
