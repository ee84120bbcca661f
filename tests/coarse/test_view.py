"""Pixels, points and the depth of meshes."""

import jax.numpy as jnp
import numpy as np
import pytest
import trimesh

from hoijax.coarse.cloud import cloud, depth_pixels
from hoijax.coarse.view import Eye, eroded, mask_box, mesh_depth, projected, thinned_eye, unprojected
from hoijax.types import Camera

EYE = Eye(np.array([1200.0, 1100.0]), np.array([33.0, 30.0]), (64, 70))


def test_unprojecting_undoes_projecting() -> None:
    points = np.random.default_rng(0).normal(size=(20, 3)) + [0, 0, 24]
    np.testing.assert_allclose(unprojected(projected(points, EYE), points[:, 2], EYE), points, atol=1e-12)


@pytest.mark.parametrize("step", [2, 3, 5])
def test_a_thinned_camera_sees_the_kept_pixels(step: int) -> None:
    camera = Camera(jnp.array([1200.0, 1100.0]), jnp.array([33.0, 30.0]))
    points = np.array([[0.1, -0.05, 20.0]])
    image = np.arange(64 * 70).reshape(64, 70)
    eye = thinned_eye(camera, image.shape, step)
    assert image[step // 2 :: step, step // 2 :: step].shape == eye.size
    whole, thin = projected(points, EYE), projected(points, eye)
    np.testing.assert_allclose((thin - 0.5) * step + step // 2 + 0.5, whole, atol=1e-4)


def test_depth_of_a_sphere_is_the_quadratic_formula() -> None:
    center, radius = np.array([0.1, -0.05, 24.0]), 0.4
    ball = trimesh.creation.icosphere(subdivisions=5, radius=radius)
    depth = mesh_depth(np.asarray(ball.vertices) + center, np.asarray(ball.faces), EYE)
    i, j = np.nonzero(depth)
    rays = unprojected(np.stack([j + 0.5, i + 0.5], 1), np.ones(len(i)), EYE)
    square, half = (rays**2).sum(1), rays @ center
    root = half**2 - square * (center @ center - radius**2)
    inner = root > 0.003 * square  # away from the rim, where the polyhedron is inside of the sphere
    expected = (half - np.sqrt(np.maximum(root, 0))) / square
    assert inner.sum() > 900
    np.testing.assert_allclose(depth[i, j][inner], expected[inner], atol=1e-3)


def test_meshes_off_the_picture_or_behind() -> None:
    ball = trimesh.creation.icosphere(subdivisions=1, radius=0.1)
    verts, faces = np.asarray(ball.vertices), np.asarray(ball.faces)
    assert not mesh_depth(verts + [50, 0, 24], faces, EYE).any()
    with pytest.raises(ValueError, match="in front of the camera"):
        mesh_depth(verts, faces, EYE)


def test_erosion_takes_a_rim_and_spares_the_frame() -> None:
    mask = np.zeros((20, 20), bool)
    mask[0:10, 5:15] = True
    inside = eroded(mask, 3)
    assert mask_box(inside) == (8, 0, 12, 7)
    assert inside.sum() == 7 * 4
    np.testing.assert_array_equal(eroded(mask, 0), mask)


def test_depth_pixels_drop_rim_unknown_and_outer_depths() -> None:
    depth = np.tile(np.linspace(1, 2, 40), (40, 1))
    depth[::2] = np.nan
    depth[1, :] = 0
    mask = np.ones((40, 40), bool)
    mask[:, 20:] = False
    found = depth_pixels(depth, mask, 3, 0.1, 10)
    assert found.eroded_px == 3
    x = found.pixels[:, 0]
    assert (x.min(), x.max()) == (0.5, 16.5)  # the image's border is no rim
    narrower = depth_pixels(depth, mask, 3, 0.2, 10).pixels[:, 0]  # of 17 columns the outer 10 % at either end
    assert (narrower.min(), narrower.max()) == (1.5, 15.5)
    assert set(found.pixels[:, 1]) == set(np.arange(3, 40, 2) + 0.5)


def test_a_thin_mask_is_eroded_by_less() -> None:
    depth, mask = np.ones((40, 40)), np.zeros((40, 40), bool)
    mask[10:13] = True
    found = depth_pixels(depth, mask, 3, 0.05, 20)
    assert found.eroded_px == 1
    assert len(found.z) == 40
    assert len(depth_pixels(np.zeros((40, 40)), mask, 3, 0.05, 20).z) == 0


def test_the_cloud_of_a_plane_lies_on_it() -> None:
    depth = np.full((64, 70), 3.0)
    points = cloud(depth_pixels(depth, np.ones(depth.shape, bool), 3, 0.05, 10), 7.0, 2.0, EYE)
    np.testing.assert_allclose(points[:, 2], 23.0)
    np.testing.assert_allclose(points[:, 0].min(), 23 * (0.5 - 33) / 1200)
    assert not len(cloud(depth_pixels(depth, np.ones(depth.shape, bool), 3, 0.05, 10), 1.0, -9.0, EYE))
