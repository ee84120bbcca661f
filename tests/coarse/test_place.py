"""The whole: from depth, masks and meshes to a pose, on scenes whose answer is known."""

from functools import lru_cache

import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from hoijax.coarse.place import Coarse, CoarseOptions, coarse_placement
from hoijax.data.sample import Sample
from hoijax.data.synthetic import synthetic_sample
from hoijax.metrics.image import mask_iou, projected_mask
from hoijax.metrics.pose import object_pose_errors

SCALE, SHIFT = 7.5, 20.0  # z_metric = SCALE z + SHIFT


def wrong_unit(depth: np.ndarray, rng: np.random.Generator, noise: float = 0.03, outliers: float = 0.05) -> np.ndarray:
    """The depth in another unit, with noise (metres) and with outliers anywhere from 0.2 to 2 times the median."""
    known = depth > 0
    z = np.where(known, (depth - SHIFT) / SCALE, 0) + known * rng.normal(0, noise / SCALE, depth.shape)
    bad = known & (rng.random(depth.shape) < outliers)
    return np.where(bad, rng.uniform(0.2, 2, depth.shape) * np.median(z[known]), z)


def unit(verts: np.ndarray) -> np.ndarray:
    """Centred, longest side 1."""
    low, high = verts.min(0), verts.max(0)
    return (verts - (low + high) / 2) / (high - low).max()


def place(known, options=None, verts=None, **changes) -> Coarse:
    """The placement of the closed-form scene, with some of its parts replaced."""
    known = known._replace(**changes)
    verts = unit(known.object) if verts is None else verts
    human = known.human, known.human_faces
    images = known.depth, known.human_mask, known.object_mask
    return coarse_placement(*human, verts, known.object_faces, known.camera, *images, options)


def center(found: Coarse, verts: np.ndarray) -> np.ndarray:
    """Of the placed object's box."""
    moved = found.scale * verts @ found.rotation.T + found.translation
    return (moved.min(0) + moved.max(0)) / 2


def test_a_sphere_comes_to_its_place(beside) -> None:
    found = place(beside)
    assert found.scale == pytest.approx(0.4, rel=0.01)
    np.testing.assert_allclose(center(found, unit(beside.object)), [0.55, 0.1, 24.9], atol=5e-3)
    assert (found.depth_scale, found.depth_shift) == pytest.approx((1, 0), abs=1e-3)
    assert found.gap_before == found.gap_after == pytest.approx(0.06, abs=0.02)
    np.testing.assert_array_equal(found.rotation, np.eye(3))
    assert found.notes == ()


@pytest.mark.parametrize("correct", [True, False])
def test_a_wrong_unit_noise_and_outliers_change_little(beside, correct: bool) -> None:
    z = wrong_unit(beside.depth, np.random.default_rng(0))
    found = place(beside, CoarseOptions(correct=correct), depth=z)
    assert found.depth_scale == pytest.approx(SCALE, rel=0.03)
    assert np.median(found.depth_scale * (25 - SHIFT) / SCALE + found.depth_shift) == pytest.approx(25, abs=0.02)
    assert found.scale == pytest.approx(0.4, rel=0.02 if correct else 0.15)
    across, along = (0.004, 0.02) if correct else (0.02, 0.04)
    off = np.abs(center(found, unit(beside.object)) - [0.55, 0.1, 24.9])
    assert off[:2].max() < across
    assert off[2] < along


def test_any_unit_and_place_of_the_mesh_gives_the_same(beside) -> None:
    verts = unit(beside.object)
    moved = 37 * verts + [5, -3, 2]
    first, second = place(beside, verts=verts), place(beside, verts=moved)
    after = [c.scale * v @ c.rotation.T + c.translation for c, v in ((first, verts), (second, moved))]
    np.testing.assert_allclose(after[0], after[1], atol=2e-3)


def test_a_far_object_slides_to_touch(beside) -> None:
    """The ball's depth is off by a metre: it comes back along its ray, and its silhouette stays."""
    depth = beside.depth + 1.0 * beside.object_mask
    mask = beside.human_mask.copy()
    mask[140, :230] = True  # a limb beside the ball: the boxes overlap in the image
    found = place(beside, depth=depth, human_mask=mask)
    assert found.gap_before > 0.5
    assert found.gap_after < 0.12
    assert any("along the ray" in note for note in found.notes)
    ray = center(found, unit(beside.object))
    np.testing.assert_allclose(ray / ray[2], np.array([0.55, 0.1, 24.9]) / 24.9, atol=3e-4)
    assert found.scale / ray[2] == pytest.approx(0.4 / 24.9, rel=0.01)


def test_boxes_apart_in_the_image_stay_apart(beside) -> None:
    found = place(beside, depth=beside.depth + 1.0 * beside.object_mask)
    assert found.gap_before == found.gap_after > 0.5


def test_few_points_take_the_size_from_boxes(beside) -> None:
    options = CoarseOptions(fewest_points=10_000, fewest_human_points=50, correct=False)
    found = place(beside, options)
    assert any("size from the boxes" in note for note in found.notes)
    assert found.scale == pytest.approx(0.4, rel=0.02)
    holes = np.where(beside.object_mask, np.nan, beside.depth)
    found = place(beside, depth=holes)
    assert found.points == 0
    assert any("no depth on the object" in note for note in found.notes)
    assert center(found, unit(beside.object))[2] == pytest.approx(24.85, abs=0.15)


def test_an_object_cut_by_the_frame_is_noted(beside) -> None:
    cut = {name: getattr(beside, name)[:, :200] for name in ("depth", "human_mask", "object_mask")}
    assert any("border" in note for note in place(beside, **cut).notes)


def test_thinned_images_give_nearly_the_same(beside) -> None:
    found = place(beside, CoarseOptions(max_side=128))
    assert found.scale == pytest.approx(0.4, rel=0.03)
    np.testing.assert_allclose(center(found, unit(beside.object)), [0.55, 0.1, 24.9], atol=0.02)


NOTHING = np.zeros((256, 256), bool)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"object_mask": NOTHING}, "the object's mask is empty"),
        ({"human_mask": NOTHING}, "the human's mask is empty"),
        ({"object_mask": NOTHING[1:]}, r"shape \(255, 256\), expected \(256, 256\)"),
        ({"depth": np.full((256, 256), np.nan)}, "no finite positive depth"),
        ({"human": np.full((4, 3), np.nan)}, "the human's mesh has 4 vertices, 4 not finite"),
        ({"object_faces": np.zeros((0, 3), int)}, "the object's mesh has 0 faces"),
        ({"verts": np.zeros((3, 3))}, "an extent of 0 m"),
    ],
)
def test_unusable_input_is_one_sentence(beside, changes, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        place(beside, **changes)


def test_errors_of_what_does_not_fit_together(beside) -> None:
    with pytest.raises(ValueError, match="inverse depth"):
        place(beside, depth=np.where(beside.depth > 0, 100 / np.maximum(beside.depth, 1), 0))
    with pytest.raises(ValueError, match="0 pixels have a depth, lie in the human's mask"):
        place(beside, human=beside.human + [5.0, 0, 0])
    with pytest.raises(ValueError, match="in front of the camera"):
        place(beside, human=beside.human - [0, 0, 25.0])
    shifted = np.where(beside.depth > 0, beside.depth + 30, 0)
    with pytest.raises(ValueError, match=r"z' = 1 z \+ -30 of the depth map puts .* behind the camera"):
        place(beside, depth=np.where(beside.object_mask, 5, shifted))
    half = np.arange(256)[:, None] < 140
    found = place(beside, depth=np.where(beside.object_mask & half, 5, shifted))
    assert any("object points behind the camera: left out" in note for note in found.notes)
    with pytest.raises(ValueError, match="expected one of given, search"):
        CoarseOptions(rotation="best")


@pytest.mark.slow
def test_the_search_finds_a_half_turn(beside, picture) -> None:
    """A hammer given upside down: the search turns it back, by silhouette and relief."""
    handle = trimesh.creation.box((0.06, 0.7, 0.06))
    head = trimesh.creation.box((0.4, 0.14, 0.14))
    head.apply_translation([0.1, -0.35, 0])
    hammer = trimesh.util.concatenate([handle, head])
    hammer.apply_translation([0.75, 0, 24.9])
    known = picture(trimesh.Trimesh(beside.human, beside.human_faces, process=False), hammer, beside.camera)
    flip = np.diag([-1.0, -1.0, 1.0])
    verts = unit(known.object) @ flip.T
    found = place(known, CoarseOptions(rotation="search", rotations=500), verts=verts)
    given = place(known, verts=verts)
    reached = found.scale * verts @ found.rotation.T + found.translation
    assert np.linalg.norm(reached - known.object, axis=1).mean() < 0.05
    assert np.linalg.norm(given.scale * verts + given.translation - known.object, axis=1).mean() > 0.2
    assert "turned by" in found.notes[-1]


@pytest.mark.slow
def test_the_search_does_without_a_cloud(beside) -> None:
    found = place(
        beside, CoarseOptions(rotation="search", rotations=50), depth=np.where(beside.object_mask, 0, beside.depth)
    )
    assert found.points == 0
    assert found.scale == pytest.approx(0.4, rel=0.03)


@lru_cache
def scene(name: str, seed: int) -> Sample:
    return synthetic_sample(name, seed)


def against_truth(sample: Sample, depth: np.ndarray, options: CoarseOptions, degrees: float = 0.0) -> tuple[float, ...]:
    """|s - 1|, translation (cm), chamfer (cm) and IoU of the sample's true mesh, made unit and turned, placed anew."""
    offset = np.asarray(sample.pose.translation, np.float64)
    truth, faces = sample.truth.verts + offset, sample.truth.faces
    turn = Rotation.from_rotvec(np.radians(degrees) * np.array([0.6, 0.0, 0.8])).as_matrix()
    verts = unit(truth) @ turn.T
    images = depth, sample.human_mask, sample.object_mask
    human = sample.human.verts + offset, sample.human.faces
    found = coarse_placement(*human, verts, faces, sample.camera, *images, options)
    placed = found.scale * verts @ found.rotation.T + found.translation
    errors = object_pose_errors(placed, truth, faces, samples=3000)
    iou = mask_iou(projected_mask(placed, faces, sample.camera, depth.shape), sample.object_mask, sample.human_mask)
    return errors.scale, errors.translation_cm, errors.chamfer_cm, iou


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 3])
@pytest.mark.parametrize("name", ["ball", "box", "chair"])
def test_a_distorted_depth_places_nearly_as_the_true_one(name: str, seed: int) -> None:
    sample, options = scene(name, seed), CoarseOptions()
    rng = np.random.default_rng(seed)
    distorted = wrong_unit(sample.depth - sample.depth.min() + SHIFT + 1, rng)
    true = against_truth(sample, sample.depth, options)
    found = against_truth(sample, distorted, options)
    assert true[0] < 0.02
    assert true[1] < 1.0
    assert true[3] > 0.9
    assert found[0] < 0.03
    assert found[1] < 1.5
    assert found[2] < true[2] + 1.0
    assert found[3] > true[3] - 0.05


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ball", "box", "chair"])
def test_the_correction_is_better_than_the_steps_as_written(name: str) -> None:
    sample = scene(name, 3)
    distorted = wrong_unit(sample.depth - sample.depth.min() + SHIFT + 1, np.random.default_rng(1))
    written = against_truth(sample, distorted, CoarseOptions(correct=False))
    found = against_truth(sample, distorted, CoarseOptions())
    assert found[1] < written[1]
    assert found[3] > written[3]


@pytest.mark.slow
def test_a_turned_object_is_placed_and_searched() -> None:
    sample = scene("box", 3)
    distorted = wrong_unit(sample.depth - sample.depth.min() + SHIFT + 1, np.random.default_rng(2))
    given = against_truth(sample, distorted, CoarseOptions(), degrees=20)
    found = against_truth(sample, distorted, CoarseOptions(rotation="search"), degrees=20)
    assert given[1] < 6
    assert found[2] < given[2]
    assert found[3] > given[3]
