import json
from pathlib import Path

import fast_simplification
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import trimesh
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image
from scipy.ndimage import distance_transform_edt, gaussian_filter
from scipy.special import ndtr

from hoijax.geometry import rotation_matrix, similarity
from hoijax.mesh import silhouette, zbuffer
from hoijax.types import Camera, ObjectPose

SIZE = (64, 64)
METRES_PER_PIXEL = 24 / 1200
compiled = jax.jit(silhouette.soft_silhouette, static_argnames=("size", "sigma_px"))
depth_buffer = jax.jit(zbuffer.depth_buffer, static_argnames="size")


def soft_silhouette(verts, faces, camera: Camera, size=SIZE, sigma_px: float = 1.0) -> jnp.ndarray:
    """Always called with the same arguments, so that equal shapes share compiled code."""
    return compiled(verts, faces, camera, size=size, sigma_px=sigma_px)


def supersampled(verts, faces, camera: Camera, sigma: float, finer: int = 8) -> np.ndarray:
    """Brute force: coverage on a grid `finer` times as fine and wide of margin, its distance transform, Phi."""
    margin = 8
    shifted = Camera(camera.focal * finer, (camera.center + margin) * finer)
    covered = depth_buffer(verts, faces, shifted, tuple((n + 2 * margin) * finer for n in SIZE)).covered
    covered = np.asarray(covered)
    inside, outside = distance_transform_edt(covered), distance_transform_edt(~covered)
    distance = np.where(covered, inside - 0.5, 0.5 - outside) / finer
    k = finer // 2
    around = [distance[i::finer, j::finer] for i in (k - 1, k) for j in (k - 1, k)]
    return ndtr(np.mean(around, 0) / sigma)[margin:-margin, margin:-margin]


def placed(mesh, offset) -> tuple[jnp.ndarray, jnp.ndarray]:
    return jnp.asarray(mesh[0] + offset, jnp.float32), jnp.asarray(mesh[1])


@pytest.mark.parametrize(("shape", "sigma"), [("sphere", 2.0), ("box", 1.0)])
def test_equals_supersampled_coverage(request, away, camera, shape, sigma):
    verts, faces = placed(request.getfixturevalue(shape), away)
    soft = np.asarray(soft_silhouette(verts, faces, camera, SIZE, sigma_px=sigma))
    expected = supersampled(verts, faces, camera, sigma)
    band = (expected > 0.01) & (expected < 0.99)
    error = np.abs(soft - expected)
    assert band.sum() > 200
    assert error[band].mean() < 0.012 / sigma
    # A sharp corner that lies between pixel centres is cut by less than a pixel.
    assert error.max() < (0.04 if shape == "sphere" else 0.15) / sigma
    assert abs(soft.sum() - expected.sum()) < 3


@pytest.mark.parametrize("shape", ["sphere", "box"])
def test_hard_is_where_soft_is_above_one_half(request, away, camera, shape):
    verts, faces = placed(request.getfixturevalue(shape), away)
    beside = verts + jnp.array([0.5, 0.1, 0.0])  # partly outside of the image
    many = jax.vmap(lambda points: silhouette.hard_silhouette(points, faces, camera, 64))(jnp.stack([verts, beside]))
    for hard, points in zip(many, (verts, beside), strict=True):
        assert_array_equal(hard, soft_silhouette(points, faces, camera) > 0.5)
        assert_array_equal(hard, depth_buffer(points, faces, camera, SIZE).covered)
        assert 100 < hard.sum() < 64**2


def test_sphere_in_closed_form(sphere, camera):
    verts, faces = placed(sphere, [0, 0, 24.0])
    soft = soft_silhouette(verts, faces, camera, SIZE)
    x = np.arange(64) + 0.5 - 32
    radius = 1200 * 0.4 / np.sqrt(24**2 - 0.4**2)
    assert_allclose(soft, ndtr(radius - np.hypot(x, x[:, None])), atol=0.05)


def test_straight_edge_is_exact_and_one_half_on_the_outline(camera):
    # The half-plane x < 31.8 px, in two faces.
    edge = (31.8 - 32) * METRES_PER_PIXEL
    verts = jnp.array([[-9.0, -9, 24], [edge, -9, 24], [-9, 9, 24], [edge, 9, 24]])
    soft = soft_silhouette(verts, jnp.array([[0, 1, 2], [1, 3, 2]]), camera, SIZE)
    distance = 31.8 - (np.arange(64) + 0.5)
    expected = np.where(distance > 3.5, 1, np.where(distance < -3.5, 0, ndtr(distance)))
    assert_allclose(soft, np.broadcast_to(expected, SIZE), atol=1e-5)


def test_inner_contours_leave_no_trace(sphere, away, camera):
    # A small ball in front of a large one, inside of its outline; and the ball's far half removed: open, same outline.
    large = placed(sphere, away)
    verts = jnp.concatenate([large[0], large[0] * 0.5 + jnp.asarray(away * 0.5 - [0, 0, 1], jnp.float32)])
    faces = jnp.concatenate([large[1], large[1] + len(large[0])])
    alone = soft_silhouette(*large, camera, SIZE)
    assert_allclose(soft_silhouette(verts, faces, camera, SIZE), alone, atol=1e-6)
    front = np.asarray(large[0])[sphere[1]][..., 2].min(1) < 24.02
    assert_allclose(soft_silhouette(large[0], large[1][front], camera, SIZE), alone, atol=0.02)


def test_outlines_outside_of_the_image_count(sphere, camera):
    verts, faces = placed(sphere, [0.62, 0.3, 24.0])
    shifted = Camera(camera.focal, camera.center - 20)
    wide = soft_silhouette(verts, faces, camera, (104, 104))
    assert_allclose(soft_silhouette(verts, faces, shifted, SIZE), wide[20:84, 20:84], atol=1e-4)


def test_padding_empty_and_hidden_meshes(box, away, camera):
    verts, faces = placed(box, away)
    padded = jnp.concatenate([jnp.zeros((4, 3), jnp.int32), faces, jnp.zeros((4, 3), jnp.int32)])
    assert_array_equal(soft_silhouette(verts, padded, camera, SIZE), soft_silhouette(verts, faces, camera, SIZE))
    both = jax.jit(jax.value_and_grad(lambda v: silhouette.soft_silhouette(v, faces, camera, SIZE).sum()))
    for nothing in (verts * 0, verts - jnp.array([0, 0, 50.0]), verts + jnp.array([9.0, 0, 0])):
        value, slope = both(nothing)
        assert value == 0
        assert_array_equal(slope, 0)


def test_thin_rod_keeps_its_area(camera):
    # 1.6 px wide, slanted: thinner than the blur, and still there.
    across, along = np.array([0.8, -0.3]), np.array([9.0, 24.0])
    pixels = np.array([-along - across, -along + across, along - across, along + across]) * METRES_PER_PIXEL
    verts = jnp.asarray(np.concatenate([pixels, np.full((4, 1), 24.0)], 1), jnp.float32)
    faces = jnp.array([[0, 1, 2], [1, 3, 2]])
    expected = supersampled(verts, faces, camera, 1.0)
    soft = np.asarray(soft_silhouette(verts, faces, camera, SIZE))
    assert np.abs(soft - expected).mean() < 0.003
    assert_allclose(soft.sum(), expected.sum(), rtol=0.03)


def moved(verts: jnp.ndarray, motion: jnp.ndarray) -> jnp.ndarray:
    """Similarity about the centroid; one unit of each of the 7 parameters moves the outline by about a pixel."""
    center = verts.mean(0)
    turned = (verts - center) @ rotation_matrix(motion[:3] * 0.05).T * jnp.exp(motion[6] * 0.05)
    return turned + center + motion[3:6] * jnp.array([METRES_PER_PIXEL, METRES_PER_PIXEL, 1.0])


def test_gradient_integrates_to_the_change_of_the_loss(box, away, camera):
    """Fundamental theorem: the mean slope along a path equals the difference of its ends."""
    with jax.enable_x64(True):
        verts, faces = jnp.asarray(box[0] + away), jnp.asarray(box[1])
        lens = jax.tree.map(lambda x: x.astype(jnp.float64), camera)
        mask = gaussian_filter(np.random.default_rng(0).random(SIZE), 3)
        mask = jnp.asarray((mask - mask.min()) / np.ptp(mask))

        def value(motion):
            return (silhouette.soft_silhouette(moved(verts, motion), faces, lens, SIZE) * mask).sum()

        both = jax.jit(lambda path: jax.lax.map(jax.value_and_grad(value), path))
        steps = np.linspace(-0.6, 0.6, 25)
        for k in range(7):
            values, slopes = both(jnp.asarray(steps[:, None] * np.eye(7)[k]))
            mean = np.trapezoid(np.asarray(slopes)[:, k], steps) / 1.2
            assert_allclose(mean, (values[-1] - values[0]) / 1.2, rtol=0.02, atol=0.3)


def test_gradient_at_every_vertex_is_finite_and_only_on_the_outline(sphere, away, camera):
    verts, faces = placed(sphere, away)
    area = jax.jit(jax.grad(lambda v: silhouette.soft_silhouette(v, faces, camera, SIZE).sum()))
    slope = np.asarray(area(verts))
    assert np.isfinite(slope).all()
    radial = np.hypot(*sphere[0].T[:2])
    assert (np.abs(slope[radial < 0.3]) == 0).all()
    # Growing the shape adds area: the derivative of pi r^2 by r.
    growth = (slope * sphere[0] / 0.4).sum()
    assert_allclose(growth, 2 * np.pi * 20 / METRES_PER_PIXEL, rtol=0.02)


@pytest.mark.slow
def test_aligns_to_a_mask_within_a_twentieth_of_a_pixel(box, away, camera):
    verts, faces = placed(box, away)
    target = soft_silhouette(verts, faces, camera, SIZE)
    optimizer = optax.adam(0.1)

    def loss(motion):
        return ((silhouette.soft_silhouette(moved(verts, motion), faces, camera, SIZE) - target) ** 2).sum()

    def step(carry, _):
        motion, state = carry
        value, slope = jax.value_and_grad(loss)(motion)
        update, state = optimizer.update(slope * free, state)
        return (optax.apply_updates(motion, update), state), value

    start = jnp.array([0.0, 0, 2, 2.5, -2, 0, 2])
    free = jnp.where(start == 0, 0, 1)  # turns out of the image plane and depth along the ray barely move the outline
    fit = jax.jit(lambda m: jax.lax.scan(step, (m, optimizer.init(m)), length=160))
    (motion, _), values = fit(start)
    assert values[0] > 1000 * values[-1]
    shift = (moved(verts, motion) - verts)[:, :2] / METRES_PER_PIXEL
    assert float(jnp.abs(shift).max()) < 0.05


def test_vmap_equals_single(sphere, away, camera):
    verts, faces = placed(sphere, away)
    both = jnp.stack([verts, verts + jnp.array([0.1, 0.2, 3])])

    def value(v):
        return (silhouette.soft_silhouette(v, faces, camera, SIZE) ** 2).sum()

    value_and_slope = jax.value_and_grad(value)
    values, slopes = jax.jit(jax.vmap(value_and_slope))(both)
    for k, (single, slope) in enumerate(map(jax.jit(value_and_slope), both)):
        assert_allclose(values[k], single, rtol=1e-5)
        assert_allclose(slopes[k], slope, rtol=1e-3, atol=1e-2)


@pytest.mark.slow
def test_real_object_aligns_to_its_mask(basket):
    """A similarity can bring this mesh to an IoU of 0.967 with its mask; 160 steps on the silhouette come close."""
    verts, faces, camera, mask, seen = real_object(basket)
    optimizer = optax.adam(0.02)

    def loss(pose):
        soft = silhouette.soft_silhouette(similarity(verts, pose, verts.mean(0)), faces, camera, mask.shape)
        return (seen * (soft - mask) ** 2).sum()

    def step(carry, _):
        pose, state = carry
        update, state = optimizer.update(jax.grad(loss)(pose), state)
        return (optax.apply_updates(pose, update), state), None

    start = ObjectPose(jnp.zeros(3), jnp.zeros(3), jnp.zeros(()))
    fit = jax.jit(lambda pose: jax.lax.scan(step, (pose, optimizer.init(pose)), length=160))
    (pose, _), _ = fit(start)
    covered = depth_buffer(similarity(verts, pose, verts.mean(0)), faces, camera, mask.shape).covered
    ours, truth = np.asarray(covered)[seen > 0], np.asarray(mask)[seen > 0] > 0.5
    assert (ours & truth).sum() / (ours | truth).sum() > 0.955


def real_object(folder: Path):
    """Coarse object, camera and mask at 256 px; `seen` is 0 on the person, who may hide the object there."""
    parameters = json.loads((folder / "smplx_parameters.json").read_text())
    mesh = trimesh.load(folder / "obj_pcd_h_align.obj", process=False)
    simplified = fast_simplification.simplify(
        np.asarray(mesh.vertices, np.float32), np.asarray(mesh.faces, np.int32), target_count=8000
    )
    verts = jnp.asarray(simplified[0] + parameters["cam_trans"], jnp.float32)
    person, mask = (Image.open(folder / f"{name}_mask.png").convert("L") for name in ("person", "object"))
    scale = 256 / max(mask.size)
    size = (round(mask.size[0] * scale), round(mask.size[1] * scale))
    person, mask = (np.asarray(m.resize(size, Image.Resampling.BOX), np.float32) / 255 for m in (person, mask))
    camera = Camera(*(jnp.asarray(parameters[key], jnp.float32) * scale for key in ("focal", "princpt")))
    seen = ((person < 0.5) | (mask > 0.5)).astype(np.float32)
    return verts, jnp.asarray(simplified[1]), camera, jnp.asarray(mask), seen
