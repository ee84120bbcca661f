"""Direct search for the similarity of a mesh that fills a mask best, by the exact IoU that results are measured with."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.optimize import minimize
from scipy.spatial.transform import Rotation

from hoijax.data.prepare import decimated
from hoijax.data.sample import ColoredMesh, Sample
from hoijax.metrics.image import mask_iou, projected_mask
from hoijax.metrics.pose import Similarity
from hoijax.types import Camera

# Typical steps of the seven numbers: three turns in radians, log of the size in the image, two shifts as
# shares of the root of the mask's area, log of the depth at that size in the image (through a long lens it hardly matters).
STEPS = np.array([0.12, 0.12, 0.12, 0.05, 0.04, 0.04, 0.15])
TURNS = (0.2, 0.5, 1.0)  # radians by which further starts depart from the given ones
KEPT = 3  # of all starts go on to the full resolution
GAIN = 1e-4  # of a round of searches, under which no further one is made


class View(NamedTuple):
    """What the IoU is measured with: the mesh before it is moved, and the masks as `camera` sees them."""

    camera: Camera
    object_mask: Bool[np.ndarray, "h w"]
    human_mask: Bool[np.ndarray, "h w"]
    verts: Float[np.ndarray, "v 3"]
    faces: Int[np.ndarray, "f 3"]


class Found(NamedTuple):
    """The best that was found: the similarity of the mesh before the camera, its IoU, how many poses were measured."""

    pose: Similarity
    iou: float
    measured: int


def view_of(sample: Sample, step: int = 1, faces: int | None = None) -> View:
    """Of every `step`-th pixel in each direction: the same centres, so only fewer samples of the same measure.

    `faces`: with the mesh decimated to so many, as an optimizer sees it; only to search with.
    """
    focal, center = np.asarray(sample.camera.focal, np.float64), np.asarray(sample.camera.center, np.float64)
    camera = Camera(focal / step, (center - 0.5) / step + 0.5)
    cut = slice(None, None, step)
    mesh = sample.object if faces is None else lighter(sample.object, faces)
    verts = mesh.verts + np.asarray(sample.pose.translation, np.float64)
    return View(camera, sample.object_mask[cut, cut], sample.human_mask[cut, cut], verts, mesh.faces)


def lighter(mesh: ColoredMesh, faces: int) -> ColoredMesh:
    """The mesh with so many faces, to search with; itself where it cannot be reduced so far, as spokes cannot."""
    try:
        return decimated(mesh, faces, faces)[0]
    except ValueError:
        return mesh


def visible_iou(view: View, pose: Similarity) -> float:
    """`image_metrics`'s iou_object, exactly; drawn only where the mesh or the mask are. 0 behind the camera, or for NaN."""
    verts = pose.scale * view.verts @ pose.rotation.T + pose.translation
    if not verts[:, 2].min() > 0.01:
        return 0.0
    h, w = view.object_mask.shape
    image = verts[:, :2] / verts[:, 2:] * view.camera.focal + view.camera.center
    rows, columns = (np.flatnonzero(view.object_mask.any(axis)) for axis in (1, 0))
    x0, y0 = np.clip(np.minimum(np.floor(image.min(0)) - 1, [columns[0], rows[0]]), 0, [w, h]).astype(int)
    x1, y1 = np.clip(np.maximum(np.ceil(image.max(0)) + 1, [columns[-1] + 1, rows[-1] + 1]), 0, [w, h]).astype(int)
    camera = Camera(view.camera.focal, view.camera.center - [x0, y0])
    drawn = projected_mask(verts, view.faces, camera, (int(y1 - y0), int(x1 - x0)))
    cut = slice(y0, y1), slice(x0, x1)
    return float(np.nan_to_num(mask_iou(drawn, view.object_mask[cut], ignore=view.human_mask[cut])))


def departed(pose: Similarity, numbers: Float[np.ndarray, "7"], view: View) -> Similarity:
    """The pose, changed by the seven numbers (see STEPS) about the mean of the moved vertices."""
    center = pose.scale * pose.rotation @ view.verts.mean(0) + pose.translation
    shift = numbers[4:6] * np.sqrt(view.object_mask.sum()) / np.asarray(view.camera.focal)
    there = np.array([*(center[:2] / center[2] + shift), 1.0]) * center[2] * np.exp(numbers[6])
    turn = Rotation.from_rotvec(numbers[:3]).as_matrix()
    scale = float(np.exp(numbers[3] + numbers[6]))
    return Similarity(scale * pose.scale, turn @ pose.rotation, scale * turn @ (pose.translation - center) + there)


def climbed(view: View, pose: Similarity, steps: Float[np.ndarray, "7"], most: int) -> Found:
    """Nelder and Mead's search from this pose, with a first simplex of these steps."""
    found = minimize(
        lambda numbers: -visible_iou(view, departed(pose, numbers, view)),
        np.zeros(7),
        method="Nelder-Mead",
        options={
            "initial_simplex": np.vstack([np.zeros(7), np.diag(steps)]),
            "maxfev": most,
            "xatol": 1e-4,
            "fatol": 1e-5,
            "adaptive": True,
        },
    )
    return Found(departed(pose, found.x, view), -float(found.fun), int(found.nfev))


def best_similarity(sample: Sample, starts: Sequence[Similarity], effort: int, rng: np.random.Generator) -> Found:
    """The best of searches from all starts and from turned copies of them: `effort` poses at most in each search.

    A lower bound of the best there is: no search of this kind can know that it has found it. Three passes, each from the
    best of the one before: few pixels and faces, all pixels and few faces, all of both. The IoU told is that of the last.
    """
    rough = view_of(sample, 2 if sample.object_mask.sum() > 4000 else 1, faces=2000)
    fine, exact = view_of(sample, faces=8000), view_of(sample)
    perfect = [start for start in starts if visible_iou(exact, start) == 1.0]
    if perfect:
        return Found(perfect[0], 1.0, len(starts))
    turned = [
        departed(start, np.concatenate([turn * direction(rng), np.zeros(4)]), exact)
        for turn in TURNS
        for start in starts
    ]
    tried = sorted((climbed(rough, pose, STEPS, effort) for pose in (*starts, *turned)), key=lambda each: -each.iou)
    measured = sum(each.measured for each in tried)
    known = [Found(pose, visible_iou(fine, pose), 0) for pose in (*starts, *(each.pose for each in tried[:KEPT]))]
    finals = []
    for own in sorted(known, key=lambda each: -each.iou)[:KEPT]:
        last = -1.0
        while own.iou > last + GAIN:
            last = own.iou
            again = climbed(fine, own.pose, rng.choice([-1.0, 1.0], 7) * rng.uniform(0.2, 0.8) * STEPS, effort)
            measured += again.measured
            own = max(own, again, key=lambda one: one.iou)
        finals.append(own.pose)
    ends = [Found(pose, visible_iou(exact, pose), 0) for pose in (*starts, *finals)]
    best = max(ends, key=lambda each: each.iou)
    if len(exact.faces) != len(fine.faces):
        last_search = climbed(exact, best.pose, 0.1 * STEPS, effort)
        measured += last_search.measured
        best = max(best, last_search, key=lambda each: each.iou)
    return best._replace(measured=measured)


def direction(rng: np.random.Generator) -> Float[np.ndarray, "3"]:
    """All equally likely."""
    drawn = rng.normal(size=3)
    return drawn / np.linalg.norm(drawn)
