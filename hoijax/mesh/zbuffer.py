"""Mesh z-buffer: the nearest face at every pixel centre, and its depth with a gradient towards the vertices."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from hoijax.geometry import project
from hoijax.mesh.scatter import scatter_nearest
from hoijax.mesh.spans import RowTable, Spans, first_center, fold_spans, row_table
from hoijax.types import Camera

_Buffers = tuple[Float[Array, " p"], Int[Array, " p"]]


class DepthBuffer(NamedTuple):
    """What the pixel centres see. `depth` along z in metres, 0 where empty; `face` is -1 where empty.

    `dropped`: faces that cross the near plane; they are left out, so a result with dropped > 0 lacks them.
    """

    depth: Float[Array, "h w"]
    face: Int[Array, "h w"]
    covered: Bool[Array, "h w"]
    dropped: Int[Array, ""]


class _Planes(NamedTuple):
    """Depth of each face over the image: z = z0 / (1 + slope . (pixel - origin)), kept in [low, high]."""

    z0: Float[Array, " f"]
    origin: Float[Array, "f 2"]
    slope: Float[Array, "f 2"]
    low: Float[Array, " f"]
    high: Float[Array, " f"]


def depth_buffer(
    verts: Float[Array, "v 3"],
    faces: Int[Array, "f 3"],
    camera: Camera,
    size: tuple[int, int],
    chunk: int = 4096,
    near: float = 1e-2,
) -> DepthBuffer:
    """Depth of the nearest face at each pixel centre of an image of `size` (height, width); both sides are drawn.

    Coverage is exact, half-open on edges, so shared edges leave no cracks. Faces are expanded to scanline spans and
    spans to pixels, `chunk` at a time for as long as there are any: no capacity can overflow. Of faces at equal depth
    the one with the lowest index is seen. Padding faces (0, 0, 0) cover nothing. Faces behind `near` metres are not
    drawn; those that cross it are left out too and counted in `dropped`.
    Gradient: which face a pixel sees is constant; the depth of that face's plane there is differentiable in `verts`.
    """
    triangles = verts[faces]
    in_front = triangles[..., 2] > near
    drawn = in_front.all(1)
    planes = _planes(triangles, drawn, camera)
    corners = jax.lax.stop_gradient(project(verts, camera, near)[faces])
    face = _nearest_face(row_table(corners, drawn, size[0]), jax.lax.stop_gradient(planes), size, chunk)
    covered = face >= 0
    seen = jax.tree.map(lambda values: values[jnp.where(covered, face, 0)], planes)
    depth = _depth(seen, *_pixel_centers(size, verts.dtype))
    return DepthBuffer(jnp.where(covered, depth, 0), face, covered, (in_front.any(1) & ~drawn).sum())


def depth_buffer_dense(
    verts: Float[Array, "v 3"], faces: Int[Array, "f 3"], camera: Camera, size: tuple[int, int], near: float = 1e-2
) -> DepthBuffer:
    """The plain twin of `depth_buffer`: every face at every pixel by edge functions. For tests; memory f * h * w."""
    triangles = verts[faces]
    in_front = triangles[..., 2] > near
    drawn = in_front.all(1)
    a, b, c = jnp.moveaxis(project(triangles, camera, near), 1, 0)[..., None, None, :]
    pixel = jnp.stack(_pixel_centers(size, verts.dtype), -1)
    sides = jnp.stack([_cross(v - u, pixel - u) for u, v in ((b, c), (c, a), (a, b))])
    area = sides.sum(0)
    safe = jnp.where(area == 0, 1, area)
    weights = sides / safe
    hit = (weights >= 0).all(0) & (area != 0) & drawn[:, None, None]
    depths = jnp.where(drawn[:, None], triangles[..., 2], 1).T[..., None, None]
    z = jnp.where(hit, 1 / jnp.where(hit, (weights / depths).sum(0), 1), jnp.inf)
    covered = hit.any(0)
    face = jnp.where(covered, z.argmin(0), -1).astype(jnp.int32)
    return DepthBuffer(jnp.where(covered, z.min(0), 0), face, covered, (in_front.any(1) & ~drawn).sum())


def _planes(triangles: Float[Array, "f 3 3"], drawn: Bool[Array, " f"], camera: Camera) -> _Planes:
    """Depth planes from the ray equation n . (z ray) = n . v0, written about corner 0 so that float32 keeps relief."""
    z = jnp.where(drawn[:, None], triangles[..., 2], 1)
    first = triangles[:, 0]
    normal = jnp.cross(triangles[:, 1] - first, triangles[:, 2] - first)
    z0 = z[:, 0]
    facing = (normal * first).sum(-1) / z0
    seen_flat = drawn & (jnp.abs(facing) > 1e-6 * jnp.abs(normal).sum(-1))
    slope = normal[:, :2] / (camera.focal * jnp.where(seen_flat, facing, 1)[:, None])
    slope = jnp.where(seen_flat[:, None], slope, 0)
    return _Planes(z0, project(first, camera), slope, z.min(1), z.max(1))


def _depth(planes: _Planes, x: Float[Array, "*n"], y: Float[Array, "*n"]) -> Float[Array, "*n"]:
    """Depth of the planes at pixel positions; what rounding puts clearly outside of the face's own range is clipped."""
    step = planes.slope[..., 0] * (x - planes.origin[..., 0]) + planes.slope[..., 1] * (y - planes.origin[..., 1])
    z = planes.z0 / jnp.where(step > -0.999, 1 + step, 1)
    slack = 1e-2 * (planes.high - planes.low) + 1e-5 * planes.high
    return jnp.where((z < planes.low - slack) | (z > planes.high + slack), jnp.clip(z, planes.low, planes.high), z)


def _nearest_face(table: RowTable, planes: _Planes, size: tuple[int, int], chunk: int) -> Int[Array, "h w"]:
    """Index of the nearest face at each pixel centre, -1 where none is."""
    height, width = size
    lanes = jnp.arange(chunk, dtype=jnp.int32)

    def draw_rows(buffers: _Buffers, now: Spans) -> _Buffers:
        first, after = first_center(now.start, width), first_center(now.end, width)
        until = jnp.cumsum(jnp.where(now.valid, after - first, 0))

        def draw_pixels(carry: tuple[Int[Array, ""], _Buffers]) -> tuple[Int[Array, ""], _Buffers]:
            done, buffers = carry
            number = done + lanes
            span = jnp.minimum(jnp.searchsorted(until, number, side="right"), until.size - 1)
            face, row = now.face[span], now.row[span]
            column = first[span] + number - jnp.where(span > 0, until[span - 1], 0)
            depth = _depth(
                jax.tree.map(lambda values: values[face], planes),
                (column + 0.5).astype(planes.z0.dtype),
                (row + 0.5).astype(planes.z0.dtype),
            )
            pixel = jnp.where(number < until[-1], row * width + column, height * width)
            return done + chunk, scatter_nearest(*buffers, pixel, depth, face)

        return jax.lax.while_loop(lambda carry: carry[0] < until[-1], draw_pixels, (jnp.int32(0), buffers))[1]

    empty = (jnp.full(height * width, jnp.inf, planes.z0.dtype), jnp.full(height * width, -1, jnp.int32))
    return fold_spans(table, chunk, draw_rows, empty)[1].reshape(size)


def _pixel_centers(size: tuple[int, int], dtype: jnp.dtype) -> tuple[Float[Array, "h w"], Float[Array, "h w"]]:
    """x and y of every pixel centre."""
    x, y = jnp.meshgrid(jnp.arange(size[1], dtype=dtype) + 0.5, jnp.arange(size[0], dtype=dtype) + 0.5)
    return x, y


def _cross(u: Float[Array, "*#n 2"], v: Float[Array, "*#n 2"]) -> Float[Array, "*#n"]:
    """u x v of plane vectors."""
    return u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]
