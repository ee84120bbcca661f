"""What is queued comes out as own files that the pipeline takes, and the sample that it makes again is another."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hoijax.annotate.filter.masks import Stroke, checked_stroke, corrected, cropped, margin_of
from hoijax.annotate.filter.queue import Queued, queued, queued_masks, save_queue
from hoijax.annotate.filter.state import SEES
from hoijax.annotate.items import find_items, fingerprint
from hoijax.annotate.store import append, events, open_store
from hoijax.data.images import load_mask
from hoijax.data.read import load_sample
from hoijax.data.synthetic import synthetic_sample
from hoijax.data.write import save_sample

ROOT = Path(__file__).resolve().parents[3]
ITEM = "box/first_0"


def run(program: str, *options: str) -> str:
    done = subprocess.run(
        [sys.executable, f"experiments/{program}.py", *options], cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def refusal(*options: str) -> str:
    """What the program says to options that it does not take."""
    program = [sys.executable, "experiments/annotate_queue.py", *options]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode != 0
    return done.stderr


def mask_of(path: Path) -> np.ndarray:
    return load_mask(path, lambda *_: None)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample that the pipeline made of own files alone: everything is given."""
    world = tmp_path_factory.mktemp("world")
    scene = synthetic_sample("box")
    save_sample(scene, world / "truth")
    (world / "images").mkdir()
    (world / "images" / "first.jpg").write_bytes((world / "truth" / "image.jpg").read_bytes())
    assert scene.human_box is not None
    assert scene.object_box is not None
    boxes = {"human_box": scene.human_box.tolist(), "object_box": scene.object_box.tolist()}
    (world / "list.json").write_text(
        json.dumps([{"image": "first.jpg", "category": "box", "action": "carry", **boxes}])
    )
    own = world / "given" / "first_0"
    own.mkdir(parents=True)
    names = ("person_mask.png", "object_mask.png", "smplx_parameters.json", "h_mesh.obj", "depth.npy")
    for name, mine in (*((name, name) for name in names), ("object_mesh.obj", "mesh.obj")):
        (own / mine).write_bytes((world / "truth" / name).read_bytes())
    flags = (f"--images={world / 'images'}", f"--annotations={world / 'list.json'}", f"--given={world / 'given'}")
    run("annotate_pipeline", *flags, f"--out={world / 'out'}", "--rotation=given")
    return world / "out"


def decide(tree: Path, kind: str, value: dict[str, object], annotator: str = "anna") -> None:
    items = find_items(tree)
    store = open_store(tree / "annotations.sqlite")
    append(store, annotator, ITEM, "filter", kind, value, fingerprint(items.folders[ITEM], SEES))
    store.close()


@pytest.mark.slow
def test_the_pipeline_makes_a_queued_item_again_from_the_corrected_mask(
    made: Path, library: Path, tmp_path: Path
) -> None:
    tree = made / "samples"
    assert "expected a store of annotations" in refusal(f"--data={tree}", f"--out={tmp_path / 'none'}")
    before = load_sample(tree / ITEM)
    rows, columns = np.nonzero(before.object_mask)
    points = [[-8.0, float(rows.mean())], [float(columns.max()), float(rows.mean())]]
    stroke = {"mask": "object", "erase": False, "radius": 9.0, "points": points}
    decide(tree, "stroke", stroke)
    decide(tree, "redo", {"note": "the handle is missing"})
    told = run("annotate_queue", f"--data={tree}", f"--out={tmp_path / 'queue'}")
    assert "the handle is missing" in told
    margin = margin_of(*before.object_mask.shape)
    wide = corrected(before.object_mask, [checked_stroke(stroke)], margin)
    parts = tmp_path / "queue" / "masks" / ITEM
    np.testing.assert_array_equal(mask_of(parts / "object_mask_wide.png"), wide)
    np.testing.assert_array_equal(mask_of(parts / "person_mask.png"), before.human_mask)
    assert json.loads((parts / "wide.json").read_text())["offset"] == [margin, margin]
    own = tmp_path / "queue" / "given" / "first_0"
    assert sorted(path.name for path in own.iterdir()) == sorted(
        ["depth.npy", "h_mesh.obj", "mesh.obj", "object_mask.png", "person_mask.png", "smplx_parameters.json"]
    )
    command = told.strip().splitlines()[-1].split()
    assert command[:2] == ["python", "experiments/annotate_pipeline.py"]
    run("annotate_pipeline", *command[2:])
    after = load_sample(tree / ITEM)
    np.testing.assert_array_equal(after.object_mask, cropped(wide, margin))
    assert (after.object_mask != before.object_mask).sum() > 100
    assert np.abs(after.object.verts - before.object.verts).max() > 1e-3  # placed anew
    np.testing.assert_array_equal(after.human.verts, before.human.verts)
    assert run("annotate_queue", f"--data={tree}", f"--out={tmp_path / 'later'}").strip() == "nothing is queued"

    decide(tree, "template", {"category": "box", "name": "tall"}, "bert")
    told = run("annotate_queue", f"--data={tree}", f"--out={tmp_path / 'second'}", f"--library={library}")
    assert "bert" in told
    assert "template box/tall" in told
    run("annotate_pipeline", *told.strip().splitlines()[-1].split()[2:])
    assert len(load_sample(tree / ITEM).object.verts) == 8  # the template, not the mesh of before


def test_the_last_to_queue_counts_and_what_was_passed_since_is_not_queued(scenes: Path, tmp_path: Path) -> None:
    items = find_items(scenes)
    store = open_store(tmp_path / "annotations.sqlite")
    item = "ball/hold_0"
    version = fingerprint(items.folders[item], SEES)
    stroke = {"mask": "human", "erase": True, "radius": 500.0, "points": [[200.0, 200.0]]}
    append(store, "anna", item, "filter", "redo", {"note": "first"}, version)
    append(store, "bert", item, "filter", "stroke", stroke, version)
    append(store, "bert", item, "filter", "redo", {"note": "second"}, version)
    append(store, "carl", item, "filter", "redo", {"note": "of other files"}, "0" * 64)
    (entry,) = queued(events(store), items)
    assert (entry.annotator, entry.note) == ("bert", "second")
    masks = queued_masks(items, entry)
    assert masks.changed == {"human": True, "object": False}
    append(store, "bert", item, "filter", "judge", {"who": ["object"], "verdict": "pass"}, version)
    (entry,) = queued(events(store), items)
    assert entry.annotator == "anna"


def test_an_item_of_which_nothing_was_changed_is_named_also_where_it_has_own_files_from_before(
    scenes: Path, tmp_path: Path
) -> None:
    items = find_items(scenes)
    plain = Queued("ball/hold_0", "anna", "", None, ())
    mended = plain._replace(item=next(name for name in items.folders if name.startswith("box/")))
    stroke = Stroke("object", False, 40.0, ((30.0, 30.0),))
    given = tmp_path / "given"
    for item in (plain.item, mended.item):
        own = given / items.folders[item].name
        own.mkdir(parents=True)
        (own / "object.png").write_bytes(b"a picture of the whole object")
    entries = [plain, mended._replace(strokes=(stroke,))]
    assert save_queue(entries, items, None, tmp_path / "out", given) == [plain.item]
    assert [path.name for path in (tmp_path / "out" / "given" / items.folders[plain.item].name).iterdir()] == [
        "object.png"
    ]
    assert save_queue([plain], items, None, tmp_path / "alone", None) == [plain.item]


@pytest.mark.slow
def test_the_program_only_reads_the_store_and_takes_flags_only(scenes: Path, tmp_path: Path) -> None:
    store = open_store(tmp_path / "annotations.sqlite")
    item = "ball/hold_0"
    append(store, "anna", item, "filter", "redo", {"note": ""}, fingerprint(find_items(scenes).folders[item], SEES))
    store.close()
    flags = (f"--data={scenes}", f"--store={tmp_path / 'annotations.sqlite'}")
    out = tmp_path / "out"
    assert f"{item}: no mask was changed" in run("annotate_queue", *flags, f"--out={out}")
    assert "not a flag: ['library']" in refusal(*flags, f"--out={tmp_path / 'more'}", "library")
    empty = tmp_path / "empty.sqlite"
    empty.touch()
    assert "is no store of annotations" in refusal(f"--data={scenes}", f"--store={empty}", f"--out={tmp_path / 'more'}")
    assert empty.read_bytes() == b""  # no tables were made in it
    assert not (tmp_path / "more").exists()
