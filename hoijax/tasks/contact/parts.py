"""Parts of the body against the object's surface, without learning: how far each is off, and which count as touching."""

import functools
import hashlib

import numpy as np
from jaxtyping import Bool, Float, Int

from hoijax.body.builtin import builtin_body
from hoijax.body.parts import PART_NAMES, body_parts, parts_for_mesh
from hoijax.data.sample import ColoredMesh, Sample, SampleError
from hoijax.data.synthetic.compose import part_gaps

_carried: dict[str, Int[np.ndarray, " v"]] = {}


def sample_gaps(sample: Sample, thing: ColoredMesh) -> Float[np.ndarray, "34"]:
    """Least signed distance (metres) of each part's vertices to the surface of `thing`; infinite for a missing part."""
    gaps = part_gaps(sample.human.verts, _parts_of(sample), thing)
    return np.array([gaps[name] for name in PART_NAMES])


def best_reach(gaps: Float[np.ndarray, "n p"], labels: Bool[np.ndarray, "n p"]) -> float:
    """The distance in metres below which a part counts as touching, for the best micro F1 on these examples.

    All distances that occur are tried, halfway between neighbours.
    """
    order = np.argsort(gaps, axis=None, kind="stable")
    sorted_gaps, hits = gaps.ravel()[order], labels.ravel()[order].cumsum()
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + labels.sum())
    best = int(np.argmax(np.where(np.isfinite(sorted_gaps), f1, -1)))
    after = sorted_gaps[min(best + 1, len(order) - 1)]
    return float(sorted_gaps[best] if not np.isfinite(after) else (sorted_gaps[best] + after) / 2)


@functools.cache
def _builtin_parts() -> Int[np.ndarray, " v"]:
    return body_parts(builtin_body())


def _parts_of(sample: Sample) -> Int[np.ndarray, " v"]:
    """Part of each vertex of the person; carried over from the built-in body once for all meshes of the same faces."""
    faces = np.asarray(sample.human.faces)
    if np.array_equal(faces, np.asarray(builtin_body().faces)):
        return _builtin_parts()
    topology = hashlib.sha256(f"{len(sample.human.verts)} ".encode() + faces.astype("<i8").tobytes()).hexdigest()
    if topology not in _carried:
        try:
            _carried[topology] = parts_for_mesh(sample.human.verts, builtin_body(), sample.pose, _builtin_parts())
        except ValueError as error:
            raise SampleError(sample.folder, f"the parts of its person cannot be told ({error})") from error
    return _carried[topology]
