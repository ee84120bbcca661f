import jax
import jax.numpy as jnp
import numpy as np
from numpy.testing import assert_allclose

from hoijax.mesh import normals

face_normals = jax.jit(normals.face_normals)
vertex_normals = jax.jit(normals.vertex_normals)


def test_box_faces_point_outwards_with_unit_length(box):
    verts, faces = box
    normals = np.asarray(face_normals(jnp.asarray(verts), jnp.asarray(faces)))
    assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-6)
    assert ((normals * verts[faces].mean(1)).sum(1) > 0).all()


def test_vertex_normals_are_the_area_weighted_sum(box, away):
    verts, faces = box
    expected = np.zeros_like(verts)
    for a, b, c in faces:
        vector = np.cross(verts[b] - verts[a], verts[c] - verts[a])
        for corner in (a, b, c):
            expected[corner] += vector
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    normals = vertex_normals(jnp.asarray(verts + away, jnp.float32), jnp.asarray(faces))
    assert_allclose(normals, expected, atol=1e-4)


def test_sphere_normals_are_radial(sphere):
    verts, faces = sphere
    normals = np.asarray(vertex_normals(jnp.asarray(verts), jnp.asarray(faces)))
    assert_allclose(normals, verts / 0.4, atol=1.2e-2)


def test_faces_without_area_have_zero_normals_and_gradients():
    verts = jnp.array([[0.0, 0, 5], [1, 0, 5], [0, 1, 5], [2, 0, 5], [7, 7, 7]])
    faces = jnp.array([[0, 1, 3], [0, 0, 0], [2, 2, 1]])
    assert_allclose(face_normals(verts, faces), 0)
    assert_allclose(vertex_normals(verts, faces), 0)
    assert_allclose(jax.grad(lambda v: vertex_normals(v, faces).sum())(verts), 0)


def test_gradient_matches_finite_differences(box):
    verts, faces = box
    with jax.enable_x64(True):
        weights = jnp.asarray(np.random.default_rng(0).normal(size=verts.shape))
        step = jnp.asarray(np.random.default_rng(1).normal(size=verts.shape))

        def value(v):
            return (vertex_normals(v, jnp.asarray(faces)) * weights).sum()

        slope = (jax.grad(value)(jnp.asarray(verts)) * step).sum()
        difference = (value(verts + 1e-6 * step) - value(verts - 1e-6 * step)) / 2e-6
    assert_allclose(slope, difference, rtol=1e-6)


def test_vmap_equals_single(box):
    verts, faces = jnp.asarray(box[0], jnp.float32), jnp.asarray(box[1])
    both = jnp.stack([verts, 2 * verts[:, ::-1]])
    batched = jax.vmap(vertex_normals, (0, None))(both, faces)
    assert_allclose(batched[1], vertex_normals(both[1], faces), atol=1e-6)
