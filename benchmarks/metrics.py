"""Times of the metrics for objects of several sizes beside the built-in body: python benchmarks/metrics.py [--write]

Prints the median of each beside its baseline in baselines/metrics.json, in seconds; --write stores a new baseline.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import numpy as np
import trimesh

from hoijax.body.builtin import builtin_body
from hoijax.metrics.co2 import co2
from hoijax.metrics.image import projected_mask
from hoijax.metrics.pose import object_pose_errors
from hoijax.types import Camera

BASELINE = Path(__file__).parent / "baselines" / "metrics.json"
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="store these times as the baseline")
    baseline = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    write, times = parser.parse_args().write, {}
    for name, case in cases().items():
        case()
        seconds = []
        for _ in range(3):
            start = time.perf_counter()
            case()
            seconds.append(time.perf_counter() - start)
        times[name] = round(statistics.median(seconds), 3)
        print(f"{name:20} {times[name]:8.3f} s   baseline {baseline.get(name, float('nan')):8.3f} s", flush=True)
    if write:
        BASELINE.write_text(json.dumps(times, indent=2) + "\n")


if __name__ == "__main__":
    main()
