"""Agreement with the picture: silhouettes of the meshes with the masks, the rendered object with the photograph."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Bool, Float, Int

from hoijax.losses.image import ssim
from hoijax.losses.lpips import LpipsWeights, lpips
from hoijax.metrics.surface import surface
from hoijax.types import Camera

BLOCK = 2**20  # pairs of face and row that are worked on at once


class SilhouetteIoU(NamedTuple):
    """IoU of projected meshes with masks. `human` leaves out the object mask's pixels, `object` the human mask's."""

    human: float
    object: float
    union: float


class Appearance(NamedTuple):
    """Likeness of the rendered object and the photograph. `ssim`: 1 is equal; `lpips`: 0 is equal."""

    ssim: float
    lpips: float


def mask_iou(
    predicted: Bool[ArrayLike, "h w"], true: Bool[ArrayLike, "h w"], ignore: Bool[ArrayLike, "h w"] | None = None
) -> float:
    """|A and B| / |A or B| over the pixels that are not in `ignore`. NaN where both masks are empty there."""
    found, truth = np.asarray(predicted, bool), np.asarray(true, bool)
    counted = np.ones_like(truth) if ignore is None else ~np.asarray(ignore, bool)
    union = int(((found | truth) & counted).sum())
    return int((found & truth & counted).sum()) / union if union else np.nan


def projected_mask(
    verts: Float[ArrayLike, "v 3"], faces: Int[ArrayLike, "f 3"], camera: Camera, size: tuple[int, int]
) -> Bool[np.ndarray, "h w"]:
    """Pixels of a (h, w) image whose centre, at (j + 0.5, i + 0.5), lies in or on the projection of a triangle. Exact.

    The ray d of a pixel meets the triangle abc in front of the camera where d.(b x c), d.(c x a) and d.(a x b) all have
    the sign of det(a, b, c) (Olano & Greer 1997): no clipping is needed. In one row each of them is linear in x, so a
    triangle covers an interval of pixels. Triangles seen edge-on cover nothing. Camera frame, metres. In float64, for any
    mesh without compilation, and apart from the renderers that the optimizer uses.
    Raises ValueError for meshes that `surface` refuses.
    """
    h, w = size
    mesh = surface(verts, faces)
    edges, first, count = _edge_functions(mesh.verts[mesh.faces], camera, h)
    ends = np.cumsum(count)
    steps = np.zeros(h * (w + 1), np.int64)  # +1 where an interval starts, -1 after its end
    for start in range(0, int(ends[-1]), BLOCK):
        pair = np.arange(start, min(start + BLOCK, int(ends[-1])))
        face = np.searchsorted(ends, pair, side="right")
        row = first[face] + pair - (ends - count)[face]
        begin, end = _intervals(edges[face], row + 0.5, w)
        some = begin < end
        for column, step in ((begin, 1), (end, -1)):
            steps += step * np.bincount(row[some] * (w + 1) + column[some], minlength=len(steps))
    return np.cumsum(steps.reshape(h, w + 1), axis=1)[:, :w] > 0


def silhouette_iou(
    human_verts: Float[ArrayLike, "v 3"],
    human_faces: Int[ArrayLike, "f 3"],
    object_verts: Float[ArrayLike, "n 3"],
    object_faces: Int[ArrayLike, "g 3"],
    camera: Camera,
    human_mask: Bool[ArrayLike, "h w"],
    object_mask: Bool[ArrayLike, "h w"],
) -> SilhouetteIoU:
    """IoU of human, object and both with their masks (Open3DHOI B.2.3); meshes and camera in the frame of the masks.

    A mask cannot tell how its thing goes on behind the other, so the other's mask is left out; see `mask_iou` for NaN.
    """
    person, thing = np.asarray(human_mask, bool), np.asarray(object_mask, bool)
    human = projected_mask(human_verts, human_faces, camera, person.shape)
    item = projected_mask(object_verts, object_faces, camera, thing.shape)
    return SilhouetteIoU(
        human=mask_iou(human, person, ignore=thing),
        object=mask_iou(item, thing, ignore=person),
        union=mask_iou(human | item, person | thing),
    )


def object_appearance(
    rendered: Float[ArrayLike, "h w 3"],
    alpha: Float[ArrayLike, "h w"],
    image: Float[ArrayLike, "h w 3"],
    object_mask: Bool[ArrayLike, "h w"],
    human_mask: Bool[ArrayLike, "h w"],
    weights: LpipsWeights | None = None,
) -> Appearance:
    """SSIM and LPIPS of the object's render (on black, colours in [0, 1]) against the image cut out by the object mask.

    The human mask's pixels, where the object may be hidden, are black in both. SSIM is the mean over the rest of the
    object's pixels: the mask's and those with alpha > 1/2; NaN where there are none. LPIPS is that of the whole pictures;
    NaN without `weights`.
    """
    shown = ~np.asarray(human_mask, bool)
    mask, covered = np.asarray(object_mask, bool) & shown, (np.asarray(alpha) > 0.5) & shown
    render = jnp.where(shown[..., None], rendered, 0).astype(jnp.float32)
    target = jnp.where(mask[..., None], image, 0).astype(jnp.float32)
    region = jnp.asarray(mask | covered, jnp.float32)
    return Appearance(
        ssim=float(ssim(render, target, region)) if region.any() else np.nan,
        lpips=np.nan if weights is None else float(lpips(weights, render, target)),
    )


def _edge_functions(
    corners: Float[np.ndarray, "f 3 3"], camera: Camera, h: int
) -> tuple[Float[np.ndarray, "f 3 3"], Int[np.ndarray, " f"], Int[np.ndarray, " f"]]:
    """Per edge (A, B, C) of A x + B y + C >= 0 inside; per face the first row and the number of rows to look at."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    normals = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)], axis=1)
    sign = np.sign((a * normals[:, 0]).sum(-1))
    focal, center = np.asarray(camera.focal, np.float64), np.asarray(camera.center, np.float64)
    slopes = normals[..., :2] / focal
    constant = normals[..., 2] - (slopes * center).sum(-1)
    edges = sign[:, None, None] * np.concatenate([slopes, constant[..., None]], axis=-1)

    depth = corners[..., 2]
    in_front = depth > 0
    y = focal[1] * corners[..., 1] / np.where(in_front, depth, 1) + center[1]
    whole = in_front.any(1) & ~in_front.all(1)  # goes through the camera plane: look at every row
    slack = 1e-6  # pixels; rows too many do no harm
    low = np.where(whole, 0, np.ceil(np.clip(y.min(1) - 0.5 - slack, 0, h)))
    high = np.where(whole, h, np.floor(np.clip(y.max(1) - 0.5 + slack, -1, h - 1)) + 1)
    count = np.where(in_front.any(1) & (sign != 0), np.maximum(high - low, 0), 0)
    return edges, low.astype(np.int64), count.astype(np.int64)


def _intervals(
    edges: Float[np.ndarray, "n 3 3"], y: Float[np.ndarray, " n"], w: int
) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    """Columns begin..end - 1 whose centres satisfy the three inequalities in the row at height y."""
    slope, constant = edges[..., 0], edges[..., 1] * y[:, None] + edges[..., 2]
    root = -constant / np.where(slope == 0, 1, slope)
    low = np.where(slope > 0, root, -np.inf).max(1)
    high = np.where(slope < 0, root, np.inf).min(1)
    possible = ((slope != 0) | (constant >= 0)).all(1)
    begin = np.ceil(np.clip(low - 0.5, 0, w))
    end = np.where(possible, np.floor(np.clip(high - 0.5, -1, w - 1)) + 1, 0)
    return begin.astype(np.int64), end.astype(np.int64)
