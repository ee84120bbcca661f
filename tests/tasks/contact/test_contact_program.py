"""The program contact_model.py as its users run it: killed, resumed, compared, its labels read again."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from hoijax.body.parts import PART_NAMES
from hoijax.data.objfile import save_mesh
from hoijax.data.read import load_sample
from hoijax.data.synthetic import synthetic_sample
from hoijax.data.write import save_sample
from hoijax.tasks.contact.data import ExampleOptions, Examples, split_of
from hoijax.tasks.contact.store import load_examples
from hoijax.tasks.contact.training import load_trained

ROOT = Path(__file__).resolve().parents[3]
TINY_CHECKPOINTS = ROOT / "tests" / "third_party_wrappers" / "tiny_checkpoints.py"
QUICK = ("--inputs=points", "--points=64", "--epochs=4", "--batch=4")

pytestmark = pytest.mark.slow


def command(*arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "experiments" / "contact_model.py"), *arguments]


def run(*arguments: str, code: int = 0) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command(*arguments), capture_output=True, text=True, env=environment, timeout=600)
    assert done.returncode == code, done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ball at the right and at the left of a person, twelve samples: all splits have some."""
    folder = tmp_path_factory.mktemp("tree")
    sample = synthetic_sample("ball", 0)
    assert sample.truth is not None
    save_sample(sample, folder / "ball" / "hold_0")
    center = sample.truth.verts.mean(0)
    for k in range(12):
        new = folder / "ball" / f"hold_{k}"
        if k:
            shutil.copytree(folder / "ball" / "hold_0", new)
        side = 1 if k % 2 else -1
        for name, mesh in (("object_mesh.obj", sample.truth), ("obj_pcd_h_align.obj", sample.object)):
            save_mesh(new / name, mesh._replace(verts=mesh.verts - center + np.array([0.7 * side, 0.0, 0.0])))
        parts = [f"{'left' if side > 0 else 'right'} {name}" for name in ("palm", "fingers")]
        (new / "contact_label" / "human_part.json").write_text(json.dumps(parts))
    assert {split_of(f"ball/hold_{k}") for k in range(12)} == {"train", "validation", "test"}
    return folder


@pytest.fixture(scope="module")
def model(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "whole"
    said = run("train", f"--data={tree}", f"--model={folder}", *QUICK)
    assert "epoch   4" in said
    return folder


def examples(tree: Path, cache: Path) -> Examples:
    folders = {f"ball/hold_{k}": tree / "ball" / f"hold_{k}" for k in range(2)}
    return load_examples(folders, ExampleOptions(points=64), cache, lambda name, why: None)


def test_a_killed_training_goes_on_to_the_same_network(tree: Path, model: Path, tmp_path: Path) -> None:
    killed = tmp_path / "killed"
    arguments = ("train", f"--data={tree}", f"--model={killed}", f"--cache={model.parent / 'examples'}", *QUICK)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command(*arguments), stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("epoch   2"):
                process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    said = run(*arguments)
    assert "epoch   1 " not in said
    assert "epoch   4 " in said
    given = examples(tree, tmp_path / "cache")
    one, other = (load_trained(folder, given) for folder in (model, killed))
    for a, b in zip(jax.tree.leaves(one.params), jax.tree.leaves(other.params)):
        np.testing.assert_array_equal(a, b)
    assert "training.rate" in run(*arguments, "--rate=0.5", code=1)


def test_its_labels_are_those_of_the_data_layout(tree: Path, model: Path, tmp_path: Path) -> None:
    new = tmp_path / "tree" / "ball" / "hold_1"
    shutil.copytree(tree / "ball" / "hold_1", new)
    shutil.rmtree(new / "contact_label")  # nobody has labelled it yet
    out = tmp_path / "labels"
    run("predict", f"--data={tmp_path / 'tree'}", f"--model={model}", f"--out={out}")
    likely = json.loads((out / "ball" / "hold_1" / "contact_label" / "probability.json").read_text())
    assert tuple(likely) == PART_NAMES
    assert all(0 <= value <= 1 for value in likely.values())
    shutil.copytree(out / "ball" / "hold_1" / "contact_label", new / "contact_label")
    assert set(load_sample(new).contact_parts or ()) == {part for part, value in likely.items() if value > 0.5}
    assert not (tree / "ball" / "hold_1" / "contact_label" / "probability.json").exists()


def test_compare_writes_the_table_and_evaluate_agrees(tree: Path, model: Path, tmp_path: Path) -> None:
    options = ("--rows=points", "--objects=truth", "--seeds=0", *QUICK[1:], f"--cache={model.parent / 'examples'}")
    said = run("compare", f"--data={tree}", f"--out={tmp_path / 'out'}", *options)
    assert {path.name for path in (tmp_path / "out").glob("table.*")} == {"table.md", "table.tex", "table.csv"}
    assert (tmp_path / "out" / "table.md").read_text().splitlines()[0].startswith("| row | object | F1")
    f1 = next(line for line in said.splitlines() if line.startswith("points  ")).split()[2]
    again = run("evaluate", f"--data={tree}", f"--model={tmp_path / 'out' / 'points_truth_sample_0'}")
    row = next(line for line in again.splitlines() if line.startswith("points_truth_sample_0")).split()
    assert row[2] == f1


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("predict",), "is needed"),
        (("compare", "--out=never", "--rows=smell"), "expected some of image, points, both"),
        (("compare", "--out=never", "--seeds=a"), "expected whole numbers"),
        (("learn",), "usage"),
    ],
)
def test_wrong_requests_get_a_sentence(tree: Path, arguments: tuple[str, ...], why: str) -> None:
    assert why in run(*arguments, f"--data={tree}", code=1)


def test_features_come_from_clip_and_stay(tree: Path, tmp_path: Path) -> None:
    python = ROOT / ".venv-models" / "bin" / "python"
    if not python.is_file():
        pytest.skip("no .venv-models: `make venv-models` makes it")
    offline = {**os.environ, "HF_HUB_OFFLINE": "1"}
    offline.pop("PYTHONPATH", None)
    subprocess.run([str(python), str(TINY_CHECKPOINTS), str(tmp_path), "clip"], check=True, env=offline)
    tools = {"clip": {"python": str(python), "checkpoint": str(tmp_path / "clip"), "device": "cpu"}}
    (tmp_path / "tools.json").write_text(json.dumps(tools))
    features = tmp_path / "features"
    asked = ("features", f"--data={tree}", f"--features={features}", f"--tools={tmp_path / 'tools.json'}")
    assert "12 features made, 0 there already, 0 failed" in run(*asked)
    assert "0 features made, 12 there already" in run(*asked)
    folders = {"ball/hold_1": tree / "ball" / "hold_1"}
    found = load_examples(
        folders, ExampleOptions(points=64, feature=24), tmp_path / "cache", lambda name, why: None, features
    )
    assert found.given.image.shape == (1, 24)
    assert not list(tree.rglob("clip.npy"))  # somebody's data stay as they are
