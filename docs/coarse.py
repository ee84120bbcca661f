"""The table of docs/coarse.md: errors of the coarse start on the built-in scenes, with true and with distorted depth.

    python docs/coarse.py [seed] [degrees]

The object comes with longest side 1, centred, turned by `degrees` about a random axis.
"""

import sys
import time

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from hoijax.coarse.place import CoarseOptions, coarse_placement
from hoijax.data.sample import Sample
from hoijax.data.synthetic import scene_names, synthetic_sample
from hoijax.metrics.image import mask_iou, projected_mask
from hoijax.metrics.pose import object_pose_errors

UNIT, NOISE, FIELD, OUTLIERS = 7.5, 0.03, 0.03, 0.05  # metres per unit; of pixels, of a smooth field (metres); share
CELLS = 9  # of the smooth field, each way
HEAD = "| start | scale error | translation cm | chamfer cm | IoU | rotation deg | s |"

WAYS = {
    "random": None,
    "true depth, steps 1-7 as written": (False, CoarseOptions(correct=False)),
    "true depth": (False, CoarseOptions()),
    "distorted, steps 1-7 as written": (True, CoarseOptions(correct=False)),
    "distorted": (True, CoarseOptions()),
    "distorted, rotation=search": (True, CoarseOptions(rotation="search")),
}


def distorted(depth: Float[np.ndarray, "h w"], rng: np.random.Generator) -> Float[np.ndarray, "h w"]:
    """Another unit and zero, noise of 3 cm in each pixel and of 3 cm that varies slowly, and 5 % of pixels anywhere."""
    h, w = depth.shape
    grid = rng.normal(0, FIELD, (CELLS, CELLS))
    rows, columns = (np.linspace(0, CELLS - 1.001, n) for n in (h, w))
    (i, s), (j, t) = ((axis.astype(int), axis % 1) for axis in (rows, columns))
    upper, lower = (grid[k][:, j] * (1 - t) + grid[k][:, j + 1] * t for k in (i, i + 1))
    field = upper * (1 - s[:, None]) + lower * s[:, None]
    z = (depth - depth.min() + 2 + field + rng.normal(0, NOISE, depth.shape)) / UNIT
    return np.where(rng.random(depth.shape) < OUTLIERS, rng.uniform(0.2, 2, depth.shape) * np.median(z), z)


def measured(sample: Sample, way: tuple[bool, CoarseOptions] | None, degrees: float) -> list[float]:
    """Errors of scale, translation (cm), chamfer (cm), IoU, rotation (degrees), and seconds of one start."""
    rng = np.random.default_rng(7)
    offset = np.asarray(sample.pose.translation, np.float64)
    assert sample.truth is not None
    assert sample.depth is not None
    truth, faces = sample.truth.verts + offset, sample.truth.faces
    axis = rng.normal(size=3)
    turn = Rotation.from_rotvec(np.radians(degrees) * axis / np.linalg.norm(axis)).as_matrix()
    low, high = truth.min(0), truth.max(0)
    verts = (truth - (low + high) / 2) / (high - low).max() @ turn.T
    human = sample.human.verts + offset
    begin = time.perf_counter()
    if way is None:  # on the ray of the mask's box, at the human's depth, 10 cm to 2 m long
        rows, columns = np.nonzero(sample.object_mask)
        pixel = np.array([columns.min() + columns.max(), rows.min() + rows.max()]) / 2 + 0.5
        z = rng.uniform(human[:, 2].min() - 0.3, human[:, 2].max() + 0.3)
        slope = (pixel - np.asarray(sample.camera.center)) / np.asarray(sample.camera.focal)
        placed = rng.uniform(0.1, 2.0) * verts + z * np.append(slope, 1)
    else:
        depth = distorted(sample.depth.astype(np.float64), rng) if way[0] else sample.depth
        images = depth, sample.human_mask, sample.object_mask
        found = coarse_placement(human, sample.human.faces, verts, faces, sample.camera, *images, way[1])
        placed = found.scale * verts @ found.rotation.T + found.translation
    seconds = time.perf_counter() - begin
    errors = object_pose_errors(placed, truth, faces)
    seen = projected_mask(placed, faces, sample.camera, sample.object_mask.shape)
    iou = mask_iou(seen, sample.object_mask, ignore=sample.human_mask)
    return [errors.scale, errors.translation_cm, errors.chamfer_cm, iou, errors.rotation_degrees, seconds]


def main(seed: int = 0, degrees: float = 0.0) -> None:
    samples = [synthetic_sample(name, seed) for name in scene_names()]
    for way in (WAYS["true depth"], WAYS["distorted, rotation=search"]):
        measured(samples[0], way, degrees)  # compiles and loads
    print(f"six scenes, seed {seed}, object turned by {degrees:g} degrees\n\n{HEAD}\n|{'---|' * 7}")
    for name, way in WAYS.items():
        values = np.mean([measured(sample, way, degrees) for sample in samples], 0)
        shown = [f"{value:.{digits}f}" for value, digits in zip(values, (3, 1, 1, 3, 1, 2))]
        print(f"| {name} | {' | '.join(shown)} |", flush=True)


if __name__ == "__main__":
    main(*(kind(text) for kind, text in zip((int, float), sys.argv[1:])))
