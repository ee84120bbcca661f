"""The built-in scenes: the same every time, true to their own labels, physical, and read back as they were written."""

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from hoijax.body.builtin import builtin_body
from hoijax.body.parts import PART_NAMES, body_parts
from hoijax.body.smplx import pose_body
from hoijax.data.check import check_sample
from hoijax.data.read import load_sample
from hoijax.data.sample import Sample
from hoijax.data.synthetic import sample_folder, scene_names, synthetic_sample
from hoijax.data.synthetic.scenes import DESIGNS
from hoijax.data.write import save_sample
from hoijax.metrics.image import mask_iou, projected_mask
from hoijax.metrics.pose import rotation_degrees, umeyama
from hoijax.metrics.surface import enclosed_volume, inside, surface, surface_distance
from hoijax.presets import paper

NAMES = ("box", "chair", "ball", "table", "horse", "bottle")


@pytest.fixture(scope="module")
def scenes() -> dict[str, Sample]:
    return {name: synthetic_sample(name) for name in NAMES}


@pytest.fixture(scope="module")
def parts() -> np.ndarray:
    return body_parts(builtin_body())


@pytest.fixture(params=NAMES)
def sample(request: pytest.FixtureRequest, scenes: dict[str, Sample]) -> Sample:
    return scenes[request.param]


def placed(sample: Sample, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Vertices in front of the camera, and faces."""
    mesh = getattr(sample, kind)
    return mesh.verts + np.asarray(sample.pose.translation, np.float64), mesh.faces


def projected(sample: Sample, kind: str) -> np.ndarray:
    return projected_mask(*placed(sample, kind), sample.camera, sample.human_mask.shape)


def test_names_and_unknown_name() -> None:
    assert scene_names() == NAMES
    with pytest.raises(ValueError, match=r"'sofa': expected one of box, chair"):
        synthetic_sample("sofa")


def test_same_arguments_give_same_bytes(scenes: dict[str, Sample]) -> None:
    again, first = synthetic_sample("bottle"), scenes["bottle"]
    for field in ("image", "human_mask", "object_mask", "depth"):
        assert getattr(again, field).tobytes() == getattr(first, field).tobytes(), field
    for kind in ("human", "object", "truth"):
        for mine, theirs in zip(getattr(again, kind), getattr(first, kind)):
            assert mine.tobytes() == theirs.tobytes(), kind
    for mine, theirs in zip((*again.pose, *again.camera), (*first.pose, *first.camera)):
        assert np.asarray(mine).tobytes() == np.asarray(theirs).tobytes()


def test_pose_reproduces_the_human(sample: Sample) -> None:
    posed = np.asarray(pose_body(builtin_body(), sample.pose).verts)
    np.testing.assert_allclose(posed, placed(sample, "human")[0], atol=1e-5)


def test_long_lens_and_person_in_the_picture(sample: Sample) -> None:
    focal, distance = np.asarray(sample.camera.focal), float(sample.pose.translation[2])
    assert 4000 < focal[0] == focal[1] < 20000
    assert 20 < distance < 40
    assert 0.6 < np.ptp(np.flatnonzero(sample.human_mask.any(1))) / 512 < 0.9
    assert sample.object_mask.sum() > 800
    for kind in ("human", "truth"):
        verts, _ = placed(sample, kind)
        pixels = focal * verts[:, :2] / verts[:, 2:] + np.asarray(sample.camera.center)
        assert pixels.min() > 0
        assert pixels.max() < 512


def test_masks_are_the_visible_truth(sample: Sample) -> None:
    """Each mask is its mesh's projection but for what the other one hides; together they are all of it."""
    human, thing = projected(sample, "human"), projected(sample, "truth")
    assert not (sample.human_mask & sample.object_mask).any()
    assert mask_iou(sample.human_mask | sample.object_mask, human | thing) > 0.995
    assert mask_iou(sample.human_mask, human, ignore=sample.object_mask) > 0.995
    assert mask_iou(sample.object_mask, thing, ignore=sample.human_mask) > 0.995


def test_the_nearer_one_owns_the_pixel(scenes: dict[str, Sample]) -> None:
    """Where both project and depths are clearly apart, the mask is that of the nearer; both orders occur."""
    wins = {"human": 0, "object": 0}
    for sample in scenes.values():
        both = projected(sample, "human") & projected(sample, "truth")
        wins["human"] += (both & sample.human_mask).sum()
        wins["object"] += (both & sample.object_mask).sum()
        assert sample.depth is not None
        for kind, mask in (("human", sample.human_mask), ("truth", sample.object_mask)):
            verts, _ = placed(sample, kind)
            seen = sample.depth[mask]
            assert verts[:, 2].min() - 1e-3 < seen.min()
            assert seen.max() < verts[:, 2].max() + 1e-3
    assert wins["human"] > 3000
    assert wins["object"] > 3000


def test_depth_is_that_of_the_surface(sample: Sample) -> None:
    """Inside the mask, but for inner outlines, a pixel sees no farther than a vertex behind it, and often just that."""
    verts, _ = placed(sample, "human")
    pixels = np.asarray(sample.camera.focal) * verts[:, :2] / verts[:, 2:] + np.asarray(sample.camera.center)
    column, row = np.floor(pixels).astype(int).T
    inner = ndimage.binary_erosion(sample.human_mask, iterations=2)[row, column]
    assert sample.depth is not None
    behind = verts[inner, 2] - sample.depth[row, column][inner]
    assert np.quantile(behind, 0.03) > -0.02
    assert (np.abs(behind) < 0.005).mean() > 0.25
    assert sample.depth.max() < sample.depth.min() + 12


def test_human_and_object_touch_without_going_through(sample: Sample, parts: np.ndarray) -> None:
    """Against exact distances and winding numbers: under 8 mm deep, few vertices, labelled parts within 2 cm."""
    assert sample.truth is not None
    thing, human = surface(sample.truth.verts, sample.truth.faces), surface(sample.human.verts, sample.human.faces)
    distance = surface_distance(human.verts, thing)
    within = inside(human.verts, thing)
    assert distance[within].max(initial=0) < 0.008
    assert within.sum() < 200
    back = inside(thing.verts, human)
    assert surface_distance(thing.verts[back], human).max(initial=0) < 0.015
    assert sample.contact_parts
    for part in sample.contact_parts:
        assert distance[parts == PART_NAMES.index(part)].min() < 0.02, part


def test_what_holds_the_object_is_labelled(scenes: dict[str, Sample]) -> None:
    hands = {f"{side} {part}" for side in ("left", "right") for part in ("palm", "fingers")}
    expected = {
        **dict.fromkeys(("box", "ball", "table"), hands),
        "chair": {"bottom", "back"},
        "horse": hands | {"bottom", "left foot", "right foot"},
        "bottle": {"mouth", "right palm", "right fingers"},
    }
    for name, wanted in expected.items():
        assert wanted <= set(scenes[name].contact_parts or ()), name
    assert not hands & set(scenes["chair"].contact_parts or ())


def test_people_and_furniture_stand_on_one_floor(scenes: dict[str, Sample]) -> None:
    for name in ("chair", "table"):
        sample = scenes[name]
        assert sample.truth is not None
        pitch = np.radians(DESIGNS[name].pitch)
        down = np.array([0, np.cos(pitch), np.sin(pitch)])
        floor = (sample.truth.verts @ down).max()
        assert ((sample.truth.verts @ down) > floor - 1e-4).sum() >= 16, "four legs of four corners"
        for side in ("left", "right"):
            foot = parts_verts(sample, f"{side} foot") @ down
            assert abs(foot.max() - floor) < 0.004, (name, side)


def parts_verts(sample: Sample, part: str) -> np.ndarray:
    return sample.human.verts[body_parts(builtin_body()) == PART_NAMES.index(part)]


def test_coarse_start_is_the_truth_moved_by_a_similarity(sample: Sample) -> None:
    assert sample.truth is not None
    fit = umeyama(sample.object.verts, sample.truth.verts)
    mapped = fit.scale * sample.object.verts @ fit.rotation.T + fit.translation
    np.testing.assert_allclose(mapped, sample.truth.verts, atol=1e-9)
    np.testing.assert_array_equal(sample.object.faces, sample.truth.faces)
    np.testing.assert_array_equal(sample.object.rgb, sample.truth.rgb)
    assert 1.08 - 1e-9 < max(fit.scale, 1 / fit.scale) < 1.30 + 1e-9
    assert 8 - 1e-6 < rotation_degrees(fit.rotation) < 20 + 1e-6
    offset = np.asarray(sample.pose.translation, np.float64)
    middle = sample.truth.verts.mean(0)
    shift = sample.object.verts.mean(0) - middle
    ray = (middle + offset) / np.linalg.norm(middle + offset)
    assert 0.15 < abs(shift @ ray) < 0.40
    assert np.linalg.norm(shift - shift @ ray * ray) < 0.0401


def test_objects_are_closed_textured_and_fit_the_capacities(sample: Sample) -> None:
    config = paper()
    assert sample.truth is not None
    mesh = sample.truth
    assert 2000 < len(mesh.faces) <= config.object_faces
    assert len(mesh.verts) <= config.object_verts
    volume = enclosed_volume(surface(mesh.verts, mesh.faces))
    assert volume.watertight
    corners = mesh.verts[mesh.faces]
    signed = (corners[:, 0] * np.cross(corners[:, 1], corners[:, 2])).sum() / 6
    assert signed > 0, "faces look inward"
    assert mesh.rgb.min() >= 0
    assert mesh.rgb.max() <= 1
    assert mesh.rgb.std(0).max() > 0.08


def test_picture_shows_the_colours_of_the_meshes(sample: Sample) -> None:
    """Object pixels resemble the object's vertex colours in hue; nothing is blown out or black."""
    assert sample.image.shape == (512, 512, 3)
    assert (sample.image.max(2) < 8).mean() < 0.01
    assert (sample.image.min(2) == 255).mean() < 0.01
    assert sample.image.reshape(-1, 3).std(0).min() > 15
    human = sample.image[sample.human_mask].mean(0)
    skin_and_cloth = sample.human.rgb.mean(0) * 255
    assert np.abs(human - skin_and_cloth).max() < 90


def test_written_and_read_back(scenes: dict[str, Sample], tmp_path: Path) -> None:
    for name in ("chair", "bottle"):
        first = scenes[name]
        folder = tmp_path / sample_folder(name)
        save_sample(first, folder)
        assert check_sample(folder) == []
        again = load_sample(folder)
        assert (again.name, again.category, again.action) == (first.name, first.category, first.action)
        assert again.contact_parts == first.contact_parts
        assert again.warnings == ()
        np.testing.assert_array_equal(again.human_mask, first.human_mask)
        np.testing.assert_array_equal(again.object_mask, first.object_mask)
        np.testing.assert_array_equal(again.depth, first.depth)
        np.testing.assert_array_equal(again.human_box, first.human_box)
        assert np.abs(again.image.astype(int) - first.image).mean() < 2
        for kind in ("human", "object", "truth"):
            np.testing.assert_allclose(getattr(again, kind).verts, getattr(first, kind).verts, atol=2e-6)
            np.testing.assert_array_equal(getattr(again, kind).faces, getattr(first, kind).faces)
        for mine, theirs in zip((*again.pose, *again.camera), (*first.pose, *first.camera)):
            np.testing.assert_array_equal(mine, theirs)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_other_seeds_are_other_people_in_touch(name: str, parts: np.ndarray, scenes: dict[str, Sample]) -> None:
    first = scenes[name]
    for seed in (1, 2):
        sample = synthetic_sample(name, seed)
        test_human_and_object_touch_without_going_through(sample, parts)
        test_coarse_start_is_the_truth_moved_by_a_similarity(sample)
        test_masks_are_the_visible_truth(sample)
        assert np.abs(np.asarray(sample.pose.shape) - np.asarray(first.pose.shape)).max() > 0.1
        assert float(sample.pose.translation[2]) != float(first.pose.translation[2])
        assert (sample.image != first.image).mean() > 0.5
