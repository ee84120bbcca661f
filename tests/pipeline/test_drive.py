"""Steps over items: what is done once, what again, what is kept, and what stops where."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from hoijax.coarse.place import CoarseOptions
from hoijax.data.read import load_sample
from hoijax.data.sample import Sample
from hoijax.pipeline import drive
from hoijax.pipeline.drive import run_steps
from hoijax.pipeline.engine import Ending, Engine, boxes, engine
from hoijax.pipeline.item import STEPS, Item
from hoijax.pipeline.plan import Choice, choice, engines_of
from hoijax.pipeline.record import load_record, record_file
from hoijax.pipeline.standing import standings

Did = list[tuple[str, Ending]]


def chosen(options: CoarseOptions | None = None, **engines: Engine) -> Choice:
    """Our own steps; all else is own files, or `engines`."""
    own = choice(engines, options or CoarseOptions(), None)
    return own._replace(with_depth={**own.with_depth, **engines})


def go(items: list[Item], given: Path, retry: bool = False, engines: Choice | None = None) -> Did:
    """Runs all steps; what was done."""
    did: Did = []
    own = engines or chosen()
    run_steps(
        items,
        lambda item: engines_of(item, own, given),
        STEPS,
        lambda step, count: None,
        lambda step, ending: did.append((step, ending)),
        retry,
    )
    return did


def steps(did: Did) -> list[str]:
    return [step for step, _ in did]


def errors(did: Did) -> list[str]:
    return [f"{step}: {ending.error}" for step, ending in did if ending.error]


def states(item: Item, given: Path) -> dict[str, str]:
    return {step: found.state for step, found in standings(item, engines_of(item, chosen(), given)).items()}


def test_own_files_become_a_sample(item: Item, given: Path, scene: Sample) -> None:
    did = go([item], given)
    assert errors(did) == []
    assert steps(did) == ["image", "person_mask", "object_mask", "human", "mesh", "depth", "coarse", "sample"]
    found = load_sample(item.folder("sample"))
    assert found.warnings == ()
    np.testing.assert_array_equal(found.human_mask, scene.human_mask)
    np.testing.assert_array_equal(found.object_mask, scene.object_mask)
    np.testing.assert_allclose(found.human.verts, scene.human.verts, atol=1e-6)
    np.testing.assert_allclose(found.pose.body, scene.pose.body, atol=1e-6)
    assert (found.category, found.action) == ("box", "carry")
    assert scene.truth is not None
    off = np.linalg.norm(found.object.verts.mean(0) - scene.truth.verts.mean(0))
    assert off < 0.1  # metres: the coarse reconstruction from an exact depth map, the rotation given
    source = json.loads((item.folder("sample") / "source.json").read_text())
    assert source["actions"] == ["carry"]


def test_without_a_depth_map_the_persons_depth_decides(item: Item, given: Path, scene: Sample) -> None:
    (given / item.id / "depth.npy").unlink()
    did = go([item], given)
    assert errors(did) == []
    assert "depth" not in steps(did)
    found = load_sample(item.folder("sample"))
    assert found.depth is None
    assert scene.truth is not None
    assert np.linalg.norm(found.object.verts.mean(0) - scene.truth.verts.mean(0)) < 0.4


def test_what_is_done_is_not_done_again(item: Item, given: Path) -> None:
    go([item], given)
    before = {path: path.stat().st_mtime_ns for path in item.out.rglob("*") if path.is_file()}
    assert go([item], given) == []
    assert {path: path.stat().st_mtime_ns for path in item.out.rglob("*") if path.is_file()} == before


def test_another_own_file_redoes_what_depends_on_it(item: Item, given: Path) -> None:
    go([item], given)
    mask = cv2.imread(str(given / item.id / "object_mask.png"), cv2.IMREAD_GRAYSCALE)
    smaller = cv2.erode(mask, np.ones((3, 3), np.uint8))
    cv2.imwrite(str(given / item.id / "object_mask.png"), smaller)
    assert steps(go([item], given)) == ["object_mask", "coarse", "sample"]
    assert load_sample(item.folder("sample")).object_mask.sum() == (smaller > 127).sum()


def test_a_file_changed_by_hand_is_kept_and_used(item: Item, given: Path) -> None:
    go([item], given)
    path = item.file("object_mask")
    mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    mask[: mask.shape[0] // 2] = 0
    mask[-1, :40] = 255
    cv2.imwrite(str(path), mask)
    assert states(item, given)["object_mask"] == "edited"
    assert states(item, given)["coarse"] == "stale"
    assert steps(go([item], given)) == ["coarse", "sample"]
    assert states(item, given)["object_mask"] == "edited"
    assert load_sample(item.folder("sample")).object_mask.sum() == (mask > 127).sum()
    os.utime(path)  # touched, not changed
    assert go([item], given) == []


def test_a_folder_taken_away_is_made_again(item: Item, given: Path) -> None:
    go([item], given)
    item.file("mesh").unlink()
    did = steps(go([item], given))
    assert did == ["mesh"]  # its content is the same again: nothing after it changes


def test_a_step_whose_record_cannot_be_read_is_done_again(item: Item, given: Path) -> None:
    go([item], given)
    for damage in ("", "{", '{"schema": 1}', '{"schema": 99}', "[]"):
        record_file(item, "mesh").write_text(damage)
        record = load_record(item, "mesh")
        assert record is not None
        assert record.begun
        assert steps(go([item], given)) == ["mesh"]


def test_a_failure_sets_one_item_aside_and_stays_until_something_changes(item: Item, given: Path) -> None:
    other = item._replace(id="second_0")
    (given / "second_0").mkdir()
    for path in (given / item.id).iterdir():
        (given / "second_0" / path.name).write_bytes(path.read_bytes())
    mask = given / "second_0" / "object_mask.png"
    whole = mask.read_bytes()
    cv2.imwrite(str(mask), np.full((9, 30), 255, np.uint8))
    did = go([item, other], given)
    assert len(errors(did)) == 1
    assert "object_mask.png: is 30 x 9 pixels" in errors(did)[0]
    assert states(item, given)["sample"] == "done"
    assert states(other, given)["object_mask"] == "failed"
    assert states(other, given)["coarse"] == states(other, given)["sample"] == "blocked"
    assert not other.folder("object_mask").exists()
    assert go([item, other], given) == []  # tried, in vain
    assert steps(go([item, other], given, retry=True)) == ["object_mask"]
    mask.write_bytes(whole)
    assert steps(go([item, other], given)) == ["object_mask", "coarse", "sample"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("depth.npy", b"\x93NUMPY nonsense", "cannot be read as a numpy array"),
        ("mesh.obj", b"v 0 0 0\n", "no faces"),
        ("h_mesh.obj", b"v 0 0 -99\nv 1 0 -99\nv 0 1 -99\nf 1 2 3\n", "behind the camera"),
        ("smplx_parameters.json", b"{}", "smplx_parameters.json"),
        ("person_mask.png", b"no picture", "cannot be decoded"),
    ],
)
def test_own_files_that_cannot_be_used_are_named(item: Item, given: Path, name: str, content: bytes, said: str) -> None:
    (given / item.id / name).write_bytes(content)
    found = errors(go([item], given))
    assert len(found) == 1
    assert said in found[0]
    assert not item.folder("sample").exists()


def test_half_of_what_a_step_needs_is_refused(item: Item, given: Path) -> None:
    (given / item.id / "h_mesh.obj").unlink()
    with pytest.raises(ValueError, match=r"has smplx_parameters.json but no h_mesh.obj"):
        engines_of(item, chosen(), given)


def test_an_engine_for_a_step_is_left_out_when_nothing_needs_it(item: Item, given: Path) -> None:
    assert "complete" not in engines_of(item, chosen(), given)
    (given / item.id / "mesh.obj").unlink()
    made = engine("from the cut-out", "mesh", ("complete",), {}, lambda item, folder: ())
    assert "complete" in engines_of(item, chosen(mesh=made), given)


def failing(error: Exception) -> Callable[[Item, Path], tuple[str, ...]]:
    def make(item: Item, folder: Path) -> tuple[str, ...]:
        (folder / "half").write_text("half")
        raise error

    return make


def test_an_interrupt_leaves_nothing_half_and_what_was_finished(item: Item, given: Path) -> None:
    stopping = chosen(coarse=engine("stops", "coarse", ("mesh", "depth"), {}, failing(KeyboardInterrupt())))
    with pytest.raises(KeyboardInterrupt):
        go([item], given, engines=stopping)
    assert states(item, given)["depth"] == "done"
    assert [path.name for path in item.work.iterdir() if path.name.startswith((".", "coarse"))] == []
    assert steps(go([item], given)) == ["coarse", "sample"]


def test_a_full_disk_ends_the_run_and_is_nobodys_fault(item: Item, given: Path) -> None:
    full = OSError(28, "No space left on device")
    with pytest.raises(OSError, match="No space left"):
        go([item], given, engines=chosen(coarse=engine("full", "coarse", ("mesh",), {}, failing(full))))
    assert states(item, given)["coarse"] == "ready"


def test_other_options_and_other_engines_are_other_work(item: Item, given: Path) -> None:
    go([item], given)
    searched = chosen(CoarseOptions(rotation="search", rotations=50))
    found = standings(item, engines_of(item, searched, given))
    assert found["coarse"].state == "stale"
    assert "another rotation" in found["coarse"].why
    (given / item.id / "depth.npy").unlink()
    found = standings(item, engines_of(item, chosen(), given))
    assert found["coarse"].why == "made by depth, now no depth"
    assert found["mesh"].state == "done"


def test_a_pixel_of_both_masks_is_the_objects_unless_it_swallowed_the_person(
    item: Item, given: Path, scene: Sample
) -> None:
    own = given / item.id
    both = scene.human_mask | scene.object_mask
    cv2.imwrite(str(own / "person_mask.png"), both * np.uint8(255))  # the person carries the box
    did = go([item], given)
    assert any("given to the object" in note for _, ending in did for note in ending.notes)
    found = load_sample(item.folder("sample"))
    np.testing.assert_array_equal(found.human_mask, scene.human_mask & ~scene.object_mask)
    np.testing.assert_array_equal(found.object_mask, scene.object_mask)
    cv2.imwrite(str(own / "person_mask.png"), scene.human_mask * np.uint8(255))
    cv2.imwrite(str(own / "object_mask.png"), both * np.uint8(255))
    did = go([item], given)
    assert any("given to the person" in note for _, ending in did for note in ending.notes)
    found = load_sample(item.folder("sample"))
    np.testing.assert_array_equal(found.human_mask, scene.human_mask)
    np.testing.assert_array_equal(found.object_mask, scene.object_mask & ~scene.human_mask)
    cv2.imwrite(str(own / "person_mask.png"), scene.object_mask * np.uint8(255))
    cv2.imwrite(str(own / "object_mask.png"), scene.object_mask * np.uint8(255))
    assert "shows nothing but what is also in the person's mask" in errors(go([item], given))[0]


def test_another_photograph_box_or_category_is_other_work(item: Item, given: Path, scene_folder: Path) -> None:
    boxed = engine("boxed", "mesh", ("image",), {}, copied(given / item.id / "mesh.obj"), about=boxes)
    (given / item.id / "mesh.obj").unlink()
    own = chosen(mesh=boxed)._replace(engines={**chosen().engines, "mesh": boxed})
    assert errors(go([item], given, engines=own)) == []
    assert item.object_box is not None
    other = item._replace(object_box=item.object_box + 3)
    assert steps(go([other], given, engines=own)) == ["mesh", "sample"]  # the mesh is the same again: coarse stands
    photo = item.out.parent / "photo.jpg"
    photo.write_bytes(scene_folder.joinpath("image.jpg").read_bytes())
    assert steps(go([other._replace(photo=photo)], given, engines=own)) == ["image"]  # the same pixels elsewhere
    with Image.open(photo) as picture:
        picture.rotate(180).save(photo)
    assert steps(go([other._replace(photo=photo)], given, engines=own))[0] == "image"
    renamed = other._replace(photo=photo, category="crate")
    assert steps(go([renamed], given, engines=own)) == ["sample"]
    assert renamed.folder("sample").is_dir()
    assert not item.folder("sample").exists()  # the same sample under its former category
    assert (item.work / "sample.before").is_dir()


def copied(path: Path) -> Callable[[Item, Path], tuple[str, ...]]:
    content = path.read_bytes()

    def make(item: Item, folder: Path) -> tuple[str, ...]:
        (folder / "mesh.obj").write_bytes(content)
        return ()

    return make


def test_a_file_made_by_hand_where_a_step_failed_is_taken(item: Item, given: Path, scene_folder: Path) -> None:
    (given / item.id / "object_mask.png").unlink()
    fails = engine("fails", "object_mask", ("image",), {}, failing(ValueError("nothing found")))
    own = chosen()._replace(engines={**chosen().engines, "object_mask": fails})
    assert errors(go([item], given, engines=own)) == ["object_mask: nothing found"]
    item.folder("object_mask").mkdir()
    item.folder("object_mask").joinpath("object_mask.png").write_bytes((scene_folder / "object_mask.png").read_bytes())
    found = standings(item, engines_of(item, own, given))
    assert found["object_mask"].state == "edited"
    assert found["coarse"].state == "ready"
    assert steps(go([item], given, engines=own, retry=True)) == ["coarse", "sample"]
    assert load_sample(item.folder("sample")).object_mask.any()


def test_a_redo_cut_off_before_its_record_is_no_edit(item: Item, given: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go([item], given)

    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(drive, "done", cut_off)  # the folder is there, the record is not
    with pytest.raises(KeyboardInterrupt):
        go([item], given, engines=chosen(CoarseOptions(rotations=7)))
    monkeypatch.undo()
    assert states(item, given)["coarse"] == "ready"
    assert steps(go([item], given)) == ["coarse"]


def test_looking_writes_nothing(item: Item, given: Path) -> None:
    go([item], given)
    item.file("object_mask").write_bytes(item.file("person_mask").read_bytes())
    before = {path: path.stat().st_mtime_ns for path in item.out.rglob("*") if path.is_file()}
    assert states(item, given)["object_mask"] == "edited"
    assert {path: path.stat().st_mtime_ns for path in item.out.rglob("*") if path.is_file()} == before


def test_a_sample_that_can_no_longer_be_made_leaves_the_samples(item: Item, given: Path) -> None:
    go([item], given)
    (given / item.id / "mesh.obj").write_bytes(b"v 0 0 0\n")
    did = go([item], given)
    assert "no faces" in errors(did)[0]
    assert not item.folder("sample").exists()
    assert load_sample(item.work / "sample.before").object_mask.any()


def test_what_the_machine_lacks_is_no_items_fault(item: Item, given: Path) -> None:
    lacking = engine("model", "coarse", ("mesh", "depth"), {}, failing(AssertionError()), lacks=lambda: "no such model")
    told = run_steps(
        [item], lambda item: engines_of(item, chosen(coarse=lacking), given), STEPS, lambda *_: None, print
    )
    assert told == ["coarse of 1 image: no such model"]
    assert standings(item, engines_of(item, chosen(coarse=lacking), given))["coarse"].state == "ready"
    assert steps(go([item], given)) == ["coarse", "sample"]
