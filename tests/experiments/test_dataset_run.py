"""A data set from end to end with real fits: bad samples, a kill in the middle, a disk that is full."""

import csv
import os
import random
import shutil
import subprocess
import sys
import time
import uuid
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
import trimesh
from PIL import Image, ImageDraw

from hoijax.data.results import load_result, load_summary
from hoijax.data.sample import ColoredMesh, Sample, SampleError
from hoijax.data.write import save_sample
from hoijax.dataset.ledger import counts, names_in, read_ledger, rows
from hoijax.types import Camera, HumanPose

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow

# The baseline without search and renders, of two terms: the quickest real fit to compile.
QUICK = [
    "--preset=phosa",
    "--config.joint.search=0",
    "--config.joint.steps=2",
    "--config.block_steps=2",
    "--config.image_size=64",
    "--config.sdf_resolution=16",
    "--config.joint.weights.interaction=0",
    "--config.joint.weights.part_interaction=0",
    "--config.joint.weights.ordinal=0",
    "--workers=2",
]
SHAPES = {
    **{"root": (3,), "body": (21, 3), "jaw": (3,), "eyes": (2, 3), "left_hand": (15, 3), "right_hand": (15, 3)},
    **{"shape": (10,), "expression": (10,)},
}


def command(*options: object) -> list[str]:
    cache = os.environ["JAX_COMPILATION_CACHE_DIR"]
    return [sys.executable, "experiments/dataset_run.py", f"--compile_cache={cache}", *QUICK, *map(str, options)]


def run(*options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*options), cwd=ROOT, capture_output=True, text=True, timeout=300)


def ball(radii: tuple[float, float, float], center: tuple[float, float, float]) -> ColoredMesh:
    sphere = trimesh.creation.icosphere(subdivisions=2)
    unit = np.asarray(sphere.vertices)
    return ColoredMesh(np.float32(unit * radii + center), np.int32(sphere.faces), np.float32((unit + 1) / 2))


def drawn(mesh: ColoredMesh) -> np.ndarray:
    points = 150 * mesh.verts[:, :2] / mesh.verts[:, 2:] + (64, 48)
    picture = Image.new("1", (128, 96))
    for triangle in points[mesh.faces]:
        ImageDraw.Draw(picture).polygon([tuple(corner) for corner in triangle], fill=1)
    return np.asarray(picture)


def tiny_sample() -> Sample:
    human, thing = ball((0.25, 0.85, 0.2), (0.0, 0.0, 4.0)), ball((0.2, 0.25, 0.2), (0.5, 0.05, 4.1))
    return Sample(
        name="cup/hold_0",
        folder=Path("nowhere"),
        image=np.random.default_rng(0).integers(60, 120, (96, 128, 3)).astype(np.uint8),
        human_mask=drawn(human) & ~drawn(thing),
        object_mask=drawn(thing),
        camera=Camera(jnp.array([150.0, 150.0]), jnp.array([64.0, 48.0])),
        pose=HumanPose(**{name: jnp.zeros(shape) for name, shape in SHAPES.items()}, translation=jnp.zeros(3)),
        human=human,
        object=thing,
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Six samples: four good ones, one with a damaged file, one with a vertex so far away that the loss overflows."""
    folder, sample = tmp_path_factory.mktemp("data"), tiny_sample()
    for i in range(4):
        save_sample(sample, folder / "cup" / f"hold_{i}")
    shutil.copytree(folder / "cup" / "hold_0", folder / "cup" / "hold_4")
    (folder / "cup" / "hold_4" / "object_mask.png").write_bytes(b"no picture")
    far = sample.object.verts.copy()
    far[0] = (1e30, 0, 5)
    save_sample(sample._replace(object=sample.object._replace(verts=far)), folder / "cup" / "hold_5")
    return folder


@pytest.fixture(scope="module")
def done(data, tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    out = tmp_path_factory.mktemp("done")
    return out, run(f"--data={data}", f"--out={out}", "--files=full")


def test_bad_samples_are_set_aside_with_their_reason(done, data) -> None:
    out, ended = done
    assert ended.returncode == 1, ended.stderr
    assert "Traceback" not in ended.stderr
    failed = {row.name: row for row in rows(read_ledger(out), "failed")}
    assert set(failed) == {"cup/hold_4", "cup/hold_5"}
    assert failed["cup/hold_4"].stage == "read"
    assert "object_mask.png" in failed["cup/hold_4"].reason
    assert failed["cup/hold_5"].stage == "fit"
    assert "the loss is not finite" in failed["cup/hold_5"].reason
    for row in failed.values():
        assert f"{row.name}: failed at {row.stage}: {row.reason}" in ended.stderr
        assert not (out / row.name).exists()
    with open(out / "failures.csv", newline="") as file:
        assert [line["sample"] for line in csv.DictReader(file)] == ["cup/hold_4", "cup/hold_5"]
    assert "6 samples: 0 waiting, 4 done, 2 failed" in ended.stdout
    assert "failed at fit: 1" in ended.stdout


def test_good_samples_have_whole_results_and_tables(done) -> None:
    out, _ = done
    names = names_in(read_ledger(out), "done")
    assert names == [f"cup/hold_{i}" for i in range(4)]
    results = [load_result(out / name) for name in names]
    assert all(np.array_equal(result.object.verts, results[0].object.verts) for result in results)
    assert all((out / name / "report.html").stat().st_size > 100_000 for name in names)
    with open(out / "metrics.csv", newline="") as file:
        told = {line["sample"]: line["value"] for line in csv.DictReader(file) if line["metric"] == "iou_object"}
    assert {name: float(value) for name, value in told.items()} == {
        name: result.metrics["iou_object"]["result"] for name, result in zip(names, results)
    }
    assert (out / "index.html").read_text().count("report.html") == 4
    for row in rows(read_ledger(out), "done"):
        assert {"read", "prepare", "compile", "fit", "measure", "write"} == set(row.phases)


def test_small_results_tell_numbers_but_no_meshes_and_a_kill_costs_nothing(data, tmp_path) -> None:
    """The kill is of driver and workers alike, at random moments, and real fits are under way."""
    chance, seen = random.Random(3), {}
    options = (f"--data={data}", f"--out={tmp_path}", "--files=small")
    for _ in range(2):
        process = subprocess.Popen(command(*options), cwd=ROOT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        time.sleep(chance.uniform(8, 16))
        process.kill()
        process.wait()
        now = {path: path.stat().st_mtime_ns for path in tmp_path.glob("cup/hold_*/result.json")}
        assert seen.items() <= now.items()
        seen = now
    ended = run(*options)
    assert ended.returncode == 1, ended.stderr
    assert seen.items() <= {path: path.stat().st_mtime_ns for path in tmp_path.glob("cup/hold_*/result.json")}.items()
    assert counts(read_ledger(tmp_path)) == {"waiting": 0, "done": 4, "failed": 2}
    files = {"result.json", "smplx_parameters.json", "overlay.png", "thumbnail.jpg"}
    for name in names_in(read_ledger(tmp_path), "done"):
        assert {file.name for file in (tmp_path / name).iterdir()} == files
        assert load_summary(tmp_path / name).metrics["iou_object"]
        with pytest.raises(SampleError, match="small result"):
            load_result(tmp_path / name)
    assert "overlay.png" in (tmp_path / "index.html").read_text()
    assert not list(tmp_path.rglob(".*"))


@pytest.fixture
def small_disk(tmp_path) -> Path:
    """A disk of 3 MB: two results or so. Skipped where this process may not mount one."""
    place = tmp_path / f"disk_{uuid.uuid4().hex[:8]}"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_ends_the_run_and_room_lets_it_go_on(data, small_disk) -> None:
    options = (f"--data={data}", f"--out={small_disk}", "--files=result")
    (small_disk / "ballast").write_bytes(b"x" * 2_000_000)
    ended = run(*options)
    assert ended.returncode == 2, ended.stderr
    assert "no room left on the disk" in ended.stderr
    assert "MB are free" in ended.stderr
    assert str(small_disk) in ended.stderr
    assert "Traceback" not in ended.stderr
    found = counts(read_ledger(small_disk))
    assert found["waiting"] > 0
    assert found["failed"] <= 2
    for name in names_in(read_ledger(small_disk), "done"):
        load_result(small_disk / name)
    assert not list(small_disk.rglob(".*"))
    (small_disk / "ballast").unlink()
    subprocess.run(["mount", "-o", "remount,size=40m", str(small_disk)], check=True)
    ended = run(*options)
    assert ended.returncode == 1, ended.stderr
    assert counts(read_ledger(small_disk)) == {"waiting": 0, "done": 4, "failed": 2}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "give --data=TREE and --out=OUT"),
        (["--data=docs", "--out=x"], "no sample folder"),
        (["--data=docs", "--out=docs"], "the same folder"),
    ],
)
def test_misuse_is_one_sentence(options: list[str], sentence: str) -> None:
    ended = run(*options)
    assert ended.returncode == 2
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr
