"""Every check passes what is right and names what is wrong."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from third_party_wrappers import checks
from third_party_wrappers.contract import Job, OutputError, Tool

WIDTH, HEIGHT = 6, 4


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """An image of 6 x 4 and a mask whose left half is to be filled."""
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)).save(tmp_path / "image.png")
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[:, :3] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    return Job({"image": tmp_path / "image.png", "mask": tmp_path / "mask.png"}, tmp_path / "out")


def assert_says(check, path: Path, job: Job, words: str) -> None:
    with pytest.raises(OutputError, match=words):
        check(path, job, Tool())


def test_masks(job, tmp_path):
    path = tmp_path / "x_mask.png"
    good = np.zeros((HEIGHT, WIDTH), np.uint8)
    good[1, 1] = 255
    Image.fromarray(good).save(path)
    checks.mask_png(path, job, Tool())
    for array, words in [
        (good[1:], "is 6x3, expected the image's 6x4"),
        (good // 255, r"has the values \[1\]"),
        (good * 0, "is empty"),
        (np.dstack([good] * 3), "expected one 8-bit channel"),
        (good.astype(np.uint16), "expected one 8-bit channel"),
    ]:
        Image.fromarray(array).save(path)
        assert_says(checks.mask_png, path, job, words)
    path.write_bytes(path.read_bytes()[:40])
    assert_says(checks.mask_png, path, job, "not a readable picture")


def test_vectors_take_their_length_from_the_checkpoint(job, tmp_path):
    path, check = tmp_path / "clip.npy", checks.vector_npy(512, "projection_dim")
    np.save(path, np.ones(512, np.float32))
    check(path, job, Tool())
    (tmp_path / "config.json").write_text('{"projection_dim": 24}')
    with pytest.raises(OutputError, match=r"expected \(24,\)"):
        check(path, job, Tool(checkpoint=tmp_path))
    np.save(path, np.ones(24, np.float32))
    check(path, job, Tool(checkpoint=tmp_path))
    for array in (np.zeros(512, np.float32), np.full(512, np.nan, np.float32), np.ones(512)):
        np.save(path, array)
        assert_says(check, path, job, "only zeros|float64")
    np.savez(tmp_path / "several.npz", a=array, b=array)
    assert_says(check, tmp_path / "several.npz", job, "several arrays")


def test_filled_pictures_keep_what_was_known(job, tmp_path):
    path = tmp_path / "filled.png"
    pixels = np.asarray(Image.open(job.inputs["image"])).copy()
    pixels[:, :3] = 7
    Image.fromarray(pixels).save(path)
    checks.filled_png(path, job, Tool())
    pixels[0, 5] += 1
    Image.fromarray(pixels).save(path)
    assert_says(checks.filled_png, path, job, "1 pixels outside of the mask differ")
    Image.fromarray(pixels).convert("L").save(path)
    assert_says(checks.filled_png, path, job, "expected 8-bit RGB")


def test_cutouts_and_their_offsets(job, tmp_path):
    path, offset = tmp_path / "object.png", tmp_path / "amodal.json"
    Image.new("RGBA", (10, 8), (1, 2, 3, 255)).save(path)
    checks.cutout_png(path, job, Tool())
    for place in ([0, 0], [4, 4]):
        offset.write_text(json.dumps({"offset": place}))
        checks.offset_json(offset, job, Tool())
    for record, words in [
        ({"offset": [5, 0]}, "does not place the 6x4 image inside of 10x8"),
        ({"offset": [-1, 0]}, "does not place"),
        ({"offset": [0.5, 0]}, "does not place"),
        ({"offset": "here"}, "is no array of numbers"),
        ([], "has the shape|no array"),
    ]:
        offset.write_text(json.dumps(record))
        assert_says(checks.offset_json, offset, job, words)
    Image.new("RGBA", (10, 8), (1, 2, 3, 0)).save(path)
    assert_says(checks.cutout_png, path, job, "transparent everywhere")
    Image.new("RGB", (10, 8)).save(path)
    assert_says(checks.cutout_png, path, job, "expected 8-bit RGBA")


TRIANGLE = "v 0 0 0 1 0 0\nv 1 0 0 1 0 0\nv 0 1 0 1 0 0\n"


def test_meshes(job, tmp_path):
    path, plain, coloured = tmp_path / "mesh.obj", checks.mesh_obj(), checks.mesh_obj(colours=True)
    for text in (f"# a mesh\n{TRIANGLE}f 1/1/1 2//2 3\n", f"{TRIANGLE}f -3 -2 -1\n"):
        path.write_text(text)
        plain(path, job, Tool())
        coloured(path, job, Tool())
    bare = "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"
    path.write_text(bare)
    plain(path, job, Tool())
    assert_says(coloured, path, job, "no vertex colours")
    for text, words in [
        ("", "0 vertices and 0 faces"),
        (TRIANGLE, "3 vertices and 0 faces"),
        (f"{TRIANGLE}f 1 2 4\n", "beyond its 3"),
        (f"{TRIANGLE}f 0 1 2\n", "beyond its 3"),
        (f"{TRIANGLE}f 1 2\n", "fewer than three"),
        (f"{TRIANGLE}f 1 2 x\n", "not a readable OBJ"),
        (bare.replace("v 1 0 0", "v nan 0 0"), "not finite"),
        (bare.replace("v 1 0 0", "v 1 0"), "vertices of"),
    ]:
        path.write_text(text)
        assert_says(plain, path, job, words)


def test_poses(job, tmp_path):
    path = tmp_path / "smplx_parameters.json"
    good = {key: np.ones(shape).tolist() for key, shape in checks.SMPLX_SHAPES.items()}
    path.write_text(json.dumps(good))
    checks.smplx_json(path, job, Tool())
    for change, words in [
        ({"body_pose": np.ones(63).tolist()}, r"body_pose has the shape \(63,\), expected \(1, 63\)"),
        ({"focal": [0, 5]}, "expected positive pixels"),
        ({"cam_trans": [0, 0, -3]}, "before the camera"),
        ({"shape": [[None] * 10]}, "not finite"),
    ]:
        path.write_text(json.dumps({**good, **change}))
        assert_says(checks.smplx_json, path, job, words)
    del good["expr"]
    path.write_text(json.dumps(good))
    assert_says(checks.smplx_json, path, job, "has no expr")


def test_people(job, tmp_path):
    path = tmp_path / "people.json"
    for boxes, scores in [([], []), ([[0, 0, 2, 3]], [0.5])]:
        path.write_text(json.dumps({"boxes": boxes, "scores": scores}))
        checks.people_json(path, job, Tool())
    for record, words in [
        ({"boxes": []}, "has no boxes and scores"),
        ({"boxes": [[0, 0, 2, 3]], "scores": []}, "1 boxes and 0 scores"),
        ({"boxes": [[0, 0, 0, 3]], "scores": [0.5]}, "boxes without area"),
        ({"boxes": [[0, 0, 2, 3]], "scores": [1.5]}, "scores beyond"),
        ({"boxes": [[0, 0, 2]], "scores": [0.5]}, "has the shape"),
    ]:
        path.write_text(json.dumps(record))
        assert_says(checks.people_json, path, job, words)


def test_depth_that_is_no_depth(job, tmp_path):
    path = tmp_path / "depth.npy"
    for array, words in [
        (np.zeros((HEIGHT, WIDTH), np.float32), "24 of 24 pixels"),
        (np.full((HEIGHT, WIDTH), np.inf, np.float32), "24 of 24 pixels"),
        (np.ones((1, HEIGHT, WIDTH), np.float32), "has the shape"),
    ]:
        np.save(path, array)
        assert_says(checks.depth_npy, path, job, words)
