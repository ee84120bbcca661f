"""The program that places objects from depth maps, as a user runs it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hoijax.data.objfile import save_mesh
from hoijax.data.read import load_sample
from hoijax.data.sample import Sample
from hoijax.data.synthetic import synthetic_sample
from hoijax.data.write import save_sample

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


def run(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "experiments/coarse.py", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)


@pytest.fixture(scope="module")
def ball() -> Sample:
    return synthetic_sample("ball", 0)


@pytest.fixture(scope="module")
def tree(ball, tmp_path_factory) -> Path:
    """Two samples: one with a depth map in another unit, one without any."""
    folder = tmp_path_factory.mktemp("samples")
    save_sample(ball._replace(depth=(ball.depth - 20) / 5), folder / "ball" / "hold_0")
    save_sample(ball._replace(depth=None), folder / "ball" / "hold_1")
    return folder


def test_a_tree_becomes_new_samples_and_what_has_no_depth_is_named(tree, ball, tmp_path) -> None:
    done = run(f"--data={tree}", f"--out={tmp_path}")
    assert done.returncode == 1
    assert "hold_1: has no depth.npy or depth.png" in done.stderr
    assert "1 placed, 0 there before, 1 without depth, 0 failed" in done.stdout
    assert "Traceback" not in done.stderr
    row = next(line for line in done.stdout.splitlines() if line.startswith("ball/hold_0")).split()
    assert float(row[1]) == pytest.approx(5, rel=0.02)
    assert float(row[2]) == pytest.approx(20, abs=0.1)
    assert float(row[6]) > 0.95
    new = load_sample(tmp_path / "ball" / "hold_0")
    assert new.object.verts.mean(0) == pytest.approx(ball.truth.verts.mean(0), abs=0.01)
    assert not np.allclose(new.object.verts, ball.object.verts, atol=0.02)
    np.testing.assert_array_equal(new.object.faces, ball.object.faces)
    np.testing.assert_array_equal(new.object_mask, ball.object_mask)
    assert [path.name for path in (tmp_path / "ball").iterdir()] == ["hold_0"]
    before = (tmp_path / "ball" / "hold_0" / "obj_pcd_h_align.obj").stat().st_mtime_ns
    again = run(f"--data={tree}", f"--out={tmp_path}")
    assert "is there, skipped" in again.stdout + again.stderr
    assert "0 placed, 1 there before" in again.stdout
    assert (tmp_path / "ball" / "hold_0" / "obj_pcd_h_align.obj").stat().st_mtime_ns == before


def test_another_mesh_can_be_placed(tree, ball, tmp_path) -> None:
    mesh = ball.object._replace(
        verts=100 * ball.object.verts[::-1] + 7, faces=len(ball.object.verts) - 1 - ball.object.faces
    )
    save_mesh(tmp_path / "mesh.obj", mesh)
    done = run(f"--sample={tree / 'ball' / 'hold_0'}", f"--out={tmp_path / 'out'}", f"--object={tmp_path / 'mesh.obj'}")
    assert done.returncode == 0, done.stderr
    new = load_sample(tmp_path / "out" / "hold_0")
    assert np.ptp(new.object.verts, axis=0) == pytest.approx(np.ptp(ball.truth.verts, axis=0), rel=0.03)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "give one of --sample=DIR and --data=TREE"),
        (["--sample=/nowhere/at/all"], "/nowhere/at/all: no such folder"),
        (["--data=docs"], "docs: no sample folder in it"),
        (["--sample=.", "--object=nothing.obj"], "nothing.obj: cannot be read"),
        (["--sample=.", "--rotation=best"], "should be one of <given|search>"),
    ],
)
def test_misuse_is_one_sentence(options: list[str], sentence: str, tmp_path) -> None:
    done = run(*options, f"--out={tmp_path}")
    assert done.returncode != 0
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_help_names_every_option() -> None:
    text = run("--help").stdout
    assert "Place the object anew from a depth map" in text
    for option in ("--sample", "--data", "--out", "--object", "--rotation"):
        assert option in text
