import igl
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import trimesh
from numpy.testing import assert_allclose

from hoijax.mesh import sdf
from hoijax.mesh.sdf import init_sdf_grid

signed_distance = jax.jit(sdf.signed_distance)


def random_points(seed: int, count: int, reach: float) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-reach, reach, (count, 3))


def box_distance(points: np.ndarray, half: np.ndarray) -> np.ndarray:
    """Closed form of an axis-aligned box about the origin."""
    outside = np.abs(points) - half
    return np.linalg.norm(outside.clip(0), axis=1) + outside.max(1).clip(None, 0)


def test_sphere_in_closed_form(sphere, away):
    grid = init_sdf_grid(sphere[0] + away, sphere[1], resolution=48)
    points = random_points(0, 2000, 0.4)
    distance = signed_distance(grid, jnp.asarray(points + away, jnp.float32))
    # Facets lie up to 1.3 mm inside the sphere, interpolation adds h^2 / 8 r, and more near the medial point.
    radius = np.linalg.norm(points, axis=1)
    kept = radius > 0.1
    assert_allclose(np.asarray(distance)[kept], radius[kept] - 0.4, atol=3e-3)


def test_grid_samples_of_a_box_are_exact_near_it():
    half = np.array([0.3, 0.2, 0.1])
    mesh = trimesh.creation.box(2 * half)
    grid = init_sdf_grid(np.asarray(mesh.vertices), np.asarray(mesh.faces), resolution=20, margin=0.05)
    assert grid.values.shape == (20, 20, 20)
    index = np.stack(np.meshgrid(*[np.arange(20)] * 3, indexing="ij"), -1).reshape(-1, 3)
    points = np.asarray(grid.origin) + float(grid.spacing) * index
    expected, values = box_distance(points, half), np.asarray(grid.values).reshape(-1)
    close = (np.abs(points) <= half + 0.05).all(1)
    assert_allclose(values[close], expected[close], atol=1e-6)
    assert_allclose(signed_distance(grid, jnp.asarray(points, jnp.float32)), values, atol=1e-6)
    assert (values[~close] > 0).all()
    assert (values >= expected - 1e-6).all()


def test_cube_covers_the_mesh_and_its_margin(box):
    grid = init_sdf_grid(*box, resolution=16, margin=0.07)
    end = grid.origin + grid.spacing * 15
    assert (np.asarray(grid.origin) <= box[0].min(0) - 0.07 + 1e-6).all()
    assert (np.asarray(end) >= box[0].max(0) + 0.07 - 1e-6).all()


def test_interpolation_agrees_with_libigl(box, away):
    grid = init_sdf_grid(box[0] + away, box[1], resolution=64)
    points = random_points(1, 500, 0.3)
    expected = igl.signed_distance(points, box[0], box[1].astype(np.int64))[0]
    error = np.abs(np.asarray(signed_distance(grid, jnp.asarray(points + away, jnp.float32))) - expected)
    assert error.max() < 0.6 * float(grid.spacing)
    assert error.mean() < 0.05 * float(grid.spacing)


def test_mesh_that_is_not_watertight_keeps_its_inside(sphere):
    grid = init_sdf_grid(sphere[0], sphere[1][40:], resolution=24)
    points = random_points(2, 500, 0.2)
    assert (signed_distance(grid, jnp.asarray(points, jnp.float32)) < 0).all()


def test_padding_faces_and_vertices_change_nothing(box):
    verts, faces = np.concatenate([box[0], np.full((5, 3), 9.0)]), np.concatenate([box[1], np.zeros((7, 3), np.int32)])
    assert_allclose(init_sdf_grid(verts, faces, 12).values, init_sdf_grid(*box, 12).values, atol=1e-6)


def test_outside_of_the_box_distance_grows_with_the_way_back(box):
    grid = init_sdf_grid(*box, resolution=16)
    low, high = np.asarray(grid.origin), np.asarray(grid.origin + grid.spacing * 15)
    points = random_points(3, 400, 2.0)
    back = points.clip(low, high)
    expected = signed_distance(grid, jnp.asarray(back, jnp.float32)) + np.linalg.norm(points - back, axis=1)
    assert_allclose(signed_distance(grid, jnp.asarray(points, jnp.float32)), expected, atol=1e-5)


@pytest.mark.parametrize("reach", [0.35, 1.5])
def test_gradient_matches_finite_differences(box, reach):
    with jax.enable_x64(True):
        grid = jax.tree.map(lambda x: x.astype(jnp.float64), init_sdf_grid(*box, resolution=16))
        points, step = jnp.asarray(random_points(4, 200, reach)), 1e-7

        def value(p):
            return signed_distance(grid, p)

        slope = jax.jit(jax.grad(lambda p: value(p).sum()))(points)
        for axis in range(3):
            shift = step * jnp.eye(3)[axis]
            difference = (value(points + shift) - value(points - shift)) / (2 * step)
            assert_allclose(slope[:, axis], difference, atol=1e-5)


def test_vmap_and_jit_equal_single(box, sphere):
    grids = [init_sdf_grid(*mesh, resolution=12) for mesh in (box, sphere)]
    points = jnp.asarray(random_points(5, 50, 0.5), jnp.float32)
    batched = jax.jit(jax.vmap(signed_distance, (0, None)))(jax.tree.map(lambda *x: jnp.stack(x), *grids), points)
    for k in range(2):
        assert_allclose(batched[k], signed_distance(grids[k], points), atol=1e-6)


def test_mesh_without_area_is_an_error(box):
    with pytest.raises(ValueError, match="none of the mesh's 3 faces has an area"):
        init_sdf_grid(box[0], np.zeros((3, 3), np.int32))
