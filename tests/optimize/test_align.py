"""The alignment by outline: its parts in closed form, a pose found again from its silhouette, its place in a fit."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import trimesh

from hoijax.config import Config, Stage
from hoijax.data.crop import object_crop
from hoijax.data.prepare import padded_mesh
from hoijax.data.sample import ColoredMesh
from hoijax.geometry import similarity
from hoijax.mesh.zbuffer import depth_buffer
from hoijax.optimize import align as alignment
from hoijax.optimize.fit import fit, fit_batch
from hoijax.types import Camera, Crop, Mesh, ObjectPose

CAMERA = Camera(jnp.array([1500.0, 1500.0]), jnp.array([60.0, 64.0]))
PHOTO = (128, 128)
TRUTH = ObjectPose(jnp.array([0.4, -0.3, 0.5]), jnp.array([0.05, -0.1, 0.0]), jnp.float32(0.1))
CONFIG = Config("test", ())


@pytest.fixture(scope="module")
def seen() -> tuple[Mesh, jax.Array, Crop]:
    """Three beams without symmetry 20 m away, and the crop that shows them at TRUTH, a quarter of it hidden by somebody."""
    beams = [((0.6, 0.12, 0.12), (0, 0, 0)), ((0.12, 0.4, 0.12), (0.3, 0.2, 0)), ((0.12, 0.12, 0.3), (0.3, 0.4, 0.15))]
    solid = trimesh.util.concatenate([trimesh.creation.box(size).apply_translation(at) for size, at in beams])
    verts = np.asarray(solid.vertices) + np.array([0.0, 0.0, 20.0])
    mesh, _ = padded_mesh(ColoredMesh(verts, np.asarray(solid.faces), np.zeros_like(verts)), 48, 32)
    pivot = mesh.verts[mesh.valid].mean(0)
    mask = np.asarray(depth_buffer(similarity(mesh.verts, TRUTH, pivot), mesh.faces, CAMERA, PHOTO).covered)
    somebody = np.zeros(PHOTO, bool)
    somebody[64:, :60] = True
    return mesh, pivot, object_crop(mask & ~somebody, somebody, CAMERA, 128, 0.3)


def away(pose: ObjectPose, degrees: float, across: float, factor: float) -> ObjectPose:
    """The pose turned about a slanted axis, moved across the view by metres, scaled."""
    turn = jnp.deg2rad(degrees) * jnp.array([0.6, 0.64, 0.48])
    moved = alignment.stepped(
        pose, jnp.concatenate([turn, jnp.array([across, -across, jnp.log(factor)])]), jnp.ones(())
    )
    return moved


def test_a_blur_keeps_what_is_flat_and_spreads_as_far_as_it_says() -> None:
    blur = alignment.blur_matrix(41, 2.0)
    np.testing.assert_allclose(blur @ jnp.ones(41), 1, rtol=1e-6)
    spread = (blur[20] * (np.arange(41) - 20.0) ** 2).sum()
    assert float(spread) == pytest.approx(4.0, rel=1e-2)


def test_a_step_leaves_the_depth_and_adds_up(seen) -> None:
    pose = alignment.stepped(TRUTH, jnp.array([0.0, 0.0, 0.2, 0.5, -0.5, 0.3]), jnp.float32(0.4))
    np.testing.assert_allclose(pose.translation - TRUTH.translation, [0.2, -0.2, 0.0], atol=1e-6)
    assert float(pose.log_scale) == pytest.approx(0.4)
    assert float(alignment.angle_between(pose, TRUTH)) == pytest.approx(0.2, abs=1e-3)


def test_the_error_is_nothing_at_the_truth_and_one_where_nothing_is_drawn(seen) -> None:
    mesh, pivot, crop = seen
    sight = alignment.init_sight(crop, 128)
    far = TRUTH._replace(translation=jnp.array([50.0, 0.0, 0.0]))
    assert float(alignment.outline_error(TRUTH, mesh, pivot, sight, 1.0)) < 0.01
    assert float(alignment.outline_error(far, mesh, pivot, sight, 1.0)) == pytest.approx(1.0, abs=1e-3)


def test_what_somebody_hides_counts_nothing(seen) -> None:
    mesh, pivot, crop = seen
    sight = alignment.init_sight(crop, 128)
    blind = sight._replace(known=jnp.zeros_like(sight.known))
    assert float(alignment.outline_error(TRUTH, mesh, pivot, blind, 1.0)) == 0
    hidden = sight.known < 0.5
    assert bool(hidden.any())
    assert float(alignment.outline_residual(TRUTH, mesh, pivot, sight, 1.0).reshape(128, 128)[hidden].max()) < 0.1


def test_a_box_finds_size_and_place(seen) -> None:
    mesh, pivot, _ = seen
    mask = np.asarray(depth_buffer(similarity(mesh.verts, TRUTH, pivot), mesh.faces, CAMERA, PHOTO).covered)
    sight = alignment.init_sight(object_crop(mask, np.zeros(PHOTO, bool), CAMERA, 128, 0.3), 128)
    start = away(TRUTH, 0, 0.3, 2.0)
    found = alignment.boxed(start, mesh.verts[mesh.valid], pivot, sight)
    assert float(found.log_scale) == pytest.approx(0.1, abs=0.05)
    np.testing.assert_allclose(found.translation, TRUTH.translation, atol=0.02)


@pytest.mark.parametrize(("degrees", "factor"), [(8.0, 1.05), (15.0, 0.9)])
def test_gauss_newton_comes_back(seen, degrees: float, factor: float) -> None:
    mesh, pivot, crop = seen
    sight = alignment.init_sight(crop, 128)
    start = away(TRUTH, degrees, 0.02, factor)
    solve = jax.jit(alignment.gauss_newton, static_argnames="plan")
    plan = ((6.0, 0.05),) * 5 + ((3.0, 0.05),) * 5 + ((1.0, 0.02),) * 5
    found = solve(start, mesh, pivot, sight, plan=plan)
    before, after = (float(alignment.outline_error(pose, mesh, pivot, sight, 1.0)) for pose in (start, found))
    assert after < 0.1 * before
    assert float(jnp.rad2deg(alignment.angle_between(found, TRUTH))) < 3
    assert float(jnp.exp(found.log_scale - TRUTH.log_scale)) == pytest.approx(1, abs=0.03)


@pytest.mark.slow
def test_a_start_that_is_far_off_comes_back(seen) -> None:
    """45 degrees, twice the size, half a metre beside its place."""
    mesh, pivot, crop = seen
    start = away(TRUTH, 45, 0.4, 2.0)
    solve = jax.jit(alignment.fitting_outlines, static_argnames=("count", "config"))
    poses, errors = solve(jax.random.key(0), mesh, pivot, start, crop, count=256, config=CONFIG)
    best = jax.tree.map(lambda leaf: leaf[0], poses)
    assert (np.diff(np.asarray(errors)) >= 0).all()
    assert float(jnp.rad2deg(alignment.angle_between(best, TRUTH))) < 5
    assert float(jnp.exp(best.log_scale - TRUTH.log_scale)) == pytest.approx(1, abs=0.03)
    np.testing.assert_allclose(best.translation, TRUTH.translation, atol=0.03)


def test_the_first_rotation_is_none_and_none_is_too_far() -> None:
    turns = alignment.near_rotations(jax.random.key(3), 200)
    angle = np.linalg.norm(np.asarray(turns), axis=1)
    assert angle[0] == 0
    assert 0.9 * alignment.FARTHEST < angle.max() <= alignment.FARTHEST * 1.001


@pytest.mark.slow
def test_before_a_stage_it_places_the_object_alone_and_in_a_batch(known) -> None:
    """No step is needed: outline and contact bring the box to its place beside the human, and the result says how."""
    stage = Stage("place", 0, {"silhouette_crop": 1.0}, {}, slide=0.3, align=32)
    # Many boxes have this outline: stay near the start.
    config = Config("test", (stage,), image_size=64, align_turn=0.3)
    alone = fit(known.scene, known.assets, config, jax.random.key(0))
    assert float(jnp.rad2deg(alignment.angle_between(alone.pose, known.truth))) < 1
    np.testing.assert_allclose(alone.pose.translation[:2], known.truth.translation[:2], atol=0.01)
    assert float(alone.pose.translation[2]) == pytest.approx(0, abs=0.08)  # the box touches over a range of depths
    assert float(alone.pose.log_scale - known.truth.log_scale) == pytest.approx(0, abs=0.02)
    assert re.search(r"alignment: outline error [\d.]+ -> 0\.0\d+, turned by \d+ degrees", alone.notes[0])
    both = fit_batch([known.scene] * 2, [known.assets] * 2, config, jax.random.key(0))
    for one in both:
        np.testing.assert_allclose(one.object_verts, alone.object_verts, atol=2e-3)
        assert one.notes == alone.notes
