"""Collision, contact and gap of solids whose overlap is known: closed forms, and manifold3d's exact booleans."""

import manifold3d
import numpy as np
import pytest
import trimesh

from hoijax.metrics.co2 import Co2, co2, contact_scores, in_contact, nearness, part_masks, squashed
from hoijax.metrics.surface import surface, surface_distance


def sphere(radius: float = 1.0, center: tuple[float, float, float] = (0, 0, 0), level: int = 4) -> trimesh.Trimesh:
    ball = trimesh.creation.icosphere(level, radius)
    ball.apply_translation(center)
    return ball


def box(extents: tuple[float, float, float], center: tuple[float, float, float] = (0, 0, 0)) -> trimesh.Trimesh:
    return trimesh.creation.box(extents, trimesh.transformations.translation_matrix(center))


def scores(human: trimesh.Trimesh, thing: trimesh.Trimesh, parts: np.ndarray | None = None, **options) -> Co2:
    parts = np.zeros((0, len(human.vertices)), bool) if parts is None else parts
    return co2(human.vertices, human.faces, thing.vertices, thing.faces, parts, **options)


def test_a_small_ball_inside_the_body_of_a_large_one() -> None:
    result = scores(sphere(1.0), sphere(0.2, (0.3, 0, 0)))
    assert (result.human_inside, result.object_inside, result.collision) == (0, 1, 1)
    assert result.penetration_max_cm == pytest.approx(90, rel=0.01)  # the ball's point next to the centre: 1 - 0.1
    # mean over the ball of 1 - |x|, |x| on average d + r^2 / (3 d) for a shell of radius r at distance d > r
    assert result.penetration_mean_cm == pytest.approx(100 * (1 - 0.3 - 0.04 / 0.9), rel=0.01)
    assert result.gap_cm == 0


def test_fractions_are_those_of_spherical_caps() -> None:
    """Unit spheres at distance d: the share of each inside the other is the cap (1 - d / 2) / 2."""
    d = 1.2
    result = scores(sphere(level=5), sphere(center=(d, 0, 0), level=5))
    assert result.human_inside == pytest.approx((1 - d / 2) / 2, abs=0.005)
    assert result.object_inside == pytest.approx((1 - d / 2) / 2, abs=0.01)
    assert result.penetration_max_cm == pytest.approx(100 * (2 - d), rel=0.01)


def test_surface_share_agrees_with_exact_booleans() -> None:
    """Area of the object inside the human = (A(O and H) - A(O minus H) + A(O)) / 2, from manifold3d."""
    human = sphere(0.5, level=3)
    thing = box((0.3, 0.4, 1.4), (0.25, 0.1, 0))
    solids = [
        manifold3d.Manifold(manifold3d.Mesh(mesh.vertices.astype(np.float32), mesh.faces.astype(np.uint32)))
        for mesh in (human, thing)
    ]
    both, rest = solids[1] ^ solids[0], solids[1] - solids[0]
    expected = (both.surface_area() - rest.surface_area() + solids[1].surface_area()) / 2 / solids[1].surface_area()
    assert 0.2 < expected < 0.8
    assert scores(human, thing, samples=40_000).object_inside == pytest.approx(expected, abs=0.01)


def test_touching_nothing_leaves_a_gap() -> None:
    result = scores(sphere(1.0), sphere(0.5, (2.0, 0, 0)))
    assert result.collision == 0
    assert (result.penetration_max_cm, result.penetration_mean_cm) == (0, 0)
    assert result.gap_cm == pytest.approx(50, abs=0.5)


def test_gap_at_a_corner_of_the_object_before_a_large_face() -> None:
    """Neither a human vertex nor a surface sample is the nearest point here: the box's corner is."""
    human = box((4, 4, 4), (0, 0, -2))
    thing = box((0.2, 0.2, 0.2))
    thing.apply_transform(trimesh.transformations.rotation_matrix(np.arccos(1 / np.sqrt(3)), [1, -1, 0]))
    thing.apply_translation([0.1, 0.2, 0.03 - thing.vertices[:, 2].min()])
    assert scores(human, thing, samples=50).gap_cm == pytest.approx(3, abs=1e-9)


def test_gap_is_the_least_of_all_distances_between_vertices_and_surfaces() -> None:
    """A ball in the hole of a coarse ring is nearest to the middle of the ring's edges, away from its vertices."""
    ring = trimesh.creation.torus(1.2, 0.1, major_sections=12, minor_sections=8)
    ball = sphere(0.5, (0.2, 0.1, 0))
    of_ring = surface_distance(ring.vertices, surface(ball.vertices, ball.faces)).min()
    of_ball = surface_distance(ball.vertices, surface(ring.vertices, ring.faces)).min()
    assert of_ball < of_ring - 0.01
    assert scores(ring, ball, samples=10).gap_cm == pytest.approx(100 * of_ball)


def test_contact_is_the_mean_distance_of_each_part_and_co2_adds_it_up() -> None:
    thing = box((0.5, 0.5, 0.4))
    human = box((2, 2, 1), (0, 0, 0.8))  # its lower face is 0.1 m over the object
    human.apply_translation([0, 0, 0])
    lower = human.vertices[:, 2] < 0.5
    parts = np.stack([lower, ~lower])
    result = scores(human, thing, parts)
    distances = [np.sqrt(2 * 0.75**2 + 0.1**2), np.sqrt(2 * 0.75**2 + 1.1**2)]
    size = (0.5 * 0.5 * 0.4) ** (1 / 3)
    assert result.size == pytest.approx(size)
    assert result.contact_sum == pytest.approx(sum(distances))
    assert result.contact_mean == pytest.approx(sum(distances) / 2)
    assert result.co2 == pytest.approx(2 / (1 + np.exp(-sum(distances) / size)) - 1)
    assert result.co2_mean == pytest.approx(2 / (1 + np.exp(-sum(distances) / 2 / size)) - 1)


def test_co2_adds_collision_and_contact() -> None:
    human, thing = sphere(0.5), box((0.3, 0.4, 1.4), (0.25, 0.1, 0))
    part = (human.vertices[:, 0] > 0.3)[None]
    result = scores(human, thing, part)
    assert result.collision == result.human_inside + result.object_inside > 0
    assert result.co2 == pytest.approx(squashed(result.collision) + squashed(result.contact_sum / result.size))


def test_squashed_takes_zero_to_zero_and_stays_under_one() -> None:
    assert squashed(0.0) == 0
    assert squashed(2.0) == pytest.approx(2 / (1 + np.exp(-2)) - 1)
    assert 0.999 < squashed(20.0) <= 1


def test_co2_does_not_depend_on_the_scale_or_place_of_the_scene() -> None:
    human, thing = sphere(0.5), box((0.3, 0.4, 1.4), (0.25, 0.1, 0))
    part = (human.vertices[:, 0] > 0.3)[None]
    before = scores(human, thing, part)
    transform = trimesh.transformations.rotation_matrix(0.7, [1, 2, 3])
    transform[:3] *= 2.5
    transform[:3, 3] = [4, -3, 20]
    for mesh in (human, thing):
        mesh.apply_transform(transform)
    after = scores(human, thing, part)
    assert after.co2 == pytest.approx(before.co2, rel=1e-9)
    assert after.contact_sum == pytest.approx(2.5 * before.contact_sum)
    assert after.penetration_max_cm == pytest.approx(2.5 * before.penetration_max_cm)


def test_an_open_object_takes_the_size_of_its_hull_and_still_has_an_inside() -> None:
    human, thing = sphere(0.5), box((0.6, 0.6, 0.6), (0.4, 0, 0))
    whole = scores(human, thing)
    thing.update_faces(np.arange(len(thing.faces)) > 0)
    result = scores(human, thing)
    assert whole.watertight
    assert not result.watertight
    assert result.size == pytest.approx(0.6)
    assert result.human_inside == pytest.approx(whole.human_inside, abs=0.1)
    assert result.human_inside > 0.1


def test_hull_size_of_a_shell() -> None:
    shell = trimesh.util.concatenate([box((1, 1, 1)), box((0.9, 0.9, 0.9))])
    shell.faces[12:] = shell.faces[12:, ::-1]
    human = sphere(0.2, (3, 0, 0))
    assert scores(human, shell).size == pytest.approx((1 - 0.9**3) ** (1 / 3))
    assert scores(human, shell, size="hull").size == pytest.approx(1)


def test_without_annotated_parts_contact_is_nan_and_the_rest_stands() -> None:
    result = scores(sphere(1.0), sphere(0.2, (0.3, 0, 0)))
    assert np.isnan([result.co2, result.co2_mean, result.contact_sum, result.contact_mean]).all()
    assert result.collision == 1


def test_a_single_triangle_has_no_size() -> None:
    triangle = trimesh.Trimesh([[0, 0, 0.0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]], process=False)
    human = sphere(0.2, (0.2, 0.2, 0.7))
    result = scores(human, triangle, np.ones((1, len(human.vertices)), bool))
    assert (result.size, result.watertight, result.collision) == (0, False, 0)
    assert np.isnan(result.co2)
    assert result.contact_sum == pytest.approx(0.7, abs=0.01)
    assert result.gap_cm == pytest.approx(50, abs=0.1)


def test_the_seed_decides_the_samples() -> None:
    human, thing = sphere(0.5), box((0.3, 0.4, 1.4), (0.25, 0.1, 0))
    assert scores(human, thing, samples=500).object_inside == scores(human, thing, samples=500).object_inside
    assert scores(human, thing, samples=500, seed=1).object_inside != scores(human, thing, samples=500).object_inside


def test_a_part_without_vertices_is_refused() -> None:
    human = sphere(0.5, level=1)
    parts = np.ones((2, len(human.vertices)), bool)
    parts[1] = False
    with pytest.raises(ValueError, match=r"annotated parts \[1\]"):
        scores(human, box((1, 1, 1)), parts)


def test_part_masks_by_name_and_index() -> None:
    labels = np.array([0, 2, 1, 0])
    names = ("hip", "nose", "palm")
    np.testing.assert_array_equal(part_masks(labels, ["palm", "hip"], names), [[0, 1, 0, 0], [1, 0, 0, 1]])
    np.testing.assert_array_equal(part_masks(labels, [2, 0]), [[0, 1, 0, 0], [1, 0, 0, 1]])
    np.testing.assert_array_equal(part_masks(labels, ["nose", 1, "nose"], names), [[0, 0, 1, 0]])
    assert part_masks(labels, []).shape == (0, 4)


def test_part_masks_refuse_unknown_and_empty_parts() -> None:
    with pytest.raises(ValueError, match=r"unknown body parts \['tail'\]"):
        part_masks(np.array([0, 0]), ["tail"], ("hip", "nose"))
    with pytest.raises(ValueError, match="have no vertices"):
        part_masks(np.array([0, 0]), ["nose"], ("hip", "nose"))


def test_contact_vertices_are_near_or_inside() -> None:
    thing = box((1, 1, 1))
    points = np.array([[0, 0, 0], [0.54, 0, 0], [0.56, 0, 0], [0.53, 0.53, 0.53]])
    np.testing.assert_array_equal(in_contact(nearness(points, thing.vertices, thing.faces)), [True, True, False, False])
    assert in_contact(nearness(points, thing.vertices, thing.faces), threshold=0.1).all()


def test_contact_scores() -> None:
    predicted, true = np.array([1, 1, 1, 0, 0], bool), np.array([1, 0, 0, 1, 0], bool)
    assert contact_scores(predicted, true) == pytest.approx((1 / 3, 1 / 2, 2 / 5))
    none = np.zeros(5, bool)
    assert contact_scores(true, true) == (1, 1, 1)
    assert np.isnan(contact_scores(none, true).precision)
    assert contact_scores(none, true)[1:] == (0, 0)
    assert np.isnan(contact_scores(none, none)).all()
