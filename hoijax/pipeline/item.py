"""One human-object pair of one photograph on its way to a sample, and the folders in which it leaves what it becomes.

OUT/work/<id>/<step>/     what a step made: appears whole or not at all
OUT/work/<id>/<step>.json how it was made, or why not (`Record`)
OUT/samples/<category>/<id>/  the finished sample: what the last step makes
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

# In the order in which they run. Each name is also the name of its folder.
STEPS = ("image", "person_mask", "object_mask", "human", "complete", "mesh", "depth", "coarse", "sample")

# What the folder of a step holds; a user's own file may have any of the names.
FILES: dict[str, tuple[tuple[str, ...], ...]] = {
    "image": (("image.jpg", "image.png"),),
    "person_mask": (("person_mask.png",),),
    "object_mask": (("object_mask.png", "obj_mask.png"),),
    "human": (("smplx_parameters.json",), ("h_mesh.obj",)),
    "complete": (("object.png",),),
    "mesh": (("mesh.obj", "object_mesh.obj", "mesh.glb", "mesh.ply", "mesh.stl", "mesh.off"),),
    "depth": (("depth.npy", "depth.png"),),
}


class Item(NamedTuple):
    """What is known of a pair before the first step. Boxes are x0, y0, x1, y1 in pixels; None where nobody gave one."""

    id: str
    photo: Path
    category: str | None
    actions: tuple[str, ...]
    human_box: Float[np.ndarray, "4"] | None
    object_box: Float[np.ndarray, "4"] | None
    out: Path

    @property
    def work(self) -> Path:
        """Where its steps leave their folders."""
        return self.out / "work" / self.id

    def folder(self, step: str) -> Path:
        """What this step leaves."""
        return self.out / "samples" / (self.category or "object") / self.id if step == "sample" else self.work / step

    def file(self, step: str, kind: int = 0) -> Path:
        """The file of a finished step, under whichever of its names; the first name where there is none."""
        folder = self.folder(step)
        return next(
            (folder / name for name in FILES[step][kind] if (folder / name).is_file()), folder / FILES[step][kind][0]
        )


def own_files(step: str, folder: Path) -> dict[str, Path]:
    """The user's files in `folder` that stand for this step: {first name of each kind: file}. Empty when none is there.

    Raises ValueError when some are there and others, which the step needs too, are not.
    """
    found = {}
    for names in FILES.get(step, ()):
        path = next((folder / name for name in names if (folder / name).is_file()), None)
        if path is not None:
            found[names[0]] = path
    missing = [names[0] for names in FILES.get(step, ()) if names[0] not in found]
    if found and missing:
        raise ValueError(
            f"{folder}: has {', '.join(found)} but no {', '.join(missing)}, expected both for the step {step}"
        )
    return found
