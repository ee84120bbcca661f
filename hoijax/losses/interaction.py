"""PHOSA's interaction losses: what stands together in the image comes together in space (Zhang et al., ECCV 2020)."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from hoijax.geometry import masked_mean, project
from hoijax.types import Camera, Mesh


class Extent(NamedTuple):
    """What `interaction` compares of a set of points: centroid (metres), box in the image (pixels), range of depth."""

    centroid: Float[Array, "3"]
    low_px: Float[Array, "2"]
    high_px: Float[Array, "2"]
    near: Float[Array, ""]
    far: Float[Array, ""]


def extent(points: Float[Array, "n 3"], valid: Bool[Array, " n"], camera: Camera) -> Extent:
    """Extent of the valid points; where there is none, a box that overlaps nothing."""
    px, depth = project(points, camera), points[:, 2]
    inside = valid[:, None]
    return Extent(
        masked_mean(points, valid),
        jnp.where(inside, px, jnp.inf).min(0),
        jnp.where(inside, px, -jnp.inf).max(0),
        jnp.where(valid, depth, jnp.inf).min(),
        jnp.where(valid, depth, -jnp.inf).max(),
    )


def interact(a: Extent, b: Extent, growth: float, gap: Float[Array, ""] | float) -> Bool[Array, ""]:
    """Whether the boxes, longer by a share `growth` of their sides, overlap and the depths are under `gap` metres apart.

    Gradient: none.
    """
    reach = 0.5 * growth * (a.high_px - a.low_px + b.high_px - b.low_px)
    overlap = ((a.low_px - b.high_px < reach) & (b.low_px - a.high_px < reach)).all()
    return overlap & (jnp.maximum(a.near - b.far, b.near - a.far) < gap)


def interaction(
    human_verts: Float[Array, "v 3"],
    object_verts: Float[Array, "o 3"],
    valid: Bool[Array, " o"],
    camera: Camera,
    growth: float,
    gap: Float[Array, ""] | float,
) -> Float[Array, ""]:
    """mean over x, y, z of (centroid of human - centroid of object)^2 where they `interact`, square metres; else 0."""
    human = extent(human_verts, jnp.ones(len(human_verts), bool), camera)
    obj = extent(object_verts, valid, camera)
    near = interact(*jax.lax.stop_gradient((human, obj)), growth, gap)
    return jnp.where(near, ((human.centroid - obj.centroid) ** 2).mean(), 0)


def part_interaction(
    human_verts: Float[Array, "v 3"],
    parts: Int[Array, " v"],
    touching: Bool[Array, " p"],
    object_verts: Float[Array, "o 3"],
    valid: Bool[Array, " o"],
    camera: Camera,
    growth: float,
    gap: Float[Array, ""] | float,
) -> Float[Array, ""]:
    """`interaction` of each touching body part with the whole object, mean over the parts that interact; 0 for none.

    `parts` is the index of each vertex's part, `touching` says which parts touch. A part without vertices has no share.
    """
    obj = extent(object_verts, valid, camera)

    def of_part(part: Array) -> tuple[Array, Array]:
        piece = extent(human_verts, parts == part, camera)
        near = interact(*jax.lax.stop_gradient((piece, obj)), growth, gap)
        return near, ((piece.centroid - obj.centroid) ** 2).mean()

    near, squared = jax.vmap(of_part)(jnp.arange(len(touching)))
    counted = near & touching
    return jnp.where(counted, squared, 0).sum() / jnp.maximum(counted.sum(), 1)


def object_size(mesh: Mesh, pivot: Float[Array, "3"]) -> Float[Array, ""]:
    """Length of the object at its coarse scale: twice the largest distance of a vertex from the pivot, metres."""
    squared = ((mesh.verts - pivot) ** 2).sum(-1)
    return 2 * jnp.sqrt(jnp.where(mesh.valid, squared, 0).max())


def prior_scale(size: Float[Array, ""], length: float) -> Float[Array, ""]:
    """Mean of the scale prior, where a fit starts: what gives an object of `size` the `length` of its kind; 0: 1."""
    return length / size if length > 0 else jnp.ones_like(size)


def scale_prior(log_scale: Float[Array, ""], size: Float[Array, ""], length: float) -> Float[Array, ""]:
    """(s - 1)^2 where the kind's `length` is 0, unknown; else ((s size - length) / 2)^2, PHOSA's unit of half metres."""
    off = jnp.exp(log_scale) - prior_scale(size, length)
    return off**2 if length <= 0 else (0.5 * size * off) ** 2
