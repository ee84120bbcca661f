"""Which of the 34 body parts each vertex of a sample's person belongs to."""

import hashlib
from functools import lru_cache

import numpy as np
from jaxtyping import Int

from hoijax.body.builtin import builtin_body
from hoijax.body.parts import body_parts, parts_for_mesh
from hoijax.data.sample import Sample, SampleError

KEPT = 16  # topologies whose parts are remembered
_carried: dict[str, Int[np.ndarray, " v"]] = {}


def parts_of(sample: Sample) -> Int[np.ndarray, " v"]:
    """Index into `PART_NAMES` of each vertex of the sample's person.

    Those of the built-in body where the mesh has its faces; else carried over from it (`parts_for_mesh`), which takes
    seconds, once for all meshes with the same faces. Raises SampleError where that cannot be done.
    """
    faces = np.asarray(sample.human.faces)
    if np.array_equal(faces, np.asarray(builtin_body().faces)):
        return _builtin_parts()
    topology = hashlib.sha256(f"{len(sample.human.verts)} ".encode() + faces.astype("<i8").tobytes()).hexdigest()
    if topology not in _carried:
        try:
            found = parts_for_mesh(sample.human.verts, builtin_body(), sample.pose, _builtin_parts())
        except ValueError as error:
            raise SampleError(
                sample.folder, f"the person's mesh cannot be divided into the 34 body parts ({error})"
            ) from error
        while len(_carried) >= KEPT:
            _carried.pop(next(iter(_carried)), None)
        _carried[topology] = found
    return _carried[topology]


@lru_cache(1)
def _builtin_parts() -> Int[np.ndarray, " v"]:
    return body_parts(builtin_body())
