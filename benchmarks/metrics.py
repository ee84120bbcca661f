"""Times of the metrics for objects of several sizes beside the built-in body: python benchmarks/metrics.py [--write]

Prints the median of each beside its baseline in baselines/metrics.json, in seconds; --write stores a new baseline.
"""

import os
from collections.abc import Callable
from typing import Any

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import numpy as np
import trimesh
from timed import report

from hoijax.body.builtin import builtin_body
from hoijax.metrics.co2 import co2
from hoijax.metrics.image import projected_mask
from hoijax.metrics.pose import object_pose_errors
from hoijax.types import Camera

SIZE = (685, 1024)
CAMERA = Camera(np.array([9000.0, 9000.0]), np.array([512.0, 342.0]))
SECTIONS = {"8k": (80, 50), "75k": (250, 150), "400k": (500, 400)}  # of a ring: twice their product is its faces


def cases() -> dict[str, Callable[[], Any]]:
    """Name -> what to time. The ring lies around the body ("apart") or goes through it ("through")."""
    body = builtin_body()
    human, faces = np.asarray(body.template, np.float64) + [0, 0, 25], np.asarray(body.faces)
    part = (np.arange(len(human)) < 500)[None]
    found: dict[str, Callable[[], Any]] = {"mask human": lambda: projected_mask(human, faces, CAMERA, SIZE)}
    for name, (around, across) in SECTIONS.items():
        ring = trimesh.creation.torus(1.2, 0.1, major_sections=around, minor_sections=across)
        apart, triangles = ring.vertices + human.mean(0) + [0, 0, 0.5], np.asarray(ring.faces)
        through = apart + [1.2, 0, -0.5]
        found |= {
            f"co2 {name} apart": lambda v=apart, f=triangles: co2(human, faces, v, f, part),
            f"co2 {name} through": lambda v=through, f=triangles: co2(human, faces, v, f, part),
            f"pose {name}": lambda v=apart, w=through, f=triangles: object_pose_errors(v, w, f),
            f"mask {name}": lambda v=apart, f=triangles: projected_mask(v, f, CAMERA, SIZE),
        }
    return found


if __name__ == "__main__":
    report(cases, __doc__, "metrics")
