"""The drivers of research repositories, against stand-ins that have their command lines, functions and files."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from third_party_wrappers.checks import boxes_of
from third_party_wrappers.contract import Job, Tool, run
from third_party_wrappers.registry import wrappers

HERE = Path(__file__).resolve().parent


@pytest.fixture
def repository(tmp_path: Path):
    """A function that copies a stand-in repository; at the end nothing must have been written into it."""
    copies = []

    def copy(name: str) -> Path:
        place = tmp_path / "repositories" / name
        shutil.copytree(HERE / "repositories" / name, place, ignore=shutil.ignore_patterns("__pycache__"))
        copies.append((place, files(place)))
        return place

    def files(place: Path) -> set[str]:
        return {str(path.relative_to(place)) for path in place.rglob("*") if "__pycache__" not in str(path)}

    yield copy
    for place, before in copies:
        assert files(place) == before


def cutout(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (60, 40)) -> Path:
    picture = Image.new("RGBA", size, (0, 0, 0, 0))
    picture.paste((*colour, 255), (10, 5, 30, 25))
    picture.save(path)
    return path


def colours(mesh: Path) -> np.ndarray:
    return np.asarray([line.split()[4:] for line in mesh.read_text().splitlines() if line.startswith("v ")], float)


def test_instantmesh_gives_each_image_its_own_mesh(repository, tmp_path):
    wrapper, tool = wrappers()["instantmesh"], Tool(sys.executable, repository("instantmesh"), device="cpu")
    shades = [(10 * number, 100, 200) for number in range(10)]
    jobs = [
        Job(
            {"image": cutout(tmp_path / f"{number}.png", shade)},
            tmp_path / "out" / str(number),
            {"steps": 5 + number // 5},
        )
        for number, shade in enumerate(shades)
    ]
    outcomes = run(wrapper, tool, jobs)
    assert [outcome.error for outcome in outcomes] == [None] * 10
    for number, shade in enumerate(shades):
        mesh = jobs[number].out / "mesh.obj"
        np.testing.assert_allclose(colours(mesh), np.tile(np.asarray(shade) / 255, (4, 1)), atol=1e-3)
        assert f"v 0 0 {5 + number // 5} " in mesh.read_text()
    assert (jobs[0].out / "log.txt").read_text().count("loading") == 1  # five images of the same options, one run
    assert (jobs[1].out / "log.txt").read_text().count("loading") == 0


def test_instantmesh_images_that_fail_do_not_take_others_with_them(repository, tmp_path):
    wrapper, tool = wrappers()["instantmesh"], Tool(sys.executable, repository("instantmesh"), device="cpu")
    opaque = tmp_path / "opaque.png"
    Image.new("RGB", (20, 20), (1, 2, 3)).save(opaque)
    images = [
        cutout(tmp_path / "a.png", (9, 9, 9)),
        cutout(tmp_path / "b.png", (255, 0, 0)),  # runs out of memory
        opaque,
        cutout(tmp_path / "c.png", (7, 8, 9)),
    ]
    jobs = [Job({"image": image}, tmp_path / "out" / image.stem) for image in images]
    outcomes = run(wrapper, tool, jobs)
    assert [outcome.state for outcome in outcomes] == ["done", "failed", "failed", "done"]
    assert "out of memory" in outcomes[1].error
    assert "opaque everywhere" in outcomes[2].error


def test_instantmesh_takes_weights_from_the_checkpoint_folder(repository, tmp_path):
    weights = tmp_path / "my weights"
    weights.mkdir()
    (weights / "instant_mesh_large.ckpt").write_text("mine")
    tool = Tool(sys.executable, repository("instantmesh"), weights, device="cpu")
    job = Job({"image": cutout(tmp_path / "a.png", (9, 9, 9))}, tmp_path / "out")
    [outcome] = run(wrappers()["instantmesh"], tool, [job])
    assert outcome.error is None
    assert "loading mine" in (job.out / "log.txt").read_text()


@pytest.mark.parametrize(
    ("device", "ours", "theirs"),
    [
        ("auto", None, "0"),
        ("cuda:1", None, "1"),
        ("cuda:1", "4,5", "5"),
        ("cuda:2", "4,5", "-1"),
        ("cuda", "4,5", "4,5"),
        ("cpu", "4,5", "-1"),
    ],
)
def test_a_repository_that_takes_the_first_gpu_sees_the_one_that_was_chosen(
    repository, monkeypatch, tmp_path, device, ours, theirs
):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if ours is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", ours)
    tool = Tool(sys.executable, repository("instantmesh"), device=device)
    job = Job({"image": cutout(tmp_path / "a.png", (9, 9, 9))}, tmp_path / "out")
    [outcome] = run(wrappers()["instantmesh"], tool, [job])
    assert outcome.error is None
    assert f"on the GPU {theirs}\n" in (job.out / "log.txt").read_text()
    named = f"--device={'cuda' if device.startswith('cuda') else device}"  # a number would be one among those it sees
    assert named in json.loads((job.out / "run.json").read_text())["command"]


OSX_CONFIGURED = """
import importlib.util, os, sys
from pathlib import Path
from types import SimpleNamespace
spec = importlib.util.spec_from_file_location("driver", sys.argv[1])
driver = importlib.util.module_from_spec(spec)
spec.loader.exec_module(driver)
driver.configured(SimpleNamespace(repository=Path(sys.argv[2]), checkpoint=Path("osx_l.pth.tar")), "cuda")
print(os.environ["CUDA_VISIBLE_DEVICES"])
"""


@pytest.mark.parametrize(("given", "kept"), [("3", "3"), ("2,3", "2"), (None, "0")])
def test_osx_keeps_to_the_gpu_that_it_was_given(repository, given, kept):
    """Without a GPU its main.py ends before it comes to this, so its configuration is made by itself."""
    environment = {name: value for name, value in os.environ.items() if name != "CUDA_VISIBLE_DEVICES"}
    if given is not None:
        environment["CUDA_VISIBLE_DEVICES"] = given
    command = [sys.executable, "-c", OSX_CONFIGURED, str(wrappers()["osx"].main), str(repository("osx"))]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert said.stdout.split() == [kept]


def red_box(tmp_path: Path, left: int, width: int = 30, times: int = 1) -> Job:
    """A red box in a grey picture of 80 x 60 (or `times` as large), something blue beside it, and the box's mask."""
    pixels = np.full((60, 80, 3), 128, np.uint8)
    pixels[20:50, left + width : left + width + 5] = (0, 0, 255)
    mask = np.zeros((60, 80), np.uint8)
    mask[20:50, left : left + width] = 255
    pixels[mask > 0] = (255, 0, 0)
    pixels, mask = (layer.repeat(times, 0).repeat(times, 1) for layer in (pixels, mask))
    Image.fromarray(pixels).save(tmp_path / f"{left}.png")
    Image.fromarray(mask).save(tmp_path / f"{left}_mask.png")
    inputs = {"image": tmp_path / f"{left}.png", "mask": tmp_path / f"{left}_mask.png"}
    return Job(inputs, tmp_path / "out" / str(left), {"prompt": "box"})


def test_amodal_places_the_completed_object_around_the_picture(repository, tmp_path):
    wrapper, tool = wrappers()["amodal"], Tool(sys.executable, repository("amodal"), device="cpu")
    inside, beyond, small = red_box(tmp_path, 40), red_box(tmp_path, 10), red_box(tmp_path, 60, width=1)
    outcomes = run(wrapper, tool, [inside, beyond, small])
    assert [outcome.error for outcome in outcomes] == [None] * 3
    for job, left, offset in ((inside, 40, 0), (beyond, 10, 22)):
        record = json.loads((job.out / "amodal.json").read_text())
        assert record == {"offset": [offset, 0], "completed": True, "iterations": 2}
        pixels = np.asarray(Image.open(job.out / "object.png"))
        seen = pixels[20:50, offset + left : offset + left + 30]
        assert (seen == (255, 0, 0, 255)).all()  # what was visible stays as it was
        hidden = pixels[20:50, offset + left - 30 : offset + left]
        assert (hidden == (0, 200, 0, 255)).all()
        assert (pixels[..., 3] > 0).sum() == 30 * 60
    record = json.loads((small.out / "amodal.json").read_text())
    assert record["completed"] is False
    assert (np.asarray(Image.open(small.out / "object.png"))[..., 3] > 0).sum() == 30


@pytest.mark.parametrize("times", [12, 30])
def test_amodal_works_on_a_small_copy_and_answers_in_pixels_of_the_photograph(repository, tmp_path, times):
    """A photograph of 960 x 720 is worked on as it is; one of 2400 x 1800 would make canvases of 1.2 GB a channel."""
    tool = Tool(sys.executable, repository("amodal"), device="cpu")
    job = red_box(tmp_path, 10, times=times)
    [outcome] = run(wrappers()["amodal"], tool, [job])
    assert outcome.error is None
    worked = {12: "960x720", 30: "1000x750"}[times]
    assert f"works on {worked}\n" in (job.out / "log.txt").read_text()
    with Image.open(job.inputs["image"]) as photo, Image.open(job.inputs["mask"]) as given:
        image, mask = np.asarray(photo), np.asarray(given) > 0
    left, top = json.loads((job.out / "amodal.json").read_text())["offset"]
    assert abs(left - 20 * times) <= 2 * 2.4 + 1  # and the stand-in's margin, two pixels of the copy
    assert top == 0
    pixels = np.asarray(Image.open(job.out / "object.png"))
    frame = pixels[top : top + 60 * times, left : left + 80 * times]
    assert (frame[mask][:, :3] == image[mask]).all()  # what was visible keeps its own pixels
    opaque = pixels[..., 3] > 0
    assert set(np.unique(pixels[..., 3])) == {0, 255}
    # twice as wide as what is visible, from there to the left, to a pixel of the copy
    rows, columns = np.nonzero(opaque)
    found = [columns.min() - left, columns.max() + 1 - left, rows.min() - top, rows.max() + 1 - top]
    np.testing.assert_allclose(found, np.multiply([-20, 40, 20, 50], times), atol=3)
    added = pixels[opaque & (pixels[..., 0] < 200)]
    assert np.abs(added[:, :3].astype(int) - (0, 200, 0)).max() <= 1


def test_amodal_wants_a_mask_of_the_image(repository, tmp_path):
    wrapper, tool = wrappers()["amodal"], Tool(sys.executable, repository("amodal"), device="cpu")
    job = red_box(tmp_path, 40)
    Image.new("L", (80, 59), 255).save(job.inputs["mask"])
    assert "the mask is 80x59, the image 80x60" in run(wrapper, tool, [job])[0].error
    Image.new("L", (80, 60), 0).save(job.inputs["mask"])
    assert "the mask is empty" in run(wrapper, tool, [job])[0].error


def test_detectron2_keeps_the_people_it_is_sure_of(repository, photograph, tmp_path):
    weights = tmp_path / "weights.pkl"
    weights.write_bytes(b"")
    tool = Tool(sys.executable, repository("detectron2"), weights, device="cpu")
    red, blue = tmp_path / "red.png", tmp_path / "blue.png"
    Image.new("RGB", (40, 20), (200, 0, 0)).save(red)
    Image.new("RGB", (40, 20), (0, 0, 200)).save(blue)
    jobs = [
        Job({"image": red}, tmp_path / "out" / "sure"),
        Job({"image": red}, tmp_path / "out" / "all", {"score": 0.1}),
        Job({"image": blue}, tmp_path / "out" / "none"),
    ]
    outcomes = run(wrappers()["detectron2"], tool, jobs)
    assert [outcome.error for outcome in outcomes] == [None] * 3
    found = [json.loads((job.out / "people.json").read_text()) for job in jobs]
    assert found[0] == {"boxes": [[0.0, 0.0, 20.0, 20.0]], "scores": [0.9]}
    assert found[1]["scores"] == [0.9, 0.3]
    assert found[2] == {"boxes": [], "scores": []}


@pytest.mark.slow
def test_osx_writes_the_pose_the_camera_and_the_mesh(repository, photograph, models_python, tmp_path):
    weights = tmp_path / "osx_l.pth.tar"
    weights.write_bytes(b"")
    tool = Tool(models_python, repository("osx"), weights, device="cpu")
    boxes, outside, nobody = tmp_path / "boxes.json", tmp_path / "outside.json", tmp_path / "nobody.json"
    boxes.write_text(json.dumps({"human": [20, 30, 80, 150], "obj": [0, 0, 9, 9]}))
    outside.write_text(json.dumps({"human": [900, 30, 980, 150]}))
    nobody.write_text(json.dumps({"obj": [0, 0, 9, 9]}))
    image = photograph(size=(200, 160))
    jobs = [
        Job({"image": image, "boxes": path}, tmp_path / "out" / str(number))
        for number, path in enumerate((boxes, outside, nobody))
    ]
    outcomes = run(wrappers()["osx"], tool, jobs)
    assert [outcome.state for outcome in outcomes] == ["done", "failed", "failed"]
    assert "no area inside of the 200x160 image" in outcomes[1].error
    assert 'no box called "human"' in outcomes[2].error
    record = json.loads((jobs[0].out / "smplx_parameters.json").read_text())
    assert np.asarray(record["body_pose"]).shape == (1, 63)
    assert record["cam_trans"] == [0, 0, 40]
    # the box is 60 x 120, brought to 90 x 120 and made a quarter larger
    np.testing.assert_allclose(record["focal"], [5000 / 192 * 112.5, 5000 / 256 * 150], rtol=1e-6)
    np.testing.assert_allclose(record["princpt"], [50, 90], atol=1e-4)
    verts = [
        line.split()[1:] for line in (jobs[0].out / "h_mesh.obj").read_text().splitlines() if line.startswith("v ")
    ]
    verts = np.asarray(verts, float)
    np.testing.assert_allclose(verts.mean(axis=0), 0, atol=1e-4)  # without cam_trans
    mean = np.asarray(Image.open(image).crop((-6, 15, 106, 165)).resize((384, 512))).mean() / 255
    np.testing.assert_allclose(np.abs(verts).max(), mean, rtol=0.05)  # the patch was of the box, in 0..1


def test_boxes_that_are_none_are_refused(tmp_path):
    path = tmp_path / "boxes.json"
    for content, words in [
        ("{", "not valid JSON"),
        ("{}", "holds no boxes"),
        ('{"a": [1, 2, 3]}', "has the shape"),
        ('{"a": [3, 0, 1, 2]}', "expected x0 < x1"),
        ('{"../a": [0, 0, 1, 2]}', "cannot be part of a file's name"),
        ('{"a": [0, 0, NaN, 2]}', "NaN is no number"),
    ]:
        path.write_text(content)
        job = Job({"image": path, "boxes": path}, tmp_path / "out")
        with pytest.raises(ValueError, match=words):
            boxes_of(job)
