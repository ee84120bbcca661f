"""From the first key to numbers: two annotators in browsers, export, a reconstruction, evaluation, agreement."""

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hoijax.data.read import load_sample

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
ITEM, OTHER = "ball/hold_0", "box/carry_0"
QUICK = ("--config.image_size=64", "--config.render.steps=2", "--config.hoi.steps=2")


def program(name: str, *flags: str) -> str:
    done = subprocess.run(
        [sys.executable, str(ROOT / "experiments" / f"{name}.py"), *flags], capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def annotate(browser: Any, server: Any, wait: Callable[..., Any], item: str, nudges: int) -> int:
    """The item through all three tools, as one that is fine, with some nudges to the right: how many keys that took."""
    pressed = 0

    def press(key: str) -> None:
        nonlocal pressed
        browser.keys(key)
        pressed += 1

    browser.open(server, "filter", item)
    press("p")
    wait(lambda: server.events(item, "filter"), "the judgement")
    press("ENTER")
    wait(lambda: browser.item != item, "the next item")
    browser.open(server, "contact", item)
    press("a")
    wait(lambda: server.events(item, "contact"), "what was accepted")
    press("ENTER")
    wait(lambda: browser.item != item, "the next item")
    browser.open(server, "fine", item)
    for _ in range(nudges):
        press("ARROW_RIGHT")
    press("ENTER")
    wait(lambda: [e for e in server.events(item, "fine") if e.kind == "done"], "the confirmation")
    return pressed - nudges


def test_decisions_become_the_truth_that_results_are_measured_by(
    serve: Callable[..., Any], browsers: Callable[[], Any], tree: Path, wait: Callable[..., Any], tmp_path: Path
) -> None:
    shutil.rmtree(tree / "chair")
    server, anna, bert = serve(tree, "--each"), browsers(), browsers()
    anna.sign_in(server, "anna")
    bert.sign_in(server, "bert")
    assert annotate(anna, server, wait, ITEM, 0) <= 3 * 3
    annotate(bert, server, wait, ITEM, 2)
    anna.open(server, "filter", OTHER)
    anna.keys("1")
    wait(lambda: server.events(OTHER, "filter"), "the deletion")
    server.kill()

    truth, results = tmp_path / "truth", tmp_path / "results"
    program("annotate_export", f"--data={tree}", f"--out={truth}", "--prefer=bert")
    assert [path.parent.relative_to(truth).as_posix() for path in truth.rglob("image.jpg")] == [ITEM]
    rows = list(csv.reader((truth / "left_out.csv").open()))
    assert any(OTHER in row and any("bad human" in cell for cell in row) for row in rows[1:])
    kept = json.loads((truth / ITEM / "annotated.json").read_text())
    assert "bert" in json.dumps(kept)
    before, after = load_sample(tree / ITEM), load_sample(truth / ITEM)
    assert before.truth is not None
    assert after.truth is not None
    shift = after.truth.verts - before.truth.verts
    np.testing.assert_allclose(shift, np.broadcast_to([0.02, 0, 0], shift.shape), atol=2e-6)
    assert after.contact_parts

    program("reconstruct", f"--data={truth}", f"--out={results}", *QUICK)
    table = program("evaluate", f"--results={results}", f"--data={truth}", f"--csv={tmp_path / 'numbers.csv'}")
    assert ITEM.split("/")[0] in table
    agreement = program("annotate_agreement", f"--data={tree}", f"--html={tmp_path / 'agreement.html'}")
    assert "anna" in agreement
    assert "2.0" in agreement, "the two poses are two centimetres apart"
    assert "<table" in (tmp_path / "agreement.html").read_text()
