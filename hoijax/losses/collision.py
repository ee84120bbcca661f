"""Collision: how deep human and object are inside each other, read from their signed distance grids."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from hoijax.geometry import inverse_similarity
from hoijax.mesh.sdf import signed_distance
from hoijax.types import ObjectPose, SdfGrid


def collision(
    human_verts: Float[Array, "v 3"],
    object_verts: Float[Array, "o 3"],
    valid: Bool[Array, " o"],
    human_sdf: SdfGrid,
    object_sdf: SdfGrid,
    object_pose: ObjectPose,
    pivot: Float[Array, "3"],
) -> Float[Array, ""]:
    """sum_v relu(-s phi_o(T^-1 v)) + sum_o relu(-phi_h(o)): inside-depths in metres, summed over the vertices.

    After the SDF loss of Jiang et al., CVPR 2020. `object_verts` are posed, `valid` flags those that are no padding.
    phi_o is the object's grid at its start, where T = (s, R, t) about `pivot` is undone: a similarity scales distances
    by s. phi_h is the grid of the human as posed when it was built.

    Gradient: to the human through its own vertices only (phi_h stays); 0 for vertices outside.
    """
    depth_in_object, depth_in_human = inside_depths(
        human_verts, object_verts, valid, human_sdf, object_sdf, object_pose, pivot
    )
    return depth_in_object.sum() + depth_in_human.sum()


def inside_depths(
    human_verts: Float[Array, "v 3"],
    object_verts: Float[Array, "o 3"],
    valid: Bool[Array, " o"],
    human_sdf: SdfGrid,
    object_sdf: SdfGrid,
    object_pose: ObjectPose,
    pivot: Float[Array, "3"],
) -> tuple[Float[Array, " v"], Float[Array, " o"]]:
    """How deep each human vertex is in the object, and each object vertex in the human: metres, 0 outside."""
    start_verts = inverse_similarity(human_verts, object_pose, pivot)
    in_object = -jnp.exp(object_pose.log_scale) * signed_distance(object_sdf, start_verts)
    in_human = -signed_distance(human_sdf, object_verts)
    return jax.nn.relu(in_object), jnp.where(valid, jax.nn.relu(in_human), 0)
