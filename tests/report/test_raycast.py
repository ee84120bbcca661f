"""Ray-cast pictures against exact coverage, closed-form depth order, and one another."""

import numpy as np
import pytest
import trimesh

from hoijax.data.sample import ColoredMesh
from hoijax.metrics.image import projected_mask
from hoijax.report.raycast import cast, photo_view, recolored, side_view, solid
from hoijax.types import Camera

CAMERA = Camera(np.array([220.0, 200.0]), np.array([60.0, 45.0]))
SIZE = (90, 120)


def ball(center: tuple[float, float, float], radius: float, rgb: tuple[float, float, float]) -> ColoredMesh:
    sphere = trimesh.creation.icosphere(subdivisions=3, radius=radius)
    verts = np.asarray(sphere.vertices) + center
    return ColoredMesh(verts, np.asarray(sphere.faces), np.tile(np.float64(rgb), (len(verts), 1)))


RED, BLUE = (0.9, 0.2, 0.1), (0.1, 0.2, 0.9)


def test_coverage_is_that_of_the_exact_projection() -> None:
    mesh = ball((0.2, -0.1, 0.0), 0.5, RED)
    move = np.array([0.0, 0.1, 4.0])
    drawn = cast(solid([mesh]), photo_view(CAMERA, SIZE, move), samples=1)
    exact = projected_mask(mesh.verts + move, mesh.faces, CAMERA, SIZE)
    assert exact.sum() > 1000
    assert ((drawn.alpha > 0.5) != exact).sum() <= 2  # rays in float32 that graze an edge
    np.testing.assert_array_equal(drawn.mesh >= 0, drawn.alpha >= 0.5)


def test_finer_rays_give_the_covered_fraction() -> None:
    mesh, move = ball((0, 0, 0), 0.5, RED), np.array([0.0, 0.0, 4.0])
    coarse = cast(solid([mesh]), photo_view(CAMERA, SIZE, move), samples=3).alpha
    fine = Camera(CAMERA.focal * 3, CAMERA.center * 3)
    exact = projected_mask(mesh.verts + move, mesh.faces, fine, (SIZE[0] * 3, SIZE[1] * 3))
    fraction = exact.reshape(SIZE[0], 3, SIZE[1], 3).mean((1, 3))
    assert np.abs(coarse - fraction).max() <= 2 / 9 + 1e-6
    assert np.abs(coarse - fraction).mean() < 1e-4


@pytest.mark.parametrize("first", [0, 1])
def test_the_nearer_mesh_hides_the_other_in_any_order(first: int) -> None:
    near, far = ball((0, 0, -0.6), 0.3, RED), ball((0, 0, 0.6), 0.5, BLUE)
    meshes = [near, far] if first == 0 else [far, near]
    drawn = cast(solid(meshes), photo_view(CAMERA, SIZE, np.array([0, 0, 4.0])), samples=3)  # 9 rays: no ties
    assert drawn.mesh[45, 60] == first
    assert drawn.rgb[45, 60, 0] > drawn.rgb[45, 60, 2]
    behind = cast(solid([far]), photo_view(CAMERA, SIZE, np.array([0, 0, 4.0]))).alpha > 0.99
    rim = behind & (drawn.mesh == 1 - first)
    assert rim.sum() > 100
    assert (drawn.rgb[rim][:, 2] > drawn.rgb[rim][:, 0]).all()


def test_a_camera_thirty_metres_away_sees_millimetres() -> None:
    near, far = ball((0, 0, 0), 0.5, RED), ball((0, 0, 0.002), 0.5, BLUE)
    camera = Camera(np.array([3000.0, 3000.0]), np.array([60.0, 60.0]))
    drawn = cast(solid([far, near]), photo_view(camera, (120, 120), np.array([0, 0, 30.0])), samples=1)
    inner = np.hypot(*(np.mgrid[:120, :120] - 59.5)) < 40
    assert (drawn.mesh[inner] == 1).all()


def test_sides_show_what_stands_there() -> None:
    """An L: a red ball in the middle, a blue one to the camera's right. From the left side, blue hides behind red."""
    shape = solid([ball((0, 0, 0), 0.4, RED), ball((1.0, 0, 0), 0.3, BLUE)])
    framed = np.concatenate([mesh.verts for mesh in shape.meshes])
    front = cast(shape, side_view(np.eye(3), framed, (80, 120)))
    columns = [np.flatnonzero((front.mesh == k).any(0)).mean() for k in (0, 1)]
    assert columns[0] < columns[1]
    left = cast(shape, side_view(np.array([[0.0, 0, -1], [0, 1, 0], [1, 0, 0]]), framed, (80, 120)))
    assert (left.mesh == 0).any()
    assert not (left.mesh == 1).any()
    widths = np.ptp(np.flatnonzero((front.mesh == 0).any(0))), np.ptp(np.flatnonzero((front.mesh == 0).any(1)))
    assert abs(widths[0] - widths[1]) <= 1  # orthographic: a ball stays round
    assert (front.alpha[0] == 0).all()  # the margin
    assert (front.alpha[:, 0] == 0).all()


def test_recolouring_keeps_the_shape() -> None:
    shape = solid([ball((0, 0, 0), 0.5, RED)])
    view = side_view(np.eye(3), shape.meshes[0].verts, (60, 60))
    red, blue = cast(shape, view), cast(recolored(shape, [np.tile(BLUE, (len(shape.meshes[0].verts), 1))]), view)
    np.testing.assert_array_equal(red.alpha, blue.alpha)
    assert red.rgb[30, 30].argmax() == 0
    assert blue.rgb[30, 30].argmax() == 2


def test_unshaded_shows_the_colours_themselves() -> None:
    shape = solid([ball((0, 0, 0), 0.5, RED)])
    view = side_view(np.eye(3), shape.meshes[0].verts, (60, 60))
    plain, lit = cast(shape, view, samples=1, shaded=False), cast(shape, view, samples=1)
    np.testing.assert_array_equal(plain.mesh, lit.mesh)
    np.testing.assert_allclose(
        plain.rgb[plain.mesh >= 0], np.broadcast_to(RED, (int((plain.mesh >= 0).sum()), 3)), atol=1e-5
    )
    assert np.ptp(lit.rgb[lit.mesh >= 0], axis=0).max() > 0.1


def test_nothing_in_view_and_a_mesh_around_the_camera() -> None:
    mesh = ball((0, 0, 0), 0.5, RED)
    aside = cast(solid([mesh]), photo_view(CAMERA, SIZE, np.array([50.0, 0, 4.0])))
    assert aside.alpha.max() == 0
    assert (aside.mesh == -1).all()
    around = cast(solid([mesh]), photo_view(CAMERA, SIZE, np.zeros(3)))
    assert around.alpha.min() == 1
