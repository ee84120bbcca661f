"""Samples, inside tests, distances and volumes of meshes whose geometry is known in closed form."""

import numpy as np
import pytest
import trimesh

from hoijax.metrics.surface import Surface, enclosed_volume, inside, surface, surface_distance, surface_samples

EXTENTS = np.array([0.4, 0.6, 1.0])


def box(extents: np.ndarray = EXTENTS) -> Surface:
    mesh = trimesh.creation.box(extents)
    return surface(mesh.vertices, mesh.faces)


def sphere(radius: float = 1.0, subdivisions: int = 4) -> Surface:
    mesh = trimesh.creation.icosphere(subdivisions, radius)
    return surface(mesh.vertices, mesh.faces)


def box_distance(points: np.ndarray) -> np.ndarray:
    """Signed distance to the box, in closed form."""
    q = np.abs(points) - EXTENTS / 2
    return np.linalg.norm(np.maximum(q, 0), axis=-1) + np.minimum(q.max(-1), 0)


def points_about(count: int = 2000) -> np.ndarray:
    return np.random.default_rng(3).uniform(-0.8, 0.8, (count, 3))


def test_distance_and_inside_of_a_box_are_the_closed_form() -> None:
    points = points_about()
    np.testing.assert_allclose(surface_distance(points, box()), np.abs(box_distance(points)), atol=1e-12)
    np.testing.assert_array_equal(inside(points, box()), box_distance(points) < 0)


def test_inside_does_not_mind_a_hole_or_a_mesh_turned_inside_out() -> None:
    points = points_about()
    points = points[np.abs(np.linalg.norm(points, axis=1) - 0.7) > 0.05]
    expected = np.linalg.norm(points, axis=1) < 0.7
    mesh = sphere(0.7)
    np.testing.assert_array_equal(inside(points, mesh), expected)
    np.testing.assert_array_equal(inside(points, Surface(mesh.verts, mesh.faces[:, ::-1].copy())), expected)
    np.testing.assert_array_equal(inside(points, Surface(mesh.verts, mesh.faces[10:])), expected)


def test_a_single_triangle_has_no_inside_and_a_distance() -> None:
    triangle = surface(np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]), np.array([[0, 1, 2]]))
    points = np.array([[0.2, 0.2, 0.0], [0.2, 0.2, 0.5], [-3.0, 0, 4]])
    np.testing.assert_allclose(surface_distance(points, triangle), [0, 0.5, 5], atol=1e-15)
    assert not inside(points, triangle).any()
    assert enclosed_volume(triangle) == (0.0, False)


def test_samples_lie_on_the_surface_in_proportion_to_area() -> None:
    mesh = box()
    points = surface_samples(mesh, 60_000)
    assert surface_distance(points, mesh).max() < 1e-12
    faces = np.stack([EXTENTS[1] * EXTENTS[2], EXTENTS[0] * EXTENTS[2], EXTENTS[0] * EXTENTS[1]])
    share = (np.abs(np.abs(points) - EXTENTS / 2) < 1e-9).mean(0)
    np.testing.assert_allclose(share, faces / faces.sum(), atol=0.01)
    top = points[points[:, 2] > EXTENTS[2] / 2 - 1e-9][:, :2]  # uniform in its face: variance extent^2 / 12
    np.testing.assert_allclose(top.std(0), EXTENTS[:2] / np.sqrt(12), rtol=0.02)


def test_samples_follow_the_seed_and_a_similar_copy() -> None:
    mesh = sphere(1.0, 2)
    np.testing.assert_array_equal(surface_samples(mesh, 100, 5), surface_samples(mesh, 100, 5))
    assert not np.array_equal(surface_samples(mesh, 100, 5), surface_samples(mesh, 100, 6))
    copy = Surface(3 * mesh.verts + 7, mesh.faces)
    np.testing.assert_allclose(surface_samples(copy, 100), 3 * surface_samples(mesh, 100) + 7, atol=1e-12)


def test_padding_faces_are_never_sampled() -> None:
    mesh = box()
    padded = Surface(mesh.verts, np.concatenate([mesh.faces, np.zeros((500, 3), int)]))
    np.testing.assert_array_equal(surface_samples(padded, 1000), surface_samples(mesh, 1000))


def test_a_mesh_without_area_is_sampled_in_its_place() -> None:
    line = Surface(np.arange(6.0)[:, None] * [[1.0, 2, 3]], np.array([[0, 1, 2], [3, 4, 5]]))
    points = surface_samples(line, 1000)
    np.testing.assert_allclose(points, points[:, :1] * [1, 2, 3], atol=1e-12)
    assert 400 < (points[:, 0] < 2.5).sum() < 600  # half on each face


def test_volume_of_closed_meshes() -> None:
    volume, watertight = enclosed_volume(box())
    assert watertight
    assert volume == pytest.approx(EXTENTS.prod(), rel=1e-12)
    ball = trimesh.creation.icosphere(3)
    assert enclosed_volume(surface(ball.vertices, ball.faces)).volume == pytest.approx(ball.volume, rel=1e-12)
    mesh = box()
    assert enclosed_volume(Surface(mesh.verts, mesh.faces[:, ::-1].copy())).volume == pytest.approx(volume)


def test_vertices_split_at_seams_and_padding_faces_leave_a_mesh_closed() -> None:
    mesh = box()
    split = mesh.verts[mesh.faces.ravel()]
    faces = np.concatenate([np.arange(len(split)).reshape(-1, 3), np.zeros((5, 3), int)])
    assert enclosed_volume(surface(split, faces)) == (pytest.approx(EXTENTS.prod()), True)


def test_an_open_mesh_takes_its_hull_and_says_so() -> None:
    mesh = box()
    stray = np.concatenate([mesh.verts, [[9.0, 9, 9]]])  # no face uses it: not part of the hull
    assert enclosed_volume(Surface(stray, mesh.faces[2:])) == (pytest.approx(EXTENTS.prod()), False)


def test_hull_on_request_of_a_closed_shell() -> None:
    outer = trimesh.creation.box(EXTENTS)
    inner = trimesh.creation.box(0.9 * EXTENTS)
    inner.invert()
    shell = trimesh.util.concatenate([outer, inner])
    mesh = surface(shell.vertices, shell.faces)
    assert enclosed_volume(mesh) == (pytest.approx(EXTENTS.prod() * (1 - 0.9**3)), True)
    assert enclosed_volume(mesh, hull=True) == (pytest.approx(EXTENTS.prod()), True)


@pytest.mark.parametrize(
    ("verts", "faces", "message"),
    [
        (np.full((3, 3), np.nan), np.array([[0, 1, 2]]), "cup: 3 of 3 vertices are not finite"),
        (np.zeros((3, 3)), np.zeros((0, 3), int), "cup: no faces"),
        (np.zeros((3, 3)), np.array([[0, 1, 3]]), r"cup: faces index vertices 0\.\.3, expected 0\.\.2"),
        (np.zeros((3, 3)), np.array([[0, 1, -1]]), r"cup: faces index vertices -1\.\.1, expected 0\.\.2"),
    ],
)
def test_unfit_meshes_are_refused_by_name(verts: np.ndarray, faces: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        surface(verts, faces, "cup")
