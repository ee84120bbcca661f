"""How near the object the body is: what a contact annotation may start from."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from hoijax.body.parts import PART_NAMES
from hoijax.data.sample import ColoredMesh, Sample, SampleError
from hoijax.metrics.co2 import nearness

NEAR = 0.05  # metres: parts with a vertex this near the object, or inside of it, are suggested
REACHES = (0.01, 0.02, 0.03, NEAR, 0.08)  # what an annotator may ask for instead


class Hints(NamedTuple):
    """Of one sample. `thing`: the object that was asked about, and `source` what it is. `distance`: of each vertex of the
    body to its surface, 0 inside, metres; `nearest`: the smallest of each part, NaN for a part without vertices."""

    thing: ColoredMesh
    source: str
    distance: Float[np.ndarray, " v"]
    nearest: Float[np.ndarray, "34"]

    def suggested(self, reach: float = NEAR) -> tuple[str, ...]:
        """The parts with a vertex within `reach` metres of the object or inside of it."""
        return tuple(name for name, distance in zip(PART_NAMES, self.nearest) if distance <= reach)


def hints(sample: Sample, parts: Int[np.ndarray, " v"]) -> Hints:
    """From the annotated object where there is one, else from the coarse start.

    Raises: SampleError for an object to which no distance can be taken.
    """
    annotated = sample.truth is not None
    thing = sample.truth if sample.truth is not None else sample.object
    try:
        near = nearness(sample.human.verts, thing.verts, thing.faces)
    except ValueError as error:
        raise SampleError(sample.folder, f"how near the person is to the object cannot be told ({error})") from error
    distance = np.where(near.inside, 0.0, near.distance)
    of_part = [distance[parts == k] for k in range(len(PART_NAMES))]
    nearest = np.array([part.min() if len(part) else np.nan for part in of_part])
    source = "the annotated object" if annotated else "the object's coarse start"
    return Hints(thing, source, distance, nearest)
