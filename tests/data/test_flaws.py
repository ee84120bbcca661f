"""Flaws put into a good scene: each shows, where it should and nowhere else, and the reader takes what comes out."""

from pathlib import Path

import numpy as np
import pytest

from hoijax.data.read import load_sample
from hoijax.data.sample import Sample, SampleError
from hoijax.data.synthetic import sample_folder, synthetic_sample
from hoijax.data.synthetic.flawed import NOTE_FILE, by_reason, copies, copy_name, foreign, load_note, make_copy
from hoijax.data.synthetic.flaws import LEFT, Flaw, flaws, with_flaw
from hoijax.data.write import save_sample
from hoijax.metrics.image import mask_iou, projected_mask


@pytest.fixture(scope="module")
def good() -> Sample:
    """With the object as photographed, so that silhouettes fit their masks."""
    sample = synthetic_sample("chair", 0)
    assert sample.truth is not None
    return sample._replace(object=sample.truth)


def fits(sample: Sample, who: str) -> float:
    """IoU of a silhouette with its mask, without the pixels of the other's mask."""
    meshes = {"human": sample.human, "object": sample.object}
    masks = {"human": sample.human_mask, "object": sample.object_mask}
    verts = meshes[who].verts.astype(np.float64) + np.asarray(sample.pose.translation, np.float64)
    found = projected_mask(verts, meshes[who].faces, sample.camera, masks[who].shape)
    return float(mask_iou(found, masks[who], masks["object" if who == "human" else "human"]))


@pytest.mark.parametrize("flaw", flaws(), ids=lambda flaw: "-".join(flaw))
def test_a_flaw_shows_in_whom_it_is_and_not_in_the_other(good: Sample, flaw: Flaw) -> None:
    bad = None
    for seed in range(4):
        try:
            bad = with_flaw(good, flaw, np.random.default_rng(seed))
            break
        except ValueError:  # the person sits in the middle of the chair: the frame cannot cut one alone
            assert flaw.way == "cut"
    if bad is None:
        pytest.skip("this scene cannot be cut so; the test below has masks that can")
    other = "object" if flaw.who == "human" else "human"
    masks = {"human": (bad.human_mask, good.human_mask), "object": (bad.object_mask, good.object_mask)}
    seen = {who: now.mean() / was.mean() for who, (now, was) in masks.items()}
    if flaw.reason == "too occluded":
        assert seen[flaw.who] < 0.7 or bad.image.shape != good.image.shape
        assert seen[other] > 0.55
    elif flaw.way == "elsewhere" or flaw.reason in ("bad human", "bad mask"):
        assert fits(bad, flaw.who) < fits(good, flaw.who) - 0.1
        np.testing.assert_array_equal(*masks[other])
    else:
        mesh = bad.human if flaw.who == "human" else bad.object
        was = good.human if flaw.who == "human" else good.object
        moved = mesh.verts.shape != was.verts.shape or np.abs(mesh.verts - was.verts).max() > 0.05
        assert moved or mesh.faces.shape != was.faces.shape
    same = bad.object if flaw.who == "human" else bad.human
    offset = np.asarray(bad.pose.translation) - np.asarray(good.pose.translation)
    before = good.object if flaw.who == "human" else good.human
    np.testing.assert_allclose(same.verts + offset, before.verts, atol=1e-4)
    assert (bad.truth, bad.depth, bad.contact_parts) == (None, None, None)


@pytest.mark.parametrize("who", ["human", "object"])
def test_the_frame_cuts_one_and_keeps_the_other_in_its_place(good: Sample, who: str) -> None:
    left, right = np.zeros_like(good.human_mask), np.zeros_like(good.human_mask)
    left[200:300, 20:220] = True
    right[200:300, 240:500] = True
    apart = good._replace(human_mask=left, object_mask=right)
    bad = with_flaw(apart, Flaw(who, "too occluded", "cut"), np.random.default_rng(0))
    pairs = {"human": (bad.human_mask, left), "object": (bad.object_mask, right)}
    kept = {name: now.sum() / was.sum() for name, (now, was) in pairs.items()}
    assert LEFT[0] - 0.02 < kept.pop(who) < LEFT[1] + 0.02
    assert set(kept.values()) == {1.0}
    moved = np.asarray(good.camera.center - bad.camera.center).astype(int)
    h, w = bad.human_mask.shape
    np.testing.assert_array_equal(bad.image, good.image[moved[1] : moved[1] + h, moved[0] : moved[0] + w])


def test_a_moved_person_keeps_mesh_and_parameters_together(good: Sample) -> None:
    bad = with_flaw(good, Flaw("human", "bad human", "moved"), np.random.default_rng(0))
    np.testing.assert_array_equal(bad.human.verts, good.human.verts)
    assert np.abs(np.asarray(bad.pose.translation - good.pose.translation)).max() > 0.1


def test_what_is_no_flaw_is_refused(good: Sample) -> None:
    with pytest.raises(ValueError, match="expected one of"):
        with_flaw(good, Flaw("human", "bad hair", "posed"), np.random.default_rng(0))


def test_reasons_take_turns() -> None:
    first = by_reason(np.random.default_rng(0).permutation(len(flaws())))
    reasons = [(flaws()[k].who, flaws()[k].reason) for k in first]
    different = len(set(reasons))
    assert sorted(first) == list(range(len(flaws())))
    assert len(set(reasons[:different])) == different


@pytest.mark.slow
def test_copies_are_made_once_and_know_their_scene(good: Sample, tmp_path: Path) -> None:
    tree, out = tmp_path / "scenes", tmp_path / "copies"
    save_sample(good, tree / sample_folder("chair", 0))
    jobs = copies(tree, 2)
    notes = [make_copy(job, out) for job in jobs]
    assert [job.name for job in jobs] == ["chair/sit_on_000", "chair/sit_on_001", "chair/sit_on_002"]
    assert notes[0].flaw is None
    assert {note.source for note in notes} == {"chair/sit_on_0"}
    assert len({note.flaw[:2] for note in notes if note.flaw}) == 2
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    assert [make_copy(job, out) for job in jobs] == notes
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before
    copy = load_sample(out / jobs[0].name)
    assert (copy.category, copy.action) == ("chair", "sit on")
    np.testing.assert_array_equal(copy.object.verts, good.object.verts.astype(np.float32))
    assert list(foreign(out)) == []
    assert make_copy(jobs[1], out, seed=1).seed == 0, "what is there is told, not what was asked for"
    with pytest.raises(SampleError, match="is a copy already"):
        copies(out, 1)
    (out / jobs[1].name / NOTE_FILE).unlink()
    assert list(foreign(out)) == [out / jobs[1].name]
    with pytest.raises(SampleError, match=NOTE_FILE):
        load_note(out / jobs[1].name)


def test_names_of_copies() -> None:
    assert copy_name("a/b_7", 3) == "a/b_703"
    assert copy_name("a/b", 3) == "a/b_03"
