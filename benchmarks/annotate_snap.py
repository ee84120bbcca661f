"""What the fine tool's snap gains: IoU of the object at its coarse start, after one snap, after a second, and the seconds.

    python benchmarks/annotate_snap.py --data=TREE --names="baseball bat,bicycle,cup,skateboard"

TREE is the benchmark's test split, say (experiments/make_benchmark.py).
"""

import time
from pathlib import Path

from absl import app, flags

from hoijax.annotate.fine.numbers import iou, sight
from hoijax.annotate.fine.pose import identity, placed
from hoijax.annotate.fine.snap import Asked, snapped
from hoijax.annotate.fine.state import base_mesh
from hoijax.data.layout import find_samples
from hoijax.data.read import load_sample

_DATA = flags.DEFINE_string("data", None, "A tree of samples.", required=True)
_NAMES = flags.DEFINE_list("names", None, "Categories to take; all by default.")


def main(_: list[str]) -> None:
    """A line for each sample."""
    tree = Path(_DATA.value)
    for folder in find_samples(tree):
        if _NAMES.value and folder.parent.name not in _NAMES.value:
            continue
        sample, pose = load_sample(folder), identity()
        mesh, seen, told = base_mesh(sample, "coarse"), sight(sample), []
        for _ in range(3):
            verts = placed(mesh.verts, pose, mesh.verts.mean(0))
            told.append(f"IoU {iou(seen, verts, mesh.faces):.2f}")
            start = time.perf_counter()
            pose = snapped(Asked(sample, "coarse", pose), lambda done, of: None)
            told.append(f"{time.perf_counter() - start:5.1f} s")
        print(f"{folder.relative_to(tree).as_posix():28}", *told[:-1])


if __name__ == "__main__":
    app.run(main)
