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
LIGHTS = ((-0.45, -0.65, -0.6, 0.55), (0.8, -0.1, -0.6, 0.2))  # direction towards the light in view axes, strength
AMBIENT, SKY = 0.33, 0.12  # light from everywhere, and more of it from above


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


def photo_view(camera: Camera, size: tuple[int, int], scale: float = 1.0) -> View:
    """The view of the photograph's camera, for the photograph of `size` (h, w) made smaller by `scale`."""
    focal, center = (np.asarray(value, np.float64) * scale for value in camera)
    shape = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    return View(np.eye(3), np.zeros(3), focal, center, shape, False)


def side_view(
    rotation: Float[np.ndarray, "3 3"], points: Float[np.ndarray, "n 3"], size: tuple[int, int], margin: float = 0.06
) -> View:
    """Orthographic view along the rows of `rotation` (right, down, away) that shows all points, centred."""
    turned = points @ rotation.T
    low, high = turned.min(0), turned.max(0)
    h, w = size
    extent = np.maximum(high - low, 1e-6)
    focal = (1 - 2 * margin) * min(w / extent[0], h / extent[1])
    return View(rotation, -(low + high) / 2, np.array([focal, focal]), np.array([w / 2, h / 2]), size, True)


def cast(meshes: Sequence[ColoredMesh], view: View, samples: int = 2) -> Cast:
    """The meshes as the view sees them, smooth-shaded; each pixel is the mean of samples x samples rays."""
    turned = [np.asarray(mesh.verts, np.float64) @ view.rotation.T + view.translation for mesh in meshes]
    h, w = view.size
    left, top, right, bottom = _bounds(np.concatenate(turned), view)
    shape = ((bottom - top) * samples, (right - left) * samples)
    rgb, index = np.zeros((*shape, 3), np.float32), np.full(shape, -1)
    if 0 not in shape:
        near = min(verts[:, 2].min() for verts in turned) - MARGIN
        scene = rtcore_scene.EmbreeScene()
        for verts, mesh in zip(turned, meshes):
            TriangleMesh(scene, np.float32(verts - [0, 0, near]), np.int32(mesh.faces))
        x, y = np.meshgrid(left + (np.arange(shape[1]) + 0.5) / samples, top + (np.arange(shape[0]) + 0.5) / samples)
        origins, directions = _rays(np.stack([x.ravel(), y.ravel()], 1), view, near)
        hits = scene.run(origins, directions, output=True)
        index = hits["geomID"].reshape(shape).astype(int)
        lit = [_lit(verts, mesh) for verts, mesh in zip(turned, meshes)]
        rgb.reshape(-1, 3)[:] = _seen(hits, lit, meshes)
    return _placed(rgb, index, (left, top, right, bottom), (h, w), samples, len(meshes))


def _rays(
    pixels: Float[np.ndarray, "r 2"], view: View, near: float
) -> tuple[Float[np.ndarray, "r 3"], Float[np.ndarray, "r 3"]]:
    """Origins in the plane at depth `near`, which is taken as zero, and directions of unit depth."""
    slopes = (pixels - view.center) / view.focal
    plane = slopes if view.orthographic else slopes * near
    steps = np.zeros_like(slopes) if view.orthographic else slopes
    origins = np.concatenate([plane, np.zeros((len(plane), 1))], 1)
    return np.float32(origins), np.float32(np.concatenate([steps, np.ones((len(plane), 1))], 1))


def _bounds(points: Float[np.ndarray, "n 3"], view: View) -> tuple[int, int, int, int]:
    """Pixels left, top, right, bottom around the projected points, inside the picture; all of it for points behind."""
    h, w = view.size
    if not view.orthographic and points[:, 2].min() <= MARGIN:
        return 0, 0, w, h
    depth = np.ones_like(points[:, 2:]) if view.orthographic else points[:, 2:]
    pixels = points[:, :2] / depth * view.focal + view.center
    low, high = np.floor(pixels.min(0)).astype(int) - 1, np.ceil(pixels.max(0)).astype(int) + 1
    left, top = np.clip(low, 0, (w, h))
    right, bottom = np.clip(high, (left, top), (w, h))
    return int(left), int(top), int(right), int(bottom)


def _lit(verts: Float[np.ndarray, "v 3"], mesh: ColoredMesh) -> Float[np.ndarray, "v 3"]:
    """Vertex colours under the lights that stand by the viewer. Faces are seen from both sides."""
    normals = igl.per_vertex_normals(verts, np.asarray(mesh.faces, np.int64))
    normals = np.where(np.isfinite(normals), normals, 0)
    light = AMBIENT + SKY * (1 - normals[:, 1]) / 2
    for x, y, z, strength in LIGHTS:
        direction = np.array([x, y, z]) / np.linalg.norm([x, y, z])
        wrapped = (normals @ direction + 0.25) / 1.25
        light = light + strength * np.maximum(wrapped, 0)
    return np.float32(np.clip(mesh.rgb * light[:, None] * 1.12, 0, 1))


def _seen(
    hits: dict[str, np.ndarray], lit: Sequence[Float[np.ndarray, "v 3"]], meshes: Sequence[ColoredMesh]
) -> Float[np.ndarray, "r 3"]:
    """Colour of each ray: that of its face's corners, mixed by the hit's barycentric weights; black where none."""
    rgb = np.zeros((len(hits["primID"]), 3), np.float32)
    for number, (colors, mesh) in enumerate(zip(lit, meshes)):
        rays = np.flatnonzero(hits["geomID"] == number)
        corners = np.asarray(mesh.faces)[hits["primID"][rays]]
        u, v = hits["u"][rays, None], hits["v"][rays, None]
        rgb[rays] = (1 - u - v) * colors[corners[:, 0]] + u * colors[corners[:, 1]] + v * colors[corners[:, 2]]
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
    shares = [cv2.resize(np.float32(index == k), shape, interpolation=cv2.INTER_AREA) for k in range(count)]
    out.rgb[inside] = cv2.resize(rgb, shape, interpolation=cv2.INTER_AREA)
    out.alpha[inside] = np.minimum(sum(shares), 1)
    out.mesh[inside] = np.where(out.alpha[inside] >= 0.5, np.argmax(shares, axis=0), -1)
    return out
