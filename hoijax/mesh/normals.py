"""Normals of triangles and of vertices."""

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from hoijax.geometry import safe_normalize


def face_normals(verts: Float[Array, "v 3"], faces: Int[Array, "f 3"]) -> Float[Array, "f 3"]:
    """Unit normal of each face, right-handed: n = (b - a) x (c - a) / |(b - a) x (c - a)|.

    Zero for faces without area (padding faces among them), with zero gradient.
    """
    return safe_normalize(_area_vectors(verts, faces))


def vertex_normals(verts: Float[Array, "v 3"], faces: Int[Array, "f 3"]) -> Float[Array, "v 3"]:
    """Unit normal of each vertex: the sum over its faces of normal times area, normalised.

    Zero for vertices that no face with area uses, with zero gradient.
    """
    vectors = _area_vectors(verts, faces)
    corners = jnp.broadcast_to(vectors[:, None], (*faces.shape, 3))
    return safe_normalize(jnp.zeros_like(verts).at[faces].add(corners))


def _area_vectors(verts: Float[Array, "v 3"], faces: Int[Array, "f 3"]) -> Float[Array, "f 3"]:
    """(b - a) x (c - a): along the normal, as long as twice the area."""
    a, b, c = (verts[faces[:, k]] for k in range(3))
    return jnp.cross(b - a, c - a)
