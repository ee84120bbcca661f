"""The benchmark: its designs, objects and splits; scenes that agree with their labels, whatever the seed drew."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hoijax.body.builtin import builtin_body
from hoijax.body.parts import PART_NAMES, body_parts
from hoijax.body.smplx import pose_body
from hoijax.data.check import check_sample
from hoijax.data.read import load_sample
from hoijax.data.synthetic import (
    benchmark,
    objects_held,
    objects_large,
    objects_ridden,
    objects_sport,
    photo,
    scene_names,
)
from hoijax.data.synthetic.benchmark import (
    BENCHMARK,
    MOST_PER_DESIGN,
    SPLITS,
    Scene,
    benchmark_folder,
    benchmark_names,
    benchmark_scene,
    benchmark_seeds,
)
from hoijax.data.synthetic.compose import SIZE
from hoijax.data.synthetic.monocular import OUTLIERS, RELIEF, delivered_mesh, estimated_depth
from hoijax.metrics.image import mask_iou, projected_mask
from hoijax.metrics.pose import object_pose_errors, rotation_degrees, umeyama
from hoijax.metrics.surface import enclosed_volume, inside, surface, surface_distance
from hoijax.presets import paper

ROOT = Path(__file__).resolve().parents[2]
OBJECTS = {  # each with its largest extents, metres, across, up and ahead
    "umbrella": (objects_held.umbrella, (1.1, 1.1, 1.1)),
    "cup": (objects_held.cup, (0.09, 0.11, 0.13)),
    "bowl": (objects_held.bowl, (0.29, 0.10, 0.29)),
    "book": (objects_held.book, (0.33, 0.25, 0.10)),
    "basket": (objects_held.basket, (0.45, 0.45, 0.32)),
    "suitcase": (objects_held.suitcase, (0.48, 0.70, 0.25)),
    "trolley": (lambda: objects_held.suitcase(1.05), (0.48, 1.07, 0.25)),
    "plant": (objects_held.potted_plant, (0.6, 0.6, 0.6)),
    "bear": (objects_held.teddy_bear, (0.4, 0.5, 0.35)),
    "racket": (objects_sport.tennis_racket, (0.28, 0.70, 0.04)),
    "bat": (objects_sport.baseball_bat, (0.07, 0.86, 0.07)),
    "football": (objects_sport.football, (0.221, 0.221, 0.221)),
    "gym ball": (objects_sport.gym_ball, (0.581, 0.581, 0.581)),
    "barbell": (objects_sport.barbell, (1.51, 0.40, 0.40)),
    "skateboard": (objects_sport.skateboard, (0.82, 0.16, 0.24)),
    "surfboard": (objects_sport.surfboard, (0.5, 2.1, 0.2)),
    "bench": (objects_large.bench, (1.31, 0.9, 0.5)),
    "couch": (objects_large.couch, (1.56, 0.9, 0.8)),
    "bed": (objects_large.bed, (1.0, 0.96, 2.2)),
    "table": (objects_large.round_table, (1.11, 0.75, 1.11)),
    "cushion": (objects_large.air_cushion, (0.77, 0.25, 1.96)),
    "laptop": (objects_large.laptop, (0.35, 0.25, 0.35)),
    "horse": (objects_ridden.horse, (0.5, 1.8, 1.9)),
    "dog": (objects_ridden.dog, (0.3, 0.9, 1.2)),
    "bicycle": (lambda: objects_ridden.bicycle(1.0), (0.7, 1.1, 1.75)),
}


@pytest.fixture(scope="module")
def scene() -> Scene:
    return benchmark_scene("ball_kick", 100)


@pytest.mark.parametrize("name", OBJECTS)
def test_objects_are_closed_textured_and_of_plausible_size(name: str) -> None:
    make, most = OBJECTS[name]
    mesh = make()
    config = paper()
    assert 1500 < len(mesh.faces) <= config.object_faces
    assert len(mesh.verts) <= config.object_verts
    assert enclosed_volume(surface(mesh.verts, mesh.faces)).watertight
    corners = mesh.verts[mesh.faces]
    assert (corners[:, 0] * np.cross(corners[:, 1], corners[:, 2])).sum() > 0, "faces look inward"
    extent = np.ptp(mesh.verts, axis=0)
    assert (extent <= most).all(), extent
    assert (extent > 0.6 * np.array(most)).all(), extent
    assert 0 <= mesh.rgb.min() <= mesh.rgb.max() <= 1
    assert mesh.rgb.std(0).max() > 0.08
    for mine, theirs in zip(mesh, make()):
        assert mine.tobytes() == theirs.tobytes()


def test_designs_are_many_and_each_of_its_own() -> None:
    assert len(benchmark_names()) >= 24
    assert len({design.category for design in BENCHMARK.values()}) >= 14
    poses = {tuple(sorted(design.turns.items())) for design in BENCHMARK.values()}
    assert len(poses) == len(BENCHMARK)
    assert not set(benchmark_names()) & set(scene_names())
    assert all(set(design.contact_parts) <= set(PART_NAMES) for design in BENCHMARK.values())


def test_splits_share_no_seed_and_no_folder() -> None:
    seeds = {split: set(benchmark_seeds(split, MOST_PER_DESIGN)) for split in SPLITS}
    assert not seeds["dev"] & seeds["test"]
    assert min(map(min, seeds.values())) > 0, "seed 0 is that of the built-in scenes"
    folders = [benchmark_folder(name, seed) for name in benchmark_names() for seed in (100, 101, 200)]
    assert len(set(folders)) == len(folders)
    assert benchmark_folder("bed_lie", 203).as_posix() == "bed/lie_on_203"


def test_what_there_is_not() -> None:
    with pytest.raises(ValueError, match="split 'train': expected one of dev, test"):
        benchmark_seeds("train")
    with pytest.raises(ValueError, match="expected 1 to 100"):
        benchmark_seeds("dev", 101)
    with pytest.raises(ValueError, match=r"design 'sofa': expected one of umbrella_hold"):
        benchmark_scene("sofa", 100)


def test_same_arguments_give_same_bytes(scene: Scene) -> None:
    again = benchmark_scene("ball_kick", 100)
    for field in ("image", "human_mask", "object_mask", "depth"):
        assert getattr(again.sample, field).tobytes() == getattr(scene.sample, field).tobytes(), field
    for kind in ("human", "object", "truth"):
        for mine, theirs in zip(getattr(again.sample, kind), getattr(scene.sample, kind)):
            assert mine.tobytes() == theirs.tobytes(), kind
    assert again.true_depth.tobytes() == scene.true_depth.tobytes()


def test_labels_agree_with_the_geometry(scene: Scene) -> None:
    assert_true(scene)


def assert_true(scene: Scene) -> None:
    """Against exact distances, winding numbers and another projector: touch, labels, masks, pose."""
    sample, parts = scene.sample, body_parts(builtin_body())
    assert sample.truth is not None
    thing = surface(sample.truth.verts, sample.truth.faces)
    distance, within = surface_distance(sample.human.verts, thing), inside(sample.human.verts, thing)
    assert distance[within].max(initial=0) < 0.0081
    near = {
        PART_NAMES[k] for k in range(len(PART_NAMES)) if (distance[parts == k].min() < 0.02) or within[parts == k].any()
    }
    assert set(sample.contact_parts or ()) == near
    assert near
    offset = np.asarray(sample.pose.translation, np.float64)
    posed = np.asarray(pose_body(builtin_body(), sample.pose).verts)
    np.testing.assert_allclose(posed, sample.human.verts + offset, atol=2e-5)
    shape = sample.human_mask.shape
    human, shown = (
        projected_mask(mesh.verts + offset, mesh.faces, sample.camera, shape) for mesh in (sample.human, sample.truth)
    )
    assert not (sample.human_mask & sample.object_mask).any()
    assert mask_iou(sample.human_mask | sample.object_mask, human | shown) > 0.99
    assert mask_iou(sample.object_mask, shown, ignore=sample.human_mask) > 0.98
    seen = scene.true_depth[sample.object_mask]
    z = sample.truth.verts[:, 2] + offset[2]
    assert z.min() - 1e-3 < seen.min()
    assert seen.max() < z.max() + 1e-3


def test_coarse_start_is_a_similarity_of_the_truth_turned_as_delivered(scene: Scene) -> None:
    assert_start(scene)


def assert_start(scene: Scene) -> None:
    """Only size and place are the coarse reconstruction's to choose, and they are near the truth."""
    sample = scene.sample
    assert sample.truth is not None
    fit = umeyama(sample.object.verts, sample.truth.verts)
    mapped = fit.scale * sample.object.verts @ fit.rotation.T + fit.translation
    np.testing.assert_allclose(mapped, sample.truth.verts, atol=1e-6)
    assert 5 - 1e-3 < rotation_degrees(fit.rotation) < 25 + 1e-3
    errors = object_pose_errors(sample.object.verts, sample.truth.verts, sample.truth.faces, 500)
    assert errors.scale < 0.6
    assert errors.translation_cm < 60


def test_estimated_depth_has_another_unit_and_keeps_the_order(scene: Scene) -> None:
    sample = scene.sample
    assert sample.depth is not None
    assert sample.depth.min() > 0
    human = sample.human_mask
    there, seen = scene.true_depth[human], sample.depth[human]
    assert abs(np.median(seen) - np.median(there)) > 1, "the shift is unknown"
    assert np.median(sample.depth[~human & ~sample.object_mask]) > np.median(seen), "the wall is behind"


def test_depth_errors_are_those_stated() -> None:
    """On a slope seen without outlines: after the best a z + b, few pixels are far off, the rest within the bend."""
    true = np.add.outer(np.linspace(20.0, 21.0, 96), np.linspace(0.0, 0.5, 128))
    estimate = estimated_depth(true, 0.5, np.random.default_rng(3)).astype(np.float64)
    a, b = np.polyfit(true.ravel(), estimate.ravel(), 1)
    assert 0.5 < a < 1.8
    error = np.abs((estimate - b) / a - true)
    bend = 0.5 * RELIEF  # standard deviation, metres
    assert 0.2 * bend < np.median(error) < bend
    assert 0.2 * OUTLIERS < (error > 4 * bend).mean() < OUTLIERS


def test_delivered_mesh_fits_the_unit_box() -> None:
    mesh = objects_large.bench()
    delivered = delivered_mesh(mesh, np.random.default_rng(5))
    np.testing.assert_allclose(delivered.verts.min(0), -delivered.verts.max(0), atol=1e-12)
    assert np.ptp(delivered.verts, axis=0).max() == pytest.approx(1.0)
    fit = umeyama(mesh.verts, delivered.verts)
    assert 5 <= rotation_degrees(fit.rotation) <= 25


def test_photograph_is_softer_and_noisier_but_the_same_picture() -> None:
    clean = np.full((64, 64, 3), 120, np.uint8)
    clean[:, 32:] = 200
    taken = [photo.photograph(clean, np.random.default_rng(seed)).astype(float) for seed in range(8)]
    assert all(image.shape == clean.shape and np.abs(image - clean)[:, [10, 50]].mean() < 8 for image in taken)
    assert np.median([image[:, :20].std() for image in taken]) > 0.5
    assert min(np.abs(image - clean)[:, 31:33].mean() for image in taken) > 1
    assert len({image.tobytes() for image in taken}) == 8


def test_light_is_by_day_or_at_dusk() -> None:
    lights = [photo.drawn_light(np.random.default_rng(seed)) for seed in range(60)]
    dusk = [light for light in lights if light.up < 0.5]
    assert 8 < len(dusk) < 35
    for light in lights:
        warm = light.sun_rgb[0] / light.sun_rgb[2]
        assert (warm > 1.5) == (light in dusk)
        assert max(light.sky_rgb) < 1.3


def test_picture_has_the_size_of_the_masks(scene: Scene) -> None:
    assert scene.sample.image.shape == (SIZE, SIZE, 3) == (*scene.sample.human_mask.shape, 3)
    assert scene.sample.object_mask.sum() >= benchmark.LEAST_SEEN


@pytest.mark.slow
@pytest.mark.parametrize("name", ["book_read", "surfboard_carry", "bicycle_ride", "couch_sit", "backpack_wear"])
def test_scenes_of_other_kinds_are_as_true(name: str) -> None:
    for seed in (101, 201):
        scene = benchmark_scene(name, seed)
        assert_true(scene)
        assert_start(scene)


@pytest.mark.slow
def test_the_program_makes_samples_that_read_and_check(tmp_path: Path) -> None:
    command = [sys.executable, "experiments/make_benchmark.py", f"--out={tmp_path}", "--names=ball_kick,umbrella_hold"]
    first = subprocess.run([*command, "--workers=2"], cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert first.returncode == 0, first.stderr
    assert "2 scenes written, 0 were there, 0 failed" in first.stdout
    for name in ("ball_kick", "umbrella_hold"):
        folder = tmp_path / benchmark_folder(name, 100)
        assert [problem for problem in check_sample(folder) if problem.severity == "error"] == []
        sample = load_sample(folder)
        assert sample.truth is not None
        assert np.load(folder / "depth_true.npy").shape == sample.human_mask.shape
        assert sample.category == BENCHMARK[name].category
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert "0 scenes written, 2 were there, 0 failed" in again.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--names=cup_drink,sofa"], "no design sofa"),
        (["--per_design=0"], "expected 1 to 100"),
        (["--workers=many"], "expected auto or a number"),
    ],
)
def test_misuse_is_one_sentence(options: list[str], sentence: str, tmp_path: Path) -> None:
    command = [sys.executable, "experiments/make_benchmark.py", f"--out={tmp_path / 'x'}", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode != 0
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
