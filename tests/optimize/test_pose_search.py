"""The search over rotations: its parts in closed form, and a pose found again from its own silhouette."""

import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import trimesh

from hoijax.config import Config, Stage
from hoijax.data.crop import object_crop
from hoijax.data.prepare import padded_mesh
from hoijax.data.sample import ColoredMesh
from hoijax.geometry import project, rotation_matrix, similarity
from hoijax.mesh.zbuffer import depth_buffer
from hoijax.metrics.pose import rotation_degrees
from hoijax.optimize import fit as fitting
from hoijax.optimize import pose_search
from hoijax.types import Camera, Crop, Mesh, ObjectPose

CAMERA = Camera(jnp.array([1500.0, 1500.0]), jnp.array([60.0, 64.0]))
PHOTO = (128, 128)
TRUTH = ObjectPose(jnp.array([1.4, -0.7, 2.0]), jnp.array([0.05, -0.1, -2.0]), jnp.zeros(()))
FINE = Config("test", (), search_size=64, search_keep=8, search_steps=50, search_rate=0.02)


class Shape(NamedTuple):
    """A mesh without any symmetry, 20 m away, and the crop that shows it at TRUTH."""

    mesh: Mesh
    pivot: jax.Array
    crop: Crop


@pytest.fixture(scope="module")
def shape() -> Shape:
    """Three beams end to end along x, y and z: no mirror image of it is itself, so its silhouette has no double."""
    beams = [((0.6, 0.12, 0.12), (0, 0, 0)), ((0.12, 0.4, 0.12), (0.3, 0.2, 0)), ((0.12, 0.12, 0.3), (0.3, 0.4, 0.15))]
    made = [trimesh.creation.box(size).apply_translation(centre) for size, centre in beams]
    solid = trimesh.util.concatenate(made)
    verts = np.asarray(solid.vertices) + np.array([0.0, 0.0, 20.0])
    mesh, _ = padded_mesh(ColoredMesh(verts, np.asarray(solid.faces), np.zeros_like(verts)), 48, 32)
    pivot = mesh.verts[mesh.valid].mean(0)
    seen = depth_buffer(similarity(mesh.verts, TRUTH, pivot), mesh.faces, CAMERA, PHOTO).covered
    return Shape(mesh, pivot, object_crop(np.asarray(seen), np.zeros(PHOTO, bool), CAMERA, 128, 0.3))


@pytest.fixture(scope="module")
def goal(shape) -> pose_search.Goal:
    return pose_search.init_goal(shape.crop, 64)


def best_pose(shape: Shape, goal: pose_search.Goal, seed: int, count: int = 1000) -> pose_search.Found:
    before = ObjectPose(jnp.zeros(3), jnp.zeros(3), jnp.zeros(()))
    full = pose_search.init_goal(shape.crop, 128)
    key = jax.random.key(seed)
    return pose_search.best_pose(key, shape.mesh, shape.pivot, before, goal, full, count=count, config=FINE, lanes=1)


def candidates(shape: Shape, goal: pose_search.Goal, count: int) -> ObjectPose:
    rotvecs = pose_search.random_rotations(jax.random.key(5), count)
    place = jax.jit(jax.vmap(lambda r: pose_search.fitted_translation(r, shape.mesh.verts, shape.pivot, goal)))
    return ObjectPose(rotvecs, place(rotvecs), jnp.zeros(count))


@pytest.mark.slow
def test_a_pose_is_found_again_from_its_own_silhouette(shape, goal) -> None:
    found = best_pose(shape, goal, 0)
    turn = rotation_matrix(found.pose.rotvec).T @ rotation_matrix(TRUTH.rotvec)
    assert rotation_degrees(np.asarray(turn, np.float64)) < 5
    ends = [similarity(shape.mesh.verts, pose, shape.pivot) for pose in (found.pose, TRUTH)]
    px = [project(verts, CAMERA)[shape.mesh.valid] for verts in ends]
    assert float(jnp.linalg.norm(px[0] - px[1], axis=1).mean()) < 1.5
    assert float(ends[0][0, 2] / ends[1][0, 2]) == pytest.approx(1, abs=0.05)
    assert float(found.loss) < 0.1 * float(found.start_loss)
    again = best_pose(shape, goal, 0)
    assert all((np.asarray(a) == np.asarray(b)).all() for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(again)))


def test_many_scores_at_once_equal_the_single_ones(shape, goal) -> None:
    poses = candidates(shape, goal, 6)

    @jax.jit
    def score(pose: ObjectPose) -> jax.Array:
        return pose_search.pose_loss(pose, shape.mesh, shape.pivot, goal, soft=False)

    at_once = jax.jit(jax.vmap(score))(poses)
    one_by_one = [float(score(jax.tree.map(lambda leaf: leaf[k], poses))) for k in range(6)]  # noqa: B023
    np.testing.assert_allclose(at_once, one_by_one, rtol=1e-5)
    assert np.ptp(one_by_one) > 100
    assert float(score(TRUTH)) < 0.1 * min(one_by_one)


@pytest.mark.slow
def test_refining_lowers_the_loss_and_holds_the_scale(shape, goal) -> None:
    off = TRUTH._replace(rotvec=TRUTH.rotvec + jnp.array([0.05, -0.04, 0.03]))
    start = pose_search.pose_loss(off, shape.mesh, shape.pivot, goal, soft=True)
    pose, loss = jax.jit(pose_search.refined, static_argnums=(4, 5))(off, shape.mesh, shape.pivot, goal, 30, 1e-2)
    assert float(loss) < 0.5 * float(start)
    assert float(pose_search.pose_loss(pose, shape.mesh, shape.pivot, goal, soft=True)) == pytest.approx(
        float(loss), 1e-4
    )
    assert float(pose.log_scale) == 0


def test_translations_give_the_box_of_the_mask(shape, goal) -> None:
    low, high = pose_search.mask_box(goal.target)
    seen = np.argwhere(np.asarray(goal.target) > 0)[:, ::-1]
    np.testing.assert_array_equal(low, seen.min(0))
    np.testing.assert_array_equal(high, seen.max(0) + 1)
    poses = candidates(shape, goal, 20)
    for k in range(20):
        pose = jax.tree.map(lambda leaf: leaf[k], poses)  # noqa: B023
        px = project(similarity(shape.mesh.verts, pose, shape.pivot), goal.camera)[shape.mesh.valid]
        np.testing.assert_allclose((px.min(0) + px.max(0)) / 2, (low + high) / 2, atol=0.05)
        assert float(jnp.linalg.norm(px.max(0) - px.min(0)) / jnp.linalg.norm(high - low)) == pytest.approx(1, abs=1e-3)


def test_the_outermost_vertices_have_the_box_of_the_whole() -> None:
    ball = trimesh.creation.icosphere(4)
    mesh, _ = padded_mesh(
        ColoredMesh(np.asarray(ball.vertices) * [1, 2, 0.5], np.asarray(ball.faces), ball.vertices), 5200, 2600
    )
    few = mesh.verts[pose_search.outermost(mesh, 512)]
    for rotvec in pose_search.random_rotations(jax.random.key(0), 5):
        turned, all_turned = (points @ rotation_matrix(rotvec).T for points in (few, mesh.verts[mesh.valid]))
        np.testing.assert_allclose(turned.max(0), all_turned.max(0), atol=0.02)


def test_rotations_are_uniform() -> None:
    """The angle t has the density (1 - cos t) / pi, and no direction is preferred."""
    rotvecs = pose_search.random_rotations(jax.random.key(1), 4000)
    angles = np.sort(np.linalg.norm(rotvecs, axis=1))
    expected = (angles - np.sin(angles)) / np.pi
    assert np.abs(expected - (np.arange(4000) + 0.5) / 4000).max() < 0.03
    np.testing.assert_allclose(jax.vmap(rotation_matrix)(rotvecs).mean(0), np.zeros((3, 3)), atol=0.04)


def test_a_goal_is_the_crop_at_another_resolution(shape, goal) -> None:
    share = float((shape.crop.target > 0).mean())
    assert float((goal.target > 0).mean()) == pytest.approx(share, rel=0.05)
    np.testing.assert_allclose(goal.camera.focal, shape.crop.camera.focal / 2)
    seen = np.asarray(goal.target) > 0
    grown = np.asarray(jax.scipy.signal.convolve2d(seen.astype(np.float32), np.ones((3, 3)), mode="same")) > 0.5
    band = np.argwhere(grown & ~seen)
    pixels = np.argwhere(np.ones((64, 64), bool))
    nearest = np.linalg.norm(pixels[:, None] - band[None], axis=-1).min(1).reshape(64, 64)
    np.testing.assert_allclose(goal.root_distance, np.sqrt(nearest), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("scale_about", ["object", "camera"])
def test_a_stage_searches_before_it_starts(known, scale_about: str) -> None:
    """No step follows: the result is what the search found, at the length that the kind of object is known to have."""
    config = Config(
        "test",
        (Stage("joint", 0, {"silhouette_crop": 1.0}, {}, search=64),),
        image_size=64,
        search_size=32,
        search_keep=4,
        search_steps=10,
        scale_about=scale_about,
        object_length=1.1,
    )
    one, two = (fitting.fit(known.scene, known.assets, config, jax.random.key(seed)) for seed in (0, 1))
    assert one.notes[0].startswith("pose search: 64 rotations, 4 refined, silhouette loss")
    reach = jnp.linalg.norm(one.object_verts - (one.pivot + one.pose.translation), axis=1)[
        known.scene.object.valid
    ].max()
    assert 2 * float(reach) == pytest.approx(1.1, rel=1e-4)
    found, start = (float(part.split()[-1]) for part in one.notes[0].replace(" at the start", "").split(" -> ")[::-1])
    assert found < start
    assert not np.allclose(one.pose.rotvec, two.pose.rotvec)
    larger = dataclasses.replace(config, object_length=2.2)
    twice = fitting.fit(known.scene, known.assets, larger, jax.random.key(0)).object_verts
    np.testing.assert_allclose(
        project(twice, known.scene.camera), project(one.object_verts, known.scene.camera), atol=1e-2
    )
