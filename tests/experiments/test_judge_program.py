"""experiments/judge.py from scenes to a sorted work list, in processes of its own; and what it says of bad input."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hoijax.annotate.filter.state import SEES
from hoijax.annotate.items import find_items, fingerprint
from hoijax.annotate.likely import likely_file, load_likely
from hoijax.annotate.store import STORE, append, close_store, load_events, open_store
from hoijax.data.sample import Sample, SampleError
from hoijax.data.synthetic import synthetic_sample
from hoijax.data.synthetic.flawed import copies, load_note, make_copy
from hoijax.data.synthetic.flaws import bare
from hoijax.data.write import save_sample
from hoijax.tasks.contact.data import split_of

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "experiments" / "judge.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=600)


def ok(*arguments: str) -> str:
    found = run(*arguments)
    assert found.returncode == 0, found.stderr[-3000:]
    return found.stdout


def name_in(split: str) -> str:
    """A name of the ball's scene that belongs to this split."""
    return next(name for name in (f"ball/hold_{k}" for k in range(100)) if split_of(name) == split)


@pytest.fixture(scope="module")
def scene() -> Sample:
    """A quarter as wide and high as the built-in one: what is checked here does not depend on pixels."""
    sample = synthetic_sample("ball", 0)
    camera = sample.camera._replace(focal=sample.camera.focal / 4, center=sample.camera.center / 4)
    small = {
        "image": sample.image[::4, ::4].copy(),
        "human_mask": sample.human_mask[::4, ::4].copy(),
        "object_mask": sample.object_mask[::4, ::4].copy(),
    }
    return bare(sample)._replace(camera=camera, **small)


@pytest.mark.slow
def test_from_scenes_to_a_sorted_list(scene: Sample, tmp_path: Path) -> None:
    scenes, tree, model = tmp_path / "scenes", tmp_path / "flawed", tmp_path / "model"
    for split in ("train", "validation", "test"):
        save_sample(scene, scenes / name_in(split))
    make = ("make-flawed", f"--data={scenes}", f"--out={tree}", "--flaws=1")
    assert "no person" in ok(*make)
    items = find_items(tree)
    events = load_events(tree / STORE)
    assert {event.annotator for event in events} == {"built-in"}
    assert all(event.value["made_up"] for event in events)
    assert {event.item for event in events} == set(items.folders)
    for event in events:
        note = load_note(items.folders[event.item])
        if event.value["verdict"] == "delete":
            assert note.flaw
            assert (event.value["who"], event.value["reason"]) == ([note.flaw.who], note.flaw.reason)
    assert "0 items decided now" in ok(*make)

    ok("train", f"--data={tree}", f"--model={model}", "--epochs=1", "--points=64", "--inputs=scalars")
    ok("sort", f"--data={tree}", f"--model={model}")
    likely = load_likely(likely_file(tree / STORE))
    assert likely is not None
    assert set(likely.items) == set(items.folders)
    assert likely.learned == ("built-in",)

    changed = f"{name_in('test')}00"
    mesh = items.folders[changed] / "obj_pcd_h_align.obj"
    mesh.write_text(mesh.read_text() + "# changed\n")
    assert "(1 of them judged now)" in ok("sort", f"--data={tree}", f"--model={model}")
    again = load_likely(likely_file(tree / STORE))
    assert again is not None
    assert again.items[changed].version != likely.items[changed].version
    assert again.items[changed].item == pytest.approx(likely.items[changed].item)

    told = run("evaluate", f"--data={tree}", f"--model={model}")
    assert told.returncode == 0, told.stderr[-3000:]
    assert "decisions about 1 items do not count" in told.stderr
    assert "item: judge" in told.stdout
    assert "\n1 items, decisions by built-in" in told.stdout
    assert {path.name for path in (model / "evaluation").iterdir()} == {
        "reliability.png",
        *(f"{name}.{ending}" for name in ("judge", "order", "flaws") for ending in ("csv", "md", "tex")),
    }


@pytest.mark.slow
def test_bad_input_is_told(scene: Sample, tmp_path: Path) -> None:
    save_sample(scene, tmp_path / "real/ball/hold_0")
    real = tmp_path / "real"
    found = run("make-flawed", f"--data={real}", f"--out={real}")
    assert (found.returncode, "choose another --out" in found.stderr) == (1, True)
    found = run("train", f"--data={real}", f"--model={tmp_path / 'model'}")
    assert (found.returncode, "store of annotations" in found.stderr) == (1, True)
    store = open_store(real / STORE)
    version = fingerprint(real / "ball/hold_0", ("image",))
    append(store, "anna", "ball/hold_0", "filter", "judge", {"who": ["human"], "verdict": "pass"}, version)
    close_store(store)
    found = run("train", f"--data={real}", f"--model={tmp_path / 'model'}")
    assert (found.returncode, "filter some first" in found.stderr) == (1, True)
    found = run("sort", f"--data={real}", f"--model={tmp_path}")
    assert (found.returncode, "config.json" in found.stderr) == (1, True)


@pytest.mark.slow
def test_decisions_of_a_killed_run_are_finished_and_of_another_noise_refused(
    scene: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "experiments"))
    from judge_decisions import decide_all, find_decisions

    save_sample(scene, tmp_path / "scenes/ball/hold_0")
    tree = tmp_path / "flawed"
    for job in copies(tmp_path / "scenes", 1):
        make_copy(job, tree)
    flawed = "ball/hold_001"
    note = load_note(tree / flawed)
    assert note.flaw is not None
    other = "object" if note.flaw.who == "human" else "human"
    store = open_store(tree / STORE)  # killed after it passed the other and before it deleted
    value = {"who": [other], "verdict": "pass", "reason": "", "made_up": True, "noise": 0.0}
    append(store, "built-in", flawed, "filter", "judge", value, fingerprint(tree / flawed, SEES))
    close_store(store)

    assert decide_all(tree, tree / STORE, 0.0, 0, list) == 2
    decisions, _ = find_decisions(find_items(tree))
    labels = {one.item: one.labels for one in decisions}
    assert labels["ball/hold_000"] == (1.0, 1.0)
    assert labels[flawed][("human", "object").index(note.flaw.who)] == 0
    assert decide_all(tree, tree / STORE, 0.0, 0, list) == 0
    with pytest.raises(SampleError, match=r"noise 0, expected 0\.3"):
        decide_all(tree, tree / STORE, 0.3, 0, list)


def test_an_annotator_of_the_program_errs_as_often_as_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "experiments"))
    from judge_decisions import made_up_events

    from hoijax.data.synthetic.flawed import Note
    from hoijax.data.synthetic.flaws import Flaw

    flaw, rng = Flaw("human", "bad mask", "half"), np.random.default_rng(0)
    for note in (Note("a", None), Note("a", flaw)):
        drawn = [made_up_events(note, 0.2, rng) for _ in range(1000)]
        wrong = np.mean([any(verdict == "delete" for _, verdict, _ in one) == (note.flaw is None) for one in drawn])
        assert wrong == pytest.approx(0.2, abs=0.04)
    sure = [made_up_events(Note("a", flaw), 0.0, rng) for _ in range(100)]
    assert {one[-1][1:] for one in sure} == {("delete", "bad mask")}
    assert {len(one) for one in sure} == {1, 2}
