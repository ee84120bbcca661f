"""Size, place and the slide, on shapes whose answer is known."""

import numpy as np
import pytest
import trimesh

from hoijax.coarse.fit_pose import (
    Placed,
    Target,
    agreement,
    at_depth,
    first_place,
    fitted_to_mask,
    icp,
    size_and_place,
)
from hoijax.coarse.outline_fit import best_outline
from hoijax.coarse.touch import gap_along_ray, slide_to_touch
from hoijax.coarse.view import Eye, mask_box, mesh_depth, unprojected

EYE = Eye(np.array([3000.0, 3000.0]), np.array([128.0, 128.0]), (256, 256))
TRUTH = Placed(0.6, np.array([0.12, -0.2, 25.0]))


@pytest.fixture(scope="module")
def shape() -> tuple[np.ndarray, np.ndarray]:
    """A box and a cone upon it, finely divided: no symmetry about any axis of the image."""
    box = trimesh.creation.box((1.0, 0.6, 0.5))
    cone = trimesh.creation.cone(
        radius=0.2, height=0.5, transform=trimesh.transformations.rotation_matrix(-2, [1, 0, 0.4])
    )
    cone.apply_translation([0.3, -0.2, 0])
    mesh = trimesh.util.concatenate([box, cone]).subdivide_to_size(0.05)
    return np.asarray(mesh.vertices), np.asarray(mesh.faces)


def target_of(verts, faces, hidden=None) -> Target:
    """What the true pose looks like: mask, cloud (every pixel), median depth."""
    depth = mesh_depth(TRUTH.scale * verts + TRUTH.translation, faces, EYE)
    hidden = np.zeros(depth.shape, bool) if hidden is None else hidden
    mask = (depth > 0) & ~hidden
    i, j = np.nonzero(mask)
    cloud = unprojected(np.stack([j + 0.5, i + 0.5], 1), depth[i, j], EYE)
    return Target(mask, hidden, cloud, float(np.median(cloud[:, 2])), 0, 0.0)


def test_box_diagonals_place_roughly(shape) -> None:
    found = first_place(shape[0], target_of(*shape), EYE)
    assert found.scale == pytest.approx(TRUTH.scale, rel=0.03)
    np.testing.assert_allclose(found.translation, TRUTH.translation, atol=0.2)


def test_extents_and_centroid_find_size_and_place(shape) -> None:
    start = first_place(shape[0], target_of(*shape), EYE)
    found = size_and_place(start._replace(scale=1.3 * start.scale), *shape, target_of(*shape), EYE)
    assert found.scale == pytest.approx(TRUTH.scale, rel=0.01)
    np.testing.assert_allclose(found.translation, TRUTH.translation, atol=0.01)


def test_icp_recovers_a_translation(shape) -> None:
    """All of it on a round thing; on flat faces only what is across them, as points slide along."""
    moved = np.array([0.02, -0.015, 0.03])
    start = Placed(TRUTH.scale, TRUTH.translation - moved)
    ball = trimesh.creation.icosphere(subdivisions=5, radius=0.5)
    round_thing = np.asarray(ball.vertices), np.asarray(ball.faces)
    found = icp(start, *round_thing, target_of(*round_thing), 1.0, 20)
    np.testing.assert_allclose(found.translation, TRUTH.translation, atol=0.004)
    flat = icp(start, *shape, target_of(*shape), 0.9, 20)
    assert flat.translation[2] == pytest.approx(TRUTH.translation[2], abs=0.004)
    settled = icp(TRUTH, *shape, target_of(*shape), 0.9, 20)
    np.testing.assert_allclose(settled.translation, TRUTH.translation, atol=0.006)


def test_icp_ignores_outliers_that_it_truncates(shape) -> None:
    target = target_of(*shape)
    far = target.cloud.copy()
    far[::20, 2] += 3
    found = icp(TRUTH, *shape, target._replace(cloud=far), 0.8, 20)
    np.testing.assert_allclose(found.translation, TRUTH.translation, atol=0.01)


def test_the_mask_corrects_size_and_place_in_the_image(shape) -> None:
    wrong = Placed(0.85 * TRUTH.scale, TRUTH.translation + [0.06, 0.04, 0.0])
    found = fitted_to_mask(wrong, *shape, target_of(*shape), EYE)
    assert found.scale == pytest.approx(TRUTH.scale, rel=0.015)
    np.testing.assert_allclose(found.translation[:2], TRUTH.translation[:2], atol=0.01)


def test_what_the_human_hides_does_not_make_the_object_small(shape) -> None:
    hidden = np.zeros(EYE.size, bool)
    hidden[:, :130] = True  # the left third of the object
    target = target_of(*shape, hidden)
    small = first_place(shape[0], target, EYE)
    assert small.scale < 0.9 * TRUTH.scale
    found = fitted_to_mask(small, *shape, target, EYE)
    assert found.scale == pytest.approx(TRUTH.scale, rel=0.06)


def test_depth_is_corrected_along_the_rays(shape) -> None:
    k = 1.01
    found = at_depth(Placed(k * TRUTH.scale, k * TRUTH.translation), *shape, target_of(*shape), EYE)
    assert found.scale == pytest.approx(TRUTH.scale, rel=1e-3)
    np.testing.assert_allclose(found.translation, TRUTH.translation, atol=5e-3)
    none = target_of(*shape)._replace(cloud=np.zeros((0, 3)))
    assert at_depth(TRUTH, *shape, none, EYE) is TRUTH


def test_agreement_is_one_at_the_truth_and_knows_relief(shape) -> None:
    target = target_of(*shape)
    assert agreement(TRUTH, *shape, target, EYE) == pytest.approx(1, abs=1e-6)
    off = target._replace(cloud=target.cloud + [0, 0, 0.1])
    diagonal = TRUTH.scale * np.linalg.norm(np.ptp(shape[0], axis=0))
    assert agreement(TRUTH, *shape, off, EYE) == pytest.approx(1 - 0.3 / diagonal, abs=0.01)


def test_best_outline_of_discs_is_their_ratio() -> None:
    i, j = np.mgrid[:200, :200] + 0.5
    small, large = (np.hypot(j - x, i - y) < r for x, y, r in ((90, 100, 40), (104, 96, 50)))
    nothing = np.zeros_like(small)
    factor, shift, overlap = best_outline(small, large, nothing, mask_box(large))
    assert factor == pytest.approx(1.25, rel=0.01)
    np.testing.assert_allclose(shift, [14, -4], atol=0.6)
    assert overlap > 0.95


class TestTouch:
    """Two spheres on one ray: the gap is the distance of centres less the radii."""

    human = np.asarray(trimesh.creation.icosphere(subdivisions=4, radius=0.3).vertices) + [0, 0, 25]
    ball = trimesh.creation.icosphere(subdivisions=4, radius=0.2)

    def verts(self, z: float) -> np.ndarray:
        return np.asarray(self.ball.vertices) + [0, 0, z]

    def test_gap(self) -> None:
        gap = gap_along_ray(self.human, self.verts(26), np.asarray(self.ball.faces))
        assert gap(1.0) == pytest.approx(0.5, abs=2e-3)
        assert gap(1.01) == pytest.approx(0.5 + 0.26 - 0.002, abs=2e-3)

    @pytest.mark.parametrize("z", [24.0, 26.0])
    def test_slides_to_touch_from_either_side(self, z: float) -> None:
        end = slide_to_touch(self.human, self.verts(z), np.asarray(self.ball.faces), 0.02)
        assert end.touches
        assert end.gap == pytest.approx(0.02, abs=2e-3)
        assert z * end.factor == pytest.approx(25 + np.sign(z - 25) * 0.52, abs=5e-3)

    def test_what_passes_by_ends_at_the_least_gap(self) -> None:
        end = slide_to_touch(self.human, self.verts(26) + [1.0, 0, 0], np.asarray(self.ball.faces), 0.02)
        assert not end.touches
        assert end.gap == pytest.approx(0.5 - 0.04, abs=0.02)  # the rays converge: 1 m at 26 m is 0.96 m at 25 m
