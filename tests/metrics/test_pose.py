"""Umeyama's similarity as laws, and pose errors of transforms that are known."""

import jax.numpy as jnp
import numpy as np
import pytest
import trimesh
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation

from hoijax.metrics.pose import chamfer_cm, object_pose_errors, procrustes_chamfer, rotation_degrees, umeyama


def cloud(seed: int, count: int = 200) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 3)) * [0.3, 0.2, 0.1] + [0.5, -1.0, 3.0]


def moved(points: np.ndarray, scale: float, rotvec: np.ndarray, translation: np.ndarray) -> np.ndarray:
    return scale * points @ Rotation.from_rotvec(rotvec).as_matrix().T + translation


@pytest.mark.parametrize("seed", range(8))
def test_umeyama_recovers_a_similarity(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scale, rotvec, translation = rng.uniform(0.2, 5), rng.normal(size=3), 10 * rng.normal(size=3)
    points = cloud(seed)
    fit = umeyama(points, moved(points, scale, rotvec, translation))
    assert fit.scale == pytest.approx(scale, rel=1e-12)
    np.testing.assert_allclose(fit.rotation, Rotation.from_rotvec(rotvec).as_matrix(), atol=1e-12)
    np.testing.assert_allclose(fit.translation, translation, atol=1e-10)


def test_umeyama_recovers_a_similarity_of_float32_points_thirty_metres_away() -> None:
    points = cloud(1).astype(np.float32) + np.float32([0, 0, 30])
    target = moved(points.astype(np.float64) - points.mean(0), 1.2, np.array([0.1, -0.2, 0.3]), points.mean(0))
    fit = umeyama(jnp.asarray(points), jnp.asarray(target, jnp.float32))
    assert fit.scale == pytest.approx(1.2, abs=2e-6)
    np.testing.assert_allclose(fit.rotation, Rotation.from_rotvec([0.1, -0.2, 0.3]).as_matrix(), atol=2e-6)


def test_umeyama_of_four_and_of_coplanar_points() -> None:
    for points in (cloud(2, 4), cloud(2, 3), cloud(2) * [1, 1, 0]):
        fit = umeyama(points, moved(points, 2, np.array([0.4, 0, 1.0]), np.ones(3)))
        assert fit.scale == pytest.approx(2)
        np.testing.assert_allclose(fit.rotation, Rotation.from_rotvec([0.4, 0, 1.0]).as_matrix(), atol=1e-9)


def test_umeyama_is_optimal_among_neighbours_on_noisy_points() -> None:
    rng = np.random.default_rng(0)
    source = cloud(3)
    target = moved(source, 1.5, np.array([0.2, 0.5, -0.1]), np.ones(3)) + 0.05 * rng.normal(size=source.shape)
    fit = umeyama(source, target)
    rotvec = Rotation.from_matrix(fit.rotation).as_rotvec()

    def residual(scale: float, rotvec: np.ndarray, translation: np.ndarray) -> float:
        return float(((moved(source, scale, rotvec, translation) - target) ** 2).sum())

    best = residual(fit.scale, rotvec, fit.translation)
    for _ in range(50):
        step = 1e-3 * rng.normal(size=7)
        assert residual(fit.scale + step[0], rotvec + step[1:4], fit.translation + step[4:]) > best


def test_umeyama_never_reflects() -> None:
    points = cloud(4)
    fit = umeyama(points, points * [-1, 1, 1])
    assert np.linalg.det(fit.rotation) == pytest.approx(1)
    assert 0 < fit.scale < 1


def test_umeyama_marks_what_points_do_not_determine() -> None:
    line = np.linspace(0, 1, 20)[:, None] * [[1.0, 2, 3]] + [0, 0, 30]
    on_line = umeyama(line.astype(np.float32), (2 * line).astype(np.float32))
    assert on_line.scale == pytest.approx(2, rel=1e-5)
    assert np.isnan(on_line.rotation).all()
    assert np.isnan(on_line.translation).all()

    same = np.tile([[0.1, 0.2, 30.0]], (20, 1))
    assert all(np.isnan(value).all() for value in umeyama(same, cloud(0, 20)))
    collapsed = umeyama(cloud(0, 20), same)
    assert collapsed.scale == pytest.approx(0, abs=1e-12)
    assert np.isnan(collapsed.rotation).all()
    rounded = same + 1e-6 * cloud(1, 20)  # what float32 leaves of one place 30 m away
    assert np.isnan(umeyama(cloud(0, 20), rounded).rotation).all()
    assert np.isnan(umeyama(rounded, cloud(0, 20)).scale)


@pytest.mark.parametrize("points", [np.zeros((0, 3)), np.array([[0, 0, np.inf]])])
def test_umeyama_refuses_no_points_and_points_that_are_not_finite(points: np.ndarray) -> None:
    with pytest.raises(ValueError, match="not finite; expected one or more"):
        umeyama(points, np.zeros_like(points))


@pytest.mark.parametrize("angle", [0, 1e-7, 0.5, 90, 179.9, 180])
def test_rotation_angle(angle: float) -> None:
    axis = np.array([2.0, -1, 2]) / 3
    assert rotation_degrees(Rotation.from_rotvec(np.radians(angle) * axis).as_matrix()) == pytest.approx(angle, 1e-5)


def test_chamfer_against_all_pairs() -> None:
    first, second = cloud(5), cloud(6, 150)
    distance = cdist(first, second)
    expected = 50 * (distance.min(0).mean() + distance.min(1).mean())
    assert chamfer_cm(first, second) == pytest.approx(expected)
    assert chamfer_cm(second, first) == pytest.approx(expected)


def test_chamfer_of_two_concentric_spheres_is_the_difference_of_their_radii() -> None:
    ball = trimesh.creation.icosphere(5)
    errors = object_pose_errors(ball.vertices * 0.7, ball.vertices, ball.faces)
    assert errors.chamfer_cm == pytest.approx(30, rel=0.01)
    assert errors.scale == pytest.approx(1 / 0.7 - 1)


def test_pose_errors_of_a_known_transform() -> None:
    mesh = trimesh.creation.box([0.3, 0.4, 0.5])
    true = mesh.vertices + [0.1, 0.2, 20]
    centre = true.mean(0)
    rotvec = np.radians(30) * np.array([0, 0.6, 0.8])
    predicted = moved(true - centre, 1 / 1.25, rotvec, centre + [0.03, 0, -0.04])
    errors = object_pose_errors(predicted, true, mesh.faces)
    assert errors.scale == pytest.approx(0.25)
    assert errors.rotation_degrees == pytest.approx(30)
    assert errors.rotation == pytest.approx(np.sqrt(8) * np.sin(np.radians(15)))
    assert errors.translation_cm == pytest.approx(5)
    assert 0 < errors.chamfer_cm < 10


def test_equal_objects_have_no_error_and_seeds_repeat() -> None:
    ball = trimesh.creation.icosphere(3)
    same = object_pose_errors(ball.vertices, ball.vertices, ball.faces)
    np.testing.assert_allclose(same, 0, atol=1e-6)
    assert same.chamfer_cm == 0
    other = ball.vertices * [1, 1.1, 1]
    assert object_pose_errors(other, ball.vertices, ball.faces) == object_pose_errors(other, ball.vertices, ball.faces)
    assert object_pose_errors(other, ball.vertices, ball.faces, seed=1) != object_pose_errors(
        other, ball.vertices, ball.faces
    )


def test_an_object_collapsed_to_a_point_has_distances_but_no_rotation() -> None:
    ball = trimesh.creation.icosphere(3)
    errors = object_pose_errors(np.zeros_like(ball.vertices), ball.vertices, ball.faces)
    assert np.isnan([errors.scale, errors.rotation, errors.rotation_degrees]).all()
    assert errors.translation_cm == pytest.approx(0, abs=1e-9)
    assert errors.chamfer_cm == pytest.approx(100, rel=0.01)


def test_procrustes_takes_out_one_similarity_of_the_whole_scene_and_no_more() -> None:
    human, thing = trimesh.creation.capsule(1.2, 0.2), trimesh.creation.box([0.4, 0.3, 0.2])
    thing.apply_translation([0.5, 0, 0.3])
    pose = (1.7, np.array([0.3, -0.8, 0.2]), np.array([1.0, 2, 20]))
    aligned = procrustes_chamfer(
        moved(human.vertices, *pose),
        human.vertices,
        human.faces,
        moved(thing.vertices, *pose),
        thing.vertices,
        thing.faces,
    )
    np.testing.assert_allclose(aligned, 0, atol=1e-9)
    shifted = (human.vertices, human.vertices, human.faces, thing.vertices + [0.1, 0, 0], thing.vertices, thing.faces)
    errors = procrustes_chamfer(*shifted)
    assert errors.object_cm > errors.total_cm > errors.human_cm > 0
    apart = moved(shifted[0], *pose), shifted[1], shifted[2], moved(shifted[3], *pose), shifted[4], shifted[5]
    np.testing.assert_allclose(procrustes_chamfer(*apart), errors, rtol=1e-9)


def test_procrustes_of_scenes_on_one_line_is_nan() -> None:
    line = np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0]])
    face = np.array([[0, 1, 2]])
    assert np.isnan(procrustes_chamfer(line, line, face, line, line, face)).all()


def test_basket_was_moved_as_its_annotation_says(basket) -> None:
    start = trimesh.load(basket / "obj_pcd_h_align.obj", process=False)
    true = trimesh.load(basket / "obj_annot1.obj", process=False)
    errors = object_pose_errors(start.vertices, true.vertices, true.faces)
    assert errors.scale == pytest.approx(0.204, abs=5e-4)
    assert errors.rotation_degrees == pytest.approx(0.02, abs=5e-3)
    assert errors.translation_cm == pytest.approx(20.1, abs=0.1)
