"""Errors of the object's pose against the annotated object (Open3DHOI Table 2)."""

from typing import NamedTuple

import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float, Int
from scipy.spatial import cKDTree

from hoijax.metrics.surface import Surface, surface, surface_samples

# Below this ratio of the first two singular values the points lie on a line and leave a rotation about it open.
COLLINEAR = 1e-10


class Similarity(NamedTuple):
    """x' = scale * rotation x + translation (metres). NaN marks what the points do not determine."""

    scale: float
    rotation: Float[np.ndarray, "3 3"]
    translation: Float[np.ndarray, "3"]


class ObjectPoseErrors(NamedTuple):
    """`scale` |s - 1|, `rotation` the Frobenius norm of R - I; 0 is best everywhere."""

    scale: float
    rotation: float
    rotation_degrees: float
    translation_cm: float
    chamfer_cm: float


class AlignedChamfer(NamedTuple):
    """Chamfer distances in cm after one similarity for human and object together: of all of it, and of each part."""

    total_cm: float
    human_cm: float
    object_cm: float


def umeyama(source: Float[ArrayLike, "n 3"], target: Float[ArrayLike, "n 3"]) -> Similarity:
    """Least-squares similarity that takes source to target: min over s, R, t of sum |s R x + t - y|^2 (Umeyama 1991).

    With the centred covariance Y^T X / n = U D V^T: R = U S V^T, S = diag(1, 1, det U det V), s = tr(D S) / var(X).
    R is never a reflection. Source or target on one line leave the rotation open: it and the translation are NaN. Source
    points in one place leave the scale open too. Raises ValueError for points that are not finite, or none.
    """
    x, y = np.asarray(source, np.float64), np.asarray(target, np.float64)
    unfit = int((~np.isfinite(x) | ~np.isfinite(y)).any(-1).sum())
    if unfit or not len(x):
        raise ValueError(f"umeyama: {len(x)} pairs of points, {unfit} not finite; expected one or more, all finite")
    x_mean, y_mean = x.mean(0), y.mean(0)
    x_centred, y_centred = x - x_mean, y - y_mean
    variance = float((x_centred**2).sum(-1).mean())
    u, d, vt = np.linalg.svd(y_centred.T @ x_centred / len(x))
    signs = np.array([1, 1, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    scale = np.nan if _in_one_place(x) else float((d * signs).sum() / variance)
    if _in_one_place(x) or _in_one_place(y) or d[1] <= COLLINEAR * d[0]:
        return Similarity(scale, np.full((3, 3), np.nan), np.full(3, np.nan))
    rotation = (u * signs) @ vt
    return Similarity(scale, rotation, y_mean - scale * rotation @ x_mean)


def rotation_degrees(rotation: Float[np.ndarray, "3 3"]) -> float:
    """Angle of a rotation in degrees, 2 arcsin(|R - I|_F / sqrt 8): exact near 0, where arccos of the trace is not."""
    return float(np.degrees(2 * np.arcsin(np.clip(np.linalg.norm(rotation - np.eye(3)) / np.sqrt(8), 0, 1))))


def chamfer_cm(first: Float[np.ndarray, "n 3"], second: Float[np.ndarray, "m 3"]) -> float:
    """100 x (mean distance of each first point to its nearest second + the reverse) / 2, points in metres."""
    forward, _ = cKDTree(second).query(first)
    backward, _ = cKDTree(first).query(second)
    return float(100 * (forward.mean() + backward.mean()) / 2)


def object_pose_errors(
    predicted: Float[ArrayLike, "v 3"],
    true: Float[ArrayLike, "v 3"],
    faces: Int[ArrayLike, "f 3"],
    samples: int = 10_000,
    seed: int = 0,
) -> ObjectPoseErrors:
    """Errors of an object against the truth with the same vertex order, both in one frame (Open3DHOI Table 2).

    s, R from `umeyama(predicted, true)`; translation: 100 x distance of the vertex means; chamfer: on `samples` surface
    points of each, without alignment. Both surfaces are sampled with one seed, so equal meshes score exactly 0. Scale
    and rotation are NaN where the vertices do not determine them (see `umeyama`). Leave padding out. Raises ValueError
    for meshes that `surface` refuses.
    """
    found, truth = surface(predicted, faces, "predicted object"), surface(true, faces, "true object")
    fit = umeyama(found.verts, truth.verts)
    return ObjectPoseErrors(
        scale=abs(fit.scale - 1),
        rotation=float(np.linalg.norm(fit.rotation - np.eye(3))),
        rotation_degrees=rotation_degrees(fit.rotation),
        translation_cm=float(100 * np.linalg.norm(found.verts.mean(0) - truth.verts.mean(0))),
        chamfer_cm=chamfer_cm(surface_samples(found, samples, seed), surface_samples(truth, samples, seed)),
    )


def procrustes_chamfer(
    predicted_human: Float[ArrayLike, "v 3"],
    true_human: Float[ArrayLike, "v 3"],
    human_faces: Int[ArrayLike, "f 3"],
    predicted_object: Float[ArrayLike, "w 3"],
    true_object: Float[ArrayLike, "w 3"],
    object_faces: Int[ArrayLike, "g 3"],
    samples: int = 6_000,
    seed: int = 0,
) -> AlignedChamfer:
    """Chamfer distances after the similarity that best takes all predicted vertices to the true ones (`umeyama`).

    Human and object move as one (the protocol of CHORE, Xie et al. 2022). `samples` surface points on the whole and on
    each of the two. NaN where the vertices lie on one line. Raises ValueError for meshes that `surface` refuses.
    """
    human = surface(predicted_human, human_faces, "predicted human")
    thing = surface(predicted_object, object_faces, "predicted object")
    human_truth = surface(true_human, human_faces, "true human")
    thing_truth = surface(true_object, object_faces, "true object")
    both, both_truth = _joined(human, thing), _joined(human_truth, thing_truth)
    fit = umeyama(both.verts, both_truth.verts)
    if not np.isfinite(fit.rotation).all():
        return AlignedChamfer(np.nan, np.nan, np.nan)

    def distance(found: Surface, truth: Surface) -> float:
        moved = fit.scale * surface_samples(found, samples, seed) @ fit.rotation.T + fit.translation
        return chamfer_cm(moved, surface_samples(truth, samples, seed))

    return AlignedChamfer(distance(both, both_truth), distance(human, human_truth), distance(thing, thing_truth))


def _in_one_place(points: Float[np.ndarray, "n 3"]) -> bool:
    """No extent beyond the rounding of float32 coordinates."""
    return bool(np.ptp(points, axis=0).max() <= 2 * np.finfo(np.float32).eps * np.abs(points).max())


def _joined(first: Surface, second: Surface) -> Surface:
    """Both meshes as one."""
    verts = np.concatenate([first.verts, second.verts])
    return Surface(verts, np.concatenate([first.faces, second.faces + len(first.verts)]))
