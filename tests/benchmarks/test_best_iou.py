"""The search for the best IoU: the measure is that of the results, what was hidden is found, and the program goes on."""

import csv
import os
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import best_iou_search as search

from hoijax.data.measure import MetricOptions, image_metrics
from hoijax.data.runs import Run, run_file, sample_key, save_run
from hoijax.data.sample import Sample
from hoijax.data.synthetic import synthetic_sample
from hoijax.data.write import save_sample
from hoijax.metrics.pose import Similarity
from hoijax.presets import PRESETS

STILL = Similarity(1.0, np.eye(3), np.zeros(3))


@pytest.fixture(scope="module")
def sample() -> Sample:
    return synthetic_sample("bottle")


def moved(sample: Sample, pose: Similarity) -> Sample:
    """The object under a similarity of its mesh before the camera."""
    offset = np.asarray(sample.pose.translation, np.float64)
    verts = pose.scale * (sample.object.verts + offset) @ pose.rotation.T + pose.translation - offset
    return sample._replace(object=sample.object._replace(verts=verts))


def test_the_measure_is_that_of_the_results(sample: Sample) -> None:
    view = search.view_of(sample)
    rng = np.random.default_rng(0)
    for size in (0.02, 0.1, 0.5, 2.0):
        pose = search.departed(STILL, size * rng.normal(size=7) * search.STEPS / 0.1, view)
        expected = image_metrics(sample, sample.human, moved(sample, pose).object)["iou_object"]
        assert search.visible_iou(view, pose) == pytest.approx(expected, abs=1e-12)
    assert search.visible_iou(view, STILL._replace(translation=np.array([0.0, 0.0, -100.0]))) == 0
    assert search.visible_iou(view, STILL._replace(translation=np.full(3, np.nan))) == 0


def test_seven_numbers_move_as_they_are_called(sample: Sample) -> None:
    view = search.view_of(sample)
    center = view.verts.mean(0)

    def image(pose: Similarity) -> np.ndarray:
        verts = pose.scale * view.verts @ pose.rotation.T + pose.translation
        return verts[:, :2] / verts[:, 2:] * view.camera.focal + view.camera.center

    before = image(STILL)
    shifted = image(search.departed(STILL, np.array([0, 0, 0, 0, 0.1, 0, 0.0]), view)) - before
    assert shifted.mean(0) == pytest.approx([0.1 * np.sqrt(view.object_mask.sum()), 0], abs=0.1)
    larger = image(search.departed(STILL, np.array([0, 0, 0, 0.1, 0, 0, 0.0]), view))
    assert np.ptp(larger, axis=0) == pytest.approx(np.exp(0.1) * np.ptp(before, axis=0), rel=0.01)
    deeper = search.departed(STILL, np.array([0, 0, 0, 0, 0, 0, 0.2]), view)
    assert image(deeper) == pytest.approx(before, abs=2)
    assert (deeper.scale * deeper.rotation @ center + deeper.translation)[2] == pytest.approx(np.exp(0.2) * center[2])
    turned = search.departed(STILL, np.array([0, 0, 0.3, 0, 0, 0, 0.0]), view)
    assert Rotation.from_matrix(turned.rotation).as_rotvec() == pytest.approx([0, 0, 0.3])
    assert turned.rotation @ center + turned.translation == pytest.approx(center)


def test_every_second_pixel_sees_the_same_centres(sample: Sample) -> None:
    full, half = search.view_of(sample), search.view_of(sample, 2)
    point = full.verts[0]
    x, y = (point[:2] / point[2] * view.camera.focal + view.camera.center for view in (full, half))
    assert 2 * (y - 0.5) + 0.5 == pytest.approx(x)
    assert search.visible_iou(half, STILL) == pytest.approx(search.visible_iou(full, STILL), abs=0.03)


@pytest.mark.slow
def test_a_hidden_pose_is_found_again(sample: Sample) -> None:
    assert sample.truth is not None
    wrong = moved(
        sample._replace(object=sample.truth),
        search.departed(STILL, np.array([0.15, -0.2, 0.25, 0.15, 0.2, -0.15, 0.1]), search.view_of(sample)),
    )
    view = search.view_of(wrong)
    start = search.visible_iou(view, STILL)
    found = search.best_similarity(wrong, [STILL], 150, np.random.default_rng(0))
    assert start < 0.7
    assert found.iou > 0.96
    assert found.iou == search.visible_iou(view, found.pose)
    perfect = search.best_similarity(wrong, [STILL, found.pose], 20, np.random.default_rng(0))
    assert perfect.iou >= found.iou, "worse than one of its starts"


def program(out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "benchmarks/best_iou.py", f"--out={out}", "--effort=10", *options]
    environment = os.environ | {"JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)


@pytest.mark.slow
def test_the_program_goes_on_and_results_may_beat_what_is_known(sample: Sample, tmp_path: Path) -> None:
    tree, out, config = tmp_path / "tree", tmp_path / "best.csv", PRESETS["hoijax"]()
    folder = tree / "bottle" / "drink_from_0"
    save_sample(sample._replace(truth=None), folder)
    first = program(out, f"--data={tree}")
    assert first.returncode == 0, first.stderr
    (row,) = csv.DictReader(out.read_text().splitlines())
    assert (row["sample"], row["annotation"]) == ("bottle/drink_from_0", "")
    assert 0 < float(row["start"]) <= float(row["best"]) < 1

    still = {"scale": 1.0, "rotation": np.eye(3), "translation": np.zeros(3), "pivot": np.ones(3)}
    run = Run(row["sample"], still, {}, asdict(MetricOptions()), {})
    save_run(run_file(tmp_path / "runs", config, folder, sample_key(folder)), run, config)
    (runs,) = (tmp_path / "runs").iterdir()
    before = out.read_bytes()
    again = program(out, f"--data={tree}", f"--results={runs}")
    assert again.returncode == 0, again.stderr
    assert out.read_bytes() == before, "searched again, or a worse result took the place of the best"
    line = next(line for line in again.stdout.splitlines() if line.startswith("mean of 1")).split()[3:]
    assert line[0] == line[2] == f"{float(row['start']):.4f}"
    assert float(line[4]) == pytest.approx(float(row["start"]) / float(row["best"]), abs=1e-4)

    worse = before.decode().replace(row["best"], "0.1")
    out.write_text(worse)
    assert program(out, f"--data={tree}", f"--results={runs}").returncode == 0
    assert next(csv.DictReader(out.read_text().splitlines()))["best"] == row["start"]


@pytest.mark.slow
def test_misuse_is_one_sentence(sample: Sample, tmp_path: Path) -> None:
    save_sample(sample, tmp_path / "tree" / "bottle" / "drink_from_0")
    shutil.copy(tmp_path / "tree/bottle/drink_from_0/annotations.json", tmp_path / "other.csv")
    cases = [
        ((tmp_path / "x.csv",), "either --data=TREE or --sample=DIR"),
        ((tmp_path / "x.csv", "--data=/nowhere"), "is not a folder"),
        ((tmp_path / "other.csv", f"--data={tmp_path / 'tree'}"), "is no table of this program"),
        ((tmp_path / "x.csv", f"--data={tmp_path / 'tree'}", "--results=/nowhere"), "holds neither results nor runs"),
    ]
    for options, sentence in cases:
        done = program(*options)
        assert done.returncode != 0
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr
