"""The program for one photograph, as a user runs it: a real photograph, and a built-in scene with everything given."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import trimesh
from PIL import Image

from hoijax.data.read import load_sample
from hoijax.data.synthetic import synthetic_sample
from hoijax.data.write import save_sample

ROOT = Path(__file__).resolve().parents[2]
HELMET = "277,343,512,512"  # in the photograph of the astronaut, left, top, right, bottom

pytestmark = pytest.mark.slow


def run(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "experiments/photo.py", *options, f"--compile_cache={ROOT / '.cache' / 'jax'}"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=800)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The astronaut with her helmet, a cup of coffee, and a ball for the helmet."""
    folder = tmp_path_factory.mktemp("pictures")
    Image.fromarray(skimage.data.astronaut()).save(folder / "astronaut.png")
    Image.fromarray(skimage.data.coffee()).save(folder / "coffee.png")
    trimesh.creation.icosphere(subdivisions=3, radius=0.165).export(folder / "ball.ply")
    return folder


def test_one_photograph_one_mesh_one_box_become_a_scene(pictures: Path, tmp_path: Path) -> None:
    what = [f"--image={pictures / 'astronaut.png'}", f"--object={pictures / 'ball.ply'}", f"--box={HELMET}"]
    where = [f"--out={tmp_path / 'out'}", "--category=helmet"]
    done = run(*what, *where, "--config.object_faces=1000")
    assert done.returncode == 0, done.stderr
    sample = load_sample(tmp_path / "out" / "samples" / "helmet" / "astronaut")
    assert sample.image.shape == (512, 512, 3)
    helmet = np.zeros((512, 512), bool)
    i, j = np.mgrid[:512, :512]
    helmet[(j - 393) ** 2 + (i - 458) ** 2 < 112**2] = True  # by eye
    assert (sample.object_mask & helmet).sum() / (sample.object_mask | helmet).sum() > 0.7
    result = json.loads((tmp_path / "out" / "result" / "result.json").read_text())
    assert result["metrics"]["iou_object"]["result"] > 0.7
    assert result["metrics"]["iou_human"]["result"] > 0.65  # she wears a suit; the body does not
    assert (tmp_path / "out" / "result" / "report.html").is_file()
    assert "landmarks seen" in done.stdout + done.stderr
    again = run(*what, *where)
    assert again.returncode == 0
    assert "finished before" in again.stdout
    assert "..." not in again.stdout  # no step was done again
    moved = run(*what[:2], "--box=270,343,512,512", *where)
    assert moved.returncode == 1
    assert "is of an older sample; --overwrite optimizes again" in moved.stderr


def test_everything_given_needs_no_network(pictures: Path, tmp_path: Path) -> None:
    save_sample(synthetic_sample("box"), tmp_path / "truth")
    truth = tmp_path / "truth"
    given = {
        "image": "image.jpg",
        "object": "object_mesh.obj",
        "object_mask": "object_mask.png",
        "person_mask": "person_mask.png",
        "human": "h_mesh.obj",
        "depth": "depth.npy",
    }
    flags = [f"--{flag}={truth / name}" for flag, name in given.items()]
    done = run(*flags, f"--out={tmp_path / 'out'}", "--only_sample", "--rotation=given")
    assert done.returncode == 0, done.stderr
    sample, known = load_sample(tmp_path / "out" / "samples" / "object" / "image"), load_sample(truth)
    assert known.truth is not None
    assert np.linalg.norm(sample.object.verts.mean(0) - known.truth.verts.mean(0)) < 0.1


@pytest.mark.parametrize(
    ("picture", "options", "said"),
    [
        ("coffee.png", [f"--box={HELMET}"], "no person was found"),
        ("astronaut.png", [], "give --box=X0,Y0,X1,Y1 around the object, or --object_mask=PNG"),
        ("astronaut.png", ["--box=1,2,3"], "expected four numbers"),
        ("astronaut.png", ["--box=300,20,200,100"], "expected X0 < X1"),
        ("astronaut.png", ["--box=900,900,950,950"], "no area on a photograph of 512 x 512"),
        ("nothing.png", [f"--box={HELMET}"], "nothing.png: no such file"),
        ("astronaut.png", [f"--box={HELMET}", "--depth=nothing.npy"], "nothing.npy: no such file"),
        ("astronaut.png", [f"--box={HELMET}", "--on=5"], "expected pairs of numbers"),
        ("astronaut.png", [f"--box={HELMET}", "--person_box=0,0,40,40"], "no person was found in the box"),
    ],
)
def test_what_cannot_work_is_told(pictures: Path, tmp_path: Path, picture: str, options: list[str], said: str) -> None:
    what = [f"--image={pictures / picture}", f"--object={pictures / 'ball.ply'}", f"--out={tmp_path}"]
    done = run(*what, "--only_sample", *options)
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr
