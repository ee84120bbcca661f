import jax
import jax.numpy as jnp
import numpy as np
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial import Delaunay

from hoijax.mesh import zbuffer
from hoijax.mesh.spans import first_center, row_table, spans
from hoijax.types import Camera

SIZE = (64, 64)
depth_buffer = jax.jit(zbuffer.depth_buffer, static_argnames=("size", "chunk"))
depth_buffer_dense = jax.jit(zbuffer.depth_buffer_dense, static_argnames="size")


def soup(seed: int, count: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Triangles that overlap, pierce each other and leave the image, near a wide lens."""
    verts = np.random.default_rng(seed).uniform((-1.2, -1.2, 1.5), (1.2, 1.2, 3), (3 * count, 3))
    return verts, np.arange(3 * count, dtype=np.int32).reshape(-1, 3)


WIDE = Camera(jnp.array([60.0, 70.0]), jnp.array([30.0, 33.0]))


def test_equals_the_dense_twin_on_a_soup_in_float64():
    with jax.enable_x64(True):
        camera = jax.tree.map(lambda x: x.astype(jnp.float64), WIDE)
        for seed in range(3):
            verts, faces = soup(seed)
            ours, dense = (
                f(jnp.asarray(verts), jnp.asarray(faces), camera, SIZE) for f in (depth_buffer, depth_buffer_dense)
            )
            assert_array_equal(ours.face, dense.face)
            assert_array_equal(ours.covered, dense.covered)
            assert_allclose(ours.depth, dense.depth, atol=1e-9)


def test_depth_gradient_equals_the_dense_twin_and_finite_differences():
    with jax.enable_x64(True):
        camera = jax.tree.map(lambda x: x.astype(jnp.float64), WIDE)
        verts, faces = soup(3)
        weights = jnp.asarray(np.random.default_rng(0).normal(size=SIZE))
        step = jnp.asarray(np.random.default_rng(1).normal(size=verts.shape)) * 1e-7
        slopes = []
        for f in (depth_buffer, depth_buffer_dense):
            value = jax.jit(lambda v, f=f: (f(v, jnp.asarray(faces), camera, SIZE).depth * weights).sum())
            slopes.append(jax.jit(jax.grad(value))(jnp.asarray(verts)))
        same = (
            depth_buffer(verts + step, faces, camera, SIZE).face == depth_buffer(verts - step, faces, camera, SIZE).face
        )
        assert bool(same.all())
        difference = value(verts + step) - value(verts - step)
        expected = (slopes[0] * 2 * step).sum()
    assert_allclose(slopes[0], slopes[1], atol=1e-8)
    assert_allclose(expected, difference, rtol=1e-5)


def test_closed_mesh_far_away_in_float32(sphere, away, camera):
    verts, faces = jnp.asarray(sphere[0] + away, jnp.float32), jnp.asarray(sphere[1])
    ours = depth_buffer(verts, faces, camera, SIZE)
    dense = depth_buffer_dense(verts, faces, camera, SIZE)
    assert int(ours.dropped) == 0
    assert (np.asarray(ours.covered) != np.asarray(dense.covered)).sum() <= 2
    both = np.asarray(ours.covered & dense.covered)
    assert both.sum() > 1000
    # A face seen edge-on at the rim turns float32's last bit of the vertices into more depth than the others do.
    error = np.abs(np.asarray(ours.depth) - np.asarray(dense.depth))[both]
    assert np.quantile(error, 0.99) < 1e-4
    assert error.max() < 5e-3


def test_every_pixel_of_a_tessellated_plane_is_covered_exactly_once():
    inner = np.random.default_rng(0).uniform(-5, 69, (400, 2))
    on_centers = np.stack(np.meshgrid(np.arange(0.5, 64, 7), np.arange(0.5, 64, 5)), -1).reshape(-1, 2)
    points = np.concatenate([[[-9, -9], [-9, 73], [73, -9], [73, 73]], inner, on_centers])
    corners = jnp.asarray(points[Delaunay(points).simplices], jnp.float32)
    table = row_table(corners, jnp.ones(len(corners), bool), 64)
    now = jax.jit(spans)(table, jnp.arange(int(table.rows_until[-1]) + 100))
    first, after = first_center(now.start, 64), first_center(now.end, 64)
    counts = np.zeros(SIZE, int)
    for row, a, b in np.stack([now.row, first, after], 1)[np.asarray(now.valid)]:
        counts[row, a:b] += 1
    assert_array_equal(counts, 1)


def test_depth_of_a_tilted_plane_in_closed_form(camera):
    # z = 24 + 0.5 x, met by the ray through each pixel centre: z = 24 / (1 - 0.5 (u - cx) / f).
    x, y = np.meshgrid([-2.0, 2.0], [-2.0, 2.0])
    verts = jnp.asarray(np.stack([x, y, 24 + 0.5 * x], -1).reshape(-1, 3), jnp.float32)
    buffer = depth_buffer(verts, jnp.array([[0, 1, 2], [1, 3, 2]]), camera, SIZE)
    u = np.arange(64) + 0.5
    assert bool(buffer.covered.all())
    assert_allclose(buffer.depth, np.broadcast_to(24 / (1 - 0.5 * (u - 32) / 1200), SIZE), atol=5e-6)


def test_a_flat_face_shares_its_depth_gradient_by_barycentric_weight(camera):
    verts = jnp.array([[-1.0, -1, 24], [1, -1, 24], [0, 1, 24]])
    depth = jax.jit(jax.grad(lambda v: zbuffer.depth_buffer(v, jnp.array([[0, 1, 2]]), camera, SIZE).depth[32, 32]))
    slope = depth(verts)
    assert_allclose(slope[:, 2].sum(), 1, atol=1e-5)
    assert (slope[:, 2] > 0.2).all()
    assert_allclose(slope[:, :2], 0, atol=1e-6)


def test_huge_boxes_tiny_faces_and_padding(box, away, camera):
    close = Camera(camera.focal * 3, camera.center)
    faces = jnp.concatenate([jnp.zeros((5, 3), jnp.int32), jnp.asarray(box[1]), jnp.zeros((9, 3), jnp.int32)])
    verts = jnp.asarray(box[0] + away, jnp.float32)
    buffer = depth_buffer(verts, faces, close, SIZE)
    plain = depth_buffer(verts, jnp.asarray(box[1]), close, SIZE)
    assert_array_equal(buffer.covered, plain.covered)
    assert_array_equal(buffer.depth, plain.depth)
    assert_array_equal(buffer.face, jnp.where(plain.covered, plain.face + 5, -1))


def test_nothing_to_see_is_empty_and_finite(camera):
    faces = jnp.array([[0, 1, 2]])
    slope = jax.jit(jax.grad(lambda v: zbuffer.depth_buffer(v, faces, camera, SIZE).depth.sum()))
    behind = jnp.array([[0.0, 0, -3], [1, 0, -3], [0, 1, -3]])
    for verts in (behind, behind + jnp.array([90.0, 0, 27]), jnp.zeros((3, 3))):
        buffer = depth_buffer(verts, faces, camera, SIZE)
        assert not bool(buffer.covered.any())
        assert int(buffer.dropped) == 0
        assert_array_equal(buffer.depth, 0)
        assert_array_equal(buffer.face, -1)
        assert_array_equal(slope(verts), 0)


def test_faces_across_the_near_plane_are_counted_and_left_out():
    verts = jnp.array([[0.0, 0, -1], [1, 0, 2], [0, 1, 2], [-1, -1, 2], [1, -1, 2], [0, 1, 2]])
    buffer = depth_buffer(verts, jnp.array([[0, 1, 2], [3, 4, 5]]), WIDE, SIZE)
    assert int(buffer.dropped) == 1
    assert set(np.unique(buffer.face)) == {-1, 1}


def test_a_face_that_is_not_finite_is_not_drawn(camera):
    verts = jnp.array([[-0.2, -0.2, 24], [0.2, -0.2, 24], [0, 0.2, 24], [jnp.nan, 0, 24], [jnp.inf, 0, 24]])
    buffer = depth_buffer(verts, jnp.array([[0, 1, 3], [0, 1, 4], [0, 1, 2]]), camera, SIZE)
    assert set(np.unique(buffer.face)) == {-1, 2}
    assert np.isfinite(buffer.depth).all()


def test_lowest_face_wins_a_tie(box, away, camera):
    # Also across the chunks in which the spans are drawn.
    verts, faces = jnp.asarray(box[0] + away, jnp.float32), jnp.asarray(np.tile(box[1], (3, 1)))
    buffer = depth_buffer(verts, faces, camera, SIZE, chunk=16)
    assert int(buffer.face.max()) < 12
    assert_array_equal(buffer.face, depth_buffer(verts, faces, camera, SIZE).face)


def test_vmap_equals_single(sphere, away, camera):
    verts = jnp.asarray(sphere[0] + away, jnp.float32)
    both, faces = jnp.stack([verts, verts + jnp.array([0.1, 0.2, 3])]), jnp.asarray(sphere[1])
    batched = jax.jit(jax.vmap(lambda v: zbuffer.depth_buffer(v, faces, camera, SIZE)))(both)
    for k in range(2):
        single = depth_buffer(both[k], faces, camera, SIZE)
        assert_array_equal(batched.face[k], single.face)
        assert_allclose(batched.depth[k], single.depth, rtol=1e-6)
