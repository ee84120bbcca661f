"""The programs as a user runs them: real processes, real folders, a real kill."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from hoijax.data.objfile import load_mesh

ROOT = Path(__file__).resolve().parents[2]
QUICK = [
    "--config.image_size=64",
    "--config.render.steps=4",
    "--config.hoi.steps=2",
    "--config.block_steps=2",
    "--config.sdf_resolution=32",
]

pytestmark = pytest.mark.slow


def run(program: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, f"experiments/{program}.py", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("scenes")
    made = run("make_scenes", f"--out={folder}", "--names=bottle,ball")
    assert made.returncode == 0, made.stderr
    return folder


@pytest.fixture(scope="module")
def results(scenes, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    done = run("reconstruct", f"--data={scenes}", f"--out={folder}", *QUICK)
    assert done.returncode == 0, done.stderr
    assert "mean of 2" in done.stdout
    return folder


def test_a_tree_becomes_a_tree_of_results_with_pages(results) -> None:
    folders = {path.parent.relative_to(results).as_posix() for path in results.rglob("result.json")}
    assert folders == {"ball/hold_0", "bottle/drink_from_0"}
    assert (results / "index.html").is_file()
    assert (results / "ball" / "hold_0" / "report.html").stat().st_size > 100_000


def test_the_object_is_the_start_under_the_stated_similarity(scenes, results) -> None:
    record = json.loads((results / "ball" / "hold_0" / "result.json").read_text())["object"]
    start = load_mesh(scenes / "ball" / "hold_0" / "obj_pcd_h_align.obj").verts
    end = load_mesh(results / "ball" / "hold_0" / "object_mesh.obj").verts
    rotation, pivot = np.array(record["rotation"]), np.array(record["pivot"])
    expected = record["scale"] * (start - pivot) @ rotation.T + pivot + np.array(record["translation"])
    np.testing.assert_allclose(end, expected, atol=2e-5)
    assert np.abs(end - start).max() > 0.001


def test_finished_folders_are_skipped(scenes, results) -> None:
    before = (results / "ball" / "hold_0" / "result.json").stat().st_mtime_ns
    again = run("reconstruct", f"--data={scenes}", f"--out={results}", *QUICK)
    assert again.returncode == 0
    assert again.stderr.count("finished before, skipped") + again.stdout.count("finished before, skipped") == 2
    assert (results / "ball" / "hold_0" / "result.json").stat().st_mtime_ns == before


def test_evaluate_finds_the_same_numbers_in_the_files(scenes, results, tmp_path) -> None:
    done = run("evaluate", f"--results={results}", f"--data={scenes}", f"--csv={tmp_path / 'all.csv'}")
    assert done.returncode == 0, done.stderr
    assert "mean of 2" in done.stdout
    told = json.loads((results / "ball" / "hold_0" / "result.json").read_text())["metrics"]["iou_object"]["result"]
    assert f"{told:.3f}" in done.stdout
    lines = (tmp_path / "all.csv").read_text().splitlines()
    likeness = json.loads((results / "ball" / "hold_0" / "result.json").read_text())["metrics"]["object_ssim"]
    assert 0 < likeness["result"] < 1
    assert f"ball/hold_0,object_ssim,result,{likeness['result']!r}" in lines  # files cannot tell it again: it is kept
    assert sum(line.startswith("ball/hold_0,aligned_object_cm,") for line in lines) == 3


def test_a_killed_run_leaves_no_half_result_and_goes_on(scenes, tmp_path) -> None:
    command = [sys.executable, "experiments/reconstruct.py", f"--data={scenes}", f"--out={tmp_path}", *QUICK]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    # os.walk passes over folders that vanish under its eyes, which rglob does not
    while not any("result.json" in files for *_, files in os.walk(tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    whole = [
        path for path in tmp_path.rglob("result.json") if not any(part.startswith(".") for part in path.parts[-3:])
    ]
    for path in whole:
        assert {"object_mesh.obj", "human_mesh.obj", "scene.glb", "history.npz", "report.html"} <= {
            f.name for f in path.parent.iterdir()
        }
    rest = run("reconstruct", f"--data={scenes}", f"--out={tmp_path}", *QUICK)
    assert rest.returncode == 0, rest.stderr
    assert "mean of 2" in rest.stdout


def test_a_bad_sample_is_named_and_the_rest_goes_on(scenes, tmp_path) -> None:
    bad = tmp_path / "data" / "ball" / "broken"
    bad.mkdir(parents=True)
    for file in (scenes / "ball" / "hold_0").iterdir():
        if file.is_file():
            (bad / file.name).write_bytes(file.read_bytes())
    (bad / "object_mask.png").write_bytes(b"not a picture")
    done = run("reconstruct", f"--data={tmp_path / 'data'}", f"--out={tmp_path / 'out'}", *QUICK)
    assert done.returncode == 1
    assert "object_mask.png" in done.stderr
    assert "1 of 1 samples failed" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "give one of --sample=DIR and --data=TREE"),
        (["--sample=/nowhere/at/all"], "no such folder"),
        (["--sample=.", "--preset=release", "--config.hoi.steps=-1"], "steps is -1"),
        (["--sample=.", "--body=README.md"], "README.md"),
    ],
)
def test_misuse_is_one_sentence(options: list[str], sentence: str) -> None:
    done = run("reconstruct", *options)
    assert done.returncode != 0
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_help_names_every_option() -> None:
    text = run("reconstruct", "--help").stdout
    for option in (
        "--preset",
        "--config.image_size",
        "--config.hoi.weights.contact",
        "--config.render.rates.object.rotvec",
        "--config.hoi.slide",
        "--config.joint.search",
    ):
        assert option in text
