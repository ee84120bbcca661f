"""experiments/judge.py from scenes to a sorted work list, in processes of its own; and what it says of bad input."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hoijax.annotate.items import find_items, fingerprint
from hoijax.annotate.likely import likely_file, load_likely
from hoijax.annotate.store import STORE, append, close_store, load_events, open_store
from hoijax.data.synthetic import synthetic_sample
from hoijax.data.synthetic.flawed import load_note
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


@pytest.mark.slow
def test_from_scenes_to_a_sorted_list(tmp_path: Path) -> None:
    scenes, tree, model = tmp_path / "scenes", tmp_path / "flawed", tmp_path / "model"
    for split in ("train", "validation", "test"):
        save_sample(synthetic_sample("ball", 0), scenes / name_in(split))
    assert "no person" in ok("make-flawed", f"--data={scenes}", f"--out={tree}", "--flaws=3")
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
    assert "0 items decided now" in ok("make-flawed", f"--data={scenes}", f"--out={tree}", "--flaws=3")

    ok("train", f"--data={tree}", f"--model={model}", "--epochs=1", "--points=64", "--inputs=scalars")
    told = ok("evaluate", f"--data={tree}", f"--model={model}")
    assert "item: judge" in told
    assert {path.name for path in (model / "evaluation").iterdir()} == {
        "reliability.png",
        *(f"{name}.{ending}" for name in ("judge", "order", "flaws") for ending in ("csv", "md", "tex")),
    }
    ok("sort", f"--data={tree}", f"--model={model}")
    likely = load_likely(likely_file(tree / STORE))
    assert likely is not None
    assert set(likely.items) == set(items.folders)
    assert likely.learned == ("built-in",)

    changed = next(iter(items.folders))
    mesh = items.folders[changed] / "obj_pcd_h_align.obj"
    mesh.write_text(mesh.read_text() + "# changed\n")
    assert "(1 of them judged now)" in ok("sort", f"--data={tree}", f"--model={model}")
    again = load_likely(likely_file(tree / STORE))
    assert again is not None
    assert again.items[changed].version != likely.items[changed].version
    assert again.items[changed].item == pytest.approx(likely.items[changed].item)
    assert "do not count" in run("evaluate", f"--data={tree}", f"--model={model}").stderr


@pytest.mark.slow
def test_bad_input_is_told(tmp_path: Path) -> None:
    save_sample(synthetic_sample("ball", 0), tmp_path / "real/ball/hold_0")
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
