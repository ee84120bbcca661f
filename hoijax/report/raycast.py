"""Shaded pictures of meshes by ray casting on the host."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import igl
import numpy as np
from embreex import rtcore_scene
from embreex.mesh_construction import TriangleMesh
from jaxtyping import Float, Int

from hoijax.data.sample import ColoredMesh
from hoijax.types import Camera

MARGIN = 0.1  # metres before the nearest vertex where rays start, so that float32 keeps distances exact
CLOSEST = 1e-3  # metres: vertices nearer to a pinhole camera than this, or behind it, make it draw the whole picture
LIGHTS = ((-0.45, -0.65, -0.6, 0.62), (0.8, -0.1, -0.6, 0.22))  # direction towards the light in view axes, strength
AMBIENT, SKY = 0.37, 0.13  # light from everywhere, and more of it from above
WRAP = 0.25  # how far light reaches around a surface that turns away from it: softer than none


class View(NamedTuple):
    """A camera of `size` (h, w) in pixels: x_view = rotation x + translation, then pinhole or orthographic projection.

    Pinhole: pixel = focal (x, y) / z + center. Orthographic: pixel = focal (x, y) + center, focal in pixels per metre.
    """

    rotation: Float[np.ndarray, "3 3"]
    translation: Float[np.ndarray, "3"]
    focal: Float[np.ndarray, "2"]
    center: Float[np.ndarray, "2"]
    size: tuple[int, int]
    orthographic: bool


class Cast(NamedTuple):
    """Light and coverage: `rgb` in [0, 1] multiplied by `alpha`, the fraction of a pixel's rays that hit anything.

    `mesh` is the index of the mesh seen by most rays of a pixel, -1 for the background.
    """

    rgb: Float[np.ndarray, "h w 3"]
    alpha: Float[np.ndarray, "h w"]
    mesh: Int[np.ndarray, "h w"]


class Solid(NamedTuple):
    """Meshes ready for rays: the search tree is built once for all views and colours. `middle`: the tree's origin."""

    meshes: tuple[ColoredMesh, ...]
    normals: tuple[Float[np.ndarray, "v 3"], ...]
    tree: rtcore_scene.EmbreeScene
    middle: Float[np.ndarray, "3"]


def solid(meshes: Sequence[ColoredMesh]) -> Solid:
    """The meshes with their normals and search tree; in float32 about their middle."""
    verts = [np.asarray(mesh.verts, np.float64) for mesh in meshes]
    middle = np.concatenate(verts).mean(0)
    tree = rtcore_scene.EmbreeScene()
    normals = []
    for points, mesh in zip(verts, meshes):
        TriangleMesh(tree, np.float32(points - middle), np.int32(mesh.faces))
        normal = igl.per_vertex_normals(points, np.asarray(mesh.faces, np.int64))
        normals.append(np.where(np.isfinite(normal), normal, 0))
    return Solid(tuple(meshes), tuple(normals), tree, middle)


def recolored(shape: Solid, rgb: Sequence[Float[np.ndarray, "_ 3"]]) -> Solid:
    """The same meshes in other colours."""
    return shape._replace(meshes=tuple(mesh._replace(rgb=color) for mesh, color in zip(shape.meshes, rgb)))


def photo_view(camera: Camera, size: tuple[int, int], translation: Float[np.ndarray, "3"], scale: float = 1.0) -> View:
    """The view of the photograph's camera on points moved by `translation`; the photograph of `size` made smaller."""
    focal, center = (np.asarray(value, np.float64) * scale for value in camera)
    shape = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    return View(np.eye(3), np.asarray(translation, np.float64), focal, center, shape, False)


def side_view(
    rotation: Float[np.ndarray, "3 3"], points: Float[np.ndarray, "n 3"], size: tuple[int, int], margin: float = 0.06
) -> View:
    """Orthographic view along the rows of `rotation` (right, down, away) that shows all points, centred."""
    turned = _turned(points, rotation)
    low, high = turned.min(0), turned.max(0)
    h, w = size
    extent = np.maximum(high - low, 1e-6)
    focal = (1 - 2 * margin) * min(w / extent[0], h / extent[1])
    return View(rotation, -(low + high) / 2, np.array([focal, focal]), np.array([w / 2, h / 2]), size, True)


def cast(shape: Solid, view: View, samples: int = 2, shaded: bool = True) -> Cast:
    """The meshes as the view sees them, smooth-shaded; each pixel is the mean of samples x samples rays.

    Not `shaded`: in the vertices' own colours.
    """
    points = _turned(np.concatenate([mesh.verts for mesh in shape.meshes]), view.rotation) + view.translation
    left, top, right, bottom = _bounds(points, view)
    height, width = (bottom - top) * samples, (right - left) * samples
    rgb, index = np.zeros((height, width, 3), np.float32), np.full((height, width), -1)
    if index.size:
        x, y = left + (np.arange(width) + 0.5) / samples, top + (np.arange(height) + 0.5) / samples
        near = points[:, 2].min() - MARGIN
        rays = _rays(x, y, view, near if view.orthographic else max(near, 0.0), shape.middle)
        hits = shape.tree.run(*rays, output=True)
        index = hits["geomID"].reshape(height, width)
        lit = [
            _lit(mesh.rgb, _turned(normals, view.rotation)) if shaded else np.asarray(mesh.rgb, np.float32)
            for mesh, normals in zip(shape.meshes, shape.normals)
        ]
        rgb = _seen(hits, lit, shape.meshes).reshape(height, width, 3)
    return _placed(rgb, index, (left, top, right, bottom), view.size, samples, len(shape.meshes))


def _rays(
    x: Float[np.ndarray, " a"], y: Float[np.ndarray, " b"], view: View, near: float, middle: Float[np.ndarray, "3"]
) -> tuple[Float[np.ndarray, "r 3"], Float[np.ndarray, "r 3"]]:
    """Origins (at depth `near`) and directions in the tree's frame of the rays through a grid of pixels, row by row.

    With q = R p + t a pinhole's ray is p = z (u R[0] + v R[1] + R[2]) - R^T t, u = (x - cx) / f, v = (y - cy) / f; an
    orthographic one p = u R[0] + v R[1] + z R[2] - R^T t. Both are a sum of what depends on x and what depends on y.
    """
    right, down, away = view.rotation
    across = ((x - view.center[0]) / view.focal[0])[:, None] * right
    along = ((y - view.center[1]) / view.focal[1])[:, None] * down
    start = near * away - view.translation @ view.rotation - middle
    if view.orthographic:
        directions = np.broadcast_to(np.float32(away), (len(y) * len(x), 3))
        return _grid(across, along + start), np.ascontiguousarray(directions)
    return _grid(near * across, near * along + start), _grid(across, along + away)


def _grid(across: Float[np.ndarray, "a 3"], along: Float[np.ndarray, "b 3"]) -> Float[np.ndarray, "r 3"]:
    """All sums of one of each, rows first, in float32."""
    return (np.asarray(along, np.float32)[:, None] + np.asarray(across, np.float32)).reshape(-1, 3)


def _turned(vectors: Float[np.ndarray, "n 3"], rotation: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, "n 3"]:
    """R v of each; not by BLAS, whose threads cost more than they bring for so little."""
    return np.einsum("ij,nj->ni", rotation, vectors)


def _bounds(points: Float[np.ndarray, "n 3"], view: View) -> tuple[int, int, int, int]:
    """Pixels left, top, right, bottom around the projected points, inside the picture; all of it for points behind."""
    h, w = view.size
    if not view.orthographic and points[:, 2].min() <= CLOSEST:
        return 0, 0, w, h
    depth = np.ones_like(points[:, 2:]) if view.orthographic else points[:, 2:]
    pixels = points[:, :2] / depth * view.focal + view.center
    low, high = np.floor(pixels.min(0)).astype(int) - 1, np.ceil(pixels.max(0)).astype(int) + 1
    left, top = np.clip(low, 0, (w, h))
    right, bottom = np.clip(high, (left, top), (w, h))
    return int(left), int(top), int(right), int(bottom)


def _lit(rgb: Float[np.ndarray, "v 3"], normals: Float[np.ndarray, "v 3"]) -> Float[np.ndarray, "v 3"]:
    """Vertex colours under the lights that stand by the viewer; normals in view axes."""
    light = AMBIENT + SKY * (1 - normals[:, 1]) / 2
    for x, y, z, strength in LIGHTS:
        direction = np.array([x, y, z]) / np.linalg.norm([x, y, z])
        light = light + strength * np.maximum((normals @ direction + WRAP) / (1 + WRAP), 0)
    return np.clip(rgb * light[:, None], 0, 1).astype(np.float32)


def _seen(
    hits: dict[str, np.ndarray], lit: Sequence[Float[np.ndarray, "_ 3"]], meshes: Sequence[ColoredMesh]
) -> Float[np.ndarray, "r 3"]:
    """Colour of each ray: that of its face's corners, mixed by the hit's barycentric weights; black where none."""
    rgb = np.zeros((len(hits["primID"]), 3), np.float32)
    for number, (colors, mesh) in enumerate(zip(lit, meshes)):
        rays = np.flatnonzero(hits["geomID"] == number)
        a, b, c = colors[np.asarray(mesh.faces)[hits["primID"][rays]]].swapaxes(0, 1)
        u, v = hits["u"][rays, None], hits["v"][rays, None]
        rgb[rays] = a + u * (b - a) + v * (c - a)
    return rgb


def _placed(
    rgb: Float[np.ndarray, "a b 3"],
    index: Int[np.ndarray, "a b"],
    box: tuple[int, int, int, int],
    size: tuple[int, int],
    samples: int,
    count: int,
) -> Cast:
    """Means over each pixel's rays, put at their place in the whole picture."""
    left, top, right, bottom = box
    out = Cast(np.zeros((*size, 3), np.float32), np.zeros(size, np.float32), np.full(size, -1))
    if not index.size:
        return out
    shape = (right - left, bottom - top)
    inside = np.s_[top:bottom, left:right]
    shares = [cv2.resize((index == k).astype(np.float32), shape, interpolation=cv2.INTER_AREA) for k in range(count)]
    out.rgb[inside] = cv2.resize(rgb, shape, interpolation=cv2.INTER_AREA)
    out.alpha[inside] = np.minimum(sum(shares), 1)
    out.mesh[inside] = np.where(out.alpha[inside] >= 0.5, np.argmax(shares, axis=0), -1)
    return out
