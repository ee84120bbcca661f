"""Rotations spread evenly, and silhouettes of points on a small grid."""

import jax.numpy as jnp
import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from hoijax.mesh.rotation_search import (
    MaskGrid,
    nearby_rotations,
    ranked,
    silhouette_overlaps,
    silhouette_views,
    uniform_rotations,
)

NOTHING = jnp.zeros((48, 48), bool)


def angles(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Between all rotations of two sets, degrees."""
    trace = np.einsum("nij,mij->nm", a, b)
    return np.degrees(np.arccos(np.clip((trace - 1) / 2, -1, 1)))


def test_uniform_rotations_cover_all() -> None:
    found = np.asarray(uniform_rotations(2000))
    np.testing.assert_allclose(found @ found.transpose(0, 2, 1), np.tile(np.eye(3), (2000, 1, 1)), atol=1e-5)
    np.testing.assert_allclose(np.linalg.det(found), 1, atol=1e-5)
    anywhere = Rotation.random(500, random_state=0).as_matrix()
    assert angles(anywhere, found).min(1).max() < 20
    np.testing.assert_allclose(found.mean(0), 0, atol=0.01)  # as the mean over the group


def test_nearby_rotations_fill_their_ball() -> None:
    found = angles(np.asarray(nearby_rotations(400, np.radians(12.0))), np.eye(3)[None])[:, 0]
    assert found.max() <= 12.01
    assert np.median(found) == pytest.approx(12 * 0.5 ** (1 / 3), abs=0.3)
    assert found[0] == pytest.approx(0, abs=0.05)


def grid_of(points: np.ndarray) -> jnp.ndarray:
    """The mask of points (x, y) as dense as to have no holes, 30 cells wide."""
    uv = (points - (points.min(0) + points.max(0)) / 2) / np.ptp(points, axis=0).max() * 30 + 24
    grid = np.zeros((48, 48), bool)
    grid[uv[:, 1].astype(int), uv[:, 0].astype(int)] = True
    return jnp.asarray(grid)


@pytest.fixture(scope="module")
def bracket() -> np.ndarray:
    """Points on an L: a long and a short arm, no symmetry in the plane of the image."""
    long = trimesh.creation.box((1.0, 0.2, 0.15))
    short = trimesh.creation.box((0.2, 0.5, 0.15))
    short.apply_translation([0.4, -0.3, 0])
    mesh = trimesh.util.concatenate([long, short])
    return np.asarray(trimesh.sample.sample_surface(mesh, 6000, seed=1)[0])


def test_the_right_rotation_wins_and_scores_high(bracket) -> None:
    rotations = jnp.concatenate([jnp.eye(3)[None], uniform_rotations(300)])
    scores = silhouette_overlaps(
        jnp.asarray(bracket, jnp.float32), rotations, MaskGrid(grid_of(bracket[:, :2]), NOTHING), jnp.float32(0.02)
    )
    assert 0 in ranked(scores, 3)
    assert scores[0] > 0.87
    assert np.sort(scores)[-10] < 0.7
    half_turn = jnp.diag(jnp.array([-1.0, -1.0, 1.0]))[None]
    flipped = silhouette_overlaps(
        jnp.asarray(bracket, jnp.float32), half_turn, MaskGrid(grid_of(bracket[:, :2]), NOTHING), jnp.float32(0.02)
    )
    assert flipped[0] < 0.6


def test_hidden_cells_do_not_count(bracket) -> None:
    mask = np.asarray(grid_of(bracket[:, :2]))
    hidden = np.zeros_like(mask)
    hidden[:, :20] = True
    points, one = jnp.asarray(bracket, jnp.float32), jnp.eye(3)[None]
    cut = MaskGrid(jnp.asarray(mask & ~hidden), jnp.asarray(hidden))
    blind = MaskGrid(jnp.asarray(mask & ~hidden), NOTHING)
    assert (
        silhouette_overlaps(points, one, cut, jnp.float32(0.0))[0]
        > silhouette_overlaps(points, one, blind, jnp.float32(0.0))[0]
    )


def test_batches_do_not_change_scores(bracket) -> None:
    args = (
        jnp.asarray(bracket, jnp.float32),
        uniform_rotations(10),
        MaskGrid(grid_of(bracket[:, :2]), NOTHING),
        jnp.float32(0.0),
    )
    np.testing.assert_array_equal(silhouette_overlaps(*args, batch=4), silhouette_overlaps(*args, batch=64))


def test_views_fill_the_grid_with_the_longer_side() -> None:
    x, y, z = np.meshgrid(np.linspace(-1, 1, 81), np.linspace(-0.5, 0.5, 41), np.linspace(-0.1, 0.1, 5), indexing="ij")
    points = jnp.asarray(np.stack([x, y, z], -1).reshape(-1, 3) + [5, 6, 7], jnp.float32)
    quarter = Rotation.from_euler("z", 90, degrees=True).as_matrix()
    views = np.asarray(silhouette_views(points, jnp.asarray(np.stack([np.eye(3), quarter]), jnp.float32), 32))
    wide = np.zeros((32, 32), bool)
    wide[8:24] = True
    assert (views[0] ^ wide).sum() <= 32
    assert (views[1] ^ wide.T).sum() <= 32
