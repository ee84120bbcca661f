"""Parts of the body against the object's surface, without learning: how far each is off, and which count as touching."""

import numpy as np
from jaxtyping import Bool, Float

from hoijax.body.parts import PART_NAMES
from hoijax.data.person_parts import parts_of
from hoijax.data.sample import ColoredMesh, Sample
from hoijax.data.synthetic.compose import part_gaps


def sample_gaps(sample: Sample, thing: ColoredMesh) -> Float[np.ndarray, "34"]:
    """Least signed distance (metres) of each part's vertices to the surface of `thing`; infinite for a missing part."""
    gaps = part_gaps(sample.human.verts, parts_of(sample), thing)
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
