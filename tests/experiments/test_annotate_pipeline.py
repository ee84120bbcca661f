"""The program from photographs to samples, as a user runs it; models played by a stand-in behind the real contract."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hoijax.data.read import load_sample
from hoijax.data.sample import Sample
from hoijax.data.synthetic import synthetic_sample
from hoijax.data.write import save_sample
from third_party_wrappers.registry import wrappers

ROOT = Path(__file__).resolve().parents[2]
STAND_IN = ROOT / "tests" / "pipeline" / "stand_in_models.py"
pytestmark = pytest.mark.slow


def command(*options: str) -> list[str]:
    return [sys.executable, "experiments/annotate_pipeline.py", *options]


def run(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*options), cwd=ROOT, capture_output=True, text=True, timeout=600)


@pytest.fixture(scope="module")
def scene() -> Sample:
    return synthetic_sample("box")


@pytest.fixture(scope="module")
def world(scene: Sample, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photographs, a list of pairs, and models that know the answer."""
    world = tmp_path_factory.mktemp("world")
    save_sample(scene, world / "truth")
    images = world / "images"
    images.mkdir()
    assert scene.human_box is not None
    assert scene.object_box is not None
    boxes = {"human_box": scene.human_box.tolist(), "object_box": scene.object_box.tolist()}
    rows = []
    for name, action in (("first", "carry"), ("second", "carry"), ("broken", "carry"), ("far", "look at")):
        (images / f"{name}.jpg").write_bytes((world / "truth" / "image.jpg").read_bytes())
        rows.append({"image": f"{name}.jpg", "category": "box", "action": action, **boxes})
    rows.append({"image": "missing.jpg", "category": "box", "action": "carry", **boxes})
    (world / "list.json").write_text(json.dumps(rows))
    python = world / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} {STAND_IN} "$@"\n')
    python.chmod(0o755)
    tools = {}
    for model in ("sam", "osx", "zoedepth", "instantmesh", "inpaint"):
        tools[model] = {"python": str(python), "checkpoint": "truth"}
        for file in wrappers()[model].repository_files:
            (world / model / file).parent.mkdir(parents=True, exist_ok=True)
            (world / model / file).write_text("")
            tools[model]["repository"] = model
    (world / "tools.json").write_text(json.dumps(tools))
    return world


def flags(world: Path, out: Path) -> list[str]:
    return [
        f"--images={world / 'images'}",
        f"--annotations={world / 'list.json'}",
        f"--tools={world / 'tools.json'}",
        f"--out={out}",
        "--models=paper",
        "--complete=inpaint",
        "--rotation=given",
    ]


@pytest.fixture(scope="module")
def finished(world: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    out = tmp_path_factory.mktemp("out")
    return out, run(*flags(world, out))


def rows(out: Path) -> dict[str, dict[str, str]]:
    with open(out / "state.csv", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def test_photographs_become_samples_and_a_failure_stays_alone(finished, scene: Sample) -> None:
    out, done = finished
    assert 'experiments/annotate_pipeline.py", line' not in done.stderr  # a model's own traceback is in its error
    assert done.returncode == 1
    assert "1 of 3 images could not be finished" in done.stderr
    assert sorted(path.name for path in (out / "samples" / "box").iterdir()) == ["first_0", "second_0"]
    for name in ("first_0", "second_0"):
        sample = load_sample(out / "samples" / "box" / name)
        assert sample.warnings == ()
        assert scene.truth is not None
        assert np.linalg.norm(sample.object.verts.mean(0) - scene.truth.verts.mean(0)) < 0.1
    states = rows(out)
    assert states["broken_0"]["person_mask"] == "failed"
    assert "cannot make anything of this one" in states["broken_0"]["why"]
    assert states["broken_0"]["sample"] == "blocked"
    aside = (out / "set_aside.csv").read_text()
    assert "far.jpg,no contact" in aside
    assert "missing.jpg,image missing" in aside


def test_the_hidden_part_of_the_object_was_filled_in(finished) -> None:
    """The stand-in fills with magenta: it must be where the person stands before the box, and nowhere else."""
    out, _ = finished
    with Image.open(out / "work" / "first_0" / "complete" / "object.png") as picture:
        pixels = np.asarray(picture)
    filled = (pixels[..., :3] == [255, 0, 255]).all(-1) & (pixels[..., 3] > 0)
    assert 0 < filled.mean() < 0.2
    assert (pixels[..., 3] > 0).sum() > 2 * filled.sum()


def test_a_second_run_does_nothing_and_status_tells_the_same(finished) -> None:
    out, _ = finished
    before = {path: path.stat().st_mtime_ns for path in (out / "work").rglob("*") if path.is_file()}
    done = run(f"--out={out}")  # with the flags of the last run
    assert done.returncode == 1
    assert "image/s" not in done.stderr
    told = run(f"--out={out}", "--status")
    assert told.returncode == 0
    assert "broken_0: person_mask (sam)" in told.stdout
    assert {path: path.stat().st_mtime_ns for path in (out / "work").rglob("*") if path.is_file()} == before
    page = (out / "index.html").read_text()
    assert "2 of 3 samples ready" in page
    assert "first_0" in page


def test_killed_at_any_moment_it_goes_on(world: Path, tmp_path: Path) -> None:
    """kill -9 after ever longer times; whatever stands then is whole, and the last run finishes the rest."""
    for seconds in (3.0, 5.0, 7.0, 9.0):
        process = subprocess.Popen(
            command(*flags(world, tmp_path)), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(seconds)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        for sample in (tmp_path / "samples").glob("box/*_0"):
            load_sample(sample)
    done = run(*flags(world, tmp_path))
    assert "1 of 3 images could not be finished" in done.stderr
    assert len(list((tmp_path / "samples" / "box").glob("*_0"))) == 2


def test_own_files_replace_models_and_free_a_failed_image(world: Path, finished, tmp_path: Path) -> None:
    out, _ = finished
    own = tmp_path / "given" / "broken_0"
    own.mkdir(parents=True)
    pairs = {"person_mask.png": "person_mask.png", "object_mask.png": "object_mask.png", "object_mesh.obj": "mesh.obj"}
    pairs |= {name: name for name in ("smplx_parameters.json", "h_mesh.obj", "depth.npy")}
    for name, mine in pairs.items():
        (own / mine).write_bytes((world / "truth" / name).read_bytes())
    done = run(f"--out={out}", f"--given={tmp_path / 'given'}")
    assert done.returncode == 0, done.stderr
    assert rows(out)["broken_0"]["sample"] == "done"
    assert load_sample(out / "samples" / "box" / "broken_0").warnings == ()


def test_dry_run_tells_what_would_be_done_and_does_nothing(world: Path, tmp_path: Path) -> None:
    done = run(*flags(world, tmp_path / "out"), "--dry_run")
    assert done.returncode == 0
    assert "image" in done.stdout
    assert "by sam (3)" in done.stdout
    assert not (tmp_path / "out" / "work").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "give --images=DIR and --annotations=FILE"),
        (["--steps=mask"], "there is no step mask"),
        (["--images=.", "--annotations=nothing.json"], "nothing.json"),
    ],
)
def test_wrong_use_is_one_sentence(options: list[str], said: str, tmp_path: Path) -> None:
    done = run(f"--out={tmp_path}", *options)
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_help_names_every_option_and_step() -> None:
    done = run("--help")
    for word in ("--images", "--annotations", "--given", "--models", "--osx_python", "--[no]retry_failed", "coarse"):
        assert word in done.stdout


def test_what_cannot_be_used_is_said_before_anything_is_done(world: Path, tmp_path: Path) -> None:
    done = run(*flags(world, tmp_path / "a"), "--mesh=templates", f"--library={tmp_path}")
    assert done.returncode == 1
    assert "--library" in done.stderr
    assert "has no index.json" in done.stderr
    (tmp_path / "given" / "nobody_0").mkdir(parents=True)
    (tmp_path / "given" / "first_0").mkdir()
    (tmp_path / "given" / "first_0" / "mask.png").touch()
    done = run(*flags(world, tmp_path / "b"), f"--given={tmp_path / 'given'}", "--dry_run")
    assert "nobody_0/: no such image" in done.stderr
    assert "first_0/mask.png: stands for no step" in done.stderr
    (tmp_path / "file").touch()
    done = run(*flags(world, tmp_path / "file" / "below"))
    assert done.returncode == 1
    assert "Not a directory" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_model_that_is_set_up_later_is_used(world: Path, tmp_path: Path) -> None:
    told = json.loads((world / "tools.json").read_text())
    without = {name: entry for name, entry in told.items() if name != "osx"}
    (world / "without.json").write_text(json.dumps(without))
    others = [flag for flag in flags(world, tmp_path) if not flag.startswith("--tools")]
    done = run(*others, f"--tools={world / 'without.json'}")
    assert done.returncode == 1
    assert "not done here: human of 3 images: osx cannot be run here: no python given" in done.stdout
    done = run(*flags(world, tmp_path))
    assert "1 of 3 images could not be finished" in done.stderr
    assert rows(tmp_path)["first_0"]["sample"] == "done"
