"""Sweeps as a user runs them: real processes on built-in scenes, a real kill."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
GRID = """
from dataclasses import replace
from hoijax.config import (with_options)
from hoijax.presets import (PRESETS)

TITLE = "A tiny grid"
METRICS = ("co2", "chamfer_cm", "iou_object")
PUBLISHED = {"coarse": {"co2": 0.248}}
NOTE = "A note."

def grid():
    base = with_options(PRESETS["hoijax"](), {
        "image_size": 64, "sdf_resolution": 32, "render.steps": 2, "hoi.steps": 1, "block_steps": 2,
    })
    yield "coarse", replace(base, stages=())
    yield "two steps", replace(base, stages=base.stages[:1])
    yield "with search", base
"""
SECOND = GRID.replace('yield "coarse", replace(base, stages=())', 'yield "same", replace(base, preset="other")')
SECOND = SECOND.replace('PUBLISHED = {"coarse": {"co2": 0.248}}', "")

pytestmark = pytest.mark.slow


def command(program: str, *options: str) -> list[str]:
    return [sys.executable, f"experiments/{program}.py", *options]


def run(program: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(program, *options), cwd=ROOT, capture_output=True, text=True, timeout=900)


def ablate(grid: Path, data: Path, out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return run("ablate", f"--grid={grid}", f"--data={data}", f"--out={out}", *options)


def run_files(out: Path) -> dict[Path, int]:
    """Run files with the time of their last change."""
    return {path: path.stat().st_mtime_ns for path in (out / "runs").rglob("*.json")}


def rows_of(path: Path) -> dict[str, dict[str, str]]:
    with path.open() as file:
        return {row["row"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def grid(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("grids") / "tiny.py"
    path.write_text(GRID)
    path.with_name("second.py").write_text(SECOND)
    return path


@pytest.fixture(scope="module")
def scenes(tmp_path_factory) -> Path:
    """Two built-in scenes; the bottle has lost its annotation."""
    folder = tmp_path_factory.mktemp("scenes")
    made = run("make_scenes", f"--out={folder}", "--names=bottle,ball")
    assert made.returncode == 0, made.stderr
    (folder / "bottle" / "drink_from_0" / "object_mesh.obj").unlink()
    return folder


@pytest.fixture(scope="module")
def swept(grid, scenes, tmp_path_factory) -> Path:
    """A sweep that was killed after its first fit and started again."""
    out = tmp_path_factory.mktemp("out")
    process = subprocess.Popen(
        command("ablate", f"--grid={grid}", f"--data={scenes}", f"--out={out}"),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 600
    while len(run_files(out)) < 2 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = run_files(out)
    assert 2 <= len(before) < 6
    assert not (out / "tiny.csv").exists()
    done = ablate(grid, scenes, out)
    assert done.returncode == 0, done.stderr
    assert before.items() <= run_files(out).items()  # what was finished was not done again
    assert len(run_files(out)) == 6
    assert "2 scenes" in done.stdout
    return out


def test_all_forms_of_the_table_are_there(swept) -> None:
    names = {path.name for path in swept.iterdir()}
    pictures = {f"tiny_{name}.png" for name in ("co2", "chamfer_cm", "iou_object")}
    assert names == {"runs", "tiny.html", "tiny.md", "tiny.tex", "tiny.csv", "tiny_samples.csv"} | pictures
    assert "A tiny grid" in (swept / "tiny.html").read_text()
    for path in pictures:
        assert cv2.imread(str(swept / path)).std() > 1


def test_the_scene_without_annotation_is_counted_and_left_out(swept) -> None:
    rows = rows_of(swept / "tiny.csv")
    assert list(rows) == ["coarse", "two steps", "with search"]
    for row in rows.values():
        assert (row["scenes"], row["failed"]) == ("2", "0")
        assert (row["co2_n"], row["chamfer_cm_n"]) == ("2", "1")
    text = (swept / "tiny.md").read_text()
    assert "Left out of Surface distance: 1 of 2 scenes that cannot tell, 1 of them without an annotated object" in text
    assert "A note." in text


def test_means_are_those_of_the_run_files(swept) -> None:
    rows = rows_of(swept / "tiny.csv")
    runs = [json.loads(path.read_text()) for path in run_files(swept)]
    coarse = [each for each in runs if not each["options"]["stages"]]
    values = [each["metrics"]["co2"]["result"] for each in coarse]
    assert values == [each["metrics"]["co2"]["start"] for each in coarse]
    assert float(rows["coarse"]["co2_mean"]) == pytest.approx(np.mean(values), rel=1e-12)
    assert float(rows["coarse"]["co2_standard_error"]) == pytest.approx(np.std(values, ddof=1) / 2**0.5)
    assert float(rows["coarse"]["co2_published"]) == 0.248
    moved = [each for each in runs if each["options"]["stages"]]
    assert all(each["metrics"]["co2"]["result"] != each["metrics"]["co2"]["start"] for each in moved)


def test_nothing_is_done_twice_and_another_grid_shares_the_runs(swept, grid, scenes) -> None:
    before = run_files(swept)
    dry = ablate(grid.with_name("second.py"), scenes, swept, "--dry_run")
    assert dry.returncode == 0, dry.stderr
    assert [line.split()[-1] for line in dry.stdout.splitlines() if line.startswith(("same", "two", "with"))] == [
        "0"
    ] * 3
    done = ablate(grid.with_name("second.py"), scenes, swept)
    assert done.returncode == 0, done.stderr
    assert "The rows same, with search are the same config." in done.stdout
    assert run_files(swept) == before


def test_a_damaged_run_is_named_and_done_again(swept, grid, scenes, tmp_path) -> None:
    out = shutil.copytree(swept, tmp_path / "out")
    path = sorted(run_files(out))[0]
    whole = json.loads(path.read_text())
    path.write_text(path.read_text()[:200])
    done = ablate(grid, scenes, out)
    assert done.returncode == 0, done.stderr
    assert path.name in done.stderr
    assert "it is done again" in done.stderr
    assert json.loads(path.read_text())["metrics"] == whole["metrics"]  # the same bits


def test_other_metric_options_measure_again_without_fitting(swept, grid, scenes, tmp_path) -> None:
    out = shutil.copytree(swept, tmp_path / "out")
    first = rows_of(out / "tiny.csv")
    assert ablate(grid, scenes, out, "--size=hull", "--co2=mean").returncode == 0
    second = rows_of(out / "tiny.csv")
    for row in first:
        assert float(second[row]["co2_mean_mean"]) < float(first[row]["co2_mean"])
        assert second[row]["chamfer_cm_mean"] == first[row]["chamfer_cm_mean"]
        assert second[row]["seconds"] == first[row]["seconds"]
    assert "volume of the convex hull" in (out / "tiny.tex").read_text()
    back = ablate(grid, scenes, out)
    assert back.returncode == 0, back.stderr
    for row in first:
        for column in first[row]:
            assert rows_of(out / "tiny.csv")[row][column] == first[row][column]


def test_failures_are_told_and_retried_only_when_asked(swept, grid, scenes, tmp_path) -> None:
    data, out = shutil.copytree(scenes, tmp_path / "data"), shutil.copytree(swept, tmp_path / "out")
    bad = data / "ball" / "hold_1"
    shutil.copytree(data / "ball" / "hold_0", bad)
    (bad / "object_mask.png").write_bytes(b"not a picture")
    explosive = grid.with_name("explosive.py")
    explosive.write_text(
        GRID + "    yield 'infinite', with_options(replace(base, stages=base.stages[:1]),"
        " {'render.weights.silhouette_object': float('inf')})\n"
    )
    done = ablate(explosive, data, out)
    assert done.returncode == 0, done.stderr
    assert "Failed in “coarse”: 1 of 3: ball/hold_1 (SampleError" in done.stdout
    assert "Failed in “infinite”: 3 of 3" in done.stdout
    assert "NotFiniteError" in done.stdout
    assert rows_of(out / "explosive.csv")["infinite"]["co2_mean"] == ""
    before = run_files(out)
    assert ablate(explosive, data, out).returncode == 0
    assert run_files(out) == before
    retried = ablate(explosive, data, out, "--retry_failed", "--rows=coarse")
    assert retried.returncode == 0, retried.stderr
    assert len([path for path, when in run_files(out).items() if before[path] != when]) == 1


def test_a_batch_agrees_with_single_fits(swept, grid, scenes, tmp_path) -> None:
    twins = tmp_path / "data"
    shutil.copytree(scenes / "ball" / "hold_0", twins / "ball" / "hold_0")
    shutil.copytree(scenes / "ball" / "hold_0", twins / "ball" / "hold_1")
    mask = cv2.imread(str(twins / "ball" / "hold_1" / "object_mask.png"), cv2.IMREAD_UNCHANGED)
    mask[180:] = 0  # the lower half of the ball
    cv2.imwrite(str(twins / "ball" / "hold_1" / "object_mask.png"), mask)
    single = ablate(grid, twins, tmp_path / "single", "--rows=two steps")
    batch = ablate(grid, twins, tmp_path / "batch", "--rows=two steps", "--batch=3")
    assert single.returncode == batch.returncode == 0, batch.stderr
    alone, together = (sorted(run_files(tmp_path / name)) for name in ("single", "batch"))
    assert [path.name for path in alone] == [path.name for path in together]
    for one, other in zip(alone, together):
        a, b = (json.loads(path.read_text()) for path in (one, other))
        assert (a["batch"], b["batch"]) == (1, 3)
        for name in ("scale", "rotation", "translation"):
            np.testing.assert_allclose(a["similarity"][name], b["similarity"][name], atol=2e-4)


def test_a_failing_batch_is_tried_one_by_one(grid, scenes, tmp_path) -> None:
    out, broken = tmp_path / "out", grid.with_name("broken.py")
    rows = """
    yield "two steps", replace(base, stages=base.stages[:1])
    yield "infinite", with_options(replace(base, stages=base.stages[:1]), {"render.weights.l1_joint": float("inf")})
"""
    broken.write_text(GRID.split("    yield")[0].replace("PUBLISHED", "UNUSED") + rows)
    done = ablate(broken, scenes, out, "--batch=2")
    assert done.returncode == 0, done.stderr
    found = rows_of(out / "broken.csv")
    assert [(row["scenes"], row["failed"]) for row in found.values()] == [("2", "0"), ("0", "2")]
    assert done.stdout.count("NotFiniteError") == 2


def test_the_comparison_picture(swept, grid, scenes, tmp_path) -> None:
    options = [f"--runs={swept}", f"--data={scenes}", f"--grid={grid}"]
    done = run("figures", *options, "--rows=coarse,with search", "--samples=ball/hold_0", f"--out={tmp_path / 'a.png'}")
    assert done.returncode == 0, done.stderr
    picture = cv2.imread(str(tmp_path / "a.png"))
    assert picture.shape[1] > 1000
    b, g, r = picture.astype(int).transpose(2, 0, 1)
    width = picture.shape[1] // 4
    orange = [(((r - b) > 90) & ((r - g) > 35))[:, k * width : (k + 1) * width].sum() for k in range(4)]
    green = [(((g - r) > 30) & ((g - b) > 20))[:, k * width : (k + 1) * width].sum() for k in range(4)]
    assert min(orange[2:]) > 1000
    assert green[1] > 1000
    wrong = run("figures", *options, "--samples=ball/hold_9", f"--out={tmp_path / 'b.png'}")
    assert wrong.returncode != 0
    assert "did you mean 'ball/hold_0'" in wrong.stderr


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--grid=nowhere.py", "--data=."], "nowhere.py: no such grid file"),
        (["--grid=experiments/configs/table3.py", "--data=hoijax/report"], "no sample folder in it"),
        (["--grid=experiments/configs/table3.py", "--data=/nowhere"], "is not a folder"),
        (["--grid=experiments/configs/table3.py", "--data=.", "--rows=+ dept"], "did you mean '+ depth'"),
    ],
)
def test_misuse_is_one_sentence(options: list[str], sentence: str, tmp_path) -> None:
    done = run("ablate", *options, f"--out={tmp_path}")
    assert done.returncode != 0
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_body_file_is_one_sentence(scenes, tmp_path) -> None:
    grid = "--grid=experiments/configs/table3.py"
    done = run("ablate", grid, f"--data={scenes}", "--body=README.md", f"--out={tmp_path}")
    assert done.returncode != 0
    assert "README.md" in done.stderr
    assert "Traceback" not in done.stderr
