"""Rough starts: wrong by exactly what is said, the same for the same name, and in nothing else another scene."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hoijax.data.sample import SampleError
from hoijax.data.synthetic.benchmark import Scene, benchmark_folder, benchmark_scene
from hoijax.data.synthetic.rough_start import rough_start
from hoijax.data.write import save_sample
from hoijax.metrics.pose import object_pose_errors, umeyama

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def scene() -> Scene:
    return benchmark_scene("ball_kick", 100)


def test_the_start_is_wrong_by_what_is_said(scene: Scene) -> None:
    scales, shifts = [], []
    for k in range(12):
        sample = scene.sample._replace(name=f"ball/kick_{k}")
        start = rough_start(sample).object
        assert sample.truth is not None
        errors = object_pose_errors(start.verts, sample.truth.verts, sample.truth.faces, 500)
        assert errors.rotation_degrees == pytest.approx(45)
        assert errors.translation_cm == pytest.approx(40)
        scales.append(umeyama(sample.truth.verts, start.verts).scale)
        shifts.append(start.verts.mean(0) - sample.truth.verts.mean(0))
    assert {round(scale, 9) for scale in scales} == {0.5, 2.0}
    assert np.linalg.matrix_rank(np.array(shifts), tol=0.05) == 3
    assert len({shift.tobytes() for shift in shifts}) == 12


def test_the_name_decides_and_the_rest_stays(scene: Scene) -> None:
    start = rough_start(scene.sample)
    other = rough_start(scene.sample._replace(object=scene.sample.truth))
    assert start.object.verts.tobytes() == other.object.verts.tobytes(), "the coarse start has a say"
    assert start._replace(object=scene.sample.object) == scene.sample
    assert start.object.faces is scene.sample.object.faces


def test_without_a_truth_that_corresponds_it_says_so(scene: Scene) -> None:
    with pytest.raises(SampleError, match="kick_100: has no annotated object"):
        rough_start(scene.sample._replace(truth=None))
    cut = scene.sample.object._replace(verts=scene.sample.object.verts[:-1])
    with pytest.raises(SampleError, match=r"expected one with the \d+ vertices of its object"):
        rough_start(scene.sample._replace(object=cut))


def program(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "experiments/make_benchmark.py", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)


@pytest.mark.slow
def test_a_tree_is_derived_from_another_with_all_its_files(scene: Scene, tmp_path: Path) -> None:
    folder = benchmark_folder("ball_kick", 100)
    save_sample(scene.sample, tmp_path / "plain" / folder, {"depth_true": scene.true_depth})
    (tmp_path / "plain" / folder / "note.txt").write_text("what somebody left")
    options = [f"--out={tmp_path / 'rough'}", "--start=rough", f"--from={tmp_path / 'plain'}", "--workers=1"]
    done = program(*options, "--names=ball_kick")
    assert done.returncode == 0, done.stderr
    before, after = (
        {path.relative_to(tree).as_posix(): path.read_bytes() for path in sorted(tree.rglob("*")) if path.is_file()}
        for tree in (tmp_path / "plain" / folder, tmp_path / "rough" / folder)
    )
    assert before.keys() == after.keys()
    assert [name for name in before if before[name] != after[name]] == ["obj_pcd_h_align.obj"]
    more = program(*options, "--names=ball_kick,cup_drink")
    assert more.returncode != 0
    assert "1 of 2 scenes failed: cup_drink, seed 100" in more.stderr
    assert "is not a folder" in more.stderr
    assert not (tmp_path / "rough" / benchmark_folder("cup_drink", 100)).exists()


@pytest.mark.slow
def test_a_tree_to_take_from_is_for_rough_starts(tmp_path: Path) -> None:
    done = program(f"--out={tmp_path / 'x'}", f"--from={tmp_path}")
    assert done.returncode != 0
    assert "only for --start=rough" in done.stderr
    assert "Traceback" not in done.stderr
