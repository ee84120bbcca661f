"""The program contact_model.py as its users run it: killed, resumed, compared, its labels read again.

One process does most of the commands (contact_session.py), for a process takes seconds to start.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
import pytest

from hoijax.body.parts import PART_NAMES
from hoijax.data.objfile import save_mesh
from hoijax.data.read import load_sample
from hoijax.data.synthetic import synthetic_sample
from hoijax.data.write import save_sample
from hoijax.tasks.contact.data import ExampleOptions, split_of
from hoijax.tasks.contact.store import load_examples
from hoijax.tasks.contact.training import load_trained

ROOT = Path(__file__).resolve().parents[3]
SESSION = Path(__file__).with_name("contact_session.py")
TINY_CHECKPOINTS = ROOT / "tests" / "third_party_wrappers" / "tiny_checkpoints.py"
QUICK = ("--inputs=points", "--points=64", "--epochs=4", "--batch=4")

pytestmark = pytest.mark.slow


class Said(NamedTuple):
    code: int
    text: str


def command(*arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "experiments" / "contact_model.py"), *arguments]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def run(*arguments: str, code: int = 0) -> str:
    done = subprocess.run(command(*arguments), capture_output=True, text=True, env=environment(), timeout=600)
    assert done.returncode == code, done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def session(*commands: Sequence[str]) -> list[Said]:
    """What each of the commands said, and its exit code."""
    call = [sys.executable, str(SESSION), json.dumps(commands)]
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    done = subprocess.run(call, **both, text=True, env=environment(), timeout=600)
    parts = re.split(r"^=== (\d+)\n", done.stdout, flags=re.MULTILINE)
    assert len(parts) == 2 * len(commands) + 1, done.stdout[-3000:]
    return [Said(int(code), text) for text, code in zip(parts[::2], parts[1::2])]


def kill_after_two_epochs(*arguments: str) -> None:
    call = [sys.executable, str(SESSION), json.dumps([arguments])]
    with subprocess.Popen(
        call, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment()
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("epoch   2"):
                process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL


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
    shutil.copytree(folder / "ball" / "hold_0", folder / "ball" / "hold_12")
    (folder / "ball" / "hold_12" / "h_mesh.obj").write_text("no mesh")
    assert {split_of(f"ball/hold_{k}") for k in range(12)} == {"train", "validation", "test"}
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("place")


@pytest.fixture(scope="module")
def said(tree: Path, place: Path) -> dict[str, Said]:
    """A training that is killed, then everything else in one session."""
    data, cache, other, bare = f"--data={tree}", f"--cache={place / 'examples'}", place / "other", place / "bare"
    whole, killed, table = place / "whole", place / "killed", ("compare", data, "--rows=points", "--objects=truth")
    shutil.copytree(tree, other)
    for parts in other.glob("ball/*/contact_label/human_part.json"):
        parts.write_text(json.dumps(["nose"]))
    shutil.copytree(tree / "ball" / "hold_1", bare / "ball" / "hold_1")
    shutil.rmtree(bare / "ball" / "hold_1" / "contact_label")  # nobody has labelled it yet
    again = ("train", data, f"--model={killed}", cache, *QUICK)
    kill_after_two_epochs(*again)
    model, judged = f"--model={whole}", ("evaluate", f"--model={place / 'table' / 'points_truth_sample_0'}", cache)
    commands = {
        "whole": ("train", data, model, cache, *QUICK),
        "resumed": again,
        "other rate": (*again, "--rate=0.5"),
        "fewer epochs": (*again, "--epochs=2"),
        "other data": ("train", f"--data={other}", model, cache, *QUICK),
        "two models": ("train", data, f"--model={whole},{killed}", cache, *QUICK),
        "compare": (*table, f"--out={place / 'table'}", "--seeds=0", cache, *QUICK[1:]),
        "evaluate": (*judged, data),
        "one category": (*judged, f"--data={tree / 'ball'}"),
        "predict": ("predict", f"--data={bare}", model, f"--out={place / 'labels'}"),
        "predict into the data": ("predict", data, model, f"--out={tree / '..' / tree.name}"),
        "predict nowhere": ("predict", data),
        "row": (*table, "--out=never", "--rows=smell"),
        "seed": (*table, "--out=never", "--seeds=a"),
        "seed twice": (*table, "--out=never", "--seeds=0,1,0"),
        "no tree": ("train", f"--data={place / 'nothing'}", model),
        "no model": ("evaluate", data, f"--model={place / 'nothing'}"),
    }
    return dict(zip(commands, session(*commands.values())))


def test_a_killed_training_goes_on_to_the_same_network(said: dict[str, Said], tree: Path, place: Path) -> None:
    assert (said["whole"].code, said["resumed"].code) == (0, 0), said["resumed"].text
    assert [f"epoch   {k} " in said["whole"].text for k in (1, 4)] == [True, True]
    assert [f"epoch   {k} " in said["resumed"].text for k in (1, 4)] == [False, True]
    folders = {f"ball/hold_{k}": tree / "ball" / f"hold_{k}" for k in range(2)}
    given = load_examples(folders, ExampleOptions(points=64), place / "examples", lambda name, why: None)
    one, other = (load_trained(place / name, given) for name in ("whole", "killed"))
    for a, b in zip(jax.tree.leaves(one.params), jax.tree.leaves(other.params)):
        np.testing.assert_array_equal(a, b)


def test_its_labels_are_those_of_the_data_layout(said: dict[str, Said], tree: Path, place: Path) -> None:
    assert said["predict"].code == 0, said["predict"].text
    made, new = place / "labels" / "ball" / "hold_1" / "contact_label", place / "bare" / "ball" / "hold_1"
    likely = json.loads((made / "probability.json").read_text())
    assert tuple(likely) == PART_NAMES
    assert all(0 <= value <= 1 for value in likely.values())
    shutil.copytree(made, new / "contact_label")
    assert set(load_sample(new).contact_parts or ()) == {part for part, value in likely.items() if value > 0.5}
    assert not list(tree.rglob("probability.json"))


def test_compare_writes_the_table_and_evaluate_agrees(said: dict[str, Said], place: Path) -> None:
    assert said["compare"].code == 0, said["compare"].text
    out = place / "table"
    assert {path.name for path in out.glob("table.*")} == {"table.md", "table.tex", "table.csv"}
    assert (out / "table.md").read_text().splitlines()[0].startswith("| row | object | F1")
    row = next(line for line in said["compare"].text.splitlines() if line.startswith("points  ")).split()
    for name in ("evaluate", "one category"):  # the same test split, whichever folder is named
        lines = said[name].text.splitlines()
        assert next(line for line in lines if line.startswith("points_truth_sample_0")).split()[2:5] == row[2:5]


def test_what_cannot_be_read_is_told(said: dict[str, Said]) -> None:
    assert "1 of 13 samples left out" in said["compare"].text
    assert "hold_12" in said["compare"].text


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("other rate", "training.rate"),
        ("fewer epochs", "holds 4 epochs, more than the 2"),
        ("other data", "data.examples"),
        ("two models", "expected one folder"),
        ("predict into the data", "would be overwritten"),
        ("predict nowhere", "is needed"),
        ("row", "expected some of image, points, both"),
        ("seed", "expected whole numbers"),
        ("seed twice", "names one twice"),
        ("no tree", "is not a folder"),
        ("no model", "no config.json"),
    ],
)
def test_wrong_requests_get_a_sentence(said: dict[str, Said], name: str, why: str) -> None:
    assert said[name].code == 1
    assert why in said[name].text
    assert "Traceback" not in said[name].text


def test_the_program_itself_ends_with_a_sentence() -> None:
    assert "usage" in run("learn", code=1)


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
    few = tmp_path / "few"
    shutil.copytree(tree / "ball" / "hold_1", few / "ball" / "hold_1")
    shutil.copytree(tree / "ball" / "hold_1", few / "ball" / "hold_2")
    (few / "ball" / "hold_2" / "image.jpg").unlink()
    asked = ("features", f"--data={few}", f"--features={features}", f"--tools={tmp_path / 'tools.json'}")
    first, again = session(asked, asked)
    assert "1 features made, 0 there already, 1 failed" in first.text
    assert "0 features made, 1 there already, 1 failed" in again.text
    assert "hold_2: has no image.jpg" in first.text
    folders = {"ball/hold_1": few / "ball" / "hold_1"}
    found = load_examples(
        folders, ExampleOptions(points=64, feature=24), tmp_path / "cache", lambda name, why: None, features
    )
    assert found.given.image.shape == (1, 24)
    assert not list(few.rglob("clip.npy"))  # somebody's data stay as they are
